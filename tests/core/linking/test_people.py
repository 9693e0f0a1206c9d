"""Linking by oneself: who becomes one person, with which role, plan and quota, and who does not."""

import re
import time

import pytest

from core.callers import Caller
from core.errors import Forbidden, QuotaSpent
from tests.support.engines import both, pooled_too
from tests.support.journal import DO, accept, finish
from tests.support.linking import PHONE, ROOT_USER, SLACK, TERMINAL, Team


@pooled_too
def test_two_callers_become_one_person_as_each_is_told_what_to_write(team):
    begun = team.says(SLACK)
    code = begun.body["code"]
    for line in (f"  Telegram: /link {code}", f"  The terminal: levqor link {code}"):
        assert line in begun.text
    assert "Slack:" not in begun.text
    given = team.says(PHONE, f" {code.upper()} ")
    assert given.body == {"caller": str(PHONE), "confirm": "/levqor link telegram:42"}
    assert "go back to Slack" in given.text
    waiting = team.says(SLACK)
    assert waiting.body == {"waiting": [str(PHONE)]}
    assert "/levqor link telegram:42" in waiting.text
    assert "/levqor link no" in waiting.text
    assert team.who(PHONE) == (None, None, None)
    done = team.says(SLACK, str(PHONE))
    name = done.body["person"]
    assert re.fullmatch(r"member-[a-z2-9]{4}", name)
    assert done.body == {"person": name, "role": "sender", "plan": "free"}
    assert [p.callers for p in team.ledger.people()] == [(str(SLACK), str(PHONE))]
    row = team.ledger.audit()[0]
    assert (row.who, row.what, row.subject) == (str(SLACK), "link", str(PHONE))
    assert row.after["callers"] == [str(SLACK), str(PHONE)]
    # Confirmed twice, as after a lost answer, it is said again and done once.
    assert team.says(SLACK, str(PHONE)).body == done.body
    assert len(team.ledger.audit()) == 1


# maker's and redeemer's person, role and plan as an admin chose them; then what both are
JOINED = [
    ((None, None, None), (None, None, None), ("ann", "sender", None)),
    ((None, "viewer", "pro"), (None, None, "free"), ("ann", "viewer", "free")),
    ((None, None, "pro"), (None, None, "pro"), ("ann", "sender", "pro")),
    ((None, None, "pro"), (None, None, None), ("ann", "sender", None)),
    (("boss", None, "pro"), (None, "viewer", None), ("boss", "viewer", None)),
    ((None, None, None), ("bob", "sender", "pro"), ("bob", "sender", None)),
    (("boss", "sender", "pro"), ("bob", "viewer", "free"), ("boss", "viewer", "free")),
]


@both
@pytest.mark.parametrize(("mine", "theirs", "both_are"), JOINED)
def test_the_joined_person_has_the_narrower_role_and_plan(team, mine, theirs, both_are):
    for caller, (person, role, plan) in ((TERMINAL, mine), (PHONE, theirs)):
        if person:
            more = [str(caller), f"slack:T1:{person.upper()}"]
            team.ledger.person_add(person, more, by=ROOT_USER, role=role, plan=plan)
        else:
            team.ledger.person_set(str(caller), by=ROOT_USER, role=role, plan=plan)
    team.joins(TERMINAL, PHONE)
    assert team.who(TERMINAL) == team.who(PHONE) == both_are
    # Whoever was one of the other's is one of the maker's now, and no name is left over.
    assert [person.name for person in team.ledger.people()] == [both_are[0]]
    for person, _, _ in (mine, theirs):
        if person:
            assert team.who(f"slack:T1:{person.upper()}") == both_are


@both
def test_a_default_that_is_narrower_is_not_widened_by_linking(ledger, home):
    team = Team(ledger, home, LEVQOR_DEFAULT_ROLE="viewer")
    team.joins(SLACK, PHONE)
    assert team.who(SLACK)[1] == "viewer"


@both
def test_a_name_that_is_taken_is_not_taken_again(team):
    team.ledger.person_add("ann", ["slack:T1:U9"], by=ROOT_USER)
    assert team.joins(TERMINAL, PHONE).startswith("member-")


ADMINS = [
    # settings, explicit roles, who makes the code, who gives it, and what an admin runs
    ({}, {SLACK: "admin"}, SLACK, None, "levqor people add NAME slack:T1:U1 CALLER"),
    ({}, {PHONE: "admin"}, SLACK, PHONE, "levqor people add NAME telegram:42 CALLER"),
    ({"LEVQOR_ADMINS": "telegram:42"}, {}, PHONE, None, "levqor people add NAME telegram:42 CALL"),
    ({"LEVQOR_ADMINS": "telegram:42"}, {}, SLACK, PHONE, "levqor people add NAME telegram:42 CALL"),
    ({"LEVQOR_ADMINS": "cli:ann"}, {}, TERMINAL, None, "levqor people add NAME cli:ann CALLER"),
]


@both
@pytest.mark.parametrize(("environ", "roles", "maker", "redeemer", "command"), ADMINS)
def test_admins_are_linked_by_an_admin_only(ledger, home, environ, roles, maker, redeemer, command):
    team = Team(ledger, home, **environ)
    for caller, role in roles.items():
        ledger.person_set(str(caller), by=ROOT_USER, role=role)
    before = len(ledger.audit())
    words, asks = ("", maker) if redeemer is None else (team.code(maker), redeemer)
    error = team.refused(asks, words)
    assert isinstance(error, Forbidden)
    assert error.fix.startswith(f"An admin runs: {command}")
    # Right or wrong, a code tells an admin the same: nothing was looked up.
    assert redeemer is None or team.refused(asks, "abcd2345").body() == error.body()
    assert (ledger.people(), len(ledger.audit())) == ([], before)


@both
def test_who_becomes_an_admin_between_code_and_yes_is_not_linked(team):
    team.says(PHONE, team.code(SLACK))
    team.ledger.person_set(str(PHONE), by=ROOT_USER, role="admin")
    assert team.refused(SLACK, str(PHONE)).fix.endswith("add NAME slack:T1:U1 telegram:42")
    team.ledger.person_set(str(PHONE), by=ROOT_USER, role="none")
    assert isinstance(team.refused(SLACK, str(PHONE)), Forbidden)
    assert team.ledger.people() == []


@both
def test_an_admin_who_is_another_of_the_persons_callers_counts_too(ledger, home):
    team = Team(ledger, home, LEVQOR_ADMINS="slack:T1:UBOSS")
    ledger.person_add("boss", [str(PHONE), "slack:T1:UBOSS"], by=ROOT_USER)
    code = team.code(SLACK)
    assert "admin" in team.refused(PHONE, code).message
    assert "admin" in team.refused(PHONE).message


@both
def test_two_who_sit_at_this_machine_would_be_an_admin_and_one_is_not(team):
    console = Caller("console", "ann")
    team.says(console, team.code(TERMINAL))
    error = team.refused(TERMINAL, str(console))
    assert error.fix == "An admin runs: levqor people add NAME cli:ann console:ann"
    team.says(TERMINAL, "no")
    assert team.joins(TERMINAL, PHONE) == "ann"
    assert team.who(TERMINAL)[1] == "sender"


@both
def test_who_was_shut_out_can_neither_make_nor_give_a_code(team):
    code = team.code(SLACK)
    team.ledger.person_set(str(PHONE), by=ROOT_USER, role="none")
    for words in ("", code, "abcd2345"):
        assert isinstance(team.refused(PHONE, words), Forbidden)
    team.ledger.person_set(str(SLACK), by=ROOT_USER, role="none")
    assert isinstance(team.refused(SLACK), Forbidden)


def sends(ledger, caller):
    try:
        finish(ledger, "sent", caller=str(caller), surface=caller.surface)
    except QuotaSpent:
        return False
    return True


@both
@pytest.mark.parametrize("sent", [(), (SLACK,), (PHONE,), (SLACK, PHONE)])
def test_link_send_unlink_gives_no_second_run(team, sent):
    for caller in sent:
        assert sends(team.ledger, caller)
    team.joins(SLACK, PHONE)
    assert sends(team.ledger, PHONE) is (sent == ())
    for caller in (SLACK, PHONE):
        assert team.ledger.quota(str(caller), [DO])[0].used >= 1
        team.ledger.person_unlink(str(caller), by=ROOT_USER)
        assert not sends(team.ledger, caller)
    for caller in (SLACK, PHONE):
        assert accept(team.ledger, caller=str(caller), at=time.time() + 86400)[1]


@both
def test_two_persons_who_become_one_share_what_any_of_them_sent(team):
    for name, callers in (("ann", [str(SLACK), "cli:ann"]), ("bob", [str(PHONE), "cli:bob"])):
        team.ledger.person_add(name, callers, by=ROOT_USER)
    assert sends(team.ledger, Caller("cli", "bob"))
    assert team.joins(SLACK, PHONE) == "ann"
    for caller in (SLACK, PHONE, TERMINAL, Caller("cli", "bob")):
        assert not sends(team.ledger, caller)
    team.ledger.person_unlink("cli:bob", by=ROOT_USER)
    assert not sends(team.ledger, Caller("cli", "bob"))
