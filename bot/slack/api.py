"""Slack's Web API and response URLs: bounded in time, and nothing taken on trust.

slack_sdk takes proxies from the environment where none are given; here everything is given.
And a gateway in between may answer anything.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from ssl import SSLContext
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError as SdkApiError
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.settings import SlackSettings
from core.network import NoRoute, Proxy, loopback
from core.settings import Settings, network

CALL_SECONDS = 8.0
USERS_A_PAGE = 200
# More than the upstream's own hundred: answers that wait must not hold up an acknowledgement.
CONNECTIONS = 256

# Slack's own trouble, which passes; every other error is an answer.
_PASSING = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"}
)
UNREACHABLE = "Slack cannot be reached; trying again."
NETWORK = "Check this machine's connection to slack.com."


class Unreachable(Exception):
    """Slack did not answer, or is in trouble: why, what to do, and the pause it asks for."""

    def __init__(
        self, why: str = UNREACHABLE, fix: str = NETWORK, wait: float | None = None
    ) -> None:
        self.why, self.fix, self.wait = why, fix, wait
        super().__init__(why)


class InvalidAnswer(Unreachable):
    """What came is no answer of Slack's."""

    def __init__(self, wait: float | None = None) -> None:
        super().__init__(
            "Answers come that are not Slack's; trying again.",
            "See what is between here and Slack: a proxy (HTTPS_PROXY), a firewall, or the address "
            "in SLACK_API_URL.",
            wait,
        )


class SlackApiError(Exception):
    """Slack answered with an error; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Api:
    """What the Slack surface asks Slack for. Made inside the event loop.

    Everything here raises Unreachable, also where the environment leaves no way to Slack, and
    what asks Slack something SlackApiError too.
    """

    def __init__(self, settings: Settings) -> None:
        own = settings.of(SlackSettings)
        self._home = urlsplit(own.api_url)
        self.on_foreign: Callable[[str], None] | None = None
        self.routes = Routes()
        session, trusted, proxy = self.routes.to(own.api_url)
        self.client = AsyncWebClient(
            token=own.bot_token.get_secret_value() if own.bot_token else None,
            base_url=own.api_url,
            session=session,
            ssl=trusted,
            retry_handlers=[],
        )
        # Given as an argument, none would mean the environment's.
        self.client.proxy = proxy

    async def close(self) -> None:
        """Let go of every connection."""
        await self.routes.close()

    async def who_am_i(self) -> Mapping[str, Any]:
        """`auth.test`: the team and the bot; `scopes` beside it, as the token's headers say."""
        response = await answered(self.client.auth_test())
        if any(not _is_id(response.get(name)) for name in ("team_id", "user_id")):
            raise InvalidAnswer
        headers = {name.lower(): text for name, text in response.headers.items()}
        return {**response.data, "scopes": headers.get("x-oauth-scopes", "")}

    async def open_socket(self, token: str) -> str:
        """`apps.connections.open`: an address for one WebSocket."""
        response = await answered(self.client.apps_connections_open(app_token=token))
        url = response.get("url")
        if not isinstance(url, str) or not _is_socket(url):
            raise InvalidAnswer
        return url

    async def user(self, user: str, seconds: float) -> Any:
        """`users.info`: what it says of somebody, in whatever shape."""
        return (await answered(self.client.users_info(user=user), seconds)).get("user")

    async def users(self, cursor: str) -> tuple[list[Any], str]:
        """`users.list`: a page of the workspace's people, and where the next one begins."""
        call = self.client.users_list(limit=USERS_A_PAGE, cursor=cursor or None)
        response = await answered(call)
        users, more = response.get("members"), response.get("response_metadata") or {}
        following = more.get("next_cursor", "") if isinstance(more, dict) else None
        if not isinstance(users, list) or not isinstance(following, str):
            raise InvalidAnswer
        return users, following

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """`views.open`: show a form to whoever pulled the trigger; its id."""
        made = await answered(self.client.views_open(trigger_id=trigger, view=dict(view)))
        opened = made.get("view")
        return str(opened.get("id") or "") if isinstance(opened, dict) else ""

    async def update_view(self, view_id: str, view: Mapping[str, Any]) -> None:
        """`views.update`: change a form that somebody has open; what they typed stays."""
        await answered(self.client.views_update(view_id=view_id, view=dict(view)))

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """`views.publish`: show somebody their home tab."""
        await answered(self.client.views_publish(user_id=user, view=dict(view)))

    async def message(
        self, user: str, text: str, blocks: Sequence[dict[str, Any]] | None = None
    ) -> None:
        """`chat.postMessage`: a direct message; where there are blocks, the text is for notices."""
        await answered(
            self.client.chat_postMessage(channel=user, text=text, blocks=blocks, unfurl_links=False)
        )

    async def respond(self, url: str, message: Mapping[str, Any]) -> None:
        """Post to a response URL; raises SlackApiError once it takes no more."""
        try:
            parts = urlsplit(url)
            ours = self._is_slacks(parts)
        except ValueError:  # no address at all: the answer finds its way as a message
            raise SlackApiError("foreign_url") from None
        if not ours:
            if self.on_foreign:
                self.on_foreign(parts.netloc)
            raise SlackApiError("foreign_url")
        session, trusted, proxy = self.routes.to(url)
        hook = AsyncWebhookClient(url, session=session, ssl=trusted, retry_handlers=[])
        hook.proxy = proxy
        response = await _bounded(hook.send_dict(dict(message)), CALL_SECONDS)
        if response.status_code == 429 or response.status_code >= 500:
            raise Unreachable(wait=_seconds(response.headers.get("Retry-After")))
        if response.status_code != 200:
            raise SlackApiError("response_url_refused")

    def _is_slacks(self, parts: SplitResult) -> bool:
        if _place(parts) == _place(self._home):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com"))


class Routes:
    """How Slack is reached: a session for all, and one for each SOCKS proxy."""

    def __init__(self) -> None:
        self._network = network()
        self._context = cache(self._network.context)
        self._sessions: dict[Proxy | None, aiohttp.ClientSession] = {}

    def to(self, url: str) -> tuple[aiohttp.ClientSession, SSLContext | None, str | None]:
        """The session, whom to trust and the proxy, as aiohttp takes them with a request."""
        proxy, trusted = self._route(url)
        # A proxy over HTTP is named with each request; one over SOCKS is the connector.
        socks = proxy if proxy and proxy.socks else None
        if socks not in self._sessions:
            self._sessions[socks] = _session(socks)
        return self._sessions[socks], trusted, proxy.url if proxy and not socks else None

    def to_socket(self, url: str) -> tuple[aiohttp.ClientSession | None, str | None]:
        """A session of its own where the proxy needs one, and the proxy."""
        proxy, _ = self._route(url)
        if proxy and proxy.socks:
            return _session(proxy), None
        return None, proxy.url if proxy else None

    async def close(self) -> None:
        """Close every session that is kept."""
        for session in self._sessions.values():
            await session.close()

    def _route(self, url: str) -> tuple[Proxy | None, SSLContext | None]:
        try:
            proxy = self._network.proxy(url)
            return proxy, self._context() if url.startswith("https:") else None
        except NoRoute as problem:
            raise Unreachable(f"{problem.words}.", problem.fix) from None


def _session(socks: Proxy | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    if socks is not None:
        # A tenth of what Slack needs to start, and few need it.
        from aiohttp_socks import ProxyConnector

        connector = ProxyConnector(
            socks.host,
            socks.port,
            username=socks.user,
            password=socks.password,
            rdns=True,
            limit=CONNECTIONS,
        )
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    return aiohttp.ClientSession(connector=connector, timeout=timeout)


def _place(parts: SplitResult) -> tuple[str, str, int | None]:
    """Whom an address leads to, however its host is spelt."""
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, "localhost" if loopback(host) else host, port


async def answered(call: Awaitable[Any], seconds: float = CALL_SECONDS) -> Any:
    """Await a Web API call; raises Unreachable or SlackApiError."""
    try:
        response = await _bounded(call, seconds)
    except SdkApiError as error:
        response = error.response
        # For a body that is no JSON it is a text, or aiohttp's own response.
        data = getattr(response, "data", None)
        code = data.get("error") if isinstance(data, dict) else None
        if not isinstance(code, str) or code in _PASSING:
            wait = _seconds(response.headers.get("Retry-After"))
            # Whoever answered so may have meant it to be a good answer.
            status = getattr(response, "status_code", getattr(response, "status", 500))
            if status == 200 and not isinstance(code, str):
                raise InvalidAnswer(wait) from None
            raise Unreachable(wait=wait) from None
        # The code is shown to people: only what looks like one of Slack's.
        raise SlackApiError(code if re.fullmatch(r"[a-z_]{1,60}", code) else "an_error") from None
    if not isinstance(getattr(response, "data", None), dict):
        raise InvalidAnswer
    return response


async def _bounded(call: Awaitable[Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await call
    except SdkApiError:
        raise
    except (aiohttp.ClientError, SlackClientError, OSError):
        raise Unreachable from None
    except Exception:  # noqa: BLE001 - an answer over which slack_sdk trips, in whatever way
        raise InvalidAnswer from None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z0-9]{1,64}", value) is not None


def _is_socket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "wss" or (parts.scheme == "ws" and loopback(host)))


def _seconds(header: str | None) -> float | None:
    # What is no Slack may say anything; a wait of an hour is looked at again.
    return min(float(header), 3600.0) if header and re.fullmatch(r"[0-9]{1,12}", header) else None
