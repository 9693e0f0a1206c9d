"""Telegram posts each update to an address of ours, signed with a secret only we know."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from telegram.error import BadRequest, TelegramError

from bot.runtime import HookAnswer, HookRequest
from bot.telegram import connection_status as verdicts
from bot.telegram.api import KINDS, Api
from bot.telegram.connection_status import ConnectionStatus
from bot.telegram.settings import Timing
from bot.telegram.update_handler import UpdateHandler
from core.home_key import home_key, key_file

HEADER = "x-telegram-bot-api-secret-token"
# Telegram tries again for a day; a failure of an hour ago says nothing about now.
RECENT_SECONDS = 300.0

log = logging.getLogger("levqor.bot")


class WebhookSecret:
    """What belongs to one key and one bot: the path Telegram posts to and its secret token.

    Both follow from the key of the home, or of all bots on one database (LEVQOR_KEY_FILE), so they
    outlive a restart and are written nowhere.
    """

    def __init__(self, home: Path, bot_id: str, named: str | None = None) -> None:
        self._home, self._named = home, named
        self._bot_id = bot_id

    @cached_property
    def path(self) -> str:
        """Where Telegram posts."""
        return f"/telegram/{self._derived('path')[:24]}"

    @cached_property
    def token(self) -> str:
        """What each post of Telegram's carries."""
        return self._derived("secret")

    def ours(self, url: str) -> bool:
        """Whether a webhook's address was set with this key; where there is none, none was."""
        there = key_file(self._home, self._named).exists()
        return there and urlsplit(url).path.endswith(self.path)

    def authentic(self, request: HookRequest) -> bool:
        """Whether a post carries the secret, compared in constant time."""
        given = request.headers.get(HEADER, "")
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _derived(self, what: str) -> str:
        text = f"telegram webhook {what} {self._bot_id}"
        return hmac.new(
            home_key(self._home, self._named), text.encode(), hashlib.sha256
        ).hexdigest()


async def watch(
    api: Api, status: ConnectionStatus, secret: WebhookSecret, address: str, timing: Timing
) -> None:
    """Set the webhook, unless another one is there, and look after it; never returns."""
    url, host = address.rstrip("/") + secret.path, urlsplit(address).hostname or address
    was_ours = False
    while True:
        try:
            webhook = await api.get_webhook_info()
            if webhook.url and not secret.ours(webhook.url):
                await status.bad(verdicts.foreign_webhook(webhook.url))
            elif was_ours and not webhook.url:
                await status.bad(verdicts.TAKEN)
            else:
                if webhook.url != url or not was_ours:
                    await api.set_webhook(url, allowed_updates=KINDS, secret_token=secret.token)
                    was_ours = True
                failed = webhook.last_error_date
                recent = failed is not None and time.time() - failed.timestamp() < RECENT_SECONDS
                if recent and webhook.pending_update_count:
                    await status.bad(verdicts.undelivered(host))
                else:
                    await status.good(f"at its webhook on {host}")
        except BadRequest:
            await status.bad(verdicts.BAD_ADDRESS)
        except TelegramError as error:
            await status.bad(verdicts.of_error(error))
        except Exception as error:  # noqa: BLE001 - or nobody would look any more
            log.error("The webhook stumbled: %s", type(error).__name__)  # noqa: TRY400
            await status.bad(verdicts.STUMBLED)
        await asyncio.sleep(timing.look)


async def answer(request: HookRequest, handler: UpdateHandler | None) -> HookAnswer:
    """Answer one post: 200 only once the update is in the journal, or its answer is out."""
    if handler is None:
        return HookAnswer(503)
    try:
        raw = json.loads(request.body)
    except (ValueError, RecursionError):
        raw = None
    taken, problem = await handler.take([raw])
    if problem is not None:
        # Telegram brings it again.
        return HookAnswer(503)
    for each in taken:
        handler.begin(each)
    return HookAnswer(200)
