"""A link that opens the bot on a phone and sends it a pairing code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.contract import Probe
from core.errors import LevqorError
from core.outbound import Outbound

if TYPE_CHECKING:
    from bot.telegram.settings import TelegramSettings
    from core.contract import HttpClient

# `levqor pair` answers at once: without a name it prints the code alone.
PATIENCE_S = 2.0
_NAME = re.compile(r"\w{3,64}", re.ASCII)


def link(own: TelegramSettings, code: str) -> str | None:
    """Make the link; None where there is no token, or Telegram gives no quick answer."""
    name = _bot_name(own)
    return f"https://t.me/{name}?start={code}" if name else None


def _bot_name(own: TelegramSettings) -> str | None:
    if own.bot_token is None:
        return None
    address = f"{own.api_url}/bot{own.bot_token.get_secret_value()}/getMe"
    found: list[str] = []

    def ask(out: HttpClient) -> Probe:
        answer = out.get(address).json()
        result = answer.get("result") if isinstance(answer, dict) else None
        name = result.get("username") if isinstance(result, dict) else None
        if isinstance(name, str) and _NAME.fullmatch(name):
            found.append(name)
        return Probe()

    outbound = Outbound()
    try:
        outbound.probe("telegram", b"pairing", ask, seconds=PATIENCE_S)
    except LevqorError:
        # The code works without the link; `levqor doctor` tells what is wrong with the token.
        return None
    finally:
        outbound.close()
    return found[0] if found else None
