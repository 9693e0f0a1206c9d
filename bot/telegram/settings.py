"""The Telegram interface's settings, and whether they make one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import NotConfigured

if TYPE_CHECKING:
    from core.settings import Settings

NAME = "telegram"
TOKEN = "TELEGRAM_BOT_TOKEN"  # noqa: S105 - the setting's name
ADDRESS = "TELEGRAM_WEBHOOK_URL"


def usable(settings: Settings) -> bool:
    """Tell whether Telegram is set up; raises NotConfigured for what cannot work."""
    own = settings.own
    if own.telegram == "off" or own.telegram_bot_token is None:
        return False
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
    return True
