"""Plans: who is on which, what nobody has set, and whom a plan can be for."""

import sqlite3

import pytest

from core.callers import Caller, is_address, quota_address
from core.engine import Engine
from core.errors import QuotaSpent
from core.ledger import Ledger
from core.settings import Settings
from tests.support.engines import both

pytestmark = both

TEXT = {"text": "Hello"}
ANN = Caller("slack", "T1:U1")
NOBODY = Caller("http", "127.0.0.1", known=False)


@pytest.fixture
def opened(home, environ):
    """Open the home's engine with a default plan in its `.env`."""

    def start(plan):
        (home / ".env").write_text(f"LEVQOR_DEFAULT_PLAN={plan}\n" if plan else "")
        return Engine.open(Settings(home, sandbox_urls=environ))

    return start


def sent(engine, caller, text):
    return engine.run("slack.send", {"text": text}, caller).outcome == "sent"


def spent(engine, caller):
    """Whether a second run of the day is refused, wherever that can be seen."""
    sent(engine, caller, "one")
    plan, quota = engine.ledger.plan(str(caller)), engine.ledger.quota(str(caller), ["slack.send"])
    ends = []
    for ask in (
        lambda: engine.authorization.ready("slack.send", caller),
        lambda: engine.accept("slack.send", TEXT, caller),
    ):
        try:
            ask()
        except QuotaSpent:
            ends.append(True)
        else:
            ends.append(False)
    assert ends == [plan == "free"] * 2
    assert (quota[0].limit == 1) == (plan == "free")
    listed = {one.caller: one.plan for one in engine.ledger.callers()}
    assert listed[str(caller)] == plan
    return ends[0]


@pytest.mark.parametrize(
    ("setting", "caller", "refused"),
    [
        (None, ANN, True),
        ("free", ANN, True),
        ("pro", ANN, False),
        ("pro", Caller("telegram", "42"), False),
        ("pro", Caller("cli", "ann"), False),
        ("pro", Caller("http", "ops"), False),
        ("pro", NOBODY, True),
        ("pro", Caller("http", "2001:db8:1:2::/64", known=False), True),
    ],
)
def test_a_new_caller_begins_on_the_default_plan_and_an_address_on_the_free_one(
    opened, setting, caller, refused
):
    with opened(setting) as engine:
        assert spent(engine, caller) == refused


def test_a_changed_default_is_everybodys_whom_nobody_has_put_on_a_plan(opened, home):
    chosen = Caller("slack", "T1:U2")
    with opened("pro") as engine:
        engine.ledger.set_plan(str(chosen), "free")
        assert not spent(engine, ANN)
        assert spent(engine, chosen)
        (home / ".env").write_text("LEVQOR_DEFAULT_PLAN=free\n")
        assert engine.refresh()
        assert engine.ledger.plan(str(ANN)) == "free"
        with pytest.raises(QuotaSpent):
            engine.authorization.ready("slack.send", ANN)
        engine.ledger.set_plan(str(ANN), "pro")
        assert sent(engine, ANN, "two")
    with opened("pro") as engine:
        assert engine.ledger.plan(str(chosen)) == "free"


def test_a_setting_that_is_no_plan_is_refused(opened):
    with pytest.raises(Exception, match="LEVQOR_DEFAULT_PLAN must be 'free' or 'pro'"):
        opened("gold")


def test_the_refusal_names_who_can_lift_it_but_suggests_no_plan_for_an_address(opened):
    with opened("free") as engine:
        for caller, fix in (
            (ANN, "An admin can lift it: levqor plan set slack:T1:U1 pro"),
            (NOBODY, "Ask an admin for a token, made with: levqor token new LABEL"),
        ):
            sent(engine, caller, "one")
            for ask in (
                lambda caller=caller: engine.authorization.ready("slack.send", caller),
                lambda caller=caller: engine.accept("slack.send", TEXT, caller),
            ):
                with pytest.raises(QuotaSpent) as refused:
                    ask()
                said = refused.value
                assert said.message == "Free plan: 1 slack call/day. Upgrade for unlimited."
                assert said.fix == fix


@pytest.mark.databases("sqlite")  # the other engine knew no such home
def test_a_home_of_before_keeps_who_was_put_on_pro(home):
    """Whoever was on the free plan there had it of nobody, as far as can be told."""
    with Ledger.open(home) as ledger:
        ledger.token_new("ops", plan="pro")
        ledger.set_plan("slack:T1:U1", "pro")
    with sqlite3.connect(home / "levqor.db") as db:
        db.executescript(
            """
            ALTER TABLE callers DROP COLUMN plan;
            ALTER TABLE callers ADD COLUMN plan TEXT NOT NULL DEFAULT 'free';
            UPDATE callers SET plan = 'pro';
            INSERT INTO callers (caller, first_seen, last_seen) VALUES ('slack:T1:U2', 1.0, 1.0);
            DELETE FROM _sqlite_migrations WHERE name = 'm002_default_plan';
            PRAGMA user_version = 1;
            """
        )
    db.close()
    with Ledger.open(home) as ledger:
        ledger.default_plan = "pro"
        assert ledger.tokens()[0].plan == "pro"
        assert [ledger.plan(f"slack:T1:U{n}") for n in (1, 2)] == ["pro", "pro"]
        ledger.default_plan = "free"
        assert [ledger.plan(f"slack:T1:U{n}") for n in (1, 2)] == ["pro", "free"]


def test_only_a_plan_that_somebody_chose_outlives_its_caller(ledger):
    ledger.set_plan("slack:T1:U1", "free")
    ledger.set_plan("slack:T1:U2", None)
    ledger.prune(-1)
    assert [one.caller for one in ledger.callers()] == ["slack:T1:U1"]


# What was written, and what is wrong with it; None where it is taken.
WRITTEN = {
    "slack:T0123456789:U0123456789": None,
    "slack:E01:W01": None,
    "telegram:42": None,
    "cli:ann": None,
    "cli:Ann Lee": None,
    "console:DOMAIN\\ann": None,
    "tray:ann@example.com": None,
    "http:ops": None,
    "http:127.0.0.1": None,
    "http:203.0.113.9": None,
    "http:2001:db8:1:2::/64": None,
    "slack:*": "names many callers; name one",
    "slack:T1:*": "names many callers; name one",
    "*:*": "callers are written slack:T0123456789:U0123456789, telegram:42",
    "http:*": "names many callers; name one",
    "cli:*": "names many callers; name one",
    "cli:ann?": "names many callers; name one",
    "http:10.0.0.0/8": "names many addresses; name one",
    "http:2001:db8::/32": "names many addresses; name one",
    "http:127.0.0.2": "is counted as http:127.0.0.1",
    "http:::1": "is counted as http:127.0.0.1",
    "http:2001:db8:1:2::9": "is counted as http:2001:db8:1:2::/64",
    "http:::ffff:203.0.113.9": "is counted as http:203.0.113.9",
    "http:localhost": None,
    "http:OPS": "callers of http are written http:LABEL",
    "http:lvq_ops_x": "callers of http are written http:LABEL",
    "http:levqor.example.com": "callers of http are written http:LABEL",
    "slack:U0123456789": "callers of slack are written slack:T0123456789:U0123456789",
    "slack:@ann": "callers of slack are written slack:T0123456789:U0123456789",
    "slack:t1:u1": "callers of slack are written slack:T0123456789:U0123456789",
    "telegram:@ann": "callers of telegram are written telegram:42",
    "telegram:-100123": "callers of telegram are written telegram:42",
    "telegram:٤٢": "callers of telegram are written telegram:42",
    "slak:T1:U1": "callers are written slack:T0123456789:U0123456789, telegram:42",
    "Slack:T1:U1": "callers are written slack:T0123456789:U0123456789, telegram:42",
    "slack:": "a caller is written surface:id, e.g. telegram:42",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_plan_is_for_one_caller_who_can_exist(cli, open_ledger, written):
    with open_ledger() as ledger:
        ledger.token_new("ops")
        ledger.token_new("localhost")
        before = ledger.callers()
    wrong = WRITTEN[written]
    printed = cli("plan", "set", "--output", "json", "--", written, "pro")
    with open_ledger() as ledger:
        if wrong is None:
            assert printed.json == {"caller": written, "plan": "pro"}
            assert ledger.plan(written) == "pro"
            return
        assert ledger.callers() == before
    assert printed.status == 2
    [fault] = printed.json["details"]
    assert fault["field"] == "caller"
    assert fault["message"].startswith(wrong)
    assert "LEVQOR_DEFAULT_PLAN" in printed.json["fix"]


def test_a_plan_for_a_token_that_is_not_there_says_how_to_make_it(cli, open_ledger):
    cli("token", "new", "gone")
    cli("token", "revoke", "gone")
    for label in ("ops", "gone"):
        printed = cli("plan", "set", f"http:{label}", "pro", "--output", "json")
        assert printed.status == 2
        assert printed.json["fix"] == f"Make it with: levqor token new {label}"
    with open_ledger() as ledger:
        assert ledger.plan("http:gone") == ledger.plan("http:ops") == "free"


@pytest.mark.parametrize(("setting", "options", "plan"), [
    ("free", (), "free"), ("pro", (), "pro"), ("pro", ("--plan", "free"), "free"),
    ("free", ("--plan", "pro"), "pro"),
])  # fmt: skip
def test_a_token_begins_on_the_default_plan_unless_another_is_named(
    cli, monkeypatch, setting, options, plan
):
    monkeypatch.setenv("LEVQOR_DEFAULT_PLAN", setting)
    made = cli("token", "new", "ops", *options, "--output", "json").json
    assert made["plan"] == plan
    assert cli("token", "list", "--output", "json").json["tokens"][0]["plan"] == plan
    listed = cli("callers", "--output", "json").json["callers"]
    assert [(one["caller"], one["plan"]) for one in listed] == [("http:ops", plan)]


def test_the_terminal_tells_the_default_plan_as_it_is_now(cli, monkeypatch):
    monkeypatch.setenv("LEVQOR_DEFAULT_PLAN", "pro")
    assert [cli("run", "slack.send", text).status for text in ("one", "two")] == [0, 0]
    said = cli("usage", "--output", "json").json
    assert said["plan"] == "pro"
    assert all("limit" not in quota for quota in said["quota"])
    monkeypatch.setenv("LEVQOR_DEFAULT_PLAN", "free")
    assert cli("usage", "--output", "json").json["plan"] == "free"
    assert cli("run", "slack.send", "three").status == 4


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.8.8", "127.0.0.1"),
        ("::1", "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
    ],
)
def test_an_address_is_counted_by_what_one_home_is_given(address, counted):
    assert quota_address(address) == counted
    assert quota_address(counted) == counted
    assert is_address(f"http:{counted}")
    assert not is_address(f"cli:{counted}")
