"""What decides whether a run is taken, in the transaction that takes it."""

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
from core.ledger.accept import forget_keys
from core.ledger.records import TargetRecord, day_of, midnight_after
from core.ledger.runs import settle
from tests.support.engines import both
from tests.support.journal import NOW, row

pytestmark = both
OTHER = b"g" * 32
OPS = TargetRecord("ops", "sample.do", None, {"to": "C1"}, 5.0)


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
