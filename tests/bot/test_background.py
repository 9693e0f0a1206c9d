"""A job in the background goes on whatever one of its steps does."""

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.app.process import every
from bot.checks import ServiceChecks
from bot.expiring import ExpiringMap
from bot.notifier import Notifier
from bot.presses import Presses
from bot.runtime import Bot
from bot.telegram.connection_status import ConnectionStatus
from bot.telegram.menus import Menus
from core.engine import Engine
from core.errors import LedgerError
from core.ledger import Ledger
from tests.support.telegram import QUICK

SOON = 60


class Stumbling(Ledger):
    """A ledger of which one method fails the first time; `asked` counts its calls."""

    asked, failing, error = 0, None, None

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        return self._fail_once(found) if name == super().__getattribute__("failing") else found

    def _fail_once(self, method):
        def asked(*args, **more):
            self.asked += 1
            if self.asked == 1:
                raise self.error
            return method(*args, **more)

        return asked


def notifier(bot):
    async def nobody(*_):
        raise NotImplementedError

    Notifier(bot, "slack", outcome=nobody, lost=nobody, direct=nobody).start()
    bot.owed()


def presses(bot):
    pending = ExpiringMap(1, SOON)
    pending["nonce"] = None
    Presses(bot, None, None).watch("telegram", pending)


# What it asks of the ledger at each step, and how it begins.
JOBS = {
    "recover": (
        "recover",
        lambda bot: bot.spawn(every(0.01, bot.engine.ledger.recover, bot)),
    ),
    "checks": ("lease", lambda bot: bot.spawn(ServiceChecks(bot, minute=0.01).run())),
    "slack notifier": ("claim_unnotified", notifier),
    "presses": ("pressed", presses),
    "telegram status": (
        "inbound",
        lambda bot: bot.spawn(ConnectionStatus(bot, replace(QUICK, beat=0.01)).beat()),
    ),
    "telegram menus": ("paired", lambda bot: bot.spawn(Menus(bot, None).keep(0.01))),
}


@pytest.mark.parametrize("error", [ZeroDivisionError("canary-7f3a"), LedgerError("It is held.")])
@pytest.mark.parametrize("job", JOBS)
def test_a_job_goes_on_after_a_step_that_failed(settings, caplog, job, error):
    method, begin = JOBS[job]
    ledger = Stumbling.open(settings.home, settings.database_url)

    async def seen():
        bot = Bot(engine)
        ledger.error, ledger.failing = error, method
        begin(bot)
        async with asyncio.timeout(SOON):
            while ledger.asked < 2:
                await asyncio.sleep(0.01)
                bot.owed()
        await bot.finish()

    with Engine.open(settings, ledger=ledger) as engine, caplog.at_level(logging.ERROR):
        asyncio.run(seen())
    mistaken = "stumbled: ZeroDivisionError" in caplog.text
    assert mistaken is isinstance(error, ZeroDivisionError)
    assert "canary" not in caplog.text
