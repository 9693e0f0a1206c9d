"""Who a caller is found to be, and who is locked by noting that they were seen."""

import time
from dataclasses import replace

import pytest

from core.ledger.standing import Standing, lock, token_label
from tests.support.engines import both

pytestmark = both


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


# How somebody comes to be known, who it is, and whether they were there themselves.
BY_ADMINS = [
    (lambda ledger: ledger.person_link("ann", "cli:ada", by="cli:root"), "cli:ada", False),
    (lambda ledger: ledger.person_set("cli:ada", by="cli:root", role="sender"), "cli:ada", False),
    (lambda ledger: ledger.set_plan("cli:ada", "pro"), "cli:ada", False),
    (lambda ledger: ledger.token_new("ci", plan="pro"), "http:ci", False),
]
BY_THEMSELVES = [
    (lambda ledger: ledger.link_code("cli:ada", id), "cli:ada", True),
    (lambda ledger: ledger.link_redeem("cli:ada", "wrong", id), "cli:ada", True),
    (lambda ledger: ledger.redeem("tg", "42", ledger.pair_code("tg")[0]), "tg:42", True),
    (lambda ledger: noted(ledger, "cli:ada", ledger.now()), "cli:ada", True),
]


def seen_at(ledger):
    """When each caller was last seen, and each person."""
    callers = {each.caller: each.last_seen for each in ledger.callers()}
    return callers | {each.name: each.seen_at for each in ledger.people()}


@pytest.mark.parametrize(("known", "caller", "there"), BY_ADMINS + BY_THEMSELVES)
def test_who_was_only_named_was_never_seen(ledger, known, caller, there):
    ledger.person_add("ann", [], by="cli:root", plan="pro")
    known(ledger)
    assert (seen_at(ledger)[caller] is not None) == there
    ledger.person_link("ann", caller, by="cli:root")
    assert (seen_at(ledger)["ann"] is not None) == there
    # Who has no limit is noted at once too.
    noted(ledger, caller, now := ledger.now(), unlimited="pro")
    (first,) = (each.first_seen for each in ledger.callers() if each.caller == caller)
    seen = seen_at(ledger)
    assert seen[caller] == seen["ann"]
    assert now - 60 < first <= seen[caller] <= now


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


def test_who_somebody_is_is_read_and_when_a_tokens_standing_was(ledger):
    ledger.person_add("ann", ["cli:ada"], by="cli:root", role="viewer", plan="pro")
    ledger.set_plan("cli:bob", "pro")
    before = ledger.now()
    ledger.token_new("ci", plan="free")
    token = ledger.standing("http:ci")
    assert (token.token.label, token.plan, token.at >= before) == ("ci", "free", True)
    who = {
        "cli:new": Standing("cli:new"),
        "cli:bob": Standing("cli:bob", plan="pro"),
        "cli:ada": Standing("cli:ada", "ann", "viewer", "pro"),
        "http:ci": token,
    }
    for caller, standing in who.items():
        assert replace(ledger.standing(caller), at=standing.at) == standing
    assert [ledger.standing(caller).at for caller in ("cli:new", "cli:ada")] == [0.0, 0.0]
    seen = {each.caller: each for each in ledger.standings()}
    assert seen["cli:ada"] == who["cli:ada"]
    assert seen["http:ci"] == replace(token, at=0.0)
    assert "cli:new" not in seen
    labels = {"http:ci": "ci", "cli:ci": None, "slack:T1:U1": None}
    assert {caller: token_label(caller) for caller in labels} == labels


def test_of_some_callers_those_are_known_whom_somebody_has_added_to_a_person(ledger):
    ledger.person_add("ann", ["cli:ada", "slack:T1:U1"], by="cli:root")
    ledger.person_add("bob", ["cli:bob"], by="cli:root")
    ledger.set_plan("cli:eve", "pro")
    asked = ["cli:ada", "cli:ada", "cli:eve", "cli:new", "cli:bob"]
    assert ledger.persons(asked) == {"cli:ada": "ann", "cli:bob": "bob"}
    assert ledger.persons(["slack:T1:U1"]) == {"slack:T1:U1": "ann"}
    assert ledger.persons([]) == {}
