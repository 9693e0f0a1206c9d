"""Tokens in the ledger and at the terminal: scopes, an end, a new secret, what is written down."""

import datetime as dt
import time

import pytest

from core.connectors import CONNECTORS
from core.errors import InvalidInput, NotFound, Throttled
from core.ledger import Ledger
from core.scopes import Scope
from tests.support.engines import both, pooled_too
from tests.support.journal import accept
from tests.support.tokens import token_of

ACTIONS = [each.action_id(action) for each in CONNECTORS for action in each.actions]
CI = "http:ci"
BY = "cli:me"

# What was typed, what is said of it.
WRONG = [
    ("", "names nothing"),
    ("slack.send,", "names nothing"),
    ("slack.sned", "did you mean slack.send?"),
    ("slack.sned@ops", "did you mean slack.send@ops?"),
    ("metric", "did you mean metrics?"),
    ("everything", "choose from *, "),
    ("slack.send@", "needs a target's name after slack.send@"),
    ("slack.send@Ops", "needs a target's name"),
    ("*@ops", "is no action"),
    ("metrics@ops", "is no action"),
    ("slack.send,slack.send@ops", "slack.send@ops is allowed by slack.send already"),
    ("*,slack.send", "slack.send is allowed by * already"),
    ("*,slack.send@ops", "slack.send@ops is allowed by * already"),
]


@pytest.mark.parametrize(("typed", "words"), WRONG)
def test_a_scope_that_cannot_be_one_is_refused_with_the_nearest(typed, words):
    with pytest.raises(InvalidInput) as refused:
        Scope.parse(typed, ACTIONS)
    assert words in " ".join(fault.message for fault in refused.value.faults)


def test_a_scope_says_what_it_is_in_words():
    scope = Scope.parse(" slack.send@ops, email.send ,metrics,live,metrics", ACTIONS)
    assert str(scope) == "slack.send@ops,email.send,metrics,live"
    assert scope.describe() == "sends slack.send to ops, email.send; reads metrics, live checks"
    assert Scope.of("*").describe() == "sends every action"
    later = Scope.of("slack.send,fax.send@desk,secrets")
    assert (later.sends("slack.send"), later.offers("email.send")) == (True, False)


@both
def test_a_target_of_a_scope_must_be_there(ledger):
    ledger.target_add("ops", "slack.send", None, {"channel": "C1"}, by=BY)
    ledger.token_new("ci", scope=Scope.of("slack.send@ops"))
    for scope, words in (
        ("slack.send@opps", "did you mean slack.send@ops?"),
        ("email.send@ops", "email.send has no target ops"),
    ):
        for change in (
            lambda s: ledger.token_new("other", scope=s),
            lambda s: ledger.token_set("ci", scope=s),
        ):
            with pytest.raises(InvalidInput) as refused:
                change(Scope.of(scope))
            assert words in refused.value.faults[0].message
    assert [(token.label, token.scope) for token in ledger.tokens()] == [("ci", "slack.send@ops")]


@pooled_too
def test_a_rotated_token_works_by_both_secrets_until_the_overlap_ends(ledger):
    first = ledger.token_new("ci", scope=Scope.of("metrics"), per_hour=5)
    second = ledger.token_rotate("ci", overlap=60.0)
    assert [token_of(ledger, each).scope for each in (first, second)] == ["metrics"] * 2
    third = ledger.token_rotate("ci", overlap=60.0)
    works = [token_of(ledger, each) is not None for each in (first, second, third)]
    assert works == [False, True, True]
    ledger.store.write(lambda db: db.execute("UPDATE tokens SET old_until = 1.0"))
    assert [token_of(ledger, each) is not None for each in (second, third)] == [False, True]
    fourth = ledger.token_rotate("ci")
    assert [token_of(ledger, each) is not None for each in (third, fourth)] == [False, True]
    ledger.token_revoke("ci")
    with pytest.raises(NotFound):
        ledger.token_rotate("ci")
    with pytest.raises(NotFound):
        ledger.token_set("ci", per_hour=1)
    with pytest.raises(NotFound):
        ledger.token_rotate("nobody")


@both
def test_a_token_ends_by_itself_and_an_admin_can_prolong_it(ledger):
    secret = ledger.token_new("ci", expires=3600.0)
    assert token_of(ledger, secret).expires_at == pytest.approx(time.time() + 3600, abs=60)
    ledger.token_set("ci", expires=-1.0)
    assert token_of(ledger, secret) is None
    ledger.token_set("ci", expires=None)
    assert token_of(ledger, secret).expires_at is None


@both
def test_that_a_token_is_used_is_written_once_a_minute(ledger):
    ledger.token_new("ci")
    assert ledger.tokens()[0].used_at is None
    ledger.token_used("ci")
    first = ledger.tokens()[0].used_at
    ledger.token_used("ci")
    assert ledger.tokens()[0].used_at == first
    ledger.store.write(lambda db: db.execute("UPDATE tokens SET used_at = used_at - 61"))
    ledger.token_used("ci")
    assert ledger.tokens()[0].used_at >= first


@both
def test_every_change_of_a_token_is_a_row_without_its_secret(ledger):
    secrets = [ledger.token_new("ci", scope=Scope.of("metrics"), per_hour=2, by=BY)]
    secrets.append(ledger.token_rotate("ci", overlap=60.0, by="cli:ann"))
    ledger.token_set("ci", scope=Scope.of("*"), per_hour=None, by="slack:T1:U1")
    ledger.token_set("ci", scope=Scope.of("*"), by=BY)
    ledger.token_revoke("ci", by=BY)
    rows = ledger.audit()[::-1]
    assert [(row.what, row.subject, row.who) for row in rows] == [
        ("token new", "ci", BY),
        ("token rotate", "ci", "cli:ann"),
        ("token set", "ci", "slack:T1:U1"),
        ("token revoke", "ci", BY),
    ]
    changed = [(row["scope"], row["per_hour"]) for row in (rows[2].before, rows[2].after)]
    assert changed == [("metrics", 2), ("*", None)]
    assert rows[0].before is None
    for secret in secrets:
        assert secret.split("_", 2)[2] not in str(rows)


@both
def test_an_admin_s_token_may_everything_and_takes_no_scope(ledger):
    with pytest.raises(InvalidInput, match="is an admin's"):
        ledger.token_new("boss", admin=True, scope=Scope.of("metrics"))
    ledger.token_new("boss", admin=True)
    with pytest.raises(InvalidInput, match="is an admin's"):
        ledger.token_set("boss", scope=Scope.of("metrics"))


@both
def test_a_rate_counts_the_hour_before_and_this_token_s_runs_alone(ledger):
    ledger.token_new("ci", plan="pro", per_hour=2)
    now = time.time()
    # Those of an hour ago, and those of the token that had the label before, do not count.
    accept(ledger, caller=CI, surface="http", at=now + 10)
    accept(ledger, caller=CI, surface="http", at=now + 1800)
    for at in (now + 20, now + 1801, now + 3609):
        with pytest.raises(Throttled) as refused:
            accept(ledger, caller=CI, surface="http", at=at)
        assert 0 < refused.value.retry_after <= 3600
    assert refused.value.retry_after == pytest.approx(1.0, abs=0.1)
    assert accept(ledger, caller=CI, surface="http", at=now + 3611)[1]
    accept(ledger, caller="http:other", surface="http", at=now + 3612)
    ledger.token_revoke("ci")
    ledger.token_new("ci", plan="pro", per_hour=1)
    ledger.store.write(
        lambda db: db.execute("UPDATE tokens SET created_at = :at", {"at": now + 3612})
    )
    assert accept(ledger, caller=CI, surface="http", at=now + 3613)[1]


@both
def test_a_clock_that_was_set_back_lifts_no_rate(ledger):
    ledger.token_new("ci", plan="pro", per_hour=2)
    before = time.time() - 86400
    for at in (before, before + 10):
        assert accept(ledger, caller=CI, surface="http", at=at)[1]
    with pytest.raises(Throttled):
        accept(ledger, caller=CI, surface="http", at=before + 20)


@both
def test_a_new_token_hears_nothing_that_another_of_its_label_was_told(ledger):
    ledger.token_new("ci", plan="pro")
    first, _ = accept(ledger, caller=CI, surface="http", key="http:ci k")
    ledger.token_rotate("ci")
    assert accept(ledger, caller=CI, surface="http", key="http:ci k") == (first, False)
    ledger.token_revoke("ci")
    ledger.token_new("ci", plan="pro")
    again, is_first = accept(ledger, caller=CI, surface="http", key="http:ci k")
    assert (is_first, again.run != first.run) == (True, True)


@both
def test_the_list_of_tokens_has_the_plan_of_each(ledger):
    for label, plan in (("own", "pro"), ("none", None), ("anns", None)):
        ledger.token_new(label, plan=plan)
    ledger.person_add("ann", ["http:anns"], by=BY, plan="pro")
    for default in ("free", "pro"):
        ledger.default_plan = default
        assert {token.label: token.plan for token in ledger.tokens()} == {
            "own": "pro", "none": default, "anns": "pro",
        }  # fmt: skip
        assert all(token.plan == ledger.plan(f"http:{token.label}") for token in ledger.tokens())


def test_a_new_token_of_a_linked_label_leaves_the_person_s_plan_alone(home):
    with Ledger.open(home) as ledger:
        ledger.token_new("ci")
        ledger.person_add("ann", [CI, "slack:T1:U1"], by=BY, plan="pro")
        ledger.token_revoke("ci")
        ledger.token_new("ci")
        assert [ledger.plan(each) for each in (CI, "slack:T1:U1")] == ["pro", "pro"]


def test_a_token_is_narrowed_rotated_and_listed_at_the_terminal(cli, home):
    made = cli(
        "token", "new", "ci", "--only", "email.send,metrics", "--per-hour", "20",
        "--expires", "90d", "--output", "json",
    ).json  # fmt: skip
    assert (made["scope"], made["per_hour"]) == ("email.send,metrics", 20)
    left = dt.datetime.fromisoformat(made["expires_at"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=89, hours=23) < left <= dt.timedelta(days=90)
    rotated = cli("token", "rotate", "ci", "--overlap", "1h", "--output", "json").json
    with Ledger.open(home) as ledger:
        for secret in (made["token"], rotated["token"]):
            assert token_of(ledger, secret).label == "ci"
    said = cli("token", "set", "ci", "--only", "email.send", "--per-hour", "none")
    assert said.out == (
        "The token ci sends email.send. It is valid until " + made["expires_at"] + ".\n"
    )
    listed = cli("token", "list", "--output", "json")
    (one,) = listed.json["tokens"]
    assert (one["scope"], one["expired"], one["wide"]) == ("email.send", False, False)
    assert "per_hour" not in one
    for secret in (made["token"], rotated["token"]):
        assert secret.split("_", 2)[2] not in listed.out
    rows = cli("audit", "--output", "json").json
    assert [row["what"] for row in rows["changes"]][:3] == [
        "token set",
        "token rotate",
        "token new",
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--only", "slack.sned"),
        ("--only", ""),
        ("--per-hour", "0"),
        ("--per-hour", "1.5"),
        ("--per-hour", "9" * 5000),
        ("--expires", "soon"),
        ("--expires", "0d"),
        ("--expires", "99999w"),
    ],
)
def test_what_a_token_cannot_have_is_refused_and_nothing_is_made(cli, option, value):
    refused = cli("token", "new", "ci", option, value, "--output", "json")
    assert (refused.status, refused.json["error"]) == (2, "validation_error")
    assert cli("token", "list", "--output", "json").json["tokens"] == []


def test_the_list_says_which_tokens_are_wide_and_how_to_narrow_them(cli, home):
    cli("token", "new", "ci")
    with Ledger.open(home) as ledger:
        ledger.store.write(lambda db: db.execute("UPDATE tokens SET scope = NULL"))
        ledger.token_new("done", expires=-60.0)
    listed = cli("token", "list")
    assert "expired" in listed.out
    assert "levqor token set ci --only" in listed.err
    assert "done was made before" not in listed.err
    (done, wide) = cli("token", "list", "--output", "json").json["tokens"]
    assert (wide["wide"], done["wide"], done["expired"]) == (True, False, True)
    cli("token", "set", "ci", "--only", "metrics")
    assert "may do everything" not in cli("token", "list").err


def test_a_token_whose_holder_may_not_send_is_made_and_changed_and_that_is_said(cli, home):
    with Ledger.open(home) as ledger:
        ledger.person_set("http:ci", by="cli:root", role="viewer")
    made = cli("token", "new", "ci", "--expires", "1h")
    assert made.status == 0
    assert "It may not send: http:ci has the role viewer." in made.err
    assert "levqor people set http:ci --role sender" in made.err
    prolonged = cli("token", "set", "ci", "--expires", "never", "--output", "json")
    assert (prolonged.status, "expires_at" in prolonged.json) == (0, False)
