"""What is missing, malformed or odd is told, and never a value."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from core.connectors import CONNECTORS
from core.errors import NotConfigured
from core.interfaces import declared
from core.settings import Settings
from docs.env_example import example
from tests.support.fax_settings import FAX, key, load, refusal, write

ROOT = Path(__file__).parents[2]
BY_NAME = {connector.name: connector for connector in CONNECTORS}


def test_a_missing_setting_is_named_with_where_to_get_it(home):
    settings = load(home)
    with pytest.raises(NotConfigured) as refused:
        settings.config(FAX)
    assert refused.value.body() == {
        "error": "not_configured",
        "message": "Fax is not set up. FAX_KEY is missing (the fax key).",
        "reason": "not_configured",
        "fix": "Set FAX_KEY in the environment or in .env. "
        "Where to get it: from the back of the machine.",
    }
    assert refused.value.settings == ("FAX_KEY",)


def test_an_unusual_shape_is_warned_about_and_not_refused(home):
    settings = load(home, {"FAX_KEY": "telex-1"})
    assert settings.configured(FAX)
    (problem,) = settings.problems()
    assert problem.what == ("FAX_KEY has an unusual shape: it may be cut off, or the wrong value.")
    assert problem.fix == "Compare it with its source: from the back of the machine."
    assert not problem.fatal
    assert "telex" not in str(problem)
    # What a sandbox gives looks like no vendor's, and is right.
    assert load(home, {"FAX_KEY": "http://127.0.0.1:4711/fax"}).problems() == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"FAX_KEY=caf\xe9", "is not UTF-8: see byte 12"),
        (b"FAX_KEY=1\nLEVQOR_ALLOW=caf\xe9", "is not UTF-8: see byte 27, on line 2"),
        ("FAX_KEY=1".encode("utf-16"), "is UTF-16, not UTF-8: save it as UTF-8"),
    ],
)
def test_an_env_file_that_is_no_text_stops_the_start(home, content, what):
    write(home, content)
    refused = refusal(home)
    assert refused.message == f"The settings file {home / '.env'} {what}."
    assert refused.settings == (".env",)


def test_an_env_file_that_cannot_be_read_stops_the_start(home):
    (home / ".env").mkdir()
    assert refusal(home).message == (
        f"The settings file {home / '.env'} cannot be read: Is a directory."
    )
    assert not load(home, tolerant=True).may("cli:ann", "fax.send")


def test_a_line_that_is_no_setting_is_named_by_its_number(home):
    write(home, 'FAX_KEY=fax-1\nLEVQOR_ALLOW "secret words\n')
    refused = refusal(home)
    assert refused.message == "Line 2 of .env cannot be read."
    assert "secret" not in str(refused.body())


@pytest.mark.parametrize("name", ["home", "Ann's own home"])
def test_an_env_file_that_others_can_read_is_told(tmp_path, name):
    home = tmp_path / name
    home.mkdir(mode=0o700, exist_ok=True)
    write(home, "FAX_KEY=fax-1\n", mode=0o640)
    (problem,) = load(home).problems()
    assert problem.what == "Other users of this machine can read .env and the secrets in it."
    assert shlex.split(problem.fix) == ["Run:", "chmod", "600", str(home / ".env")]


def test_a_name_that_stands_twice_is_told(home):
    write(home, "FAX_KEY=fax-1\nFAX_KEY=fax-2\n")
    settings = load(home)
    assert key(settings) == "fax-2"
    (problem,) = settings.problems()
    assert problem.what == "FAX_KEY is in .env twice; the last one, on line 2, counts."


def test_names_nobody_knows_are_told_with_the_nearest(home):
    write(home, "FAX_KEY=fax-1\nFAX_TRY=A5\nUNRELATED=x\n")
    settings = load(home, {"LEVQOR_ADMIN": "x", "LEVQOR_QUUX": "x", "UNRELATED_TOO": "x"})
    assert [(p.setting, p.fix) for p in settings.problems()] == [
        ("FAX_TRY", "Did you mean FAX_TRAY?"),
        ("LEVQOR_ADMIN", "Did you mean LEVQOR_ADMINS?"),
        ("LEVQOR_QUUX", "Correct its name, or take it out."),
    ]


def test_what_is_missing_and_what_is_malformed_are_told_at_once_and_once(home):
    environ = {
        "TELEGRAM_CHAT_ID_DEFAULT": "t.me/x",
        "GOOGLE_SHEETS_SPREADSHEET_ID": "a/../b",
        "SHEETS_RANGE_DEFAULT": "Q3!A0",
    }
    settings = Settings(home, environ=environ)
    problems = [one for one in settings.problems() if one.setting in environ]
    assert [(one.setting, one.fatal) for one in problems] == [
        ("GOOGLE_SHEETS_SPREADSHEET_ID", True),
        ("SHEETS_RANGE_DEFAULT", True),
        ("TELEGRAM_CHAT_ID_DEFAULT", True),
    ]
    with pytest.raises(NotConfigured) as refused:
        settings.config(BY_NAME["telegram"])
    assert refused.value.settings == ("TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID_DEFAULT")


def test_a_bad_shared_setting_stops_its_connector_and_no_other(home):
    environ = {"SLACK_API_URL": "http://evil.example.com", "RESEND_API_KEY": "re_" + "a" * 20}
    settings = Settings(home, environ=environ)
    with pytest.raises(NotConfigured, match="SLACK_API_URL must begin with https://"):
        settings.config(BY_NAME["slack"])
    assert settings.configured(BY_NAME["email"])


def test_no_problem_and_no_refusal_ever_shows_a_value(home):
    canary = "CANARY pass\tword\x01"
    names = [one.name for one in Settings(home, environ={}).described()]
    environ = {name: f"{canary}-{name}" for name in names if name != "LEVQOR_HOME"}
    settings = Settings(home, environ=environ, tolerant=True)
    told = [str(settings.problems())]
    for connector in CONNECTORS:
        with pytest.raises(NotConfigured) as refused:
            settings.config(connector)
        told += [str(refused.value.body()), repr(refused.value), repr(refused.value.__context__)]
    with pytest.raises(NotConfigured) as refused:
        Settings(home, environ=environ)
    told += [str(refused.value.body()), repr(settings.app)]
    assert "CANARY" not in "".join(told)


def test_every_setting_is_described_once(home):
    described = Settings(home, environ={}).described()
    names = [one.name for one in described]
    assert len(names) == len(set(names))
    assert {
        *(one.name for connector in CONNECTORS for one in connector.config.settings()),
        "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "TELEGRAM_WEBHOOK_URL",
        "LEVQOR_HOME", "LEVQOR_HTTP", "LEVQOR_HTTP_ANONYMOUS", "LEVQOR_TRUSTED_PROXIES",
        "ALLOWED_ORIGINS", "LEVQOR_UPGRADE_URL", "LEVQOR_SLACK_PREFIX", "LEVQOR_TELEGRAM",
        "LEVQOR_RECIPIENTS", "LEVQOR_ALLOW", "LEVQOR_ADMINS", "LEVQOR_KEEP_DAYS",
        "LEVQOR_DEFAULT_PLAN", "LEVQOR_DEFAULT_ROLE", "LEVQOR_AUDIT_DAYS", "LEVQOR_PUBLIC_URL",
        "LEVQOR_ALERTS", "LEVQOR_CHECK_MINUTES",
        "LEVQOR_REMOTE_TOKEN", "LEVQOR_TIME_ZONE", "LEVQOR_SANDBOX_PAGE",
        "LEVQOR_DATABASE_URL", "LEVQOR_KEY_FILE",
    } == set(names)  # fmt: skip
    assert all(one.title and one.where for one in described)
    assert {one.name for one in described if one.env_only} == {
        "LEVQOR_HOME", "LEVQOR_SANDBOX_PAGE", "LEVQOR_DATABASE_URL", "LEVQOR_KEY_FILE",
        "LEVQOR_REMOTE_TOKEN",
        *(name for name in names if name.endswith("_API_URL")),
    }  # fmt: skip


def test_the_example_file_is_what_the_settings_say(home):
    made = example(CONNECTORS, declared())
    assert (ROOT / ".env.example").read_text("utf-8") == made
    assert max(map(len, made.splitlines())) <= 110
    write(home, made)
    settings = Settings(home, environ={})
    assert [problem for problem in settings.problems() if "missing" not in problem.what] == []
    assert not any(settings.configured(connector) for connector in CONNECTORS)
