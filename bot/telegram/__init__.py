"""The actions as Telegram commands: by long polling, or to a webhook.

Only people who were paired are heard (`levqor pair telegram`). An update is journaled
before it is confirmed to Telegram, so a crash in between neither loses nor repeats it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.declaration import SurfaceSpec
from bot.telegram.pairing import link
from bot.telegram.settings import NAME, TelegramSettings, problems, usable
from core.callers import CallerShape
from core.contract import Pairing

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface
    from core.reports import Finding
    from core.settings import Settings


def build(startup: Startup) -> Surface | None:
    """Make the surface where a token is set; raises NotConfigured for what cannot work."""
    # In the sandbox nobody writes from a phone.
    if (startup.settings.sandbox and startup.options.console) or not usable(startup.settings):
        return None
    from bot.telegram.surface import Telegram

    return Telegram(startup.settings)


async def _check(settings: Settings) -> list[Finding]:
    from bot.telegram.check import check

    return await check(settings)


SURFACE = SurfaceSpec(
    name=NAME,
    title="Telegram",
    settings=TelegramSettings,
    problems=problems,
    caller=CallerShape(re.compile(r"[1-9][0-9]*"), "42"),
    pairing=Pairing("/start {code}", link),
    loggers=("telegram",),
    token_shapes=(r"(?<!\d)\d{6,12}(?::|%3[Aa])[\w-]{30,}",),  # it stands in its URLs
    build=build,
    check=_check,
    guide="docs/telegram.md",
)
