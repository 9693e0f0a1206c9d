"""Whom and what `levqor init` gives a name: an admin, and destinations."""

import json

import pytest

from core.callers import LABEL
from core.cli.naming import name_of
from tests.support.cli import levqor
from tests.support.init import KEY, WEBHOOK, Talk


def test_init_names_an_admin_and_the_destinations_it_finds(tmp_path, urls, secrets, sandbox):
    home = tmp_path / "new"
    talk = Talk(home, urls, "slack", "notion")
    talk.rest({
        WEBHOOK: secrets[WEBHOOK], "SLACK_BOT_TOKEN": secrets["SLACK_BOT_TOKEN"],
        KEY: secrets[KEY], "Send a test": "n",
        "Which get a name?": "1", "A name for #general": "ops",
    })  # fmt: skip
    assert talk.status == 0, talk.screen
    people = json.loads(levqor("--home", home, "people", "--output", "json", env=urls).out)
    (me,) = people["people"]
    assert me["role"] == "admin"
    listed = json.loads(levqor("--home", home, "target", "list", "--output", "json", env=urls).out)
    named = {target["name"]: target["action"] for target in listed["targets"]}
    assert named["ops"] == "slack.send"
    assert sorted(named.values()) == ["notion.create", "slack.send"]
    sent = levqor("--home", home, "run", "slack.send", "target=ops", "hello", env=urls)
    assert sent.status == 0, sent.err
    again = Talk(home, urls, "slack")
    again.rest({"Send a test": "n", "Which get a name?": "all", "A name for": "no good!"})
    assert "Add yourself" not in again.screen
    assert "✗" not in again.screen
    assert "#general" not in again.screen


def test_a_script_names_all_that_is_found_where_it_says_so(tmp_path, urls, secrets):
    home, answers = tmp_path / "new", tmp_path / "answers"
    names = (WEBHOOK, "SLACK_BOT_TOKEN")
    answers.write_text("\n".join(f"{name}={secrets[name]}" for name in names))
    for flags, targets, people in ([], 0, 0), (["--targets", "--admin"], 2, 1):
        done = levqor("--home", home, "init", "--answers", answers, *flags, env=urls)
        assert (done.status, "?" in done.out) == (0, False), done.out
        listed = levqor("--home", home, "target", "list", "--output", "json", env=urls)
        assert len(json.loads(listed.out)["targets"]) == targets
        added = levqor("--home", home, "people", "--output", "json", env=urls)
        assert len(json.loads(added.out)["people"]) == people


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("#general", "general"), ("Team Chat", "team-chat"), ("Größe 2", "große-2"),
        ("2026 plans", "plans"), ("🎉", None), ("", None), ("a" * 60, "a" * 40),
    ],
)  # fmt: skip
def test_a_name_is_proposed_where_a_label_has_letters_for_one(label, name):
    proposed = name_of(label)
    assert proposed is None or LABEL.fullmatch(proposed)
    if name is None or name.isascii():
        assert proposed == name
