"""The Bot API through python-telegram-bot, with what a loop of our own needs of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import telegram
from telegram.error import TelegramError, TimedOut
from telegram.request import HTTPXRequest

if TYPE_CHECKING:
    from core.settings import Settings

# What a bot of ours reacts to. Telegram remembers this list until it gets another.
KINDS = ["message", "callback_query"]

CONNECTIONS = 16


class Flood(TelegramError):
    """Telegram wants us to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("flood control")
        self.seconds = seconds


class Request(HTTPXRequest):
    """The library's own way out; a 429 says how long to wait.

    The library's RetryAfter warns of its own deprecation whenever one is made.
    """

    async def do_request(self, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Make one request; raises Flood."""
        status, body = await super().do_request(*args, **more)
        if status == 429:
            raise Flood(_wait(body))
        return status, body


class Api(telegram.Bot):
    """One bot's API. What it raises may hold the token and is never shown."""

    def __init__(self, token: str, address: str) -> None:
        request = Request(connection_pool_size=CONNECTIONS, pool_timeout=30.0, read_timeout=10.0)
        super().__init__(
            token, base_url=f"{address}/bot", request=request, get_updates_request=request
        )

    async def updates(self, offset: int | None, seconds: int, patience: float) -> list[Any]:
        """Wait for updates as they come over the wire, unread; at most `patience` seconds.

        The library's own method reads them all and fails for all if it cannot read one. An
        offset confirms everything below it.
        """
        asked = {"offset": offset, "timeout": seconds, "limit": 100, "allowed_updates": KINDS}
        try:
            # The library's own time-outs are for one read each; a drip would never end.
            async with asyncio.timeout(patience):
                found = await self._post("getUpdates", asked, read_timeout=patience)
        except TimeoutError:
            raise TimedOut from None
        return found if isinstance(found, list) else []


def connect(settings: Settings) -> Api:
    """The API of the bot whose token is set."""
    token = settings.own.telegram_bot_token
    assert token is not None  # noqa: S101 - there is no surface otherwise
    return Api(token.get_secret_value(), settings.own.telegram_api_url)


def _wait(body: bytes) -> float:
    try:
        return max(1.0, float(json.loads(body)["parameters"]["retry_after"]))
    except (ValueError, KeyError, TypeError):
        return 5.0
