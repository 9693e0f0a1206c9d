"""A link that opens the bot on a phone and sends it a pairing code."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from core.contract import Probe
from core.errors import LevqorError

if TYPE_CHECKING:
    from bot.telegram.settings import TelegramSettings
    from core.contract import HttpClient

# `levqor pair` answers at once: without a name it prints the code alone.
PATIENCE_S = 2.0


def link(own: TelegramSettings, code: str) -> str | None:
    """Make the link; None where there is no token, or Telegram gives no quick answer."""
    if not own.token:
        return None
    from core.outbound import Outbound

    names: list[str] = []

    def ask(http: HttpClient) -> Probe:
        answer = http.get(f"{own.api_url}/bot{own.token}/getMe").json()
        result = answer.get("result") if isinstance(answer, dict) else None
        name = result.get("username") if isinstance(result, dict) else None
        if isinstance(name, str) and re.fullmatch(r"\w{3,64}", name, re.ASCII):
            names.append(name)
        return Probe()

    # The code works without the link; `levqor doctor` tells what is wrong with the token.
    with contextlib.closing(Outbound()) as outbound, contextlib.suppress(LevqorError):
        outbound.probe("telegram", b"pairing", ask, seconds=PATIENCE_S)
    return f"https://t.me/{names[0]}?start={code}" if names else None
