"""The bot's own @name, for a link that a phone can open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import LevqorError

if TYPE_CHECKING:
    from core.contract import HttpClient, Probe
    from core.settings import Settings

# `levqor pair` answers at once: without a name it prints the code alone.
PATIENCE_S = 2.0
_NAME = re.compile(r"\w{3,64}", re.ASCII)


def bot_name(settings: Settings) -> str | None:
    """Ask Telegram for the bot's name; None where there is no token or no quick answer."""
    token = settings.own.telegram_bot_token
    if token is None:
        return None
    from core.contract import Probe
    from core.outbound import Outbound

    address = f"{settings.own.telegram_api_url}/bot{token.get_secret_value()}/getMe"
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
