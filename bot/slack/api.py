"""Slack's Web API and response URLs: bounded in time, and nothing from the environment.

slack_sdk takes proxies and bolt takes tokens from the environment where none are given;
here everything is given.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from core.contract import loopback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from core.settings import Settings

CALL_SECONDS = 8.0
# More than the upstream's own hundred: answers that wait must not hold up an acknowledgement.
CONNECTIONS = 256

# Slack's own trouble, which passes; every other error is an answer.
_PASSING = frozenset(
    {"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"}
)


class Unreachable(Exception):
    """Slack did not answer, or answered that it is in trouble; `wait` is what it asks for."""

    def __init__(self, wait: float | None = None) -> None:
        self.wait = wait
        super().__init__()


class Said(Exception):
    """Slack answered with an error; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Api:
    """What the Slack surface asks Slack for. Made inside the event loop."""

    def __init__(self, settings: Settings) -> None:
        own = settings.own
        self._home = urlsplit(own.slack_api_url)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
        )
        self.client = AsyncWebClient(
            token=own.slack_bot_token.get_secret_value() if own.slack_bot_token else None,
            base_url=own.slack_api_url,
            session=self.session,
            retry_handlers=[],
        )
        self.client.proxy = proxy_for(own.slack_api_url)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.session.close()

    async def who_am_i(self) -> Mapping[str, Any]:
        """`auth.test`: the team and the bot; `scopes` beside it, as the token's headers say."""
        response = await answered(self.client.auth_test())
        headers = {name.lower(): text for name, text in response.headers.items()}
        return {**response.data, "scopes": headers.get("x-oauth-scopes", "")}

    async def open_socket(self, token: str) -> str:
        """`apps.connections.open`: an address for one WebSocket."""
        response = await answered(self.client.apps_connections_open(app_token=token))
        return str(response["url"])

    async def user(self, user: str, seconds: float) -> Mapping[str, Any]:
        """`users.info`."""
        response = await answered(self.client.users_info(user=user), seconds)
        return dict(response["user"])

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> None:
        """`views.open`: show a form to whoever pulled the trigger."""
        await answered(self.client.views_open(trigger_id=trigger, view=dict(view)))

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """`views.publish`: show somebody their home tab."""
        await answered(self.client.views_publish(user_id=user, view=dict(view)))

    async def message(self, user: str, text: str) -> None:
        """`chat.postMessage`: a direct message."""
        await answered(self.client.chat_postMessage(channel=user, text=text, unfurl_links=False))

    async def respond(self, url: str, message: Mapping[str, Any]) -> None:
        """Post to a response URL; raises Said once it takes no more."""
        if not self._is_slacks(url):
            raise Said("foreign_url")
        hook = AsyncWebhookClient(url, session=self.session, retry_handlers=[])
        hook.proxy = proxy_for(url)
        response = await _bounded(hook.send_dict(dict(message)), CALL_SECONDS)
        if response.status_code == 429 or response.status_code >= 500:
            raise Unreachable(_seconds(response.headers.get("Retry-After")))
        if response.status_code != 200:
            raise Said("response_url_refused")

    def _is_slacks(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.netloc == self._home.netloc:
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com"))


async def answered(call: Awaitable[Any], seconds: float = CALL_SECONDS) -> Any:
    """Await a Web API call; raises Unreachable or Said."""
    try:
        return await _bounded(call, seconds)
    except SlackApiError as error:
        response = error.response
        # For a body that is no JSON it is a text, or aiohttp's own response.
        data = getattr(response, "data", None)
        code = data.get("error") if isinstance(data, dict) else None
        if not isinstance(code, str) or code in _PASSING:
            raise Unreachable(_seconds(response.headers.get("Retry-After"))) from None
        # The code is shown to people: only what looks like one of Slack's.
        raise Said(code if re.fullmatch(r"[a-z_]{1,60}", code) else "an_error") from None


async def _bounded(call: Awaitable[Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await call
    except SlackApiError:
        raise
    # slack_sdk trips over an answer that is not JSON with errors of Python's own.
    except (
        aiohttp.ClientError, SlackClientError, OSError, AttributeError, TypeError, ValueError,
    ):  # fmt: skip
        raise Unreachable from None


def proxy_for(url: str) -> str | None:
    """The configured proxy for an address, if it is not to be reached directly."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get({"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme))


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
