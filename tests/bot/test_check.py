"""`levqor-bot check`: what keeps people from reaching the bot."""

import asyncio
from dataclasses import replace

import pytest

from bot import check
from bot.app import main
from bot.surfaces import SURFACES
from bot.telegram.connection_status import foreign_webhook
from core.reports import Finding
from core.settings import Settings
from tests.support.sandbox import Answer


@pytest.fixture
def look(home, sandbox):
    def go(**more):
        chosen = {**sandbox.settings(), **sandbox.slack.socket_settings(), **more}
        found = {name: value for name, value in chosen.items() if value is not None}
        return asyncio.run(check.look(Settings(home, sandbox_urls=found)))

    return go


def wrong(findings):
    return [(finding.what, finding.fix) for finding in findings if finding.good is False]


def error(code):
    return Answer(200, json={"ok": False, "error": code})


def test_where_all_is_well_nothing_is_wrong(look):
    findings = look()
    assert wrong(findings) == []
    said = [finding.what for finding in findings]
    assert "SLACK_BOT_TOKEN is good, in the workspace Levqor sandbox." in said
    assert "SLACK_APP_TOKEN is good: Slack opens a socket." in said
    assert "Telegram: the token is that of @levqor_sandbox_bot." in said


def test_names_of_a_workspace_and_a_bot_are_shown_plainly(look, sandbox):
    name = "x\x1b]0;y\x07\x9b2J\nTelegram: all is well\u202e"
    slack = {"ok": True, "team": name, "team_id": name, "user_id": name, "bot_id": name}
    bot = {"id": 1, "is_bot": True, "first_name": name, "username": name}
    sandbox.slack.always(Answer(200, json=slack), on="auth.test")
    sandbox.telegram.always(Answer(200, json={"ok": True, "result": bot}), on="getMe")

    shown = list(check.lines(look(), width=80))

    assert any("x ]0;y  2J" in line for line in shown)
    assert not any(char in "".join(shown) for char in "\x1b\x07\x9b\u202e\n")
    assert not any(line.startswith("Telegram: all is well") for line in shown)


OFF = {"SLACK_APP_TOKEN": None, "TELEGRAM_BOT_TOKEN": None}
ELSEWHERE = {"SLACK_API_URL": "https://slack.com/api/", "TELEGRAM_API_URL": "https://t.example"}
NO_ROUTE = "ALL_PROXY names a proxy that Levqor cannot use."


@pytest.mark.parametrize(("more", "proxy", "said"), [
    (OFF | {"LEVQOR_TELEGRAM": "off"}, "", {"Telegram is off (LEVQOR_TELEGRAM=off)."}),
    (OFF | {"TELEGRAM_BOT_TOKEN": "1:a/x"}, "", {"TELEGRAM_BOT_TOKEN is not a bot's token."}),
    (ELSEWHERE, "ftp://127.0.0.1", {f"Slack: {NO_ROUTE}", f"Telegram: {NO_ROUTE}"}),
])  # fmt: skip
def test_what_keeps_a_platform_from_being_asked_is_said(look, monkeypatch, more, proxy, said):
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert said <= {finding.what for finding in look(**more)}


def test_what_is_in_the_way_at_telegram_is_said_with_what_to_do(look, sandbox):
    me = {"id": 1, "is_bot": True, "first_name": "B", "username": "b"}
    for call, result in (
        ("getMe", {**me, "can_read_all_group_messages": True}),
        ("getWebhookInfo", {"url": "https://theirs.example/s3cret"}),
        ("getMyCommands", [{"command": "help", "description": "help"}]),
    ):
        sandbox.telegram.always(Answer(json={"ok": True, "result": result}), on=call)
    findings = [each for each in look() if each.what.startswith("Telegram")]
    assert [(each.good, each.what) for each in findings] == [
        (True, "Telegram: the token is that of @b."),
        (False, f"Telegram: {foreign_webhook('https://theirs.example').words}."),
        (None, "Telegram: unknown users see a menu of 1 command; levqor-bot removes it."),
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["revoked", "unreachable"])
def test_a_telegram_that_does_not_answer_and_one_that_refuses_are_told_apart(look, sandbox, token):
    refused = Answer(401, json={"ok": False, "error_code": 401, "description": "Unauthorized"})
    sandbox.telegram.always(refused if token == "revoked" else Answer(502), on="getMe")
    words = "refuses TELEGRAM_BOT_TOKEN." if token == "revoked" else "cannot be reached."
    assert any(what.endswith(words) for what, _ in wrong(look())), wrong(look())


def test_a_check_that_fails_in_a_new_way_is_said_and_tells_nothing_private(home):
    async def broken(_):
        raise RuntimeError("s3cret")

    spec = replace(SURFACES[0], check=broken)
    (finding,) = asyncio.run(check._look_at(spec, Settings(home, environ={})))
    assert finding == Finding(
        False, "A check made a mistake of its own (RuntimeError).", "Please report it."
    )


def test_what_is_off_is_said_with_where_to_begin(look):
    findings = look(SLACK_APP_TOKEN=None, TELEGRAM_BOT_TOKEN=None)
    assert wrong(findings) == []
    assert findings[0].fix == "To begin: levqor-bot slack-manifest"
    assert findings[1].what == "Telegram is off: TELEGRAM_BOT_TOKEN is not set."


@pytest.mark.parametrize(
    ("call", "setting", "place"),
    [
        ("auth.test", "SLACK_BOT_TOKEN", "OAuth & Permissions"),
        ("apps.connections.open", "SLACK_APP_TOKEN", "App-Level Tokens"),
    ],
)
def test_a_refused_slack_token_is_named_with_its_place(look, sandbox, call, setting, place):
    sandbox.slack.always(error("invalid_auth"), on=call)
    ((what, fix),) = wrong(look())
    assert what == f"Slack refuses {setting} (invalid_auth)."
    assert place in fix


def test_an_app_of_a_whole_organisation_is_named(look, sandbox):
    me = {"ok": True, "team_id": "E0123456789", "user_id": "U1", "is_enterprise_install": True}
    sandbox.slack.always(Answer(200, json=me), on="auth.test")
    ((what, fix),) = wrong(look())
    assert what.startswith("The Slack app is installed for a whole organisation")
    assert "levqor-bot slack-manifest" in fix


def test_a_missing_bot_token_is_named(look):
    ((what, fix),) = wrong(look(SLACK_BOT_TOKEN=None))
    assert what == "SLACK_BOT_TOKEN is missing."
    assert "OAuth & Permissions" in fix


def test_scopes_that_are_missing_are_named_with_what_they_are_for(look, sandbox):
    me = {"ok": True, "team": "Ours", "team_id": "T1", "user_id": "U1"}
    sandbox.slack.next(
        Answer(200, json=me, headers={"x-oauth-scopes": "chat:write"}), on="auth.test"
    )
    findings = look()
    assert [what for what, _ in wrong(findings)] == ["The bot token lacks the scope commands."]
    notes = [finding.what for finding in findings if finding.good is None]
    assert notes[:2] == [
        "Without the scope chat:write.public messages reach only channels the bot was invited to.",
        "Without the scope users:read guests look like members, and are allowed.",
    ]


def test_a_prefix_slack_refuses_is_named(look):
    found = wrong(look(LEVQOR_SLACK_PREFIX="status-"))
    assert found == [
        ("/status is a command of Slack's own.", "Choose another LEVQOR_SLACK_PREFIX.")
    ]


def test_slack_that_cannot_be_reached_is_said(look, sandbox):
    sandbox.slack.always(Answer(503, "down"))
    assert {what for what, _ in wrong(look())} == {"Slack cannot be reached."}


def test_over_http_the_address_slack_must_reach_is_said(look, sandbox):
    findings = look(SLACK_APP_TOKEN=None, **sandbox.slack.http_settings())
    (note,) = [one for one in findings if "/slack/events" in one.what]
    assert "https://…/slack/events" in note.fix


def test_each_finding_is_a_line_and_what_to_do_another():
    findings = [
        Finding(True, "All is well."),
        Finding(False, "It broke.", "Fix it."),
        Finding(None, "By the way."),
    ]
    assert check.lines(findings) == [
        "ok     All is well.",
        "wrong  It broke.",
        "       Fix it.",
        "note   By the way.",
    ]


def test_on_a_terminal_findings_break_between_words_under_each_other():
    findings = [Finding(good=False, what="It broke here.", fix="Fix it soon.")]
    assert check.lines(findings, 16) == [
        "wrong  It broke",
        "       here.",
        "       Fix it",
        "       soon.",
    ]


def test_the_program_exits_1_where_something_is_wrong(home, sandbox, capsys):
    assert main(["--home", str(home), "check"]) == 0
    (home / ".env").write_text("SLACK_APP_TOKEN=xapp-1-a-b\n")
    (home / ".env").chmod(0o600)
    assert main(["--home", str(home), "check"]) == 1
    assert "wrong  SLACK_BOT_TOKEN is missing." in capsys.readouterr().out
