"""What `levqor-bot check` finds out about Telegram; nothing is sent, nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import BotCommandScopeDefault
from telegram.error import InvalidToken, TelegramError

from bot.telegram import connection_status as verdicts
from bot.telegram.answers import InvalidAnswer
from bot.telegram.api import connect
from bot.telegram.settings import TOKEN, TelegramSettings, usable
from bot.telegram.webhook import WebhookSecret
from core.counted import counted
from core.errors import NotConfigured
from core.network import NoRoute
from core.reports import Finding

if TYPE_CHECKING:
    from bot.telegram.api import Api
    from core.settings import Settings


async def check(settings: Settings) -> list[Finding]:
    """Look at the token, the webhook and the menu."""
    try:
        if not usable(settings):
            return [_off(settings)]
    except NotConfigured as error:
        return [Finding(good=False, what=error.message, fix=error.fix)]
    try:
        api = connect(settings)
    except NoRoute as problem:
        return [Finding(good=False, what=f"Telegram: {problem.words}.", fix=problem.fix)]
    try:
        return await _look(api, settings)
    except TelegramError as error:
        return [_failed(error)]
    finally:
        await api.shutdown()


def _failed(error: TelegramError) -> Finding:
    if isinstance(error, InvalidToken):
        return Finding(good=False, what=f"Telegram refuses {TOKEN}.", fix=verdicts.REVOKED.fix)
    if isinstance(error, InvalidAnswer):
        verdict = verdicts.INVALID_ANSWERS
        return Finding(good=False, what=f"Telegram: {verdict.words}.", fix=verdict.fix)
    what = "Telegram: cannot be reached."
    return Finding(good=False, what=what, fix="Check this machine's network.")


def _off(settings: Settings) -> Finding:
    if settings.of(TelegramSettings).mode == "off":
        return Finding(good=None, what="Telegram is off (LEVQOR_TELEGRAM=off).")
    return Finding(
        good=None,
        what=f"Telegram is off: {TOKEN} is not set.",
        fix="Write /newbot to @BotFather in Telegram and set what it gives you.",
    )


async def _look(api: Api, settings: Settings) -> list[Finding]:
    await api.initialize()
    found = [Finding(good=True, what=f"Telegram: the token is that of @{api.username}.")]
    hook = (await api.get_webhook_info()).url
    ours = bool(hook) and WebhookSecret(settings.home, str(api.id)).ours(hook)
    if hook and not ours:
        verdict = verdicts.foreign_webhook(hook)
        found.append(Finding(good=False, what=f"Telegram: {verdict.words}.", fix=verdict.fix))
    else:
        way = "a webhook" if settings.of(TelegramSettings).mode == "webhook" else "polling"
        found.append(
            Finding(good=True, what=f"Telegram: nobody else's webhook is in the way of {way}.")
        )
    menu = await api.get_my_commands(scope=BotCommandScopeDefault())
    if menu:
        size = counted(len(menu), "command")
        what = f"Telegram: strangers see a menu of {size}; levqor-bot removes it."
        found.append(Finding(good=None, what=what))
    if not api.bot.can_read_all_group_messages:
        what = "Telegram: in groups the bot sees commands and replies alone, which is all it needs."
        found.append(Finding(good=True, what=what))
    return found
