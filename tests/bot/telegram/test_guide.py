"""What docs/guides/telegram.md promises."""

import asyncio
from pathlib import Path

import pytest

from bot.commands import QUESTIONS
from bot.telegram import connection_status as verdicts
from bot.telegram.check import check
from core.settings import Settings
from tests.support.telegram import settings_for

GUIDE = (Path(__file__).parents[3] / "docs/guides/telegram.md").read_text()

VERDICTS = [one for one in vars(verdicts).values() if isinstance(one, verdicts.Verdict)]


@pytest.mark.parametrize(
    "verdict",
    [
        *VERDICTS,
        verdicts.foreign_webhook("https://HOST/x"),
        verdicts.undelivered("HOST"),
    ],
    ids=lambda verdict: verdict.words[:30],
)
def test_whatever_health_may_say_stands_in_the_guide(verdict):
    assert f"| {verdict.words.replace('host', 'HOST')} |" in GUIDE
    assert verdict.fix


def test_the_guide_names_every_setting_and_only_those_there_are(home):
    known = {one.name for one in Settings(home, environ={}).described()}
    named = {word for word in GUIDE.replace("=", " ").replace("`", " ").split() if word in known}
    assert {
        "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID_DEFAULT", "LEVQOR_TELEGRAM",
        "TELEGRAM_WEBHOOK_URL",
    } <= named  # fmt: skip
    assert "/whoami" in GUIDE
    assert {each.word for each in QUESTIONS} == {
        "health", "usage", "runs", "why", "link", "open", "whoami", "help",
    }  # fmt: skip


def findings(settings):
    return [(one.good, one.what) for one in asyncio.run(check(settings))]


def test_the_check_finds_a_good_token_and_a_free_way(home, sandbox):
    assert findings(settings_for(home, sandbox)) == [
        (True, "Telegram: the token is that of @levqor_sandbox_bot."),
        (True, "Telegram: nobody else's webhook is in the way of polling."),
        (
            True,
            "Telegram: in groups the bot sees commands and replies alone, which is all it needs.",
        ),
    ]
    calls = {one.call for one in sandbox.telegram.received}
    assert calls == {"getMe", "getWebhookInfo", "getMyCommands"}


def test_the_check_names_a_refused_token_and_a_missing_one(home, sandbox):
    sandbox.telegram.revoke()
    assert findings(settings_for(home, sandbox)) == [
        (False, "Telegram refuses TELEGRAM_BOT_TOKEN.")
    ]
    assert findings(Settings(home, environ={})) == [
        (None, "Telegram is off: TELEGRAM_BOT_TOKEN is not set.")
    ]
    assert findings(settings_for(home, sandbox, LEVQOR_TELEGRAM="off")) == [
        (None, "Telegram is off (LEVQOR_TELEGRAM=off).")
    ]


def test_the_check_tells_when_telegram_cannot_be_reached(home, sandbox):
    settings = settings_for(home, sandbox, TELEGRAM_API_URL="http://127.0.0.1:1")
    assert findings(settings) == [(False, "Telegram: cannot be reached.")]
