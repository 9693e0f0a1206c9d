"""A run's life in the ledger: quota, keys, repeats, endings."""

import datetime as dt
import time

import pytest

from core.errors import (
    Busy,
    IdempotencyMismatch,
    LedgerError,
    NotFound,
    QuotaSpent,
    Repeated,
)
from core.ledger.accept import GUARD_SECONDS
from tests.support.engines import both, pooled_too
from tests.support.journal import DO, accept, finish, order

pytestmark = both


def used(ledger, caller="cli:ada"):
    return ledger.quota(caller, [DO])[0].used


@pooled_too
@pytest.mark.parametrize(
    ("outcome", "left"), [("sent", 1), ("unknown", 1), ("refused", 0), ("not_sent", 0)]
)
def test_quota_is_kept_or_held_or_given_back_by_outcome(ledger, outcome, left):
    assert finish(ledger, outcome).state == outcome
    assert used(ledger) == left


@pooled_too
def test_a_free_caller_has_one_run_for_each_action_and_day(ledger):
    finish(ledger, "sent")
    with pytest.raises(QuotaSpent) as caught:
        accept(ledger)
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    assert caught.value.resets_at == dt.datetime.combine(tomorrow, dt.time(), dt.UTC)
    accept(ledger, action="sample.other")
    accept(ledger, caller="cli:bob")


def test_a_reserved_run_already_counts(ledger):
    accept(ledger)
    with pytest.raises(QuotaSpent):
        accept(ledger)


def test_quota_is_given_anew_at_midnight_utc(ledger):
    yesterday = time.time() - 86400
    accept(ledger, at=yesterday)
    accept(ledger)
    assert used(ledger) == 1


def test_the_pro_plan_has_no_limit(ledger):
    ledger.set_plan("cli:ada", "pro")
    for _ in range(5):
        finish(ledger, "sent")
    quota = ledger.quota("cli:ada", [DO])[0]
    assert (quota.used, quota.limit) == (5, None)


def test_a_test_send_uses_no_quota(ledger):
    finish(ledger, "sent", test=True)
    assert used(ledger) == 0


@pooled_too
def test_a_second_test_send_of_an_action_waits_a_minute(ledger):
    finish(ledger, "sent", test=True, test_gap=60.0)
    with pytest.raises(Busy) as caught:
        accept(ledger, test=True, test_gap=60.0, caller="tray:bob")
    assert 58 < caught.value.retry_after <= 60
    accept(ledger, test=True, test_gap=60.0, action="sample.other")
    accept(ledger, test=True, test_gap=0.0)


@pooled_too
def test_a_redelivered_key_returns_the_first_run(ledger):
    first, made = accept(ledger, key="slack:trigger-1")
    assert made
    again, made = accept(ledger, key="slack:trigger-1")
    assert (again.run, made) == (first.run, False)
    assert len(ledger.runs()) == 1


def test_a_key_with_other_input_is_a_mismatch(ledger):
    first, _ = accept(ledger, key="http:k")
    with pytest.raises(IdempotencyMismatch) as caught:
        accept(ledger, key="http:k", fingerprint=b"g" * 32)
    assert caught.value.run == first.run


@pooled_too
@pytest.mark.parametrize(("outcome", "bound"), [
    ("sent", True), ("unknown", True), ("refused", True), ("not_sent", False),
])  # fmt: skip
def test_only_what_was_not_sent_frees_a_rebindable_key(ledger, outcome, bound):
    first = finish(ledger, outcome, key="http:k", rebind=True)
    ledger.set_plan("cli:ada", "pro")
    again, made = accept(ledger, key="http:k", rebind=True)
    assert (again.run == first.run, made) == (bound, not bound)


def test_a_chats_key_stays_bound_even_if_nothing_was_sent(ledger):
    first = finish(ledger, "not_sent", key="telegram:7")
    again, made = accept(ledger, key="telegram:7")
    assert (again.run, made) == (first.run, False)


def test_the_key_is_looked_up_before_a_refusal_is_raised(ledger):
    first = finish(ledger, "sent", key="slack:1")
    refusal = NotFound("not set up any more")
    assert accept(ledger, key="slack:1", refuse=refusal)[0].run == first.run
    with pytest.raises(NotFound):
        accept(ledger, key="slack:2", refuse=refusal)
    assert len(ledger.runs()) == 1


@pooled_too
def test_the_same_again_within_a_minute_is_asked_about(ledger):
    ledger.set_plan("cli:ada", "pro")
    first = finish(ledger, "sent", guard=True)
    with pytest.raises(Repeated) as caught:
        accept(ledger, guard=True)
    assert caught.value.run == first.run
    accept(ledger, guard=True, fingerprint=b"g" * 32)
    accept(ledger, guard=True, caller="cli:bob")
    accept(ledger, guard=False)


def test_after_a_minute_nothing_is_asked(ledger):
    ledger.set_plan("cli:ada", "pro")
    finish(ledger, "sent", at=time.time() - GUARD_SECONDS - 1)
    accept(ledger, guard=True)


@pytest.mark.parametrize("outcome", ["refused", "not_sent"])
def test_what_surely_failed_may_be_repeated_unasked(ledger, outcome):
    finish(ledger, outcome)
    accept(ledger, guard=True)


def test_spent_quota_is_said_before_send_again_is_asked(ledger):
    finish(ledger, "sent", guard=True)
    with pytest.raises(QuotaSpent):
        accept(ledger, guard=True)


@pooled_too
def test_a_settled_run_is_never_settled_or_sent_again(ledger):
    entry = finish(ledger, "unknown")
    assert ledger.settle(entry.run, "sent") is False
    assert ledger.sending(entry.run) is False
    assert ledger.run(entry.run).state == "unknown"


@pooled_too
def test_a_run_is_found_by_the_beginning_of_its_id(ledger):
    entry, _ = accept(ledger, run="abcdefghjk")
    accept(ledger, run="abcxyzabcd", action="sample.other")
    assert ledger.run("abcd").run == entry.run
    assert ledger.run("abc") is None
    assert ledger.run("abcdefghjkm") is None


def test_a_beginning_is_looked_for_among_ones_own_runs_only(ledger):
    mine, _ = accept(ledger, run="abcdefghjk")
    accept(ledger, run="abcdzzzzzz", caller="cli:bob")
    assert ledger.run("abcd") is None
    assert ledger.run("abcd", "cli:ada").run == mine.run
    assert ledger.run("abcdefghjk", "cli:bob") is None


def test_where_to_answer_and_keys_do_not_show_when_an_order_is_printed():
    shown = repr(order(test=True, key="http:PRIVATE-key", reply_to="PRIVATE-place"))
    assert "PRIVATE" not in shown


def test_a_clock_that_was_set_back_makes_nobody_wait_for_hours(open_ledger):
    now = time.time()
    with open_ledger() as ledger:
        ledger.accept(order(test=True, at=now + 7200, guard=True, test_gap=60.0))
        _, first = ledger.accept(order(test=True, at=now, guard=True, test_gap=60.0))
        assert first
        ledger.probed("slack", "ok", None, 1.0)
        ledger.store.write(
            lambda db: db.execute("UPDATE probes SET since = since + 7200, at = since")
        )
        ledger.probed("slack", "failing", "webhook_gone", 1.0)
        ledger.probed("slack", "failing", "webhook_gone", 1.0)
        assert [s.verdict for s in ledger.probes("slack", 9)] == ["failing", "ok"]


def test_a_run_id_that_is_another_s_is_drawn_anew_and_a_repeat_finds_its_own_run(ledger):
    first, _ = accept(ledger, run="aaaaaaaaaa", caller="cli:ada")
    for other in ({"caller": "cli:bob"}, {"caller": "cli:eve", "fingerprint": b"g" * 32}):
        entry, new = accept(ledger, run="aaaaaaaaaa", **other)
        assert (new, len(entry.run), entry.run != first.run) == (True, 10, True)
    ledger.set_plan("cli:carl", "pro")
    again = {"caller": "cli:carl", "run": "bbbbbbbbbb"}
    assert accept(ledger, **again)[1]
    # Its COMMIT was lost on the way, as far as whoever sends it again knows.
    assert accept(ledger, **again)[1]
    assert [entry.run for entry in ledger.runs()].count("bbbbbbbbbb") == 1


@pytest.mark.databases("sqlite")
def test_a_database_that_takes_no_run_whatever_its_id_says_so(ledger):
    ledger.store.write(
        lambda db: db.execute(
            "CREATE TRIGGER no BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    )
    with pytest.raises(LedgerError, match="refuses new runs; nothing was sent"):
        accept(ledger)
    assert ledger.runs() == []


@pytest.mark.parametrize(
    ("later", "wait", "fix"),
    [
        (30.0, 30.0, "Try again in 30 seconds."),
        (59.6, 1.0, "Try again in 1 second."),
        (60.5, None, None),
        (-0.5, 60.5, "Try again in 60 seconds."),
        # A clock that was set back makes nobody wait for longer than the gap.
        (-1.5, None, None),
    ],
)
def test_a_second_test_send_is_told_how_long_to_wait(ledger, later, wait, fix):
    at = time.time()
    tests = {"test": True, "test_gap": 60.0}
    accept(ledger, at=at, **tests)
    accept(ledger, at=at, action="sample.other", **tests)
    if wait is None:
        assert accept(ledger, at=at + later, **tests)[1]
        return
    with pytest.raises(Busy) as told:
        accept(ledger, at=at + later, **tests)
    assert told.value.message == f"A test of {DO} was just sent; one a minute is enough."
    assert (told.value.fix, told.value.reason) == (fix, "test_too_soon")
    assert told.value.retry_after == pytest.approx(wait, abs=0.01)
