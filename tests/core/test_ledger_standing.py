"""People in the ledger: whose quota a run uses, and what linking, parting and removing leave."""

import sqlite3
import time

import pytest

from core.callers import Caller
from core.engine.access import access
from core.errors import Forbidden, InvalidInput, LedgerError, NotFound, QuotaSpent, Repeated
from core.ledger import Ledger
from core.roles import Role
from core.settings import Settings
from tests.support.cli import ROOT
from tests.support.engines import both, pooled_too
from tests.support.journal import DO, accept, finish
from tests.support.tokens import token_of

SLACK, PHONE, TOKEN = "slack:T1:U1", "telegram:42", "http:ci"
ROOT_USER = "cli:root"


def used(ledger, caller):
    return ledger.quota(caller, [DO])[0].used


def send(ledger, caller):
    """Whether somebody may send for the first time today."""
    try:
        finish(ledger, "sent", caller=caller, surface=caller.partition(":")[0])
    except QuotaSpent:
        return False
    return True


@pooled_too
def test_all_callers_of_a_person_share_one_quota_and_one_repeat_guard(ledger):
    ledger.person_add("ann", [SLACK, PHONE], by=ROOT_USER, plan="free")
    run = finish(ledger, "sent", caller=SLACK)
    with pytest.raises(QuotaSpent):
        accept(ledger, caller=PHONE)
    ledger.person_set("ann", by=ROOT_USER, plan="pro")
    with pytest.raises(Repeated) as repeated:
        accept(ledger, caller=PHONE, guard=True)
    assert repeated.value.run == run.run
    assert accept(ledger, caller=PHONE)[1]
    assert accept(ledger, caller="telegram:43", guard=True)[1]


@both
@pytest.mark.parametrize("sent", [(SLACK,), (PHONE,), (SLACK, PHONE)])
def test_whatever_any_part_of_a_person_sent_today_counts_before_and_after(ledger, sent):
    for caller in sent:
        assert send(ledger, caller)
    ledger.person_add("ann", by=ROOT_USER)
    for caller in (SLACK, PHONE):
        ledger.person_link("ann", caller, by=ROOT_USER)
    assert not send(ledger, SLACK)
    assert not send(ledger, PHONE)
    for caller in (SLACK, PHONE):
        ledger.person_unlink(caller, by=ROOT_USER)
        assert not send(ledger, caller)
    ledger.person_link("ann", PHONE, by=ROOT_USER)
    assert not send(ledger, PHONE)


@both
def test_a_run_that_was_given_back_counts_for_nobody_it_was_shared_with(ledger):
    entry, _ = accept(ledger, caller=SLACK)
    ledger.person_add("ann", [SLACK, PHONE], by=ROOT_USER)
    assert [used(ledger, caller) for caller in (SLACK, PHONE)] == [1, 1]
    ledger.settle(entry.run, "not_sent")
    assert [used(ledger, caller) for caller in (SLACK, PHONE)] == [0, 0]
    assert send(ledger, PHONE)
    assert not send(ledger, SLACK)


@both
def test_link_send_unlink_gives_no_second_run_and_tomorrow_gives_one_each(ledger):
    ledger.person_add("ann", [SLACK, PHONE], by=ROOT_USER)
    assert send(ledger, PHONE)
    ledger.person_unlink(SLACK, by=ROOT_USER)
    assert not send(ledger, SLACK)
    tomorrow = time.time() + 86400
    for caller in (SLACK, PHONE):
        assert accept(ledger, caller=caller, at=tomorrow)[1]


@both
def test_a_caller_is_one_persons_and_an_address_nobodys(ledger):
    ledger.person_add("ann", [SLACK], by=ROOT_USER)
    ledger.person_add("bob", by=ROOT_USER)
    for name, caller, words in [
        ("bob", SLACK, "slack:T1:U1 is ann"),
        ("bob", "http:192.0.2.1", "address"),
        ("ann", "http:2001:db8::/64", "address"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            ledger.person_link(name, caller, by=ROOT_USER)
    with pytest.raises(NotFound, match="no person carol"):
        ledger.person_link("carol", PHONE, by=ROOT_USER)
    with pytest.raises(InvalidInput, match="already"):
        ledger.person_add("ann", by=ROOT_USER)
    for name in ("", "Ann", "1", "a:b", "a" * 41):
        with pytest.raises(InvalidInput):
            ledger.person_add(name, by=ROOT_USER)
    assert [person.callers for person in ledger.people()] == [(SLACK,), ()]


@both
def test_who_was_removed_or_parted_does_not_come_back_with_more_than_they_had(ledger):
    token = ledger.token_new("ci")
    ledger.person_add("ann", [SLACK, PHONE, TOKEN], by=ROOT_USER, role="viewer", title="Ann")
    ledger.person_unlink(SLACK, by=ROOT_USER)
    assert ledger.standing(SLACK).role == "viewer"
    assert token_of(ledger, token) is not None
    ledger.person_remove("ann", by=ROOT_USER)
    assert [ledger.standing(caller).role for caller in (PHONE, TOKEN)] == ["none", "none"]
    assert token_of(ledger, token) is None
    assert ledger.people() == []
    ledger.prune(1)
    assert ledger.standing(PHONE).role == "none"


@both
def test_every_change_of_a_person_is_a_row_with_who_made_it(ledger):
    ledger.person_add("ann", [SLACK], by=ROOT_USER, title="Ann Example")
    ledger.person_set("ann", by=SLACK, role="sender")
    ledger.person_set("ann", by=SLACK, role="sender")
    ledger.person_set(PHONE, by=ROOT_USER, role="none")
    ledger.person_link("ann", PHONE, by=ROOT_USER)
    ledger.person_unlink(PHONE, by=ROOT_USER)
    ledger.person_remove("ann", by="slack:T1:U2")
    rows = ledger.audit()
    assert [(row.what, row.subject, row.who) for row in reversed(rows)] == [
        ("people add", "ann", ROOT_USER),
        ("people set", "ann", SLACK),
        ("people set", PHONE, ROOT_USER),
        ("people link", "ann", ROOT_USER),
        ("people unlink", PHONE, ROOT_USER),
        ("people remove", "ann", "slack:T1:U2"),
    ]
    assert rows[-2].before == {"role": None, "plan": None, "callers": [SLACK]}
    assert rows[-2].after == {"role": "sender", "plan": None, "callers": [SLACK]}
    assert "Example" not in str(rows)


ROLES = [
    # caller, added with a role, settings, the role it has
    ("telegram:7", None, {}, "sender"),
    ("telegram:7", None, {"LEVQOR_DEFAULT_ROLE": "viewer"}, "viewer"),
    ("telegram:7", None, {"LEVQOR_DEFAULT_ROLE": "none"}, "none"),
    ("telegram:7", None, {"LEVQOR_ADMINS": "telegram:7"}, "admin"),
    ("telegram:7", "viewer", {"LEVQOR_ADMINS": "telegram:7"}, "viewer"),
    ("telegram:7", "none", {"LEVQOR_ADMINS": "telegram:7"}, "none"),
    ("telegram:7", "", {"LEVQOR_DEFAULT_ROLE": "none"}, "sender"),
    ("telegram:7", "admin", {}, "admin"),
    ("http:127.0.0.1", None, {"LEVQOR_DEFAULT_ROLE": "none"}, "none"),
    ("http:127.0.0.1", None, {}, "sender"),
    ("http:ci", None, {"LEVQOR_DEFAULT_ROLE": "none"}, "sender"),
    ("http:ci", "admin", {}, "sender"),
    ("http:ci", "viewer", {}, "viewer"),
    ("http:ops", None, {}, "admin"),
    ("http:ops", "sender", {}, "sender"),
    ("cli:ann", None, {"LEVQOR_DEFAULT_ROLE": "none"}, "admin"),
    ("tray:ann", None, {}, "admin"),
    ("console:ann", None, {}, "admin"),
    ("console:ann", "sender", {}, "sender"),
]


@both
@pytest.mark.parametrize(("caller", "chosen", "values", "role"), ROLES)
def test_a_role_is_the_chosen_one_else_the_settings_say(ledger, home, caller, chosen, values, role):
    ledger.token_new("ci")
    ledger.token_new("ops", admin=True)
    if chosen is not None:
        ledger.person_add("somebody", [caller], by=ROOT_USER, role=chosen or None)
    settings = Settings(home, environ=values)
    who = access(settings, ledger.standing(caller), Caller.parse(caller))
    assert who.role == role
    for needed in Role:
        if Role(role).includes(needed):
            who.require(needed)
            continue
        with pytest.raises(Forbidden) as refused:
            who.require(needed)
        assert refused.value.fix.endswith(f"people set {who.person} --role {needed}")


@both
def test_a_role_that_changes_is_asked_in_the_transaction_that_accepts(ledger):
    def authorize(who):
        if who.role == "none":
            raise Forbidden

    assert accept(ledger, caller=SLACK, authorize=authorize)[1]
    ledger.person_set(SLACK, by=ROOT_USER, role="none")
    before = ledger.runs()
    with pytest.raises(Forbidden):
        accept(ledger, caller=SLACK, authorize=authorize)
    assert ledger.runs() == before


def _of_before(home):
    """A home whose database was made by the last release without people."""
    with sqlite3.connect(home / "levqor.db") as db:
        db.executescript((ROOT / "tests/support/schema5.sql").read_text())
    db.close()
    (home / "levqor.db").chmod(0o600)


def test_a_database_of_before_keeps_every_run_plan_pairing_token_and_count(home):
    _of_before(home)
    with Ledger.open(home) as ledger:
        runs = {run.run: (run.caller, run.state) for run in ledger.runs(10)}
        assert runs == {
            "oldrun0000": ("cli:ann", "sent"),
            "oldrun0001": (SLACK, "sent"),
            "oldrun0002": (SLACK, "sent"),
            "oldrun0003": (PHONE, "unknown"),
            "oldrun0004": (TOKEN, "refused"),
        }
        assert ledger.paired("telegram") == ["42"]
        assert {c.caller: (c.plan, c.person, c.role) for c in ledger.callers()} == {
            "cli:ann": ("free", None, None),
            SLACK: ("pro", None, None),
            PHONE: ("free", None, None),
            TOKEN: ("free", None, None),
            "http:ops": ("pro", None, None),
            "http:gone": ("free", None, None),
        }
        found = token_of(ledger, "lvq_ci_of-before")
        assert (found.label, found.scope, found.admin) == ("ci", None, False)
        assert token_of(ledger, "lvq_ops_of-before").admin
        assert (ledger.people(), ledger.audit()) == ([], [])


def test_what_was_used_before_the_migration_is_used_after_it(home):
    _of_before(home)
    at = 1_700_000_010.0
    with Ledger.open(home) as ledger:
        for caller in ("cli:ann", PHONE):
            with pytest.raises(QuotaSpent):
                accept(ledger, caller=caller, at=at)
        assert accept(ledger, caller=TOKEN, at=at)[1]
        assert accept(ledger, caller="cli:ann", key="cli:key", at=at)[0].run == "oldrun0000"


def test_the_release_of_before_is_told_to_come_up_to_date(home):
    Ledger.open(home).close()
    with sqlite3.connect(home / "levqor.db") as db:
        schema = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {schema + 1}")
    db.close()
    with pytest.raises(LedgerError, match=f"schema {schema + 1}; this one knows {schema}") as told:
        Ledger.open(home)
    assert told.value.fix


@both
def test_who_everybody_is_is_told_as_of_each_alone_latest_first(ledger):
    ledger.person_add("ann", [SLACK], by=ROOT_USER, plan="pro", role="viewer")
    ledger.token_new("ci", by=ROOT_USER)
    for n, caller in enumerate((SLACK, TOKEN, PHONE)):
        finish(ledger, "sent", caller=caller, at=time.time() + n, test=True)
    told = ledger.standings()
    assert [each.caller for each in told][:3] == [PHONE, TOKEN, SLACK]
    for each in told:
        alone = ledger.standing(each.caller)
        assert (each.person, each.role, each.plan, each.token) == (
            alone.person, alone.role, alone.plan, alone.token,
        )  # fmt: skip
    ann, token = told[2], told[1].token
    assert (ann.person, ann.role, ann.plan, ann.quota_owner) == ("ann", "viewer", "pro", "ann")
    assert token.label == "ci"
