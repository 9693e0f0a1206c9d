"""Runs of a further account: which settings they use, what they say, what they wait for."""

from __future__ import annotations

import re
import time

import pytest

from core.connectors import CONNECTORS
from core.engine import Engine
from core.engine import queues as places
from core.errors import Forbidden, IdempotencyMismatch, NotConfigured, Repeated
from core.health import HealthChecker
from core.settings import Settings
from core.wording import why
from tests.support.accounts import SLACK, of_acme
from tests.support.asking import ADA, HELLO
from tests.support.engines import both
from tests.support.sandbox import Answer, Hang


@both
def test_a_run_of_an_account_is_that_accounts_alone(two, sandbox, acme):
    two.ledger.set_plan(str(ADA), "pro")
    first = two.run("slack.send", {"text": "a"}, ADA)
    theirs = two.run("slack.send", {"text": "b"}, ADA, account="acme")
    acme.slack.next(Answer(404, body="no_service"))
    refused = two.run("slack.send", {"text": "c"}, ADA, account="acme")
    assert [len(each.slack.writes) for each in (sandbox, acme)] == [1, 1]
    # Now, and when it is looked up later.
    kept = two.settled(two.ledger.run(refused.run))
    for settled in (refused, kept):
        assert "SLACK_WEBHOOK_URL__ACME" in settled.error.fix
    detail = HealthChecker(two).report().detail
    assert detail["slack"].last_success.run == first.run
    assert detail["slack"].last_failure is None
    assert detail["slack/acme"].last_success.run == theirs.run
    assert detail["slack/acme"].last_failure.run == refused.run
    assert "SLACK_WEBHOOK_URL__ACME" in detail["slack/acme"].last_failure.fix
    assert "SLACK_WEBHOOK_URL__ACME" in why(two.ledger.run(refused.run), CONNECTORS)


def test_the_same_text_to_another_account_is_something_else(two):
    two.ledger.set_plan(str(ADA), "pro")
    page = {"props": {"Name": "x"}}
    two.run("notion.create", page, ADA, key="k", guard=True)
    two.run("notion.create", page, ADA, guard=True, account="acme")
    with pytest.raises(Repeated):
        two.run("notion.create", page, ADA, guard=True, account="acme")
    with pytest.raises(IdempotencyMismatch):
        two.run("notion.create", page, ADA, key="k", account="acme")


@pytest.mark.parametrize(
    ("action", "values", "more", "error", "named"),
    [
        ("notion.create", {"props": {"Name": "x"}}, {}, NotConfigured, "NOTION_API_KEY__ACME"),
        ("slack.send", {"text": "x", "channel": "#a"}, {}, NotConfigured, "SLACK_BOT_TOKEN__ACME"),
        (
            "notion.create",
            {"props": {"Name": "x"}},
            {"NOTION_API_KEY__ACME": "ntn_1", "NOTION_DATABASE_ID_DEFAULT__ACME": "nonsense"},
            NotConfigured,
            "NOTION_DATABASE_ID_DEFAULT__ACME",
        ),
        (
            "telegram.send",
            {"text": "x"},
            {"TELEGRAM_BOT_TOKEN__ACME": "1:abc", "TELEGRAM_CHAT_ID_DEFAULT__ACME": "a b"},
            NotConfigured,
            "TELEGRAM_CHAT_ID_DEFAULT__ACME",
        ),
        (
            "email.send",
            {"to": "a@b.example", "subject": "s", "text": "x"},
            {"RESEND_API_KEY__ACME": "re_1", "LEVQOR_RECIPIENTS__ACME": "@c.example"},
            Forbidden,
            "LEVQOR_RECIPIENTS__ACME",
        ),
        (
            "email.send",
            {"to": "a@b.example", "subject": "s", "text": "x"},
            {"RESEND_API_KEY__ACME": "re_1", "LEVQOR_RECIPIENTS": "@c.example"},
            Forbidden,
            "LEVQOR_RECIPIENTS",
        ),
    ],
)
def test_what_refuses_a_run_of_an_account_names_its_settings(
    home, environ, action, values, more, error, named
):
    hook = {"SLACK_WEBHOOK_URL__ACME": environ["SLACK_WEBHOOK_URL"]}
    settings = Settings(home, environ={**environ, **hook, **more})
    with Engine.open(settings) as engine, pytest.raises(error) as refused:
        engine.run(action, values, ADA, account="acme")
    names = {each.name for c in CONNECTORS for each in c.config.settings()}
    told = f"{refused.value.message} {refused.value.fix}"
    words = re.findall(r"[A-Z][A-Z_]{6,}", told)
    assert {word for word in words if word.partition("__")[0] in names} == {named}


def test_a_target_leads_to_its_account_from_the_terminal(cli, monkeypatch, sandbox, acme):
    for name, value in of_acme(acme, *SLACK).items():
        monkeypatch.setenv(name, value)
    wrong = cli("target", "add", "ops", "slack.send", "--account", "acmee")
    assert wrong.status == 3
    assert "Did you mean the account acme?" in wrong.err
    assert cli("target", "add", "ops", "slack.send", "--account", "acme").status == 0
    assert cli("run", "slack.send", "target=ops", "hello").status == 0
    assert [len(each.slack.writes) for each in (sandbox, acme)] == [0, 1]
    acme.slack.always(Answer(404, body="no_service"))
    refused = cli("target", "test", "ops")
    assert refused.status == 1
    assert "SLACK_WEBHOOK_URL__ACME" in refused.err + refused.out
    words = "levqor target add x slack.send --account "
    monkeypatch.setenv("_LEVQOR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    assert cli().out.split() == ["acme"]
    # Nothing of another service's, also where nothing of the name is written yet.
    monkeypatch.setenv("COMP_WORDS", words.replace("slack.send", "notion.create"))
    assert cli().out.split() == []


def test_an_account_that_hangs_delays_no_other(two, sandbox, acme):
    two.ledger.set_plan(str(ADA), "pro")
    acme.slack.always(Hang())
    hanging = [
        two.start(two.accept("slack.send", {"text": f"n{n}"}, ADA, account="acme"))
        for n in range(places.WORKERS + 4)
    ]
    began = time.monotonic()
    assert two.run("slack.send", HELLO, ADA).outcome == "sent"
    assert time.monotonic() - began < 8
    assert two.queues()["slack/acme"] == (places.WORKERS, 4)
    assert two.queues()["slack"][1] == 0
    two.close(timeout=0.1)
    assert {future.result(1).outcome for future in hanging} <= {"unknown", "not_sent"}


def test_a_wait_that_one_account_is_asked_for_is_its_own(two, acme):
    two.ledger.set_plan(str(ADA), "pro")
    acme.slack.always(Answer(429, headers={"Retry-After": "60"}))
    for text in ("a", "b"):
        waits = two.run("slack.send", {"text": text}, ADA, account="acme")
        assert (waits.outcome, waits.error.retry_after > 50) == ("not_sent", True)
    # The second one did not even ask.
    assert len(acme.slack.received) == 1
    assert two.run("slack.send", HELLO, ADA).outcome == "sent"


def test_a_changed_file_of_an_account_is_read_while_levqor_runs(home, environ, acme):
    file = home / "acme-webhook"
    file.write_text(environ["SLACK_WEBHOOK_URL"] + "gone")
    given = {**of_acme(acme, "SLACK_API_URL"), "SLACK_WEBHOOK_URL__ACME_FILE": str(file)}
    with Engine.open(Settings(home, environ={**environ, **given})) as engine:
        engine.ledger.set_plan(str(ADA), "pro")
        assert engine.run("slack.send", HELLO, ADA, account="acme").outcome == "refused"
        assert not engine.refresh()
        new = acme.settings()["SLACK_WEBHOOK_URL"]
        file.write_text(new)
        assert engine.refresh()
        assert engine.run("slack.send", HELLO, ADA, account="acme").outcome == "sent"
        assert engine.outbound.redactor.clean(new) == "****"
    assert len(acme.slack.writes) == 1
