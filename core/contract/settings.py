"""A connector's settings: declared with where a person gets them."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, cast, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from core.network import loopback


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
    restricts: bool = False  # set to nothing it is refused: it would mean everybody

    @property
    def in_files(self) -> bool:
        """Whether it may also be in a file of its own."""
        return self.secret or self.restricts


@dataclass(frozen=True)
class Problem:
    """Something about a setting that a person should know; never its value."""

    setting: str
    what: str
    fix: str
    fatal: bool = False  # what needs the setting does not work until the fix is done


def setting(
    name: str,
    title: str,
    where: str,
    *,
    required: bool = False,
    default: str | None = None,
    **more: Any,
) -> Any:
    """Declare a setting as a field of a connector's `Config`; `more` are those of a `Setting`.

    A required one has no default, so its type needs no None; an absent other one is None
    or its default. One whose type holds a SecretStr is secret.
    """
    mark = Setting(name, title, where, required=required, default=default, **more)
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


def base_url(value: str) -> str:
    """Take an upstream's address: https, or on loopback; raises ValueError without the value."""
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


def _token(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    # It travels in a header or an address, where anything else would end or split it.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be one word, copied whole and without spaces or line breaks")
    return value


BaseUrl = Annotated[str, AfterValidator(base_url)]
Secret = Annotated[SecretStr, AfterValidator(_token)]


def bearer(secret: SecretStr | None) -> dict[str, str]:
    """The header that carries a secret; none where there is no secret."""
    return {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret else {}


class Config(BaseModel):
    """The base of a connector's settings, each field declared with `setting`.

    Secrets are `Secret` (`Secret | None` where not required). A validator that raises
    ValueError makes the connector count as misconfigured; its text is shown, so it must not
    hold the value.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True,
        defer_build=True,
    )  # fmt: skip

    @classmethod
    @cache
    def settings(cls) -> tuple[Setting, ...]:
        """The declared settings, in order."""
        marks = [
            (cast("Any", info.json_schema_extra)["x-setting"], _is_secret(info.annotation))
            for info in cls.model_fields.values()
        ]
        return tuple(replace(mark, secret=secret) for mark, secret in marks)


def _is_secret(kind: Any) -> bool:
    return kind is SecretStr or any(map(_is_secret, get_args(kind)))
