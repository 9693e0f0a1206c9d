"""A levqor-bot whose one interface is Telegram, its leases short: `-m tests.support.poller`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from bot.app.process import listen_to_signals, serve
from bot.runtime import Bot
from bot.telegram.surface import Telegram
from core.engine import Engine
from core.ledger import Ledger
from core.ledger.postgres import Lease
from core.outbound import Outbound
from core.settings import Settings
from tests.support.telegram import QUICK

LEASE = 3.0
TIMING = replace(QUICK, lease=LEASE)


def open_ledger(settings: Settings) -> Ledger:
    """The shared database, its processes dead after two seconds of silence."""
    return Ledger.open(settings.home, settings.database_url, lease=Lease(2, 0.3, 3))


async def main(home: str) -> None:
    settings = Settings(Path(home))
    with open_ledger(settings) as ledger:
        bot = Bot(Engine(settings, ledger, Outbound(redactor=settings.redactor())))
        bot.engine.announce()
        listen_to_signals(bot)
        await serve(bot, [Telegram(settings, TIMING)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[sys.argv.index("--home") + 1]))
