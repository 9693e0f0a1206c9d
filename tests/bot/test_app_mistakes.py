"""A surface that makes a mistake of its own takes no other along."""

import asyncio
import socket

import pytest

from bot.web.surface import Web
from core.callers import Caller
from core.errors import LedgerError
from core.settings import Address
from tests.support.waiting import wait_for
from tests.support.ways import Way, lived

ME = Caller("console", "ann")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ZeroDivisionError("canary-7f3a"),
            "made a mistake of its own (ZeroDivisionError). Please report it; Levqor keeps trying.",
        ),
        (
            LedgerError("The ledger is held.", fix="See what holds it."),
            "The ledger is held. See what holds it.",
        ),
    ],
)
def test_a_start_that_fails_is_told_to_health_and_tried_again(engine, capsys, caplog, error, said):
    """The others serve all the while; what the exception says is not shown."""
    diary, ways = [], []
    served = asyncio.Event()

    async def broken(bot):
        if diary.count("a started") < 3 or not served.is_set():
            raise error

    async def serving(bot):
        await asyncio.to_thread(wait_for, engine.ledger.inbounds)
        ways.extend(engine.ledger.inbounds())
        diary.append((await bot.run("slack.send", {"text": "Hello"}, ME)).outcome)
        served.set()
        await asyncio.to_thread(wait_for, lambda: engine.ledger.inbounds()[0].ok)
        ways.extend(engine.ledger.inbounds())
        bot.end()

    end = lived(engine, Way("a", diary, broken), Way("b", [], serving))
    assert end.status == 0
    then, now = ways
    assert (then.surface, then.ok, f"{then.verdict}. {then.fix}") == ("a", False, said)
    assert (now.surface, now.ok, now.verdict, now.fix) == ("a", True, "works again", None)
    assert "sent" in diary
    assert [step for step in diary if step != "sent"][:5] == [
        "a started", "a stopped", "a started", "a stopped", "a started"
    ]  # fmt: skip
    # It says so once, and not at each attempt.
    assert capsys.readouterr().err == f"a: {said}\na: works again\n"
    assert "canary" not in caplog.text


def test_what_a_surface_says_of_itself_stands_once_it_works(engine):
    tries, ways = [], []

    async def broken(bot):
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError
        await bot.inbound("a", "takes messages")
        bot.spawn(look(bot))

    async def look(bot):
        await asyncio.sleep(0.3)
        ways.extend(engine.ledger.inbounds())
        bot.end()

    lived(engine, Way("a", [], broken))
    assert [way.verdict for way in ways] == ["takes messages"]


def test_a_stop_does_not_wait_for_a_surface_that_is_tried_again(engine):
    async def broken(bot):
        asyncio.get_running_loop().call_later(0.2, bot.end)
        raise ZeroDivisionError

    assert lived(engine, Way("a", [], broken)).status == 0


def test_http_listens_again_after_a_start_that_failed(engine):
    """The port it had taken is free for its next try."""

    class Odd:
        tries = 0

        @property
        def path(self):
            self.tries += 1
            if self.tries == 1:
                raise ZeroDivisionError
            return "/x"

    odd = Odd()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = Web(Address("127.0.0.1", port), [odd])
    ways = []

    async def look(bot):
        await asyncio.to_thread(wait_for, lambda: any(w.ok for w in engine.ledger.inbounds()))
        ways.extend(engine.ledger.inbounds())
        bot.end()

    assert lived(engine, web, Way("a", [], look)).status == 0
    assert odd.tries > 1
    assert [way.verdict for way in ways] == [f"listening on http://127.0.0.1:{port}"]
