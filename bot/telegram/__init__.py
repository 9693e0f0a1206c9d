"""The actions as Telegram commands: by long polling, or to a webhook.

Only people who were paired are heard (`levqor pair telegram`). An update is journaled
before it is confirmed to Telegram, so a crash in between neither loses nor repeats it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.telegram.settings import ADDRESS, TOKEN
from core.errors import NotConfigured

if TYPE_CHECKING:
    from bot.runtime import Surface
    from core.settings import Settings


def build(settings: Settings) -> Surface | None:
    """Make the surface where a token is set; raises NotConfigured for what cannot work."""
    own = settings.own
    if own.telegram == "off" or own.telegram_bot_token is None:
        return None
    # It becomes a part of the address, where a slash or a dot would lead elsewhere.
    if not re.fullmatch(r"\d+:[\w-]+", own.telegram_bot_token.get_secret_value(), re.ASCII):
        raise NotConfigured(
            f"{TOKEN} is not a bot's token.",
            settings=[TOKEN],
            fix="Copy it whole from @BotFather: digits, a colon, letters.",
        )
    if own.telegram == "webhook" and own.telegram_webhook_url is None:
        raise NotConfigured(
            f"LEVQOR_TELEGRAM=webhook needs {ADDRESS}, which is not set.",
            settings=[ADDRESS],
            fix=f"Set {ADDRESS} to your public https address, or LEVQOR_TELEGRAM=poll.",
        )
    from bot.telegram.surface import Telegram

    return Telegram(settings)
