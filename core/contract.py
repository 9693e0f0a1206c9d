"""What a connector must declare: contracts, settings, actions, a probe.

A contract is the pydantic model of an action's input and the only place where words about
its fields are written: help, forms, usage, HTTP schema, docs and tray read them from here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

if TYPE_CHECKING:
    from pydantic import ValidationInfo
    from pydantic.fields import FieldInfo

    from core.errors import Refusal

Kind = Literal["text", "rows", "mapping"]
Effect = Literal["write", "keyed", "none"]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def field(
    title: str,
    help: str,  # noqa: A002 - it is the help
    *,
    example: Any,
    long: bool = False,
    address: bool = False,
    setting: str | None = None,
    takes_text: bool | str = False,
    **bounds: Any,
) -> Any:
    """Declare a field of a contract.

    `long` allows line breaks; `address` marks what names a person or a place; `setting`
    names the setting that fills the field in when it is left out; `takes_text` makes the
    free text of a command land here (in a mapping: under that key). Bounds are pydantic's.
    """
    hints = {"long": long, "address": address, "setting": setting, "takes_text": takes_text}
    extra: Any = {f"x-{name}": value for name, value in hints.items() if value}
    return Field(
        title=title, description=help, examples=[example], json_schema_extra=extra, **bounds
    )


def message_field(example: str, max_length: int) -> Any:
    """Declare the text of a message: required, of several lines, and a command's free text."""
    return field(
        "Text",
        "What to say.",
        example=example,
        long=True,
        takes_text=True,
        min_length=1,
        max_length=max_length,
    )


@dataclass(frozen=True)
class FieldSpec:
    """A contract's field as the surfaces see it."""

    name: str
    title: str
    help: str
    example: Any
    kind: Kind
    required: bool
    default: Any
    long: bool
    address: bool
    setting: str | None
    takes_text: bool | str
    min_length: int | None
    max_length: int | None


class Contract(BaseModel):
    """The base of every action's input: strict, stripped, closed, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any, info: ValidationInfo) -> Any:
        extra = _extra(cls.model_fields[info.field_name or ""])
        refuse_control(value, line_breaks=bool(extra.get("x-long")) or not isinstance(value, str))
        return value

    @classmethod
    def fields(cls) -> tuple[FieldSpec, ...]:
        """Walk the fields in the order a person fills them in."""
        return tuple(_spec(name, info) for name, info in cls.model_fields.items())


def refuse_control(value: Any, *, line_breaks: bool) -> None:
    """Raise ValueError where a text, however deep, holds a character nobody can type."""
    if isinstance(value, str):
        allowed = "\n\r\t" if line_breaks else "\t"
        # Cc: controls. Cs: lone surrogates, which no upstream's UTF-8 can carry.
        bad = next(
            (c for c in value if unicodedata.category(c) in ("Cc", "Cs") and c not in allowed),
            None,
        )
        if bad in ("\n", "\r"):
            raise ValueError("must be on one line")
        if bad is not None:
            raise ValueError(f"holds a control character (U+{ord(bad):04X})")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_control(key, line_breaks=False)
            refuse_control(inner, line_breaks=True)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            refuse_control(inner, line_breaks=True)


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    extra = _extra(info)
    origin = get_origin(info.annotation)
    kind: Kind = "text"
    if origin in (dict, Mapping):
        kind = "mapping"
    elif origin in (list, tuple, Sequence):
        kind = "rows"
    bounds = {
        key: getattr(mark, key, None)
        for key in ("min_length", "max_length")
        for mark in info.metadata
        if getattr(mark, key, None) is not None
    }
    return FieldSpec(
        name=name,
        title=info.title or name,
        help=info.description or "",
        example=(info.examples or [None])[0],
        kind=kind,
        required=info.is_required(),
        default=None if info.is_required() else info.get_default(),
        long=bool(extra.get("x-long")),
        address=bool(extra.get("x-address")),
        setting=extra.get("x-setting"),
        takes_text=extra.get("x-takes_text", False),
        min_length=bounds.get("min_length"),
        max_length=bounds.get("max_length"),
    )


@dataclass(frozen=True)
class Setting:
    """One setting a connector (or Levqor itself) reads, and where a person gets it."""

    name: str
    title: str
    where: str
    required: bool = False
    secret: bool = False
    env_only: bool = False
    example: str | None = None
    default: str | None = None
    shape: str | None = None  # a regular expression; what does not fit is warned about


def setting(
    name: str,
    title: str,
    where: str,
    *,
    required: bool = False,
    secret: bool = False,
    env_only: bool = False,
    example: str | None = None,
    default: str | None = None,
    shape: str | None = None,
) -> Any:
    """Declare a setting as a field of a connector's `Config`.

    A required one has no default, so its type needs no None; an absent other one is None
    or its default.
    """
    mark = Setting(name, title, where, required, secret, env_only, example, default, shape)
    extra: Any = {"x-setting": mark}
    return Field(default=... if required else default, alias=name, json_schema_extra=extra)


def upstream_url(name: str, service: str, default: str) -> Any:
    """Declare where a service's API lives, a `BaseUrl`.

    It is read from the environment only: a strange folder's `.env` must not redirect tokens.
    """
    return setting(
        name,
        f"Where {service}'s API lives",
        f"leave it out unless you reach {service} through an address of your own",
        env_only=True,
        example=default,
        default=default,
    )


def loopback(host: str | None) -> bool:
    """Whether a host's name or address can only be this machine."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def base_url(value: str) -> str:
    """Check an upstream's address: https, or on loopback; returned without a last slash.

    Raises ValueError in words that do not hold the value.
    """
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an address like https://example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback(host)):
        raise ValueError("must begin with https:// (http:// is for this machine only)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address alone, with no name, password, ? or #")
    return value.rstrip("/")


def _one_word(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    # It travels in a header or an address, where anything else would end or split it.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be one word, copied whole and without spaces or line breaks")
    return value


BaseUrl = Annotated[str, AfterValidator(base_url)]
Secret = Annotated[SecretStr, AfterValidator(_one_word)]


class Config(BaseModel):
    """The base of a connector's settings, each field declared with `setting`.

    Secrets are `Secret` (`Secret | None` where not required). A validator that raises
    ValueError makes the connector count as misconfigured; its text is shown, so it must not
    hold the value.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    @classmethod
    def settings(cls) -> tuple[Setting, ...]:
        """The declared settings, in order."""
        return tuple(_extra(info)["x-setting"] for info in cls.model_fields.values())


@dataclass(frozen=True)
class Receipt:
    """What a successful run returns.

    `status` is the word on the wire (`sent`, `created`, `appended`); `id` the upstream's
    own id, masked before it leaves the engine; `updated` a count of rows; `link` and
    `note` are told to the person and never kept.
    """

    status: str
    id: str | None = None
    updated: int | None = None
    link: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Probe:
    """What a probe that got through found. One that did not raises an UpstreamError."""

    notes: tuple[str, ...] = ()
    attention: bool = False
    fix: str | None = None


class Answer(Protocol):
    """An upstream's answer, at most 64 KB of it."""

    status: int
    body: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    @property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header (a number or an HTTP date), if any."""

    def json(self) -> Any:
        """The body as JSON; None where it is not JSON."""

    def parse(self, model: type[M]) -> M | None:
        """The body as this model; None where it does not fit."""


class Out(Protocol):
    """The way out, as a connector is handed it: one attempt, ten seconds in all.

    Calls raise NotSent where the request surely did not leave, Unknown where it may have
    arrived; an answer of any status is returned, and the connector explains it.
    `effect`: "write" (may be done at most once), "keyed" (the upstream knows a repeat by
    its key), "none" (nothing a person would see).
    """

    run: str

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Read; never counts as a write."""

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        effect: Effect = "write",
    ) -> Answer:
        """Write one JSON or form body."""

    def service_account_token(
        self,
        info: Mapping[str, Any],
        scopes: Sequence[str],
        *,
        explain: Callable[[Answer], Exception],
        fresh: bool = False,
    ) -> str:
        """A Google access token, cached until a minute before it ends; `fresh` skips the cache.

        A token answer other than 200 raises what `explain` makes of it.
        """

    def remember(
        self, key: str, make: Callable[[], T], *, seconds: float, fresh: bool = False
    ) -> T:
        """Keep a value for this credential; `fresh` makes it anew."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a connector does.

    `check` runs before anything is journaled and may raise (a field that needs a further
    setting, a recipient who may not be written to); it is handed input, config and whether
    this is a test send.
    """

    name: str
    title: str  # at most 24 characters: Slack's bound for a modal's title
    input: type[Contract]
    sample: Mapping[str, Any]
    send: Callable[[Any, Any, Out], Receipt]
    check: Callable[[Any, Any, bool], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Connector:
    """A service Levqor can reach: the last statement of a connector's file."""

    name: str
    title: str
    config: type[Config]
    actions: tuple[Action, ...]
    probe: Callable[[Any, Out], Probe]
    refusals: tuple[Refusal, ...]

    def action_id(self, action: Action) -> str:
        """E.g. `name.action`; how an action is written everywhere."""
        return f"{self.name}.{action.name}"

    def refusal(self, reason: str) -> Refusal | None:
        """The table's row for a reason that was kept."""
        return next((row for row in self.refusals if row.reason == reason), None)
