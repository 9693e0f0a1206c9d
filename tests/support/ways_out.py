"""Short words for tests of the way out: an `Outbound`, sends, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.contract import Receipt
from core.errors import LevqorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.contract import Effect, HttpClient
    from core.outbound import Outbound

CREDENTIAL = b"credential"


def posting(url: str, effect: Effect = "write", **more: Any) -> Callable[[HttpClient], Receipt]:
    """A connector's send that makes one call and takes any answer for success."""

    def send(out: HttpClient) -> Receipt:
        answer = out.post(url, json={"run": out.run}, effect=effect, **more)
        return Receipt("sent", id=str(answer.status))

    return send


def getting(url: str) -> Callable[[HttpClient], Receipt]:
    """A send that only reads."""

    def send(out: HttpClient) -> Receipt:
        return Receipt("sent", id=str(out.get(url).status))

    return send


def deliver(
    outbound: Outbound, send: Callable[[HttpClient], Receipt], **more: Any
) -> tuple[Receipt, int]:
    return outbound.deliver("service", CREDENTIAL, "run-1", send, **more)


def failing(outbound: Outbound, send: Callable[[HttpClient], Receipt], **more: Any) -> LevqorError:
    """Deliver, and give back the error it must end with."""
    try:
        receipt, _ = deliver(outbound, send, **more)
    except LevqorError as error:
        return error
    raise AssertionError(f"delivered: {receipt}")


def ended(error: LevqorError) -> tuple[str | None, str | None, int]:
    """How it ended, why, and after how many attempts."""
    return error.outcome, error.reason, error.attempts
