"""The Bot API through python-telegram-bot, with what a loop of our own needs of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import telegram
from telegram.error import TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.telegram import answers
from bot.telegram.settings import TelegramSettings
from core.settings import network

if TYPE_CHECKING:
    from core.network import Network
    from core.settings import Settings

# What a bot of ours reacts to. Telegram remembers this list until it gets another.
KINDS = ["message", "callback_query"]

CONNECTIONS = 16
# A day; what is no Telegram may say anything.
LONGEST_FLOOD = 86400.0


class Flood(TelegramError):
    """Telegram wants us to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("flood control")
        self.seconds = seconds


class Request(HTTPXRequest):
    """The library's own way out; a 429 says how long to wait.

    The library's RetryAfter warns of its own deprecation whenever one is made.
    """

    async def do_request(self, url: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Make one request; raises Flood, and InvalidAnswer for what no Telegram answers."""
        status, body = await super().do_request(url, *args, **more)
        if status == 429:
            raise Flood(_wait(body))
        return status, answers.checked(url.rpartition("/")[2], status, body)


class Api(telegram.Bot):
    """One bot's API. What it raises may hold the token and is never shown."""

    def __init__(self, token: str, address: str, said: Network) -> None:
        request = Request(
            connection_pool_size=CONNECTIONS,
            pool_timeout=30.0,
            read_timeout=10.0,
            # The library under the library would look at the environment for itself.
            httpx_kwargs={"trust_env": False, **_route(said, address)},
        )
        super().__init__(
            token, base_url=f"{address}/bot", request=request, get_updates_request=request
        )

    async def shutdown(self) -> None:
        """Close every connection; the library's own closes none before the first good getMe."""
        await super().shutdown()
        await self.request.shutdown()

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
    """The API of the bot whose token is set; raises NoRoute."""
    own = settings.of(TelegramSettings)
    token = own.bot_token
    assert token is not None  # noqa: S101 - there is no surface otherwise
    return Api(token.get_secret_value(), own.api_url, network())


def _route(said: Network, address: str) -> dict[str, Any]:
    proxy = said.proxy(address)
    trusted = said.context() if address.startswith("https:") else None
    found: dict[str, Any] = {} if trusted is None else {"verify": trusted}
    if proxy is not None:
        # httpx has a SOCKS proxy look names up in either spelling; older ones know but this.
        url = proxy.url.replace("socks5h:", "socks5:")
        found["proxy"] = httpx.Proxy(url, ssl_context=trusted if proxy.scheme == "https" else None)
    return found


def _wait(body: bytes) -> float:
    try:
        seconds = float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 5.0
    return min(max(1.0, seconds), LONGEST_FLOOD)
