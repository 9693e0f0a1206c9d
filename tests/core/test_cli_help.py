"""Help pages, and what is said of a command line that makes no sense."""

import re

import pytest

from core.connectors import CONNECTORS
from tests.support.cli import leaves, levqor, on_terminal

ACTIONS = [connector.action_id(action) for connector in CONNECTORS for action in connector.actions]
PAGES = [
    (), ("plan",), ("token",), ("pair",), ("home",), *leaves(), *(("run", one) for one in ACTIONS),
]  # fmt: skip
# What typer and Python call things.
JARGON = re.compile(
    r"<[a-z]|list\[|\bTEXT\b|\bINTEGER\b|\b(None|True|False)\b|[{}]|\[default|Input should"
)


def test_no_command_s_line_is_cut_short_in_the_help():
    for group in ((), ("plan",), ("token",), ("pair",)):
        _, commands = levqor(*group, "--help").out.split("ommands:", 1)
        assert "..." not in commands


def test_every_command_has_help():
    for words in leaves():
        ran = levqor(*words, "--help")
        assert ran.status == 0, words
        assert f"Usage: levqor {' '.join(words)}" in ran.out
        assert "--output" in ran.out, words


def test_help_of_run_lists_every_action_and_its_usage():
    told = levqor("run", "--help").out
    assert "levqor run slack.send [channel=…] text" in told
    assert "levqor run email.send to=… subject=… text" in told


def test_help_of_one_action_describes_its_fields():
    told = levqor("run", "email.send", "--help").out
    assert "to: " in told
    assert "subject: " in told
    assert "slack.send" not in told


def test_levqor_alone_shows_its_help():
    assert levqor().out.startswith("Usage: levqor")


@pytest.mark.parametrize("columns", [60, 80])
def test_every_help_page_fits_and_names_no_types(cli, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in PAGES:
        page = cli(*words, "--help").out.split("Fields:")
        assert max(map(len, "".join(page).splitlines())) <= columns, words
        # A contract's own words may hold a brace.
        assert not JARGON.search(page[0]), words


def test_help_on_a_terminal_fits_it_too():
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("--help", columns=60).out)
    assert "Everyday commands:" in shown
    assert max(map(len, shown.replace("\r", "").splitlines())) <= 60


@pytest.mark.parametrize("words", [*PAGES], ids=" ".join)
def test_h_is_help(cli, words):
    assert cli(*words, "-h") == cli(*words, "--help")
    assert "Usage: levqor" in cli(*words, "-h").out


def test_a_word_that_begins_with_h_is_text(cli, sandbox):
    assert cli("run", "slack.send", "-hot").status == 0
    assert cli("run", "telegram.send", "--", "-h").status == 0
    assert sandbox.slack.writes[0].json == {"text": "-hot"}
    assert sandbox.telegram.writes[0].json["text"] == "-h"


def test_commands_stand_under_what_they_are_for(cli):
    page = cli("--help").out
    headings = re.findall(r"^([A-Z].*):$", page, re.MULTILINE)
    assert headings == [
        "Everyday commands", "Set-up commands", "People and tokens", "Database and home folder",
        "Options",
    ]  # fmt: skip
    assert page.index("Everyday") < page.index("\n  run ") < page.index("Set-up")


@pytest.mark.parametrize(
    "args",
    [
        ("--output", "json", "usage"),
        ("usage", "--output", "json"),
        ("--output=json", "usage"),
        ("--output", "json", "usage", "--output", "json"),
    ],
)
def test_output_may_stand_on_either_side_of_the_command(cli, args):
    printed = cli(*args)
    assert printed.status == 0
    assert printed.json["quota"]
    assert printed.out.count("\n") == 1


@pytest.mark.parametrize(
    "args", [("nonsense",), ("runs", "--last", "none"), (), ("run", "slack.sned", "x"), ("token",)]
)
def test_with_output_before_the_command_a_mistake_is_one_document_too(cli, args):
    printed = cli("--output", "json", *args)
    assert printed.status == 2
    assert printed.json["error"] in ("validation_error", "not_found")


@pytest.mark.parametrize(
    "args",
    [
        ("--test", "run", "slack.send"),
        ("run", "slack.send", "--test"),
        ("run", "--test", "slack.send"),
        ("--test", "slack.send"),
    ],
)
def test_a_test_send_may_be_asked_for_on_either_side(cli, sandbox, args):
    assert cli(*args).status == 0
    (run,) = cli("runs", "--output", "json").json["runs"]
    assert (run["action"], run["test"]) == ("slack.send", True)
    assert len(sandbox.slack.writes) == 1


def test_a_test_is_of_a_run_alone(cli):
    printed = cli("--test", "prune", "--output", "json")
    assert printed.status == 2
    assert printed.json["details"][0]["field"] == "--test"


def test_an_action_s_id_is_a_command(cli, sandbox):
    assert cli("slack.send", "The", "build", "--output", "json").json["status"] == "sent"
    assert sandbox.slack.writes[0].json == {"text": "The build"}
    assert cli("email.send", "--help") == cli("run", "email.send", "--help")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("helth",), "levqor health"),
        (("slack_send", "hi"), "levqor slack.send"),
        (("slack.sned", "hi"), "levqor slack.send"),
        (("notion",), "levqor notion.create"),
        (("token", "revok"), "levqor token revoke"),
        (("pair", "telegrm"), "levqor pair telegram"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(cli, sandbox, typed, meant):
    printed = cli(*typed)
    assert (printed.status, printed.out) == (2, "")
    assert re.fullmatch(rf"There is no command \S+\.\nDid you mean {meant}\?\n", printed.err)
    assert sandbox.slack.received == []


def test_a_command_like_no_other_is_answered_with_the_help_to_read(cli):
    assert cli("xyzzy").err == "There is no command xyzzy.\nWhat to do: See: levqor --help\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("runs", "--last", "none"), "--last must be a whole number from 1 to 10000."),
        (("runs", "--last", "0"), "--last must be a whole number from 1 to 10000."),
        (("health", "--output", "xml"), "--output must be text or json."),
        (
            ("runs", "--last"),
            "--last needs a value after it.\nWhat to do: See: levqor runs --help\n",
        ),
        (
            ("health", "--live=yes"),
            "--live takes no value.\nWhat to do: See: levqor health --help\n",
        ),
        (
            ("people", "--output"),
            "--output needs a value after it.\nWhat to do: See: levqor people --help\n",
        ),
        (("runs", "extra"), "This is not expected here: extra."),
        (("why",), "Missing argument RUN."),
        (("token",), "levqor token needs one more word: new, list, set, rotate, revoke."),
        (("runs", "--lst", "3"), "There is no option --lst.\nDid you mean --last?"),
        (("backup", "/"), "FILE names /, which is a folder."),
        (("restore", "gone.db"), "FILE names gone.db, which does not exist."),
        (("usage", "--by", "day"), "--by must be person, action or service."),
        (
            ("target", "add", "ops", "slack.send"),
            (
                "That cannot be where a target leads; nothing was changed.\n"
                "destination: is missing: give channel=… or an account"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_in_everyday_words(cli, typed, told):
    printed = cli(*typed)
    assert printed.status == 2
    assert printed.err.startswith(told)
    assert not JARGON.search(printed.err)
