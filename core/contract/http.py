"""The HTTP client a connector is handed, and the answers it gives."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from json import JSONEncoder, loads
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Effect = Literal["write", "keyed", "none"]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

_SECONDS = re.compile(r"\d{1,12}(\.\d{1,12})?")
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json\b", re.IGNORECASE)
_YEAR = 366 * 86400.0
_WRITTEN = JSONEncoder(ensure_ascii=False, allow_nan=False)


class AnswerModel(BaseModel):
    """The base of what is read of an answer's body; built when it is first used."""

    model_config = ConfigDict(defer_build=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """A service's answer: status, headers (case-insensitive) and at most 64 KB of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    effect: Effect = "write"  # of the call it answers

    @property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""
        named = _CHARSET.search(self.headers.get("Content-Type", ""))
        try:
            return self.body.decode(named[1] if named else "utf-8", errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header: a number, or an HTTP date."""
        value = self.headers.get("Retry-After", "").strip()
        if _SECONDS.fullmatch(value):
            return min(float(value), _YEAR)
        until = _timestamp(value)
        if until is None:
            return None
        # Against the upstream's own clock where it tells it: ours may be wrong.
        now = _timestamp(self.headers.get("Date", "")) or time.time()
        return min(max(0.0, until - now), _YEAR)

    def json(self) -> Any:
        """The body as JSON; None where it is not, or where its type and look deny it."""
        declared = _JSON.match(self.headers.get("Content-Type", "").strip())
        if not declared and self.body.lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            return loads(self.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None

    def parse(self, model: type[M]) -> M | None:
        """The body as this model; None where it does not fit."""
        try:
            return model.model_validate(self.json())
        except (ValidationError, RecursionError):
            return None

    def success(self, model: type[M]) -> M | None:
        """The body of a 200 as this model; None where it is another or does not fit."""
        return self.parse(model) if self.status == 200 else None


Explain = Callable[[Answer], Exception]


class HttpClient(ABC):
    """The HTTP client of one attempt, ten seconds in all.

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
        return self.request("GET", url, "none", headers, params=params)

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
        data: bytes | Mapping[str, str] = form or {}
        if form is None:
            data = _WRITTEN.encode(json).encode()
            headers = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        return self.request("POST", url, effect, headers, params=params, data=data)

    @abstractmethod
    def request(
        self, method: str, url: str, effect: Effect, headers: Mapping[str, str] | None, **parts: Any
    ) -> Answer:
        """Make one call; `parts` are its params and data, as requests takes them."""

    @abstractmethod
    def service_account_token(
        self, info: Mapping[str, Any], scope: str, *, explain: Explain, fresh: bool = False
    ) -> str:
        """A Google access token, cached until a minute before it ends; `fresh` skips the cache.

        A token answer other than 200 raises what `explain` makes of it.
        """

    @abstractmethod
    def remember(
        self, key: Hashable, make: Callable[[], tuple[T, float]], *, fresh: bool = False
    ) -> T:
        """Keep for this credential what `make` gives, a value and its seconds; `fresh`: anew."""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
