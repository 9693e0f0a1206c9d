"""Google access tokens for service accounts: google-auth signs, our own way out carries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.contract import Answer

# A token is not used in its last minute: a request takes time, and clocks differ.
_MARGIN_SECONDS = 60.0


class _Token(BaseModel):
    access_token: str
    expires_in: int = 3600


class _Response(NamedTuple):
    """An answer in the shape google-auth reads."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _Carrier:
    """What google-auth calls to make a request.

    It retries by itself, sleeping, on 500, 503, 504, 408 and 429: it never gets to see one.
    """

    def __init__(
        self,
        post: Callable[[str, bytes, Mapping[str, str]], Answer],
        explain: Callable[[Answer], Exception],
    ) -> None:
        self._post = post
        self._explain = explain

    def __call__(
        self,
        url: str,
        method: str = "POST",  # noqa: ARG002 - google-auth's own signature
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the attempt's deadline stands
        **_more: Any,
    ) -> _Response:
        answer = self._post(url, body, headers or {})
        if answer.status != 200 or not _is_token(answer.json()):
            raise self._explain(answer)
        return _Response(answer.status, answer.headers, answer.body)


def _is_token(said: Any) -> bool:
    try:
        _Token.model_validate(said)
    except ValidationError:
        return False
    return True


def exchange(
    info: Mapping[str, Any],
    scopes: Sequence[str],
    post: Callable[[str, bytes, Mapping[str, str]], Answer],
    explain: Callable[[Answer], Exception],
) -> tuple[str, float]:
    """Exchange a signed assertion for an access token and the seconds it may be used.

    Raises what `post` raises, what `explain` makes of an answer that holds no token, and
    ValueError where the private key cannot be read.
    """
    from google.oauth2 import service_account

    credentials: Any = service_account.Credentials
    account = credentials.from_service_account_info(dict(info), scopes=list(scopes))
    account.refresh(_Carrier(post, explain))
    left = account.expiry.replace(tzinfo=UTC) - datetime.now(UTC)
    return account.token, left.total_seconds() - _MARGIN_SECONDS
