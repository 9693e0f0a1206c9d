"""The Telegram part of `levqor-bot check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram.error import InvalidToken, TelegramError

from bot.check import Finding
from bot.telegram.api import connect

if TYPE_CHECKING:
    from telegram import WebhookInfo

    from bot.telegram.api import Api
    from core.settings import Settings

_TOKEN = "Copy TELEGRAM_BOT_TOKEN from @BotFather again: /mybots, your bot, API Token."  # noqa: S105 - where to get one


async def check(settings: Settings) -> list[Finding]:
    """Look at Telegram's way in."""
    own = settings.own
    if own.telegram == "off" or own.telegram_bot_token is None:
        what = "Telegram is off: no TELEGRAM_BOT_TOKEN, or LEVQOR_TELEGRAM=off."
        return [Finding(None, what, "docs/telegram.md leads from nothing to the first command.")]
    try:
        async with connect(settings) as api:
            return await _asked(api, settings)
    # A token Telegram calls malformed is refused before anything is sent.
    except InvalidToken:
        return [Finding(False, "Telegram refuses TELEGRAM_BOT_TOKEN.", _TOKEN)]
    except TelegramError:
        fix = "Check this machine's connection to api.telegram.org."
        return [Finding(False, "Telegram cannot be reached.", fix)]


async def _asked(api: Api, settings: Settings) -> list[Finding]:
    me = await api.get_me()
    found = [Finding(True, f"TELEGRAM_BOT_TOKEN is good: it is @{me.username}.")]
    if not me.can_read_all_group_messages:
        what = "In groups the bot sees commands and replies to it, and nothing else: as it should."
        found.append(Finding(None, what))
    found.append(_webhook(await api.get_webhook_info(), settings))
    return found


def _webhook(info: WebhookInfo, settings: Settings) -> Finding:
    ours = settings.own.telegram_webhook_url
    if settings.own.telegram == "webhook":
        if ours is not None and info.url.startswith(ours):
            trouble = " The last delivery failed." if info.last_error_date else ""
            return Finding(not trouble, f"Telegram posts to this bot's webhook.{trouble}")
        return Finding(None, "The webhook is not set yet: levqor-bot sets it when it starts.")
    if info.url:
        return Finding(
            False,
            "A webhook is set for this bot, so it cannot be polled.",
            "Stop the program that set it, or use LEVQOR_TELEGRAM=webhook, or another bot.",
        )
    return Finding(True, "No webhook stands in the way of polling.")
