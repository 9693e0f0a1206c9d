"""Settings: where they come from, what a wrong one says, who may do what."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr  # noqa: TC002 - pydantic reads the annotation

from core.callers import Caller
from core.connectors import CONNECTORS
from core.contract import Action, Config, Connector, Contract, Probe, Receipt, field, setting
from core.errors import NotConfigured
from core.settings import Address, Settings

ROOT = Path(__file__).parents[2]
MALFORMED = "entry 1 must be CALLER=ACTION,ACTION with ';' between entries, e.g. slack:T1:*=slack.*"
BY_NAME = {connector.name: connector for connector in CONNECTORS}


class FaxConfig(Config):
    key: SecretStr = setting(
        "FAX_KEY", "The fax key", "from the back of the machine", required=True,
        shape=r"fax-\d+",
    )  # fmt: skip
    tray: str = setting("FAX_TRAY", "The paper tray", "look inside", default="A4")
    api_url: str = setting(
        "FAX_API_URL", "Where the fax is", "ask", env_only=True, default="https://fax.example.com"
    )


class Sheet(Contract):
    text: str = field("Text", "what to fax", example="Hi", takes_text=True)


FAX = Connector(
    name="fax",
    title="Fax",
    config=FaxConfig,
    actions=(
        Action(
            name="send",
            title="Send a fax",
            input=Sheet,
            sample={"text": "Hi"},
            send=lambda *_: Receipt("sent"),
        ),
    ),
    probe=lambda *_: Probe(),
    refusals=(),
)


def load(home, environ=None, **more):
    return Settings.load(home, environ=environ or {}, connectors=(FAX,), **more)


def write(home, text, mode=0o600):
    file = home / ".env"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def key(settings):
    return settings.config(FAX).key.get_secret_value()


def refusal(home, environ=None, **more) -> NotConfigured:
    with pytest.raises(NotConfigured) as refused:
        load(home, environ, **more)
    return refused.value


def test_the_environment_comes_before_the_env_file(home):
    write(home, "FAX_KEY=fax-1\nFAX_TRAY=A5\n")
    settings = load(home, {"FAX_KEY": "fax-2"})
    assert key(settings) == "fax-2"
    assert settings.default("FAX_TRAY") == "A5"


@pytest.mark.parametrize(
    "text",
    [
        "FAX_KEY=fax-1",
        "export FAX_KEY=fax-1 # the old one",
        "FAX_KEY = 'fax-1'\r\nFAX_TRAY=A4\r\n",
        b'\xef\xbb\xbfFAX_KEY=" fax-1 "\n',
        "# a comment\n\nFAX_KEY=fax-1\nFAX_TRAY=",
    ],
)
def test_an_env_file_is_read_however_it_was_saved(home, text):
    write(home, text)
    assert key(load(home)) == "fax-1"


def test_nothing_in_an_env_file_is_expanded(home):
    write(home, "FAX_KEY=fax-${HOME}$HOME")
    assert key(load(home)) == "fax-${HOME}$HOME"


def test_an_empty_value_counts_as_absent(home):
    write(home, "FAX_KEY=fax-1\nLEVQOR_ALLOW=\n")
    settings = load(home, {"FAX_KEY": " ", "LEVQOR_ALLOW": "", "FAX_TRAY": ""})
    assert key(settings) == "fax-1"
    assert settings.own.allow is None
    assert settings.default("FAX_TRAY") == "A4"


def test_quotes_and_white_space_around_a_value_do_no_harm(home):
    assert key(load(home, {"FAX_KEY": ' "fax-1"\n'})) == "fax-1"
    assert key(load(home, {"FAX_KEY": "'"})) == "'"


def test_a_secret_may_stand_in_a_file_of_its_own(home):
    (home / "fax.txt").write_text("\n fax-7 \n")
    assert key(load(home, {"FAX_KEY_FILE": str(home / "fax.txt")})) == "fax-7"
    write(home, "FAX_KEY_FILE=fax.txt\nFAX_KEY=fax-1\n")
    settings = load(home, {"FAX_KEY_FILE": "fax.txt"})
    assert key(settings) == "fax-7"
    (problem,) = load(home).problems()
    assert problem.what == "FAX_KEY and FAX_KEY_FILE are both set; the file is not read."


def test_only_secrets_are_read_from_files(home):
    (home / "tray.txt").write_text("A3")
    assert load(home, {"FAX_TRAY_FILE": "tray.txt"}).default("FAX_TRAY") == "A4"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "FAX_KEY_FILE names a file that cannot be read: No such file or directory."),
        (b"", "FAX_KEY_FILE names an empty file."),
        (b"\xff\xfe", "FAX_KEY_FILE names a file that is not text."),
    ],
)
def test_a_secrets_file_that_is_no_use_is_told(home, content, what):
    if content is not None:
        (home / "fax.txt").write_bytes(content)
    settings = load(home, {"FAX_KEY_FILE": "fax.txt"})
    with pytest.raises(NotConfigured) as refused:
        settings.config(FAX)
    assert refused.value.message == f"Fax is not set up. {what}"
    assert refused.value.fix == "Put the value into that file, or correct FAX_KEY_FILE."
    assert refused.value.exit == 3
    assert not settings.configured(FAX)


@pytest.mark.parametrize("pointer", ["~nobody-of-that-name/key", "a\x00b"])
def test_a_secrets_file_that_cannot_be_is_told(home, pointer):
    settings = load(home, {"FAX_KEY_FILE": pointer})
    (problem,) = settings.problems()
    assert problem.what == "FAX_KEY_FILE names no file that there can be."
    assert problem.fix == "Put the value into that file, or correct FAX_KEY_FILE."
    assert problem.fatal


def test_where_an_upstream_lives_is_not_taken_from_an_env_file(home):
    write(home, "FAX_KEY=fax-1\nFAX_API_URL=https://evil.example.com\nLEVQOR_HOME=elsewhere\n")
    settings = load(home)
    assert settings.config(FAX).api_url == "https://fax.example.com"
    assert settings.home == home
    assert [problem.what for problem in settings.problems()] == [
        "FAX_API_URL in .env is ignored: it is read from the environment only.",
        "LEVQOR_HOME in .env is ignored: it is read from the environment only.",
    ]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://localhost", "http://[::1]:80", "https://own.example"]
)
def test_an_upstream_may_live_on_https_or_on_this_machine(home, url):
    settings = load(home, {"FAX_KEY": "fax-1", "FAX_API_URL": url})
    assert settings.config(FAX).api_url == url


@pytest.mark.parametrize(
    "url",
    ["http://evil.example.com", "http://127.0.0.1.evil.example", "ftp://x", "evil", "https://u@x"],
)
def test_an_upstream_anywhere_else_is_refused(home, url):
    settings = load(home, {"FAX_KEY": "fax-1", "FAX_API_URL": url})
    with pytest.raises(NotConfigured, match=r"Fax is not set up\. FAX_API_URL must be") as refused:
        settings.config(FAX)
    assert url not in str(refused.value.body())


def test_a_missing_setting_is_named_with_where_to_get_it(home):
    settings = load(home)
    with pytest.raises(NotConfigured) as refused:
        settings.config(FAX)
    assert refused.value.body() == {
        "error": "not_configured",
        "message": "Fax is not set up. FAX_KEY is missing (the fax key).",
        "reason": "not_configured",
        "fix": "Set FAX_KEY in the environment or in .env: from the back of the machine.",
    }
    assert refused.value.settings == ("FAX_KEY",)


def test_an_unusual_shape_is_warned_about_and_not_refused(home):
    settings = load(home, {"FAX_KEY": "telex-1"})
    assert settings.configured(FAX)
    (problem,) = settings.problems()
    assert problem.what == ("FAX_KEY has an unusual shape: it may be cut off, or another value.")
    assert problem.fix == "Compare it with its source: from the back of the machine."
    assert not problem.fatal
    assert "telex" not in str(problem)


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("LEVQOR_KEEP_DAYS", "abc", "must be a whole number of days from 1 to 36500"),
        ("LEVQOR_KEEP_DAYS", "0", "must be a whole number of days from 1 to 36500"),
        ("LEVQOR_KEEP_DAYS", "36501", "must be a whole number of days from 1 to 36500"),
        ("LEVQOR_TELEGRAM", "foo", "must be 'poll', 'webhook' or 'off'"),
        (
            "LEVQOR_HTTP",
            "nonsense",
            "must be HOST:PORT with a port up to 65535, e.g. 127.0.0.1:8787",
        ),
        (
            "LEVQOR_HTTP",
            "127.0.0.1:65536",
            "must be HOST:PORT with a port up to 65535, e.g. 127.0.0.1:8787",
        ),
        ("LEVQOR_HTTP_ANONYMOUS", "maybe", "must be 1 or 0"),
        (
            "LEVQOR_TRUSTED_PROXIES",
            "10.0.0.1, proxy",
            "must be addresses or networks with commas between, e.g. 10.0.0.1, 192.168.0.0/24",
        ),
        (
            "ALLOWED_ORIGINS",
            "*",
            "must be origins with commas between, each in full, e.g. https://team.example.com",
        ),
        ("LEVQOR_UPGRADE_URL", "pricing", "must be a path such as /pricing or a web address"),
        ("LEVQOR_SLACK_PREFIX", "Levqor ", "must be 1 to 18 small letters, digits, '-' and '_'"),
        ("LEVQOR_ADMINS", "ann", "must be callers with commas between, e.g. telegram:42"),
        (
            "LEVQOR_ADMINS",
            "slack:*",
            "must name each caller in full, e.g. slack:T1:U123 (no *)",
        ),
        (
            "LEVQOR_ALLOW",
            "telegram:42=*; slack:T1",
            MALFORMED.replace("1", "2", 1),
        ),
        ("LEVQOR_ALLOW", ";", "must hold at least one CALLER=ACTION entry"),
        ("SLACK_APP_TOKEN", "two words",
         "must be one word, copied whole and without spaces or line breaks"),
        ("TELEGRAM_WEBHOOK_URL", "http://bot.example.com",
         "must begin with https:// (http:// is for this machine only)"),
    ],
)  # fmt: skip
def test_a_bad_setting_of_levqors_own_stops_the_start_and_is_named(home, name, value, what):
    refused = refusal(home, {name: value})
    assert refused.message == f"{name} {what}."
    assert refused.fix == f"Correct {name}, or take it out."
    assert refused.settings == (name,)
    assert (refused.code, refused.exit) == ("not_configured", 3)


def test_all_bad_settings_are_named_at_once(home):
    refused = refusal(home, {"LEVQOR_KEEP_DAYS": "abc", "LEVQOR_TELEGRAM": "foo"})
    assert refused.settings == ("LEVQOR_TELEGRAM", "LEVQOR_KEEP_DAYS")


@pytest.mark.parametrize(
    "entry", ["x", "=slack.send", "slack:T1=", "slack:T1=,", "ann=*", "slack:T1 =* x y=*"]
)
def test_a_malformed_permission_stops_the_start(home, entry):
    assert refusal(home, {"LEVQOR_ALLOW": entry}).settings == ("LEVQOR_ALLOW",)


def test_own_settings_have_their_defaults_and_meanings(home):
    own = load(home).own
    assert (own.http, own.http_anonymous, own.telegram) == (
        Address("127.0.0.1", 8787), False, "poll",
    )  # fmt: skip
    assert (own.slack_prefix, own.upgrade_url, own.keep_days) == ("levqor-", "/pricing", 90)
    assert (own.trusted_proxies, own.allowed_origins, own.admins) == ((), (), frozenset())
    own = load(
        home,
        {
            "LEVQOR_HTTP": "[::1]:0",
            "LEVQOR_HTTP_ANONYMOUS": "Yes",
            "LEVQOR_TRUSTED_PROXIES": "10.0.0.1/8, ::1",
            "ALLOWED_ORIGINS": "https://Team.example.com/, http://localhost:3000",
        },
    ).own
    assert (own.http, str(own.http)) == (Address("::1", 0), "[::1]:0")
    assert own.http_anonymous
    assert own.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"),
    )  # fmt: skip
    assert own.allowed_origins == ("https://team.example.com", "http://localhost:3000")


def test_without_permissions_everyone_may_do_everything(home):
    assert load(home).may(Caller("telegram", "42"), "fax.send")


@pytest.mark.parametrize(
    ("caller", "action", "may"),
    [
        ("slack:T1:U1", "fax.send", True),
        ("slack:T1:U1", "mail.send", True),
        ("slack:T1:U1", "note.create", False),
        ("slack:T2:U1", "fax.send", False),
        ("xslack:T1:U1", "fax.send", False),
        ("SLACK:T1:U1", "fax.send", False),
        ("telegram:42", "note.create", True),
        ("telegram:421", "note.create", False),
        ("http:[a]", "fax.send", True),
        ("http:a", "fax.send", False),
        ("cli:a=b", "fax.send", True),
        ("nobody:1", "fax.send", False),
    ],
)
def test_with_permissions_only_what_is_listed_is_allowed(home, caller, action, may):
    allow = "slack:T1:*=fax.*, *.send;\n telegram:42 = * \nhttp:[a]=fax.send;cli:a=b=fax.send"
    settings = load(home, {"LEVQOR_ALLOW": allow})
    assert settings.may(Caller.parse(caller), action) is may


def test_admins_are_compared_in_full(home):
    settings = load(home, {"LEVQOR_ADMINS": "slack:T1:U1, telegram:42"})
    assert settings.is_admin(Caller("telegram", "42"))
    assert not settings.is_admin(Caller("telegram", "421"))
    assert not load(home).is_admin(Caller("telegram", "42"))


def test_a_tolerant_reading_tells_the_faults_and_lets_nobody_in(home):
    bad = {"LEVQOR_ALLOW": "x", "LEVQOR_KEEP_DAYS": "abc", "FAX_KEY": "fax-1"}
    settings = load(home, bad, tolerant=True)
    assert [(p.setting, p.fatal) for p in settings.problems()] == [
        ("LEVQOR_ALLOW", True),
        ("LEVQOR_KEEP_DAYS", True),
    ]
    assert settings.own.keep_days == 90
    assert not settings.may(Caller("cli", "ann"), "fax.send")


def test_a_permission_that_fits_no_action_is_told(home):
    settings = load(home, {"FAX_KEY": "fax-1", "LEVQOR_ALLOW": "cli:*=fax.sent,*"})
    (problem,) = settings.problems()
    assert problem.what == "LEVQOR_ALLOW names fax.sent, which fits no action."
    assert problem.fix == "Did you mean fax.send?"


def test_an_env_file_that_is_no_text_stops_the_start(home):
    write(home, b"FAX_KEY=\xff\xfe")
    refused = refusal(home)
    assert refused.message == f"The settings file {home / '.env'} is not UTF-8 text."
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


def test_an_env_file_that_others_can_read_is_told(home):
    write(home, "FAX_KEY=fax-1\n", mode=0o640)
    (problem,) = load(home).problems()
    assert problem.what == "Other users of this machine can read .env and the secrets in it."
    assert problem.fix == f"Run: chmod 600 '{home / '.env'}'"


def test_a_name_that_stands_twice_is_told(home):
    write(home, "FAX_KEY=fax-1\nFAX_KEY=fax-2\n")
    settings = load(home)
    assert key(settings) == "fax-2"
    (problem,) = settings.problems()
    assert problem.what == "FAX_KEY stands twice in .env; the last one, on line 2, counts."


def test_names_nobody_knows_are_told_with_the_nearest(home):
    write(home, "FAX_KEY=fax-1\nFAX_TRY=A5\nUNRELATED=x\n")
    settings = load(home, {"LEVQOR_ADMIN": "x", "LEVQOR_QUUX": "x", "UNRELATED_TOO": "x"})
    assert [(p.setting, p.fix) for p in settings.problems()] == [
        ("FAX_TRY", "Did you mean FAX_TRAY?"),
        ("LEVQOR_ADMIN", "Did you mean LEVQOR_ADMINS?"),
        ("LEVQOR_QUUX", "See .env.example for the names."),
    ]


def test_a_webhook_without_its_address_is_told(home):
    settings = load(home, {"FAX_KEY": "fax-1", "LEVQOR_TELEGRAM": "webhook"})
    (problem,) = settings.problems()
    assert (problem.setting, problem.fatal) == ("TELEGRAM_WEBHOOK_URL", True)


def test_settings_are_stale_once_a_file_of_theirs_changed(home):
    (home / "fax.txt").write_text("fax-1")
    settings = load(home, {"FAX_KEY_FILE": "fax.txt"})
    assert not settings.stale()
    file = write(home, "FAX_TRAY=A5\n")
    assert settings.stale()
    settings = load(home, {"FAX_KEY_FILE": "fax.txt"})
    assert not settings.stale()
    file.unlink()
    assert settings.stale()
    settings = load(home, {"FAX_KEY_FILE": "fax.txt"})
    (home / "fax.txt").write_text("fax-22")
    assert settings.stale()


def test_every_secret_is_known_to_the_redactor(home):
    write(home, "SLACK_APP_TOKEN=xapp-1-abcdefghij\nFAX_TRAY=A5\n")
    settings = load(home, {"FAX_KEY": "fax-1", "LEVQOR_REMOTE_TOKEN": "lvq"})
    assert set(settings.secrets()) == {"fax-1", "xapp-1-abcdefghij", "lvq"}


def test_stand_ins_leave_nothing_of_the_real_settings(home):
    write(home, "SLACK_APP_TOKEN=xapp-real\nFAX_TRAY=A5\nLEVQOR_KEEP_DAYS=30\n")
    real = {"FAX_KEY": "real", "FAX_API_URL": "http://evil.example.com", "LEVQOR_ADMINS": "cli:a"}
    stand_ins = {"FAX_KEY": "fax-0", "FAX_API_URL": "http://127.0.0.1:9"}
    settings = load(home, real, sandbox_urls=stand_ins)
    config = settings.config(FAX)
    assert (key(settings), config.tray, config.api_url) == ("fax-0", "A4", "http://127.0.0.1:9")
    assert settings.sandbox
    assert settings.own.slack_app_token is None
    assert (settings.own.keep_days, settings.own.admins) == (30, frozenset({"cli:a"}))
    assert not load(home, {"FAX_KEY": "fax-1"}).sandbox


def test_the_home_is_the_argument_else_the_variable_else_the_current_folder(home):
    assert load(home, {"LEVQOR_HOME": "elsewhere"}).home == home
    assert load(None, {"LEVQOR_HOME": str(home)}).home == home
    assert load(None).home == Path.cwd()
    assert load(None, {"LEVQOR_HOME": "~"}).home == Path.home()


def test_a_home_of_a_user_whom_nobody_knows_is_refused():
    error = refusal(None, {"LEVQOR_HOME": "~nobody-of-that-name"})
    assert error.message == (
        "The home folder ~nobody-of-that-name begins with the name of a user whom this machine"
        " lacks."
    )
    assert error.fix == "Write the folder's whole path, in LEVQOR_HOME or after --home."


def test_what_is_missing_and_what_is_malformed_are_told_at_once_and_once(home):
    environ = {
        "TELEGRAM_CHAT_ID_DEFAULT": "t.me/x",
        "GOOGLE_SHEETS_SPREADSHEET_ID": "a/../b",
        "SHEETS_RANGE_DEFAULT": "Q3!A0",
    }
    settings = Settings.load(home, environ=environ)
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
    settings = Settings.load(home, environ=environ)
    with pytest.raises(NotConfigured, match="SLACK_API_URL must begin with https://"):
        settings.config(BY_NAME["slack"])
    assert settings.configured(BY_NAME["email"])


def test_no_problem_and_no_refusal_ever_shows_a_value(home):
    canary = "CANARY pass\tword\x01"
    names = [one.name for one in Settings.load(home, environ={}).described()]
    environ = {name: f"{canary}-{name}" for name in names if name != "LEVQOR_HOME"}
    settings = Settings.load(home, environ=environ, tolerant=True)
    told = [str(settings.problems())]
    for connector in CONNECTORS:
        with pytest.raises(NotConfigured) as refused:
            settings.config(connector)
        told += [str(refused.value.body()), repr(refused.value), repr(refused.value.__context__)]
    with pytest.raises(NotConfigured) as refused:
        Settings.load(home, environ=environ)
    told += [str(refused.value.body()), repr(settings.own)]
    assert "CANARY" not in "".join(told)


def test_every_setting_is_described_once(home):
    described = Settings.load(home, environ={}).described()
    names = [one.name for one in described]
    assert len(names) == len(set(names))
    assert {
        "SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET",
        "NOTION_API_KEY", "NOTION_DATABASE_ID_DEFAULT", "GOOGLE_SERVICE_ACCOUNT_JSON",
        "GOOGLE_SHEETS_SPREADSHEET_ID", "SHEETS_RANGE_DEFAULT", "TELEGRAM_BOT_TOKEN",
        "TELEGRAM_CHAT_ID_DEFAULT", "TELEGRAM_WEBHOOK_URL", "RESEND_API_KEY", "RESEND_FROM",
        "LEVQOR_HOME", "LEVQOR_HTTP", "LEVQOR_HTTP_ANONYMOUS", "LEVQOR_TRUSTED_PROXIES",
        "ALLOWED_ORIGINS", "LEVQOR_UPGRADE_URL", "LEVQOR_SLACK_PREFIX", "LEVQOR_TELEGRAM",
        "LEVQOR_RECIPIENTS", "LEVQOR_ALLOW", "LEVQOR_ADMINS", "LEVQOR_KEEP_DAYS",
        "SLACK_API_URL", "NOTION_API_URL", "SHEETS_API_URL", "TELEGRAM_API_URL", "RESEND_API_URL",
        "LEVQOR_REMOTE_TOKEN",
    } == set(names)  # fmt: skip
    assert all(one.title and one.where for one in described)
    assert {one.name for one in described if one.env_only} == {
        "LEVQOR_HOME", *(name for name in names if name.endswith("_API_URL")),
    }  # fmt: skip


def test_the_example_file_is_what_the_settings_say(home):
    made = subprocess.run(
        [sys.executable, "-m", "core.settings"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    assert (ROOT / ".env.example").read_text("utf-8") == made
    assert max(map(len, made.splitlines())) <= 110
    write(home, made)
    settings = Settings.load(home, environ={})
    assert [problem for problem in settings.problems() if "missing" not in problem.what] == []
    assert not any(settings.configured(connector) for connector in CONNECTORS)
