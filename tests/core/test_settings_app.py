"""Levqor's own settings: what they mean, and who may do what."""

from __future__ import annotations

import ipaddress

import pytest

from bot.slack.settings import SlackSettings
from bot.telegram.settings import TelegramSettings
from bot.web.settings import HttpSettings
from core.callers import Caller
from core.settings import Address
from tests.support.fax_settings import load, refusal

MALFORMED = "entry 1 must be CALLER=ACTION,ACTION with ';' between entries, e.g. slack:T1:*=slack.*"


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
        (
            "LEVQOR_PUBLIC_URL",
            "https://example.com/levqor",
            "must have no path: the console needs a host name of its own",
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
    settings = load(home)
    own = settings.app
    http = settings.of(HttpSettings)
    assert (http.address, http.anonymous) == (Address("127.0.0.1", 8787), False)
    assert settings.of(TelegramSettings).mode == "poll"
    assert settings.of(SlackSettings).prefix == "levqor-"
    assert (own.upgrade_url, own.keep_days) == ("/pricing", 90)
    assert (http.trusted_proxies, http.allowed_origins, own.admins) == ((), (), frozenset())
    http = load(
        home,
        {
            "LEVQOR_HTTP": "[::1]:0",
            "LEVQOR_HTTP_ANONYMOUS": "Yes",
            "LEVQOR_TRUSTED_PROXIES": "10.0.0.1/8, ::1",
            "ALLOWED_ORIGINS": "https://Team.example.com/, http://localhost:3000, https://a.b:443",
            "LEVQOR_PUBLIC_URL": "https://Levqor.example.com:443/",
        },
    ).of(HttpSettings)
    assert (http.address, str(http.address)) == (Address("::1", 0), "[::1]:0")
    assert http.anonymous
    assert http.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"),
    )  # fmt: skip
    own = ("https://team.example.com", "http://localhost:3000", "https://a.b")
    assert http.allowed_origins == own
    assert http.public_url == "https://levqor.example.com"


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
    assert settings.app.keep_days == 90
    assert not settings.may(Caller("cli", "ann"), "fax.send")


def test_a_permission_that_fits_no_action_is_told(home):
    settings = load(home, {"FAX_KEY": "fax-1", "LEVQOR_ALLOW": "cli:*=fax.sent,*"})
    (problem,) = settings.problems()
    assert problem.what == "LEVQOR_ALLOW names fax.sent, which fits no action."
    assert problem.fix == "Did you mean fax.send?"


def test_a_webhook_without_its_address_is_told(home):
    settings = load(home, {"FAX_KEY": "fax-1", "LEVQOR_TELEGRAM": "webhook"})
    (problem,) = settings.problems()
    assert (problem.setting, problem.fatal) == ("TELEGRAM_WEBHOOK_URL", True)
