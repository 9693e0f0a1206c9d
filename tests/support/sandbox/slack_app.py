"""People who use the bot's Slack app: what they do reaches the bot.

It comes over Socket Mode, or as signed HTTP requests once `listens_at` has named the bot's
address. Every method may be called from any thread.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from typing import Any

import aiohttp

from core.sandbox.slack import GENERAL, TEAM, Slack
from tests.support.sandbox import slack_payloads as payloads
from tests.support.sandbox.slack_identity import PERSON
from tests.support.sandbox.slack_payloads import Exchange
from tests.support.sandbox.slack_responses import Responses
from tests.support.sandbox.slack_socket import MAX_CONNECTIONS, Socket
from tests.support.sandbox.slack_views import Views, state
from tests.support.sandbox.threadsafe import threadsafe_call

ACK_SECONDS = 3.0
_POLL = 0.01


class App(Slack):
    """The state of one Slack app, and what people do with it."""

    def __init__(self, url: str) -> None:
        self.socket = Socket()
        self._session: aiohttp.ClientSession | None = None
        super().__init__(url)

    def reset(self) -> None:
        """Forget views, response URLs and messages; open sockets stay open."""
        super().reset()
        self.messages: list[dict[str, Any]] = []
        self.members: list[str] = []  # whom `users.list` knows; `users.info` knows everybody
        self.views = Views()
        self.responses = Responses()
        self.events_url: str | None = None
        self.socket.acks.clear()
        self.socket.limit = MAX_CONNECTIONS
        self._events = itertools.count(1)

    async def stop(self) -> None:
        """Close what is open."""
        await self.socket.drop()
        if self._session is not None:
            await self._session.close()

    def socket_url(self) -> str:
        """A WebSocket address good for one connection."""
        return f"{self.url.replace('http', 'ws', 1)}/link?ticket={self.socket.ticket()}"

    def waits_for_sockets(self, count: int = 1, seconds: float = 60.0) -> None:
        """Wait until that many sockets are open; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self.socket.connections != count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.socket.connections} sockets are open")
            time.sleep(_POLL)

    @threadsafe_call
    async def listens_at(self, url: str | None) -> None:
        """Send signed requests to this address from now on; None goes back to sockets."""
        self.events_url = url

    @threadsafe_call
    async def command(
        self,
        name: str,
        text: str = "",
        *,
        user: str = PERSON,
        channel: str = GENERAL,
        team: str = TEAM,
        trigger_id: str | None = None,
    ) -> Exchange:
        """Type a slash command."""
        trigger = self._trigger(trigger_id)
        response = self.responses.new()
        url = f"{self.url}/response/{response}"
        payload = payloads.command(name, text, user, channel, team, trigger, url)
        exchange = Exchange("slash_commands", payload, trigger, url)
        exchange.replies = self.responses.posts[response]
        return await self._send(exchange)

    @threadsafe_call
    async def submit_view(
        self,
        values: dict[str, Any] | None = None,
        *,
        view_id: str | None = None,
        user: str = PERSON,
        team: str = TEAM,
    ) -> Exchange:
        """Fill in a modal (the last one opened) and press its button."""
        view = self.views.opened.get(view_id or "") if view_id else self.views.last
        if view is None:
            raise ValueError("no view is open")
        trigger = self._trigger(None)
        payload = payloads.interactive("view_submission", user, team, trigger)
        payload["view"] = {**view, "state": state(view, values or {})}
        payload["response_urls"] = []
        exchange = await self._send(Exchange("interactive", payload, trigger))
        if exchange.acked:
            self.views.acknowledged(view["id"], exchange.ack)
        return exchange

    @threadsafe_call
    async def click(
        self,
        source: dict[str, Any],
        button: str,
        *,
        user: str = PERSON,
        channel: str = GENERAL,
        team: str = TEAM,
        values: dict[str, Any] | None = None,
        chosen: str | None = None,
    ) -> Exchange:
        """Press a button of a message or a view, by its label, value or action id.

        In a view other fields hold `values`; with `chosen`, that is chosen in the select of the
        block `button`, which must tell of it.
        """
        find = payloads.select if chosen is not None else payloads.button
        element, block = find(source, button)
        trigger = self._trigger(None)
        payload = payloads.interactive("block_actions", user, team, trigger)
        moment = f"{time.time():.6f}"
        action = {**element, "block_id": block, "action_ts": moment}
        payload |= {"actions": [action], "state": {"values": {}}}
        exchange = Exchange("interactive", payload, trigger)
        if "hash" in source:
            payload["container"] = {"type": "view", "view_id": source["id"]}
            filled = {**(values or {}), **({block: chosen} if chosen is not None else {})}
            payload["view"] = {**source, "state": state(source, filled)}
        else:
            response = self.responses.new()
            exchange.response_url = f"{self.url}/response/{response}"
            exchange.replies = self.responses.posts[response]
            payload["response_url"] = exchange.response_url
            payload["channel"] = {"id": channel, "name": "general"}
            ephemeral = "ts" not in source
            stamp = source.get("ts", moment)
            payload["container"] = {
                "type": "message",
                "message_ts": stamp,
                "channel_id": channel,
                "is_ephemeral": ephemeral,
            }
            payload["message"] = {"type": "message", "ts": stamp, **source}
        return await self._send(exchange)

    @threadsafe_call
    async def event(
        self, /, kind: str, *, user: str = PERSON, team: str = TEAM, **more: Any
    ) -> Exchange:
        """Let an event of the Events API happen, e.g. `app_home_opened`."""
        payload = payloads.event(next(self._events), kind, user, team, more)
        return await self._send(Exchange("events_api", payload))

    @threadsafe_call
    async def replay(self, exchange: Exchange, *, retry: int = 0) -> Exchange:
        """Send the same once more, as Slack does; `retry` counts an event's redeliveries."""
        again = Exchange(exchange.kind, exchange.payload, exchange.trigger_id)
        again.response_url, again.replies = exchange.response_url, exchange.replies
        return await self._send(again, retry=retry)

    @threadsafe_call
    async def post(self, body: bytes, headers: dict[str, str], kind: str = "raw") -> Exchange:
        """Post any bytes with any headers to the bot's address, forged ones too."""
        exchange = Exchange(kind, {})
        await self._post(exchange, body, headers)
        return exchange

    @threadsafe_call
    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every socket to come back and close it."""
        await self.socket.disconnect(reason)

    @threadsafe_call
    async def drop_sockets(self) -> None:
        """Break every socket without a word."""
        await self.socket.drop()

    @threadsafe_call
    async def expire(self, response_url: str) -> None:
        """Let a response URL's thirty minutes be over."""
        self.responses.expire(response_url.rpartition("/")[2])

    def _trigger(self, given: str | None) -> str:
        trigger = given or f"{uuid.uuid4().int % 10**12}.{uuid.uuid4().hex}"
        self.views.trigger(trigger)
        return trigger

    async def _send(self, exchange: Exchange, retry: int = 0) -> Exchange:
        if self.events_url is None:
            await self._over_socket(exchange, retry)
        else:
            body, kind = payloads.body_of(exchange.kind, exchange.payload)
            headers = {"Content-Type": kind, **payloads.signed(body)}
            if retry:
                headers["X-Slack-Retry-Num"] = str(retry)
                headers["X-Slack-Retry-Reason"] = "http_timeout"
            await self._post(exchange, body, headers)
        return exchange

    async def _over_socket(self, exchange: Exchange, retry: int) -> None:
        envelope = {
            "envelope_id": str(uuid.uuid4()),
            "type": exchange.kind,
            "payload": exchange.payload,
            "accepts_response_payload": exchange.kind != "events_api",
        }
        if exchange.kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        started = time.monotonic()
        acked = await self.socket.deliver(envelope, ACK_SECONDS)
        exchange.latency = time.monotonic() - started
        if acked is not None:
            exchange.acked, exchange.ack, exchange.latency = True, acked.payload, acked.latency

    async def _post(self, exchange: Exchange, body: bytes, headers: dict[str, str]) -> None:
        if self.events_url is None:
            raise ValueError("say where the bot listens: listens_at(url)")
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector)
        started = time.monotonic()
        try:
            async with asyncio.timeout(ACK_SECONDS):
                async with self._session.post(
                    self.events_url, data=body, headers=headers
                ) as response:
                    text = await response.text()
        except (aiohttp.ClientError, TimeoutError):
            exchange.latency = time.monotonic() - started
            return
        exchange.latency = time.monotonic() - started
        exchange.status, exchange.acked = response.status, response.status == 200
        is_json = response.content_type == "application/json" and text
        exchange.ack = json.loads(text) if is_json else text or None
