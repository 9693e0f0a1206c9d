import datetime as dt
import re
from types import SimpleNamespace

from core.cli import people
from core.contract import Interface, Pairing
from core.ledger import Ledger
from tests.support.sandbox import Answer, Hang
from tests.support.tokens import token_of


def test_a_caller_put_on_pro_has_no_daily_limit(cli, home):
    assert cli("run", "slack.send", "one").status == 0
    caller = cli("callers", "--output", "json").json["callers"][0]["caller"]
    printed = cli("plan", "set", caller, "pro", "--output", "json")
    assert printed.json == {"caller": caller, "plan": "pro"}
    assert cli("run", "slack.send", "two").status == 0
    assert cli("plan", "set", caller, "free").status == 0
    assert cli("run", "slack.send", "three").status == 4


def test_a_plan_may_be_set_before_the_caller_ever_asked(cli):
    cli("plan", "set", "telegram:42", "pro")
    assert cli("callers", "--output", "json").json["callers"][0]["plan"] == "pro"


def test_a_plan_is_set_by_a_persons_name_too(cli):
    printed = cli("plan", "set", "ann", "pro", "--output", "json")
    assert (printed.status, printed.json["error"]) == (2, "not_found")
    assert "telegram:42" in printed.json["fix"]
    cli("people", "add", "ann", "telegram:42")
    assert cli("plan", "set", "an", "pro", "--output", "json").json["fix"] == "Did you mean ann?"
    for whom in ("ann", "telegram:42"):
        for plan in ("pro", "free"):
            assert cli("plan", "set", whom, plan).status == 0
            assert cli("people", "--output", "json").json["people"][0]["plan"] == plan


def test_a_new_token_is_shown_once_and_works(cli, home):
    printed = cli("token", "new", "ann", "--plan", "pro", "--admin", "--output", "json")
    assert set(printed.json) == {"token", "label", "plan", "scope"}
    assert (printed.json["label"], printed.json["plan"]) == ("ann", "pro")
    with Ledger.open(home) as ledger:
        assert token_of(ledger, printed.json["token"]).admin is True
    listed = cli("token", "list", "--output", "json")
    assert printed.json["token"] not in listed.out
    assert [(t["label"], t["plan"], t["admin"]) for t in listed.json["tokens"]] == [
        ("ann", "pro", True)
    ]


def test_in_text_the_token_alone_is_on_standard_output(cli):
    printed = cli("token", "new", "ann")
    assert re.fullmatch(r"lvq_ann_[\w-]{43}\n", printed.out)
    assert "not shown again" in printed.err


def test_a_token_s_label_must_be_plain_and_free(cli):
    cli("token", "new", "ann")
    for label in ("ann", "Ann", "1ann", "-ann", "a b"):
        assert cli("token", "new", "--output", "json", "--", label).status == 2


def test_a_revoked_token_is_not_valid_any_more(cli, home):
    token = cli("token", "new", "ann", "--output", "json").json["token"]
    assert cli("token", "revoke", "ann", "--output", "json").json == {
        "label": "ann",
        "revoked": True,
    }
    with Ledger.open(home) as ledger:
        assert token_of(ledger, token) is None
    assert cli("token", "revoke", "ann").status == 2


def test_a_pairing_code_comes_with_a_link_for_the_phone(cli, home):
    printed = cli("pair", "telegram", "--output", "json").json
    assert set(printed) == {"code", "link", "expires_at"}
    assert re.fullmatch(rf"https://t\.me/\w+\?start={printed['code']}", printed["link"])
    left = dt.datetime.fromisoformat(printed["expires_at"]) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=9, seconds=50) < left <= dt.timedelta(minutes=10)
    with Ledger.open(home) as ledger:
        assert ledger.redeem("telegram", "42", printed["code"]) is True
        assert ledger.redeem("telegram", "43", printed["code"]) is False


def test_without_a_token_the_code_comes_without_a_link(cli, monkeypatch):
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN")
    printed = cli("pair", "telegram", "--output", "json")
    assert printed.json["link"] is None
    assert len(printed.json["code"]) == 8


def test_a_telegram_that_does_not_answer_costs_the_link_and_little_time(cli, sandbox):
    sandbox.telegram.always(Hang(30))
    began = dt.datetime.now(dt.UTC)
    printed = cli("pair", "telegram", "--output", "json")
    assert printed.json["link"] is None
    assert dt.datetime.now(dt.UTC) - began < dt.timedelta(seconds=15)


def test_a_bot_s_name_that_is_no_name_makes_no_link(cli, sandbox):
    sandbox.telegram.always(
        Answer(200, json={"ok": True, "result": {"id": 1, "username": "x/../evil?y"}}), on="getMe"
    )
    assert cli("pair", "telegram", "--output", "json").json["link"] is None


def test_a_paired_phone_can_be_let_out_again(cli, home):
    code = cli("pair", "telegram", "--output", "json").json["code"]
    with Ledger.open(home) as ledger:
        ledger.redeem("telegram", "42", code)
    assert cli("unpair", "telegram:42", "--output", "json").json == {
        "caller": "telegram:42",
        "paired": False,
    }
    assert cli("unpair", "telegram:42").status == 2


def test_an_interface_without_a_link_shows_what_to_send():
    shown = []
    session = SimpleNamespace(
        ledger=SimpleNamespace(pair_code=lambda _name, by: ("abc234", 0.0)),
        settings=SimpleNamespace(of=lambda kind: kind()),
        out=SimpleNamespace(line=shown.append),
        answer=lambda _body, draw: draw(),
        caller="cli:ann",
    )
    fax = Interface(name="fax", title="Fax", pairing=Pairing("pair {code}"))
    people.show_code(session, fax)
    assert shown[0] == "Send your bot in Fax: pair abc234"
