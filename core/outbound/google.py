"""Google access tokens for service accounts: google-auth signs, our own client sends."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from core.contract import Answer, HttpClient

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


def exchange(
    info: Mapping[str, Any],
    scopes: Sequence[str],
    http: HttpClient,
    explain: Callable[[Answer], Exception],
) -> tuple[str, float]:
    """Exchange a signed assertion for an access token and the seconds it may be used.

    Raises what `http` raises, what `explain` makes of an answer that holds no token, and
    ValueError where the private key cannot be read.
    """
    from google.oauth2 import service_account

    # It retries by itself, sleeping, on 500, 503, 504, 408 and 429: it never gets to see one.
    def request(url: str, *, body: bytes = b"", headers: Any = None, **_more: Any) -> _Response:
        answer = http.request("POST", url, headers=headers, data=body, effect="none")
        if answer.status != 200 or answer.parse(_Token) is None:
            raise explain(answer)
        return _Response(answer.status, answer.headers, answer.body)

    credentials: Any = service_account.Credentials
    account = credentials.from_service_account_info(dict(info), scopes=list(scopes))
    account.refresh(request)
    remaining = account.expiry.replace(tzinfo=UTC) - datetime.now(UTC)
    return account.token, remaining.total_seconds() - _MARGIN_SECONDS
