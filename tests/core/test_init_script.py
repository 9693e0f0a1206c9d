"""`levqor init` as a script goes through it: with every answer given."""

import json

import pytest

from tests.support.cli import levqor
from tests.support.init import DATABASE, KEY, WEBHOOK, written


def test_a_script_gives_every_answer_and_gets_json(home, urls, secrets):
    given = "\n".join(f"{name}={secrets[name]}" for name in (WEBHOOK, KEY, DATABASE))
    ran = levqor(
        "--home", home, "init", "--answers", "-", "--team", "--test-send", "--output", "json",
        stdin=given, env=urls,
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert json.loads(ran.out) == {
        "services": {"slack": True, "notion": True},
        "sent": {"slack.send": True, "notion.create": True},
    }
    assert written(home)["LEVQOR_DEFAULT_PLAN"] == "pro"


def test_a_service_that_is_named_twice_is_set_up_once(home, urls, secrets):
    names, given = ("slack", "Slack", "slack.send"), f"{WEBHOOK}={secrets[WEBHOOK]}"
    ran = levqor("--home", home, "init", *names, "--answers", "-", env=urls, stdin=given)
    assert (ran.status, ran.out.count("Slack works")) == (0, 1)


def test_a_script_is_told_what_is_missing_and_what_does_not_work(home, urls):
    ran = levqor("--home", home, "init", "slack", "--answers", "-", env=urls)
    assert ran.status == 1
    assert "SLACK_WEBHOOK_URL is missing" in ran.out
    ran = levqor("--home", home, "init", "--answers", "-", stdin=f"{KEY}=ntn_wrong", env=urls)
    assert ran.status == 1
    assert "✗ Notion:" in ran.out


def test_a_script_sets_up_a_further_account_or_is_told_what_its_settings_lack(home, urls, secrets):
    urls = {f"{k}__ACME": v for k, v in urls.items()}
    words = "--home", home, "init", "--account", "acme", "--answers", "-"
    ran = levqor(*words, "slack", env=urls)
    assert ran.status == 1
    assert "SLACK_WEBHOOK_URL__ACME is missing" in ran.out
    ran = levqor(*words, stdin=f"{KEY}__ACME=ntn_wrong", env=urls)
    assert ran.status == 1
    assert "✗ Notion (acme):" in ran.out
    assert f"{KEY}__ACME" in ran.out
    ran = levqor(*words, stdin=f"{WEBHOOK}__ACME={secrets[WEBHOOK]}", env=urls)
    assert ran.status == 0, ran.err
    assert "SLACK_BOT_TOKEN__ACME is not set" in ran.out
    assert levqor("--home", home, "init", "--account", "a_b", "--answers", "-").status == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{KEY}=\xff".encode("latin-1"), "--answers: is not UTF-8: see byte 16"),
        (f'{KEY}="ntn_wrong'.encode(), "line 1 of --answers: must be NAME=value,"),
        (f"# mine\n{KEY} ntn_wrong".encode(), "line 2 of --answers: must be NAME=value,"),
        (f"{KEY}=1\n{KEY}=2".encode(), f"{KEY}: is there twice"),
        (b"NOTION_API_KY=ntn_wrong", "NOTION_API_KY: is no setting; did you mean NOTION_API_KEY?"),
        (b"COLOUR=red", "COLOUR: is no setting"),
        (b"\n" * (256 * 1024 + 1), "--answers: is too large: at most 256 KB"),
    ],
)
def test_a_script_is_told_which_of_its_answers_nobody_would_look_at(home, tmp_path, given, said):
    file = tmp_path / "answers"
    file.write_bytes(given)
    ran = levqor("--home", home, "init", "notion", "--answers", file)
    assert ran.status == 2
    assert said in ran.err
    assert not (home / ".env").exists()


def test_answers_may_begin_with_a_byte_order_mark(home, urls, secrets):
    given = f"\ufeff{KEY}={secrets[KEY]}\r\n"
    ran = levqor("--home", home, "init", "--answers", "-", env=urls, stdin=given)
    assert "✓ Notion works." in ran.out, ran.err


def test_without_a_terminal_it_says_how_answers_are_given(home):
    ran = levqor("--home", home, "init")
    assert ran.status == 2
    assert "--answers FILE" in ran.err
    assert not (home / ".env").exists()


def test_the_sandbox_needs_no_set_up():
    ran = levqor("--sandbox", "init", "--answers", "-")
    assert (ran.status, "levqor --sandbox smoke" in ran.err) == (2, True)
