"""How a run begins and ends in the ledger, and what its ending leaves."""

import pytest

from core.ledger.endings import Endings, owners
from core.ledger.recovery import settle_left
from core.ledger.runs import begin, catch_up, forget_old_replies, settle, settle_restored
from tests.support.engines import both
from tests.support.journal import NOW, die, finish, order, row

pytestmark = both


def test_a_run_begins_once_by_its_living_owner_and_ends_once(ledger, take):
    me = ledger.store.owner()
    run = take()[0].run

    def write(work, *args, **more):
        return ledger.store.write(lambda db: work(db, *args, **more))

    assert not write(begin, run, "another")
    assert not write(begin, "aaaaaaaaaa", me)
    assert write(begin, run, me)
    more = {
        "receipt": {"id": "x"},
        "code": "c",
        "reason": "r",
        "tries": [(0, 5, "r"), (9, 4, None)],
    }
    assert write(settle, run, "sent", attempts=2, ms=7.5, **more)
    ended = "state, attempts, ms, receipt, code, reason, charged, tries"
    tries = '[[0, 5, "r"], [9, 4, null]]'
    assert row(ledger, run, ended) == ("sent", 2, 7.5, '{"id": "x"}', "c", "r", 1, tries)
    assert not write(settle, run, "refused")
    assert not write(begin, run, me)
    assert row(ledger, run, ended)[0] == "sent"
    bare = take()[0].run
    assert write(settle, bare, "not_sent", at=5.0)
    bare_end = ("not_sent", 0, None, None, None, None, 0, None, 5.0)
    assert row(ledger, bare, f"{ended}, settled_at") == bare_end


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


class Died:
    """A ledger's store by which some owners are dead, each for so many seconds."""

    grace = 40.0

    def __init__(self, store, seconds):
        self.files, self._seconds = store.files, seconds

    def dead(self, db, owners):
        assert db.now()
        return {owner: self._seconds[owner] for owner in owners if owner in self._seconds}


def test_a_run_that_is_sent_is_given_time_after_its_owners_death(ledger, take):
    def left(owner, *, begun):
        run = take()[0].run
        state = "sending" if begun else "accepted"
        args = {"run": run, "owner": owner, "state": state}
        sql = "UPDATE runs SET owner = :owner, state = :state WHERE run = :run"
        ledger.store.write(lambda db: db.execute(sql, args))
        return run

    runs = {(owner, begun): left(owner, begun=begun) for owner in "abc" for begun in (True, False)}
    told = left("b", begun=True)
    kept = Endings(ledger.store.files, "b")
    kept.put(told, state="refused", at=5.0, reason="r")
    kept.close()
    store = Died(ledger.store, {"a": Died.grace, "b": Died.grace - 0.1})
    settled = ledger.store.write(lambda db: settle_left(db, store, {}))
    assert {entry.run for entry in settled} == {
        runs[each] for each in (("a", True), ("a", False), ("b", False))
    }
    assert {each: row(ledger, run, "state")[0] for each, run in runs.items()} == {
        ("a", True): "unknown", ("a", False): "not_sent", ("b", True): "sending",
        ("b", False): "not_sent", ("c", True): "sending", ("c", False): "accepted",
    }  # fmt: skip
    assert row(ledger, told, "state, reason, settled_at") == ("refused", "r", 5.0)


def test_what_the_dead_left_is_settled_step_by_step_whoever_left_it(ledger, take):
    for owner in "ab":
        for _ in range(20):
            args = {"run": take()[0].run, "owner": owner}
            sql = "UPDATE runs SET owner = :owner WHERE run = :run"
            ledger.store.write(lambda db, sql=sql, args=args: db.execute(sql, args))
    store = Died(ledger.store, {"a": 100.0, "b": 100.0})
    steps = [ledger.store.write(lambda db: len(settle_left(db, store, {}))) for _ in range(3)]
    assert steps == [25, 15, 0]


def test_what_a_dead_process_had_told_is_written_though_none_of_its_runs_is_open(ledger):
    run = finish(ledger, "sent", reply_to="{}").run
    kept = Endings(ledger.store.files, "dead")
    kept.put(run, told=True)
    kept.close()
    assert ledger.recover() == []
    assert ledger.run(run).reply_to is None
    assert "dead" not in owners(ledger.store.files)
