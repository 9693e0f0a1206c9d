"""Several accounts of one service: `NAME__ACME` beside `NAME`, and nothing of one in another."""

from __future__ import annotations

import pytest

from core.connectors import CONNECTORS
from core.errors import Fault, InvalidInput, NotConfigured
from core.settings import Settings
from core.settings.names import renamed
from tests.support.fax_settings import FAX, load, write

BY_NAME = {connector.name: connector for connector in CONNECTORS}
SLACK, EMAIL, NOTION = (BY_NAME[name] for name in ("slack", "email", "notion"))
HOOK = "https://hooks.slack.com/services/T1/B1/abcdefgh"


def fax(settings, account=None):
    config = settings.config(FAX, account)
    return config.key.get_secret_value(), config.tray, config.api_url


def test_an_account_has_its_own_values_and_the_first_one_keeps_its_own(home):
    write(home, "FAX_KEY=fax-1\nFAX_TRAY=A3\nFAX_KEY__ACME=fax-2\nFAX_TRAY__ACME=A5\n")
    settings = load(home, {"FAX_API_URL__ACME": "https://acme.example.com"})
    assert settings.accounts(FAX) == ("acme",)
    assert fax(settings) == ("fax-1", "A3", "https://fax.example.com")
    assert fax(settings, "acme") == ("fax-2", "A5", "https://acme.example.com")
    assert settings.default("FAX_TRAY", "acme") == "A5"
    assert settings.problems() == []


def test_an_account_never_has_another_ones_value(home):
    environ = {"FAX_KEY": "fax-1", "FAX_TRAY": "A3", "FAX_API_URL": "https://own.example.com"}
    settings = load(home, environ | {"FAX_KEY__ACME": "fax-2", "FAX_TRAY__NORTH": "A5"})
    assert settings.accounts(FAX) == ("acme", "north")
    # What was declared is nobody's.
    assert fax(settings, "acme") == ("fax-2", "A4", "https://fax.example.com")
    assert settings.default("FAX_TRAY", "acme") == "A4"
    assert settings.configured(FAX)
    assert not settings.configured(FAX, "north")
    only = load(home, {"FAX_KEY__ACME": "fax-2"})
    assert only.configured(FAX, "acme")
    assert not only.configured(FAX)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
@pytest.mark.parametrize("required", [True, False])
def test_an_account_reads_as_if_there_were_no_other(home, environ, connector, required):
    declared = connector.config.settings()
    own = {
        each.name: environ[each.name]
        for each in declared
        if each.name in environ and (each.required or not required)
    }
    shared = {"LEVQOR_TIME_ZONE": "Asia/Tokyo", "LEVQOR_RECIPIENTS": "@example.com"}
    others = {f"{each.name}{end}": "other" for each in declared for end in ("", "__NORTH")}
    acme = {f"{name}__ACME": value for name, value in own.items()}
    alone = Settings(home, environ=own | shared).config(connector)
    beside = Settings(home, environ=others | shared | acme, tolerant=True)
    assert beside.config(connector, "acme") == alone


def test_an_account_that_is_not_set_up_is_told_with_its_own_settings(home):
    settings = load(home, {"FAX_KEY": "fax-1", "FAX_TRAY__ACME": "A5"})
    for account in ("acme", "unheard"):
        name = f"FAX_KEY__{account.upper()}"
        with pytest.raises(NotConfigured) as refused:
            settings.config(FAX, account)
        assert refused.value.message == (
            f"Fax ({account}) is not set up. {name} is missing (the fax key)."
        )
        assert refused.value.settings == (name,)
        assert refused.value.fix == (
            f"Set {name} in the environment or in .env. "
            "Where to get it: from the back of the machine."
        )
    (problem,) = settings.problems()
    assert (problem.setting, problem.fatal) == ("FAX_KEY__ACME", True)
    with pytest.raises(NotConfigured) as refused:
        settings.config(FAX, "acmee")
    assert refused.value.fix.startswith("Did you mean the account acme? Set FAX_KEY__ACMEE in")


def test_an_odd_value_of_an_account_is_told_by_its_name(home):
    (problem,) = load(home, {"FAX_KEY": "fax-1", "FAX_KEY__ACME": "telex-1"}).problems()
    assert problem.what.startswith("FAX_KEY__ACME has an unusual shape")


@pytest.mark.parametrize("place", ["environment", ".env", "file", "file in .env", "credential"])
def test_an_accounts_secret_may_be_wherever_a_secret_may(home, place):
    folder = home / "credentials"
    folder.mkdir()
    file = folder / "FAX_KEY__ACME"
    file.write_text("fax-222\n")
    environ = {
        "environment": {"FAX_KEY__ACME": "fax-222"},
        "file": {"FAX_KEY__ACME_FILE": str(file)},
        "credential": {"CREDENTIALS_DIRECTORY": str(folder)},
    }.get(place, {}) | {"FAX_KEY": "fax-1"}
    text = {".env": "FAX_KEY__ACME=fax-222\n", "file in .env": f"FAX_KEY__ACME_FILE={file}\n"}
    write(home, text.get(place, ""))
    settings = load(home, environ)
    assert settings.accounts(FAX) == ("acme",)
    assert fax(settings, "acme")[0] == "fax-222"
    assert settings.problems() == []
    assert settings.redactor().clean("its key is fax-222") == "its key is ****"
    if "file" in place or place == "credential":
        assert not settings.stale()
        file.write_text("fax-33\n")
        assert settings.stale()
        assert fax(settings.again(), "acme")[0] == "fax-33"


def test_an_account_with_a_broken_file_stops_nobody_else(home):
    environ = {"FAX_KEY": "fax-1", "FAX_KEY__ACME_FILE": "gone.txt", "FAX_KEY__NORTH": "fax-3"}
    settings = load(home, environ)
    assert [settings.configured(FAX, each) for each in (None, "acme", "north")] == [1, 0, 1]
    with pytest.raises(NotConfigured, match="FAX_KEY__ACME_FILE names a file that cannot be read"):
        settings.config(FAX, "acme")
    broken = load(home, {"FAX_KEY_FILE": "gone.txt", "FAX_KEY__ACME": "fax-2"})
    assert [broken.configured(FAX, each) for each in (None, "acme")] == [0, 1]


def test_where_an_accounts_service_lives_is_not_taken_from_an_env_file(home):
    write(home, "FAX_KEY__ACME=fax-2\nFAX_API_URL__ACME=https://evil.example.com\n")
    settings = load(home, {"FAX_KEY": "fax-1"})
    assert fax(settings, "acme")[2] == "https://fax.example.com"
    (problem,) = settings.problems()
    assert problem.what == (
        "FAX_API_URL__ACME in .env is ignored: it is read from the environment only."
    )


def test_an_empty_value_makes_no_account(home):
    settings = load(home, {"FAX_KEY": "fax-1", "FAX_KEY__ACME": " "})
    assert settings.accounts(FAX) == ()
    assert settings.problems() == []


@pytest.mark.parametrize(
    ("limits", "first", "acme"),
    [
        ({"LEVQOR_RECIPIENTS": "@a.example"}, ("@a.example",), ("@a.example",)),
        ({"LEVQOR_RECIPIENTS__ACME": "@b.example"}, (), ("@b.example",)),
        (
            {"LEVQOR_RECIPIENTS": "@a.example", "LEVQOR_RECIPIENTS__ACME": "@b.example"},
            ("@a.example",),
            ("@b.example",),
        ),
        ({"LEVQOR_RECIPIENTS__ACME": ""}, (), "refused"),
        ({"LEVQOR_RECIPIENTS": " , "}, "refused", "refused"),
    ],
)
def test_levqors_own_limit_holds_for_an_account_without_one(home, limits, first, acme):
    environ = {"RESEND_API_KEY": "re_1", "RESEND_API_KEY__ACME": "re_2", **limits}
    settings = Settings(home, environ=environ)
    for account, wanted in ((None, first), ("acme", acme)):
        if wanted == "refused":
            with pytest.raises(NotConfigured, match="is set to nothing"):
                settings.config(EMAIL, account)
        else:
            assert settings.config(EMAIL, account).recipients == wanted


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SLACK_WEBHOOK_URL__acme", "SLACK_WEBHOOK_URL__ACME"),
        ("slack_webhook_url__acme", "SLACK_WEBHOOK_URL__ACME"),
        ("SLACK_WEBHOOK_URL_ACME", "SLACK_WEBHOOK_URL__ACME"),
        ("SLACK_WEBHOOK_URL___ACME", "SLACK_WEBHOOK_URL__ACME"),
        ("SLACK_WEBHOOK_URL__ACME_EU", "SLACK_WEBHOOK_URL__ACMEEU"),
        ("SLACK_WEBHOOK_URL__2ACME", "SLACK_WEBHOOK_URL__ACME"),
        ("SLACK_WEBHOOK__ACME", "SLACK_WEBHOOK_URL__ACME"),
        ("SLACK_WEBHOOK_URL__FILE", "SLACK_WEBHOOK_URL_FILE"),
        ("SLACK_WEBHOOK_URL__ACME__FILE", "SLACK_WEBHOOK_URL__ACME_FILE"),
        ("SLACK_WEBHOOK_URL_FILE__ACME", "SLACK_WEBHOOK_URL__ACME_FILE"),
        ("NOTION_DATABASE_ID_DEFAULT__ACME_FILE", "NOTION_DATABASE_ID_DEFAULT__ACME"),
        ("RESEND_FORM__ACME", "RESEND_FROM__ACME"),
        ("LEVQOR_KEEP_DAYS__ACME", None),
        ("LEVQOR_ALLOW__ACME", None),
        ("SLACK_APP_TOKEN__ACME", None),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env", "credential"])
def test_a_name_that_is_nearly_an_accounts_is_told_with_the_nearest(home, name, meant, place):
    value, environ = "hush-1234", {}
    if place == ".env":
        write(home, f"{name}={value}\n")
    elif place == "environment":
        environ = {name: value}
    else:
        (home / name).write_text(value)
        environ = {"CREDENTIALS_DIRECTORY": str(home)}
    settings = Settings(home, environ=environ)
    assert [settings.accounts(connector) for connector in CONNECTORS] == [()] * 5
    (problem,) = [each for each in settings.problems() if each.setting == name]
    if meant:
        assert problem.what == f"Levqor knows no setting {name}; it is ignored."
        assert problem.fix == f"Did you mean {meant}?"
    else:
        base = name.partition("__")[0]
        assert problem.what == f"{name} is ignored: {base} is one for all accounts."
        assert problem.fix == f"Take {name} out, or write {base}."
    assert not problem.fatal
    assert value not in f"{problem}"


@pytest.mark.parametrize(
    "name", ["MY_TOKEN__ACME", "FOO__BAR", "PATH", "SLACK_BOT_TOKENS", "SLACK_WEBHOOK_URL_FIL"]
)
def test_what_others_have_in_the_environment_is_not_told(home, name):
    assert not [p for p in Settings(home, environ={name: "x"}).problems() if p.setting == name]


def test_an_accounts_secrets_are_hidden_and_its_values_compared_between_bots(home):
    environ = {
        "SLACK_WEBHOOK_URL__ACME": HOOK,
        "SLACK_BOT_TOKEN__ACME": "xoxb-acme-0123456789",
        "NOTION_DATABASE_ID_DEFAULT__ACME": "0" * 32,
        "SLACK_API_URL__ACME": "https://slack.example.com/api/",
    }
    settings = Settings(home, environ=environ)
    assert set(settings.secrets()) == {HOOK, "xoxb-acme-0123456789"}
    clean = settings.redactor().clean(f"posted to {HOOK} as xoxb-acme-0123456789")
    assert clean == "posted to **** as ****"
    digests = settings.digests(b"k")
    assert set(digests) == set(environ) - {"SLACK_API_URL__ACME"}
    other = Settings(home, environ=environ | {"SLACK_BOT_TOKEN__ACME": "xoxb-acme-999"})
    differing = {name for name, each in other.digests(b"k").items() if digests[name] != each}
    assert differing == {"SLACK_BOT_TOKEN__ACME"}


def test_a_broken_value_of_an_account_is_told_by_its_name_and_never_shown(home):
    environ = {
        "SLACK_WEBHOOK_URL": HOOK,
        "SLACK_WEBHOOK_URL__ACME": "http://hooks.example.com/hush",
        "GOOGLE_SERVICE_ACCOUNT_JSON__ACME": "/keys/hush.json",
    }
    settings = Settings(home, environ=environ)
    assert settings.configured(SLACK)
    told = {problem.setting: problem for problem in settings.problems()}
    assert "SLACK_WEBHOOK_URL__ACME must" in told["SLACK_WEBHOOK_URL__ACME"].what
    account = told["GOOGLE_SERVICE_ACCOUNT_JSON__ACME"]
    assert account.what == (
        "GOOGLE_SERVICE_ACCOUNT_JSON__ACME is a file's name: put that in "
        "GOOGLE_SERVICE_ACCOUNT_JSON__ACME_FILE."
    )
    assert "GOOGLE_SHEETS_SPREADSHEET_ID__ACME" in told
    assert "hush" not in str(told)


def test_a_sandbox_takes_the_place_of_every_account(home):
    environ = {"FAX_KEY": "fax-1", "FAX_KEY__ACME": "fax-2", "FAX_TRAY__ACME": "A5"}
    urls = {"FAX_KEY": "fax-0", "FAX_API_URL": "http://127.0.0.1:4711"}
    settings = load(home, environ, sandbox_urls=urls)
    assert settings.accounts(FAX) == ("acme",)
    for account in (None, "acme"):
        assert fax(settings, account) == ("fax-0", "A4", "http://127.0.0.1:4711")
    assert load(home, {"FAX_KEY": "fax-1"}, sandbox_urls=urls).accounts(FAX) == ()


def test_an_error_names_the_settings_of_the_account_it_is_of(home):
    environ = {"RESEND_API_KEY__ACME": "re_2", "LEVQOR_RECIPIENTS": "@a.example"}
    settings = Settings(home, environ=environ)
    error = NotConfigured(
        "RESEND_API_KEY is wrong.",
        fix="Put it in RESEND_API_KEY_FILE; see RESEND_FROM and LEVQOR_RECIPIENTS.",
        settings=["RESEND_API_KEY"],
    )
    assert vars(renamed(error, settings.names(EMAIL))) == vars(error)
    named = renamed(error, settings.names(EMAIL, "acme"))
    assert named.message == "RESEND_API_KEY__ACME is wrong."
    assert named.fix == (
        "Put it in RESEND_API_KEY__ACME_FILE; see RESEND_FROM__ACME and LEVQOR_RECIPIENTS."
    )
    assert isinstance(named, NotConfigured)
    assert named.settings == ("RESEND_API_KEY__ACME",)
    fault = InvalidInput([Fault("NOTION_DATABASE_ID_DEFAULT", "must be an ID")])
    named = renamed(fault, settings.names(NOTION, "acme"))
    assert isinstance(named, InvalidInput)
    assert named.faults == (Fault("NOTION_DATABASE_ID_DEFAULT__ACME", "must be an ID"),)
