"""Settings: where they come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotConfigured
from tests.support.fax import FAX, key, load, refusal, write


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
        (b"\xef\xbb\xbf\n", "FAX_KEY_FILE names an empty file."),
        (b"fax\xe9", "FAX_KEY_FILE names a file that is not UTF-8: see byte 4."),
        (
            "fax-1".encode("utf-16"),
            "FAX_KEY_FILE names a file that is UTF-16, not UTF-8: save it as UTF-8.",
        ),
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


def test_no_byte_order_mark_reaches_a_value(home):
    (home / "key.txt").write_bytes(b"\xef\xbb\xbffax-1\r\n")
    write(home, "\ufeffFAX_TRAY=A3\n\ufeffLEVQOR_KEEP_DAYS=\ufeff7\n".encode())
    settings = load(home, {"FAX_KEY_FILE": "\ufeffkey.txt"})
    assert settings.config(FAX).key.get_secret_value() == "fax-1"
    assert settings.default("FAX_TRAY") == "A3"
    assert settings.own.keep_days == 7
    assert load(home, {"FAX_KEY": "\ufefffax-2"}).config(FAX).key.get_secret_value() == "fax-2"


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
