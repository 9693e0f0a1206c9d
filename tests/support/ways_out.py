"""Short words for tests of the way out: an `Outbound`, sends, and how they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from core.contract import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.contract.http import Effect, HttpClient
    from core.outbound import Delivery, Outbound

T = TypeVar("T")

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
    delivery = outbound.deliver("service", CREDENTIAL, "run-1", send, **more)
    return delivery.get(), delivery.attempts


def failing(
    outbound: Outbound, send: Callable[[HttpClient], Receipt], **more: Any
) -> Delivery[Receipt]:
    """Deliver, and give back how it failed."""
    delivery = outbound.deliver("service", CREDENTIAL, "run-1", send, **more)
    assert delivery.error is not None, f"delivered: {delivery.result}"
    return delivery


def ended(failed: Delivery[Receipt]) -> tuple[str | None, str | None, int]:
    """How it ended, why, and after how many attempts."""
    assert failed.error is not None
    return failed.error.outcome, failed.error.reason, failed.attempts


def took(call: Callable[[], T]) -> tuple[T, float]:
    """What a call returns, and how many seconds it took."""
    started = time.monotonic()
    value = call()
    return value, time.monotonic() - started
