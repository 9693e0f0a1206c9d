"""Settings: where they come from."""

from __future__ import annotations

import os

import pytest

from bot.slack.settings import SlackSettings
from bot.web.settings import HttpSettings
from core.connectors import CONNECTORS
from core.errors import NotConfigured
from core.settings import Settings
from tests.support.fax_settings import FAX, key, load, refusal, write


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
    write(home, "FAX_KEY=fax-1\nLEVQOR_ADMINS=\n")
    settings = load(home, {"FAX_KEY": " ", "LEVQOR_ADMINS": "", "FAX_TRAY": ""})
    assert key(settings) == "fax-1"
    assert settings.app.admins == frozenset()
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
    assert settings.app.keep_days == 7
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


def test_the_sandbox_leaves_nothing_of_the_real_settings(home):
    write(
        home,
        "SLACK_APP_TOKEN=xapp-real\nFAX_TRAY=A5\nLEVQOR_KEEP_DAYS=30\nALLOWED_ORIGINS=https://a.b\n",
    )
    real = {"FAX_KEY": "real", "FAX_API_URL": "http://evil.example.com", "LEVQOR_ADMINS": "cli:a"}
    services = {"FAX_KEY": "fax-0", "FAX_API_URL": "http://127.0.0.1:9"}
    settings = load(home, real, sandbox_urls=services)
    config = settings.config(FAX)
    assert (key(settings), config.tray, config.api_url) == ("fax-0", "A4", "http://127.0.0.1:9")
    assert settings.sandbox
    assert settings.of(SlackSettings).app_token is None
    # What is no secret of an interface's stays: that interface can be tried in the sandbox.
    assert settings.of(HttpSettings).allowed_origins == ("https://a.b",)
    assert (settings.app.keep_days, settings.app.admins) == (30, frozenset({"cli:a"}))
    assert not load(home, {"FAX_KEY": "fax-1"}).sandbox


# -- whose word counts -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["LEVQOR_ALLOW", "LEVQOR_RECIPIENTS"])
@pytest.mark.parametrize("nothing", ["", " ", ",", " ; ,", '""', "''", "\t"])
@pytest.mark.parametrize("where", ["environment", ".env", "pointer", "file"])
def test_a_setting_that_restricts_and_is_set_to_nothing_is_refused(home, name, nothing, where):
    environ = {}
    if where == "environment":
        environ = {name: nothing}
    elif where == ".env":
        write(home, f"{name}={nothing}\n")
    elif where == "pointer":
        environ = {f"{name}_FILE": nothing}
    else:
        (home / "list.txt").write_text(nothing)
        environ = {f"{name}_FILE": "list.txt"}
    settings = Settings(
        home, environ={"RESEND_API_KEY": "re_" + "a" * 20, **environ}, tolerant=True
    )
    (problem,) = [one for one in settings.problems() if one.setting == name]
    assert problem.fatal
    assert problem.fix
    email = next(one for one in CONNECTORS if one.name == "email")
    refused = not settings.configured(email)
    assert refused or not settings.may("cli:ann", "email.send")
    assert refused == (name == "LEVQOR_RECIPIENTS")


def test_a_setting_that_restricts_is_read_from_a_file(home):
    (home / "allow.txt").write_text("cli:ann=fax.send\n")
    settings = load(home, {"LEVQOR_ALLOW_FILE": "allow.txt"})
    assert settings.may("cli:ann", "fax.send")
    assert not settings.may("cli:bob", "fax.send")


def test_a_secret_may_be_a_credential_of_systemds(home, tmp_path):
    (tmp_path / "FAX_KEY").write_text("fax-9\n")
    (tmp_path / "FAX_TRAY").write_text("A3\n")
    (home / "fax.txt").write_text("fax-7")
    write(home, f"FAX_KEY=fax-1\nCREDENTIALS_DIRECTORY={tmp_path}\n")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert key(load(home, given)) == "fax-9"
    assert load(home, given).default("FAX_TRAY") == "A4"  # no secret
    assert key(load(home, {**given, "FAX_KEY_FILE": "fax.txt"})) == "fax-7"
    assert key(load(home, {**given, "FAX_KEY": "fax-8"})) == "fax-8"
    assert key(load(home)) == "fax-1"  # the .env names no credentials
    assert key(load(home, {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")})) == "fax-1"
    (tmp_path / "FAX_KEY").write_text("")
    (problem,) = load(home, given).problems()
    assert problem.what == "The credential FAX_KEY is an empty file."
    assert problem.fix == "Put the value into that file, or correct the credential FAX_KEY."


@pytest.mark.parametrize("link", ["kubernetes", "plain"])
def test_a_linked_secret_is_judged_by_what_it_leads_to(home, tmp_path, link):
    volume = tmp_path / "secrets"
    (volume / "..2026_12_01").mkdir(parents=True)
    (volume / "..2026_12_01" / "fax").write_text("fax-7")
    (volume / "..2026_12_01" / "fax").chmod(0o440)
    (volume / "..data").symlink_to("..2026_12_01")
    (volume / "fax").symlink_to("..data/fax" if link == "kubernetes" else "..2026_12_01/fax")
    volume.chmod(0o1777)  # so Kubernetes mounts it
    environ = {"FAX_KEY_FILE": str(volume / "fax")}
    assert key(load(home, environ)) == "fax-7"
    (volume / "..2026_12_01" / "fax").chmod(0o442)
    target = volume / "..2026_12_01" / "fax"
    (problem,) = load(home, environ).problems()
    assert problem.what == (
        f"Everybody on this machine can write to the file of FAX_KEY_FILE {target}."
    )
    assert problem.fix == f"Run: chmod go-w {target}"


@pytest.mark.parametrize("how", ["link", "pipe", "writable"])
def test_a_settings_file_that_could_be_anybodys_stops_the_start(home, tmp_path, how):
    file = write(home, "FAX_KEY=fax-1\n")
    if how == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
        what = f"The settings file {file} is a link, and in its home Levqor follows none."
    elif how == "pipe":
        file.unlink()
        os.mkfifo(file)
        what = f"The settings file {file} is not a file."
    else:
        file.chmod(0o606)
        what = f"Everybody on this machine can write to the settings file {file}."
    refused = refusal(home)
    assert refused.message == what
    assert refused.fix
    assert not load(home, tolerant=True).may("cli:ann", "fax.send")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
def test_a_settings_file_of_another_user_stops_the_start(home):
    file = write(home, "FAX_KEY=fax-1\n")
    os.chown(file, 54321, 54321)
    refused = refusal(home)
    assert refused.message == f"The settings file {file} belongs to another user (54321)."
    assert refused.fix.endswith(f"sudo chown -R $(id -un) {file}")
