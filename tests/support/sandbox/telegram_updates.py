"""Updates on their way to the bot: the queue, long polling and the webhook.

An update stays until it is confirmed: by a poll with a higher offset, or by a webhook that
answers 2xx. A bot that dies in between gets it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from core.sandbox.telegram import MAX_POLL, bad, number, refusal

if TYPE_CHECKING:
    from core.sandbox.service import Received, Refusal

PORTS = (443, 80, 88, 8443)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_KINDS_LEFT_OUT = ("chat_member", "message_reaction", "message_reaction_count")
_WEBHOOK_SET = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
    "delete the webhook first"
)
_OTHER_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance "
    "is running"
)


class Updates:
    """The updates of one bot. All methods but `add` run on the sandbox's loop."""

    def __init__(self) -> None:
        self.pending: list[dict[str, Any]] = []
        self.confirmed: list[int] = []
        self.deliveries: list[tuple[int, int | None]] = []  # update, the webhook's status
        self.retry_seconds = 0.2
        self.webhook_seconds = 10.0
        self._next_id = 1000
        self._allowed: list[str] = []
        self._poll: asyncio.Future[Refusal | None] | None = None
        self._hook: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, update: dict[str, Any], *, wanted: bool = False) -> dict[str, Any] | None:
        """Queue an update, numbered unless it has a number; None where the bot opted out.

        `wanted` are those that were queued before it did.
        """
        kinds = [kind for kind in update if kind != "update_id"]
        if kinds and not wanted and not self._wanted(kinds[0]):
            return None
        numbered = {"update_id": self._next_id, **update}
        if isinstance(numbered["update_id"], int):
            self._next_id = max(self._next_id, numbered["update_id"]) + 1
        self.pending.append(numbered)
        self._wake()
        return numbered

    def abort(self, ending: Refusal) -> None:
        """End a poll that waits with this answer."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(ending)

    async def stop(self) -> None:
        """End what waits or delivers."""
        self.abort(refusal(500, "Internal Server Error: restart"))
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def get_updates(self, given: dict[str, Any], received: Received) -> list[dict[str, Any]]:
        """Confirm what is below the offset and answer what is due, waiting if need be."""
        if self._hook:
            raise refusal(409, _WEBHOOK_SET)
        # The one that already waits loses, as at the real server.
        self.abort(refusal(409, _OTHER_POLL))
        if given.get("allowed_updates") is not None:
            self._allowed = _kinds(given)
        self._confirm(number(given, "offset", 0))
        limit = min(max(number(given, "limit", 100), 1), 100)
        timeout = min(max(number(given, "timeout", 0), 0), MAX_POLL)
        deadline = time.monotonic() + timeout
        mine: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        self._poll = mine
        while not self.pending and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait([mine], timeout=left)
            if mine.done():
                if (ended := mine.result()) is not None:
                    raise ended
                mine = self._poll = asyncio.get_running_loop().create_future()
        return self.pending[:limit]

    async def set_webhook(self, given: dict[str, Any], received: Received) -> bool:
        """Deliver to an address from now on; an empty one ends that."""
        url = str(given.get("url") or "")
        secret = given.get("secret_token")
        if not url:
            return await self.delete_webhook(given, received)
        _check_address(url)
        if secret and not _SECRET.fullmatch(str(secret)):
            raise bad("secret token contains unallowed characters")
        self.abort(refusal(409, "Conflict: terminated by setWebhook request"))
        await self.stop()
        if given.get("allowed_updates") is not None:
            self._allowed = _kinds(given)
        if str(given.get("drop_pending_updates", "")).lower() == "true":
            self.pending.clear()
        self._hook = {"url": url, "secret": secret}
        self._task = asyncio.create_task(self._deliver())
        return True

    async def delete_webhook(self, given: dict[str, Any], received: Received) -> bool:
        """Keep updates for polling again."""
        await self.stop()
        self._hook = {}
        if str(given.get("drop_pending_updates", "")).lower() == "true":
            self.pending.clear()
        return True

    async def webhook_info(self, given: dict[str, Any], received: Received) -> dict[str, Any]:
        """What the server knows of the webhook, its last failure included."""
        info = {
            "url": self._hook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        for name in ("last_error_date", "last_error_message"):
            if name in self._hook:
                info[name] = self._hook[name]
        if self._hook:
            info["max_connections"] = 40
        if self._allowed:
            info["allowed_updates"] = self._allowed
        return info

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in _KINDS_LEFT_OUT

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            done, self.pending = self.pending[:offset], self.pending[offset:]
        else:
            done = [one for one in self.pending if _update_id(one) < offset]
            self.pending = [one for one in self.pending if _update_id(one) >= offset]
        self.confirmed += [_update_id(one) for one in done]

    async def _deliver(self) -> None:
        headers = {}
        if self._hook["secret"]:
            headers["X-Telegram-Bot-Api-Secret-Token"] = str(self._hook["secret"])
        limit = aiohttp.ClientTimeout(total=self.webhook_seconds)
        async with aiohttp.ClientSession(timeout=limit, headers=headers) as session:
            wait = self.retry_seconds
            while True:
                if not self.pending:
                    self._poll = asyncio.get_running_loop().create_future()
                    await self._poll
                    continue
                if await self._post(session, self.pending[0]):
                    wait = self.retry_seconds
                    continue
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)

    async def _post(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        try:
            async with session.post(self._hook["url"], json=update) as response:
                status, failure = response.status, "Wrong response from the webhook: "
                failure += f"{response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError):
            status, failure = None, "Connection failed"
        self.deliveries.append((_update_id(update), status))
        if status is not None and 200 <= status < 300:
            self.pending.remove(update)
            self.confirmed.append(_update_id(update))
            return True
        self._hook["last_error_date"] = int(time.time())
        self._hook["last_error_message"] = failure
        return False


def _update_id(update: dict[str, Any]) -> int:
    number = update.get("update_id")
    return number if isinstance(number, int) else 0


def _kinds(given: dict[str, Any]) -> list[str]:
    given = given["allowed_updates"]
    if not isinstance(given, list):
        raise bad("can't parse allowed updates JSON object")
    return [str(kind) for kind in given]


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    with contextlib.suppress(ValueError):
        # Here and there only: a bot under test listens on loopback without TLS.
        if ipaddress.ip_address(host).is_loopback:
            return
    if host == "localhost":
        return
    if parts.scheme != "https":
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
