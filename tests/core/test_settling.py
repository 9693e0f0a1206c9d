"""How a run begins and ends in the ledger, and what its ending leaves."""

import pytest

from core.ledger.runs import begin, catch_up, forget_old_replies, settle, settle_restored
from tests.support.engines import both
from tests.support.journal import NOW, die, order, row

pytestmark = both


def test_a_run_begins_once_by_its_living_owner_and_ends_once(ledger, take):
    me = ledger.store.owner()
    run = take()[0].run

    def write(work, *args, **more):
        return ledger.store.write(lambda db: work(db, *args, **more))

    assert not write(begin, run, "another")
    assert not write(begin, "aaaaaaaaaa", me)
    assert write(begin, run, me)
    assert write(settle, run, "sent", attempts=2, ms=7.5, receipt={"id": "x"}, code="c", reason="r")
    ended = "state, attempts, ms, receipt, code, reason, charged"
    assert row(ledger, run, ended) == ("sent", 2, 7.5, '{"id": "x"}', "c", "r", 1)
    assert not write(settle, run, "refused")
    assert not write(begin, run, me)
    assert row(ledger, run, ended)[0] == "sent"
    bare = take()[0].run
    assert write(settle, bare, "not_sent", at=5.0)
    settled = "state, attempts, ms, receipt, code, reason, charged, settled_at"
    assert row(ledger, bare, settled) == ("not_sent", 0, None, None, None, None, 0, 5.0)


def test_who_sent_a_run_is_believed_over_who_found_it_interrupted(ledger, take):
    for reason in ("interrupted", "restored"):
        run = take()[0].run

        def end(state, run=run, **more):
            return ledger.store.write(lambda db: settle(db, run, state, **more))

        assert end("unknown", reason=reason)
        assert not end("unknown", reason="interrupted"), "it has ended, for all who look"
        assert end("sent")
        assert not end("unknown", reason="interrupted")
        assert row(ledger, run, "state, reason") == ("sent", None)


@pytest.mark.parametrize("left", [None, "sending", "accepted"])
def test_another_settles_a_run_only_as_it_left_it(ledger, take, left):
    run = take()[0].run
    ledger.store.write(lambda db: begin(db, run, ledger.store.owner()))
    done = ledger.store.write(lambda db: settle(db, run, "unknown", left=left))
    assert done is (left != "accepted")
    assert row(ledger, run, "state") == (("unknown",) if done else ("sending",))


@pytest.mark.parametrize(
    ("state", "charged", "bound"),
    [("sent", 1, 1), ("unknown", 1, 1), ("refused", 0, 1), ("not_sent", 0, 0)],
)
def test_an_outcome_keeps_or_gives_back_quota_and_key(ledger, take, state, charged, bound):
    run = take(key="k", rebind=True)[0].run
    chat = take(key="chat")[0].run
    for each in (run, chat):
        assert ledger.store.write(lambda db, each=each: settle(db, each, state))
    assert row(ledger, run, "charged, key IS NOT NULL") == (charged, bound)
    assert row(ledger, chat, "charged, key IS NOT NULL") == (charged, 1)


def test_what_a_copy_holds_as_open_is_unknown_once_restored(ledger, take):
    runs = [take()[0].run for _ in range(3)]
    ledger.store.write(lambda db: begin(db, runs[0], ledger.store.owner()))
    ledger.store.write(lambda db: settle(db, runs[2], "sent"))
    assert ledger.store.write(settle_restored) == 2
    found = [row(ledger, run, "state, code, reason") for run in runs]
    restored = ("unknown", "upstream_error", "restored")
    assert found == [restored, restored, ("sent", None, None)]


def test_where_to_answer_is_forgotten_once_it_is_too_late(ledger, take):
    take(reply_to="old")
    take(reply_to="new", at=NOW + 10)
    take(at=NOW)
    assert ledger.store.write(lambda db: forget_old_replies(db, NOW)) == 2
    assert ledger.store.write(lambda db: forget_old_replies(db, NOW + 5)) == 1
    assert ledger.store.write(lambda db: forget_old_replies(db, NOW + 11)) == 0


def test_what_was_kept_of_runs_is_written_for_each(ledger, take):
    run, told, both_ = (take(reply_to="there")[0].run for _ in range(3))
    ending = {"state": "refused", "at": 6.0, "code": "c"}
    kept = {run: ending, told: {"told": True}, both_: {**ending, "told": True}}
    ledger.store.write(lambda db: catch_up(db, kept))
    columns = "state, settled_at, code, reply_to"
    assert row(ledger, run, columns) == ("refused", 6.0, "c", "there")
    assert row(ledger, told, columns) == ("accepted", None, None, None)
    assert row(ledger, both_, columns) == ("refused", 6.0, "c", None)


# On the other engine what was being sent is given time first.
@pytest.mark.databases("sqlite")
def test_a_dead_process_runs_are_settled_as_it_left_them(ledger, open_ledger):
    with open_ledger() as other:
        other.set_plan("cli:ada", "pro")
        runs = [other.accept(order(reply_to="there"))[0].run for _ in range(30)]
        assert ledger.recover() == []
        assert other.sending(runs[0])
        other.settle(runs[1], "sent")
        die(other)
    settled = {record.run: record for record in ledger.recover()}
    assert set(settled) == {*runs} - {runs[1]}
    assert (settled[runs[0]].state, settled[runs[0]].reason) == ("unknown", "interrupted")
    for run in runs[2:]:
        told = (settled[run].state, settled[run].code, settled[run].reason)
        assert told == ("not_sent", "upstream_error", "interrupted_before")
    assert row(ledger, runs[1], "state, reason") == ("sent", None)
    assert ledger.recover() == []
