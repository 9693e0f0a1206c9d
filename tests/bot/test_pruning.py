"""One of several bots deletes what is old, and counts it before."""

import asyncio
import shutil
import time

from bot.app.process import keep_history, prune
from bot.runtime import Bot
from core.engine import Engine
from core.settings import Settings
from tests.support import engines
from tests.support.journal import finish


@engines.both
def test_one_of_several_bots_prunes_and_another_once_it_has_gone(
    home, environ, database, ledger, tmp_path
):
    other_home = home
    with Engine.open(Settings(home, sandbox_urls=environ)) as first:
        if database:
            other_home = tmp_path / "other"
            other_home.mkdir(mode=0o700)
            shutil.copy(home / "levqor.key", other_home)

        def old_run_is_left_by(engine):
            finish(ledger, "sent", at=time.time() - 91 * 86400, run="oldoldoldo")
            asyncio.run(pruned_by(engine))
            return ledger.run("oldoldoldo") is not None

        async def pruned_by(engine):
            bot = Bot(engine)
            await asyncio.to_thread(prune, bot)
            await bot.finish()

        with Engine.open(Settings(other_home, sandbox_urls=environ)) as second:
            assert not old_run_is_left_by(first)
            assert old_run_is_left_by(second)
            first.close()
            asyncio.run(pruned_by(second))
            assert ledger.run("oldoldoldo") is None


@engines.both
def test_one_of_several_bots_counts_the_closed_hours_and_another_once_it_has_gone(
    home, environ, ledger
):
    finish(ledger, "sent", at=time.time() - 3 * 86400)
    written = "SELECT sum(sent) FROM history WHERE seconds = 3600"

    async def counted_by(engine):
        ledger.store.write(lambda db: db.execute("DELETE FROM history"))
        ledger.store.write(lambda db: db.execute("DELETE FROM history_marks"))
        bot = Bot(engine)
        await asyncio.to_thread(keep_history, bot)
        await bot.finish()
        return ledger.store.read(lambda db: db.execute(written).fetchone()[0])

    settings = Settings(home, sandbox_urls=environ)
    with Engine.open(settings) as first, Engine.open(settings) as second:
        assert asyncio.run(counted_by(first)) == 1
        assert asyncio.run(counted_by(second)) is None
        first.close()
        assert asyncio.run(counted_by(second)) == 1
