"""The Bot API through python-telegram-bot, every answer checked before the library reads it.

A gateway in between may say anything. The library takes each answer for Telegram's own and
trips over what is not, so it gets to see what was checked here and no more.
"""

import asyncio
import json
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
import telegram
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter
from telegram.error import TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.telegram.settings import TelegramSettings
from core.settings import Settings, network

# What a bot of ours reacts to. Telegram remembers this list until it gets another.
KINDS = ["message", "callback_query"]

CONNECTIONS = 16
# A day; what is no Telegram may say anything.
LONGEST_FLOOD = 86400.0

# The year 9999, where Python's dates end.
_Time = Annotated[int, Field(ge=0, le=253402300799)]


class Flood(TelegramError):
    """Telegram wants us to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__("flood control")
        self.seconds = seconds


class InvalidAnswer(TelegramError):
    """What came is no answer of Telegram's."""


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Me(_Model):
    id: int
    is_bot: bool
    first_name: str
    username: str
    can_read_all_group_messages: bool = False


def _address(text: str) -> str:
    urlsplit(text)  # a ValueError where it is none
    return text


class _Webhook(_Model):
    url: Annotated[str, AfterValidator(_address)]
    has_custom_certificate: bool = False  # the library's own class cannot be made without
    pending_update_count: int = 0
    last_error_date: _Time | None = None


class _Command(_Model):
    command: str
    description: str


class _Chat(_Model):
    id: int
    type: str


class _Message(_Model):
    message_id: int
    date: _Time
    chat: _Chat


class _Parameters(_Model):
    migrate_to_chat_id: int | None = None


class _Refusal(_Model):
    ok: Literal[False]
    description: str = ""
    parameters: _Parameters | None = None


_DONE: TypeAdapter[Any] = TypeAdapter(Literal[True])
_RESULTS: dict[str, TypeAdapter[Any]] = {
    "getMe": TypeAdapter(_Me),
    "getWebhookInfo": TypeAdapter(_Webhook),
    "getMyCommands": TypeAdapter(list[_Command]),
    "sendMessage": TypeAdapter(_Message),
    "editMessageText": TypeAdapter(_Message | Literal[True]),
    # Each update is read for itself: one that cannot be read must not lose the others.
    "getUpdates": TypeAdapter(list[Any]),
}


class _Request(HTTPXRequest):
    """The library's HTTP client, with checked answers and Flood for its deprecated RetryAfter."""

    async def do_request(self, url: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        """Make one request; raises Flood, and InvalidAnswer for what no Telegram answers."""
        status, body = await super().do_request(url, *args, **more)
        if status == 429:
            raise Flood(_flood_seconds(body))
        return status, _checked(url.rpartition("/")[2], status, body)


class Api(telegram.Bot):
    """The bot's API; raises NoRoute. What it raises may hold the token and is never shown."""

    def __init__(self, settings: Settings) -> None:
        own = settings.of(TelegramSettings)
        request = _Request(
            connection_pool_size=CONNECTIONS,
            pool_timeout=30.0,
            read_timeout=10.0,
            # The library under the library would look at the environment for itself.
            httpx_kwargs={"trust_env": False, **_route(own.api_url)},
        )
        base = f"{own.api_url}/bot"
        super().__init__(own.token, base, request=request, get_updates_request=request)

    async def shutdown(self) -> None:
        """Close every connection; the library's own closes none before the first good getMe."""
        await super().shutdown()
        await self.request.shutdown()

    async def updates(self, offset: int | None, seconds: int, patience: float) -> list[Any]:
        """Wait for updates, at most `patience` seconds; an offset confirms everything below it."""
        # The library's own method fails for all of them if it cannot read one.
        query = {"offset": offset, "timeout": seconds, "limit": 100, "allowed_updates": KINDS}
        try:
            # The library's own time-outs are for one read each; a drip would never end.
            async with asyncio.timeout(patience):
                updates = await self._post("getUpdates", query, read_timeout=patience)
        except TimeoutError:
            raise TimedOut from None
        return updates if isinstance(updates, list) else []


def _route(address: str) -> dict[str, Any]:
    routes, https = network(), address.startswith("https:")
    proxy, trusted = routes.proxy(address), routes.context() if https else None
    options: dict[str, Any] = {} if trusted is None else {"verify": trusted}
    if proxy is not None:
        # httpx has a SOCKS proxy look names up in either spelling; older ones know but this.
        url = proxy.url.replace("socks5h:", "socks5:")
        context = trusted if proxy.scheme == "https" else None
        options["proxy"] = httpx.Proxy(url, ssl_context=context)
    return options


def _flood_seconds(body: bytes) -> float:
    try:
        seconds = float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 5.0
    return min(max(1.0, seconds), LONGEST_FLOOD)


def _checked(method: str, status: int, body: bytes) -> bytes:
    """An answer's body with what was checked of it; raises InvalidAnswer."""
    if status >= 500:
        # Telegram in trouble, or a gateway that cannot reach it, each in its own words.
        return b"{}"
    try:
        answer = json.loads(body)
        if not 200 <= status < 300:
            return _Refusal.model_validate(answer).model_dump_json(exclude_none=True).encode()
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            raise ValueError(method)  # noqa: TRY301
        adapter = _RESULTS.get(method, _DONE)
        result = adapter.validate_python(answer.get("result"))
        return json.dumps({"ok": True, "result": adapter.dump_python(result)}).encode()
    except (ValueError, RecursionError):  # pydantic's ValidationError is a ValueError
        raise InvalidAnswer("no answer of Telegram's") from None
