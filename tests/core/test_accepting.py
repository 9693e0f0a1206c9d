"""What decides whether a run is taken, in the transaction that takes it."""

import time

import pytest

from core.errors import (
    Busy,
    Fault,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    NotConfigured,
    QuotaSpent,
    Repeated,
    Throttled,
)
from core.ledger.accept import accept, forget_keys
from core.ledger.records import TargetRecord, day_of, midnight_after
from core.ledger.runs import begin, catch_up, forget_old_replies, settle, settle_restored
from core.ledger.standing import Standing, lock
from tests.support.engines import both
from tests.support.journal import die, order

pytestmark = both
NOW = 1_800_000_000.0
OTHER = b"g" * 32
OPS = TargetRecord("ops", "sample.do", None, {"to": "C1"}, 5.0)


@pytest.fixture
def take(ledger):
    """Accept in a transaction of the ledger's, as `Runs.accept` does."""

    def take(*, again=False, plan="pro", **more):
        request = order(**{"at": NOW, **more})
        owner = ledger.store.owner()
        return ledger.store.write(lambda db: accept(db, request, owner, plan, again=again))

    return take


def row(ledger, run, columns):
    sql = f"SELECT {columns} FROM runs WHERE run = :run"
    return tuple(ledger.store.read(lambda db: db.execute(sql, {"run": run}).fetchone()))


def test_a_run_that_is_taken_is_written_down_as_it_was_asked_for(ledger, take):
    run, first = take(key="k", reply_to="there", account="acme", rebind=True)
    kept = "action, connector, caller, surface, key, reply_to, account, rebind, at, day, state"
    assert first
    assert row(ledger, run.run, kept) == (
        "sample.do", "sample", "cli:ada", "cli", "k", "there", "acme", 1, NOW, day_of(NOW),
        "accepted",
    )  # fmt: skip
    counts = "test, charged, free, quota_owner, owner, attempts"
    assert row(ledger, run.run, counts) == (0, 1, 0, "cli:ada", ledger.store.owner(), 0)
    test, _ = take(test=True, plan="free")
    assert row(ledger, test.run, "test, charged, free") == (1, 0, 0)
    free, _ = take(plan="free", action="sample.other")
    assert row(ledger, free.run, "charged, free") == (1, 1)
    assert abs(take(at=None)[0].at - ledger.now()) < 30


def test_whoever_may_not_is_refused_before_anything_else_is_looked_at(ledger, take):
    ledger.person_add("ann", ["cli:ada"], by="cli:root", role="viewer", plan="free")
    seen = []

    def authorize(who):
        seen.append((who.caller, who.person, who.role, who.plan, who.at))
        raise Forbidden

    take(key="k")
    with pytest.raises(Forbidden):
        take(key="k", authorize=authorize, fingerprint=OTHER)
    assert seen == [("cli:ada", "ann", "viewer", "free", NOW)]


def test_a_key_and_an_id_give_the_run_they_have_or_none(take):
    first, _ = take(key="k")
    assert take(key="k") == (first, False)
    with pytest.raises(IdempotencyMismatch) as told:
        take(key="k", fingerprint=OTHER)
    assert told.value.run == first.run
    # A COMMIT whose answer was lost is tried again: what is there may be its own, or another's.
    same = {"run": first.run, "again": True}
    assert take(**same, key="k") == (first, True)
    assert take(**same) == (first, True)
    assert take(again=True, key="k") == (first, False)
    assert take(**same, fingerprint=OTHER) is None
    assert take(**same, caller="cli:bob") is None
    assert take(again=True)[1]


def test_a_run_from_before_the_homes_key_was_lost_is_the_keys_all_the_same(take):
    first, _ = take(key="k", fingerprint=b"")
    assert take(key="k", fingerprint=OTHER) == (first, False)


def test_a_target_must_still_be_what_it_was(ledger, take):
    ledger.target_add("ops", "sample.do", None, {"to": "C1"}, by="cli:root")
    target = ledger.target("ops")
    assert take(target=target)[1]
    for other in (OPS, TargetRecord("gone", "sample.do", None, {"to": "C1"}, 5.0)):
        with pytest.raises(InvalidInput) as told:
            take(target=other)
        assert told.value.faults == (Fault("target", "was just changed or removed"),)
        assert told.value.fix == "Send it once more."


def test_what_cannot_be_sent_is_refused_after_its_key_was_looked_up(take):
    first, _ = take(key="k")
    missing = NotConfigured("NAME is not set.")
    assert take(key="k", refuse=missing) == (first, False)
    with pytest.raises(NotConfigured, match="NAME"):
        take(key="new", refuse=missing)


def test_quota_is_a_persons_an_actions_and_a_days(ledger, take):
    ledger.person_add("ann", ["cli:ada", "cli:eve"], by="cli:root", plan="free")
    take()
    for caller in ("cli:ada", "cli:eve"):
        with pytest.raises(QuotaSpent) as told:
            take(caller=caller)
        assert told.value.resets_at == midnight_after(NOW)
    assert take(action="sample.other")[1]
    assert take(at=NOW + 86400)[1]
    assert take(test=True)[1]
    assert take(caller="cli:bob", plan="free")[1]
    with pytest.raises(QuotaSpent):
        take(caller="cli:bob", plan="free")
    ledger.set_plan("cli:bob", "pro")
    assert take(caller="cli:bob", plan="free")[1]


def test_a_token_with_a_rate_waits_until_its_hour_has_room(ledger, take):
    ledger.token_new("ci", plan="pro", per_hour=2)
    ledger.token_new("wide", plan="pro")
    made = ledger.now()
    who = {"caller": "http:ci", "surface": "http"}
    for after in (0.0, 600.0):
        assert take(**who, at=made + after)[1]
    with pytest.raises(Throttled) as told:
        take(**who, at=made + 1200.0)
    assert told.value.message == "The token ci may send 2 runs an hour; this one was not sent."
    assert told.value.fix == (
        "Send it again in 40 minutes. An admin can allow more: levqor token set ci --per-hour N"
    )
    assert told.value.retry_after == pytest.approx(2400.0, abs=1.0)
    with pytest.raises(Throttled, match="ci") as told:
        take(**who, at=made + 3539.0)
    assert told.value.fix.startswith("Send it again in 2 minutes.")
    # At the very end it is a second, and then the first has left the hour.
    with pytest.raises(Throttled) as told:
        take(**who, at=made + 3599.9)
    assert told.value.retry_after == 1.0
    assert take(**who, at=made + 3600.0)[1]
    # A clock that was set back lets nobody through, and nobody waits for more than the hour.
    with pytest.raises(Throttled) as told:
        take(**who, at=made - 100.0)
    assert told.value.retry_after == 3600.0
    for _ in range(3):
        assert take(caller="http:wide", surface="http", at=made)[1]


def test_a_rate_counts_from_when_the_token_was_made_unless_the_clock_was_set_back(ledger, take):
    who, before = {"caller": "http:ci", "surface": "http"}, ledger.now() - 100
    take(**who, at=before)
    ledger.token_new("ci", plan="pro", per_hour=1)
    assert take(**who, at=before + 200)[1], "another held that name before"
    ledger.token_new("back", plan="pro", per_hour=1)
    who["caller"] = "http:back"
    assert take(**who, at=before)[1]
    with pytest.raises(Throttled):
        take(**who, at=before + 1)


@pytest.mark.parametrize(
    ("ended", "later", "asked"),
    [(None, 0, True), ("sent", 59, True), ("unknown", 1, True), ("sent", 61, False),
     ("refused", 1, False), ("not_sent", 1, False), ("sent", -59, True), ("sent", -61, False)],
)  # fmt: skip
def test_the_same_soon_after_is_asked_about_where_it_may_be_there(
    ledger, take, ended, later, asked
):
    first, _ = take()
    if ended:
        ledger.store.write(lambda db: settle(db, first.run, ended))
    if not asked:
        assert take(guard=True, at=NOW + later)[1]
        return
    with pytest.raises(Repeated) as told:
        take(guard=True, at=NOW + later)
    assert told.value.run == first.run
    assert take(at=NOW + later)[1], "unguarded it is not asked about"


def test_only_the_very_same_of_the_same_person_is_asked_about(ledger, take):
    ledger.person_add("ann", ["cli:ada", "cli:eve"], by="cli:root", plan="pro")
    first, _ = take()
    for other in ({"fingerprint": OTHER}, {"action": "sample.other"}, {"caller": "cli:bob"}):
        assert take(guard=True, **other)[1]
    assert take(guard=True, test=True)[1]
    with pytest.raises(Repeated) as told:
        take(guard=True, caller="cli:eve")
    assert told.value.run == first.run


def test_a_test_send_waits_for_the_last_one_of_its_action(take):
    test = {"test": True, "test_gap": 60.0, "caller": "cli:bob"}
    assert take(**test)[1]
    for later, wait in ((0.0, 60.0), (15.0, 45.0), (59.9, 1.0)):
        with pytest.raises(Busy) as told:
            take(**test, at=NOW + later)
        assert told.value.retry_after == wait
        assert told.value.message == "A test of sample.do was just sent; one a minute is enough."
        assert told.value.fix == f"Try again in {wait:.0f} second{'s' if wait > 1 else ''}."
        assert told.value.reason == "test_too_soon"
    assert take(**test, action="sample.other")[1]
    assert take(test=True, caller="cli:bob")[1], "a gap of nothing"
    assert take(**test, at=NOW + 60.0)[1]
    # A clock that was set back: what lies in the future is no reason to wait.
    assert take(**test, at=NOW - 100.0)[1]


def test_whoever_comes_by_a_name_later_has_none_of_its_keys(ledger, take):
    take(key="k")
    mine, _ = take(key="bobs", caller="cli:bob")
    ledger.store.write(lambda db: forget_keys(db, "cli:ada"))
    assert take(key="k")[1]
    assert take(key="bobs", caller="cli:bob") == (mine, False)


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


def test_time_is_the_databases(ledger):
    assert abs(ledger.now() - time.time()) < 30


def noted(ledger, caller, now, **more):
    """Who a caller is found to be, and when the database says that they were last seen."""
    who = ledger.store.write(lambda db: lock(db, caller, now, **more))
    sql = "SELECT first_seen, last_seen FROM callers WHERE caller = :caller"
    seen = ledger.store.read(lambda db: db.execute(sql, {"caller": caller}).fetchone())
    return who, seen and tuple(seen)


def test_whoever_has_a_limit_is_locked_by_noting_that_they_were_seen(ledger):
    assert noted(ledger, "cli:ada", 1.0) == (Standing("cli:ada", at=1.0), (1.0, 1.0))
    assert noted(ledger, "cli:ada", 2.0)[1] == (1.0, 2.0)
    assert noted(ledger, "cli:ada", 3.0, unlimited="free")[1] == (1.0, 3.0)
    # Who has none is noted once a minute.
    for now, seen in ((62.9, 3.0), (63.0, 63.0), (122.9, 63.0), (124.0, 124.0)):
        who = Standing("cli:ada", at=now)
        assert noted(ledger, "cli:ada", now, unlimited="pro") == (who, (1.0, seen))
    assert noted(ledger, "cli:new", 500.0, unlimited="pro")[1] == (500.0, 500.0)
    # The person's own plan is what counts.
    ledger.set_plan("cli:ada", "free")
    assert noted(ledger, "cli:ada", 125.0, unlimited="pro")[1] == (1.0, 125.0)
    ledger.set_plan("cli:ada", "pro")
    assert noted(ledger, "cli:ada", 126.0, unlimited="free")[1] == (1.0, 125.0)


def test_a_token_with_a_rate_is_locked_whatever_its_plan(ledger):
    now = ledger.now()
    for label, rate in (("ci", 5), ("wide", None)):
        ledger.token_new(label, plan="pro", per_hour=rate)
        caller = f"http:{label}"
        noted(ledger, caller, now)
        who, seen = noted(ledger, caller, now + 1, unlimited="pro")
        assert (who.token.label, who.token.per_hour, who.at) == (label, rate, now + 1)
        assert seen[1] == (now if rate is None else now + 1)


def test_a_callers_person_says_their_role_and_plan_and_is_noted_too(ledger):
    ledger.person_add("ann", ["cli:ada"], by="cli:root", role="viewer", plan="pro")
    ann = Standing("cli:ada", "ann", "viewer", "pro", None, 9.0)
    assert noted(ledger, "cli:ada", 9.0)[0] == ann
    assert noted(ledger, "cli:ada", 9.0, unlimited="free")[0] == ann
    sql = "SELECT seen_at FROM people WHERE name = 'ann'"
    assert ledger.store.read(lambda db: db.execute(sql).fetchone())[0] == 9.0
    assert (ann.quota_owner, Standing("cli:bob").quota_owner) == ("ann", "cli:bob")


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
