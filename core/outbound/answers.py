"""An upstream's answer, read with suspicion."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=BaseModel)

_SECONDS = re.compile(r"\d{1,12}(\.\d{1,12})?")
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json\b", re.IGNORECASE)
_YEAR = 366 * 86400.0
_UNREAD = object()


class HttpAnswer:
    """Status, headers (case-insensitive) and at most 64 KB of body."""

    __slots__ = ("_json", "body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._json: Any = _UNREAD

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
        if self._json is _UNREAD:
            self._json = self._parse()
        return self._json

    def parse(self, model: type[M]) -> M | None:
        """The body as this model; None where it does not fit."""
        try:
            return model.model_validate(self.json())
        except (ValidationError, RecursionError):
            return None

    def _parse(self) -> Any:
        declared = _JSON.match(self.headers.get("Content-Type", "").strip())
        if not declared and self.body.lstrip()[:1] not in (b"{", b"["):
            return None
        try:
            return json.loads(self.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
