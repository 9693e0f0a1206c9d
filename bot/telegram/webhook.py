"""Telegram posts each update to an address of ours, signed with a secret only we know."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telegram.error import BadRequest, InvalidToken, TelegramError

from bot.runtime import HookAnswer
from bot.telegram import connection_status as verdicts
from bot.telegram.api import KINDS
from core.errors import LevqorError
from core.home_key import KEY, home_key

if TYPE_CHECKING:
    from pathlib import Path

    from telegram import WebhookInfo

    from bot.runtime import HookRequest
    from bot.telegram.api import Api
    from bot.telegram.connection_status import ConnectionStatus
    from bot.telegram.timing import Timing
    from bot.telegram.update_handler import UpdateHandler

HEADER = "x-telegram-bot-api-secret-token"
# Telegram tries again for a day; a failure of an hour ago says nothing about now.
RECENT_SECONDS = 300.0

log = logging.getLogger("levqor.bot")


class WebhookSecret:
    """What belongs to one home and one bot: the path Telegram posts to and its secret.

    Both follow from the home's key, so they outlive a restart and are written nowhere.
    """

    def __init__(self, home: Path, bot_id: str) -> None:
        self._home = home
        self._bot_id = bot_id

    @cached_property
    def path(self) -> str:
        """Where Telegram posts."""
        return f"/telegram/{self._word('path')[:24]}"

    @cached_property
    def token(self) -> str:
        """What each post of Telegram's carries."""
        return self._word("secret")

    def ours(self, url: str) -> bool:
        """Whether a webhook's address was set by this home; one without a key has set none."""
        return (self._home / KEY).exists() and urlsplit(url).path.endswith(self.path)

    def authentic(self, request: HookRequest) -> bool:
        """Whether a post carries the secret, compared in constant time."""
        given = request.headers.get(HEADER, "")
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _word(self, what: str) -> str:
        text = f"telegram webhook {what} {self._bot_id}"
        return hmac.new(home_key(self._home), text.encode(), hashlib.sha256).hexdigest()


class Webhook:
    """Sets the webhook, unless another one is there, and watches over it."""

    def __init__(
        self,
        api: Api,
        status: ConnectionStatus,
        secret: WebhookSecret,
        address: str,
        timing: Timing,
    ) -> None:
        self._api = api
        self._status = status
        self._secret = secret
        self._url = address.rstrip("/") + secret.path
        self._host = urlsplit(address).hostname or address
        self._timing = timing
        self._was_ours = False

    async def run(self) -> None:
        """Set the webhook and look from time to time whether it stands; never returns."""
        while True:
            try:
                await self._look(await self._api.get_webhook_info())
            except InvalidToken:
                await self._status.bad(verdicts.REVOKED)
            except BadRequest:
                await self._status.bad(verdicts.BAD_ADDRESS)
            except TelegramError as error:
                await self._status.bad(verdicts.trouble(error))
            except Exception as error:  # noqa: BLE001 - or nobody would look any more
                log.error("The webhook stumbled: %s", type(error).__name__)  # noqa: TRY400
                await self._status.bad(verdicts.STUMBLED)
            await asyncio.sleep(self._timing.look)

    async def _look(self, found: WebhookInfo) -> None:
        if found.url and not self._secret.ours(found.url):
            await self._status.bad(verdicts.foreign_webhook(found.url))
            return
        if not found.url and self._was_ours:
            await self._status.bad(verdicts.TAKEN)
            return
        if found.url != self._url or not self._was_ours:
            await self._api.set_webhook(
                self._url, allowed_updates=KINDS, secret_token=self._secret.token
            )
            self._was_ours = True
        failed = found.last_error_date
        recent = failed is not None and time.time() - failed.timestamp() < RECENT_SECONDS
        if recent and found.pending_update_count:
            await self._status.bad(verdicts.undelivered(self._host))
            return
        await self._status.good(f"at its webhook on {self._host}")


async def answer(request: HookRequest, handler: UpdateHandler | None) -> HookAnswer:
    """Answer one post: 200 only once the update is in the journal, or its answer is out."""
    if handler is None:
        return HookAnswer(503)
    try:
        raw = json.loads(request.body)
    except (ValueError, RecursionError):
        raw = None
    heard = handler.read(raw)
    try:
        if heard is not None:
            taken = await handler.take(heard)
            await handler.secure([taken])
            handler.begin(taken)
    except LevqorError:
        # Telegram brings it again.
        return HookAnswer(503)
    return HookAnswer(200)
