"""The actions as Telegram commands: by long polling, or to a webhook.

Only people who were paired are heard (`levqor pair telegram`). An update is journaled
before it is confirmed to Telegram, so a crash in between neither loses nor repeats it.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from bot.declaration import SurfaceSpec, imported
from bot.telegram.settings import NAME, TelegramSettings, problems, usable
from core.callers import CallerShape
from core.contract import Pairing
from core.errors import LevqorError

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface
    from core.contract import HttpClient

# `levqor pair` answers at once: without a name it prints the code alone.
PATIENCE_S = 2.0


def build(startup: Startup) -> Surface | None:
    """Make the surface where a token is set; raises NotConfigured for what cannot work."""
    # In the sandbox nobody writes from a phone.
    if (startup.settings.sandbox and startup.options.console) or not usable(startup.settings):
        return None
    from bot.telegram.surface import Telegram

    return Telegram(startup.settings)


def link(own: TelegramSettings, code: str) -> str | None:
    """Make a link that sends the bot a pairing code; None without a quick answer of Telegram's."""
    if not own.token:
        return None
    from core.outbound import Outbound

    def ask(http: HttpClient) -> Any:
        answer = http.get(f"{own.api_url}/bot{own.token}/getMe").json()
        result = answer.get("result") if isinstance(answer, dict) else None
        return result.get("username") if isinstance(result, dict) else None

    # The code works without the link; `levqor doctor` tells what is wrong with the token.
    with contextlib.closing(Outbound()) as outbound, contextlib.suppress(LevqorError):
        name = outbound.probe(NAME, b"pairing", ask, seconds=PATIENCE_S)
        if isinstance(name, str) and re.fullmatch(r"\w{3,64}", name, re.ASCII):
            return f"https://t.me/{name}?start={code}"
    return None


SURFACE = SurfaceSpec(
    name=NAME,
    title="Telegram",
    settings=TelegramSettings,
    problems=problems,
    caller=CallerShape(re.compile(r"[1-9][0-9]*"), "42"),
    command=lambda _, words: f"/{words}",
    direct=True,
    pairing=Pairing("/start {code}", link),
    loggers=("telegram",),
    token_shapes=(r"(?<!\d)\d{6,12}(?::|%3[Aa])[\w-]{30,}",),  # it stands in its URLs
    build=build,
    check=imported("bot.telegram.check:check"),
    guide="levqor init telegram",
)
