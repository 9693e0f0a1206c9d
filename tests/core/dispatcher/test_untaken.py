"""What the ledger does not take of a run is kept, offered again, and told of."""

import threading

from core.contract import Receipt
from core.errors import (
    LedgerError,
    Unwritten,
)
from core.ledger import Ledger
from core.ledger.store import PATIENCE
from core.outbound import Delivery
from tests.support.dispatching import ENDING, SOON, TWO, Asked, ended
from tests.support.journal import row
from tests.support.waiting import wait_for


def test_a_dispatcher_keeps_what_the_ledger_does_not_take_and_offers_it_again(
    dispatcher, pro, ways, job
):
    ways.open.clear()
    one, other = job(), job()
    future = dispatcher.start(one)
    wait_for(lambda: ways.asked, SOON)
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    ways.ends.append(Delivery(TWO, Receipt("sent")))
    ways.open.set()
    assert future.result(SOON).outcome == "sent"
    assert dispatcher.start(other).result(SOON).outcome == "not_sent"
    wait_for(lambda: not dispatcher._out, SOON)
    assert dispatcher.out(one.run) is future
    lost = dispatcher.unwritten(0.1)
    assert isinstance(lost, Unwritten)
    assert (lost.run, lost.reason) == (one.run, "ledger_replaced")
    assert set(pro.ledger.kept()) == {one.run, other.run}
    threading.Timer(0.1, lambda: away.rename(file)).start()
    assert dispatcher.unwritten(60) is None
    assert dispatcher.out(one.run) is None
    assert row(pro.ledger, one.run, ENDING) == (
        "sent", 2, None, None, '{"status": "sent"}', '[[0, 5, "odd"], [9, 4, null]]',
    )  # fmt: skip
    assert row(pro.ledger, other.run, "state") == ("not_sent",)


def test_a_dispatcher_offers_what_others_kept_and_forgets_what_others_wrote(dispatching, pro, job):
    ledger = Ledger(Asked(pro.ledger.store))
    dispatcher, one, other = dispatching(ledger), job(), job()
    dispatcher.catch_up(2.0)
    assert ledger.store.patience == []
    ledger.keep(one.run, state="not_sent", at=1.0)
    dispatcher.catch_up(2.0)
    assert ledger.store.patience == [2.0]
    assert row(ledger, one.run, "state") == ("not_sent",)
    dispatcher._unwritten[other.run] = other.future
    dispatcher.catch_up(2.0)
    assert dispatcher.out(other.run) is None


def test_a_dispatcher_has_nothing_more_to_say_of_what_never_went_out(dispatcher, pro, job):
    one = job()
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    settled = dispatcher.start(one).result(SOON)
    assert (settled.error.reason, settled.ms > 0) == ("ledger_replaced", True)
    wait_for(lambda: not dispatcher._out, SOON)
    assert dispatcher.unwritten(0.0) is None
    away.rename(file)
    assert dispatcher.unwritten(60) is None
    assert row(pro.ledger, one.run, "state") == ("not_sent",)


class Hasty(Asked):
    """A ledger's store that takes nothing which was kept."""

    def write(self, work, **how):
        written = super().write(work, **how)
        if "patience" in how:
            raise LedgerError("Held.", reason="held")
        return written


def test_a_dispatcher_ends_a_run_though_what_others_left_is_not_taken(dispatching, pro, job):
    ledger = Ledger(Hasty(pro.ledger.store))
    dispatcher, one, other = dispatching(ledger), job(), job()
    ledger.keep(other.run, state="not_sent", at=1.0)
    assert ended(dispatcher, one).outcome == "sent"
    assert [each for each in ledger.store.patience if each] == [PATIENCE]
    assert row(ledger, one.run, "state") == ("sent",)


def test_a_dispatcher_offers_later_until_the_ledger_has_taken_it(dispatching, pro, job):
    ledger = Ledger(Asked(pro.ledger.store))
    dispatcher, one = dispatching(ledger), job()
    ledger.keep(one.run, state="not_sent", at=1.0)
    file = pro.ledger.store.files
    away = file.rename(file.with_suffix(".away"))
    dispatcher._offer()
    assert dispatcher._offering
    away.rename(file)
    dispatcher._offer()
    assert not dispatcher._offering
    assert ledger.store.patience == [PATIENCE, PATIENCE]
    assert row(ledger, one.run, "state") == ("not_sent",)
