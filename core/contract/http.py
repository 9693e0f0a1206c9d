"""The HTTP client a connector is handed, and the answers it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Effect = Literal["write", "keyed", "none"]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


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


class HttpClient(Protocol):
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
