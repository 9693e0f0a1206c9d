"""`levqor init`, as somebody at a terminal goes through it."""

import itertools
import re

from tests.support.cli import levqor
from tests.support.init import DATABASE, KEY, WEBHOOK, Talk, written
from tests.support.sandbox import Answer

STYLE = re.compile("\x1b\\[[0-9;]*m")


def test_from_an_empty_home_to_a_first_send(tmp_path, urls, secrets, sandbox):
    home = tmp_path / "new"
    talk = Talk(home, urls)
    talk.rest({
        "Which services?": "slack, 2", WEBHOOK: secrets[WEBHOOK], KEY: secrets[KEY], DATABASE: "1",
    })  # fmt: skip
    assert talk.status == 0, talk.screen
    assert [talk.screen.count(f"{title} works.") for title in ("Slack", "Notion")] == [1, 1]
    assert f"{DATABASE} is not set" not in talk.screen
    assert "SLACK_BOT_TOKEN is not set" in talk.screen.partition("Slack works.")[2]
    env = written(home)
    assert env[WEBHOOK] == secrets[WEBHOOK]
    assert env["LEVQOR_DEFAULT_PLAN"] == "pro"
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
    assert len(sandbox.slack.writes) == len(sandbox.notion.writes) == 1
    sent = levqor("--home", home, "run", "slack.send", "hello", env=urls)
    assert sent.status == 0, sent.err


def test_a_secret_is_never_shown(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", urls, "slack")
    talk.rest({WEBHOOK: secrets[WEBHOOK]})
    assert secrets[WEBHOOK] not in talk.screen
    assert secrets[WEBHOOK].rpartition("/")[2] not in talk.screen


def test_a_wrong_secret_is_reported_at_once_and_can_be_given_again(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", urls, "notion")
    # Who knows what is asked next types ahead.
    talk.say(f"{KEY}: ", "ntn_" + "x" * 46 + "\ry")
    talk.say(rf"{KEY} \[set\]: ", secrets[KEY])
    talk.rest({})
    assert talk.status == 0
    assert "✗ Notion:" in talk.screen
    assert talk.screen.index("✗ Notion:") < talk.screen.index(f"{KEY} [set]")
    assert "✓ Notion works." in talk.screen
    assert written(tmp_path / "new")[KEY] == secrets[KEY]


def test_a_value_of_the_wrong_shape_is_asked_for_again(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", urls, "slack")
    talk.say(f"{WEBHOOK}: ", "https://example.com/hook")
    talk.say(f"{WEBHOOK}", secrets[WEBHOOK])
    talk.rest({})
    assert "must be an address at hooks.slack.com" in re.sub(r"\s+", " ", talk.screen)
    assert written(tmp_path / "new")[WEBHOOK] == secrets[WEBHOOK]


def test_an_optional_answer_that_does_not_work_can_be_given_again(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", urls, "slack")
    talk.say(f"{WEBHOOK}: ", secrets[WEBHOOK])
    talk.say(r"SLACK_BOT_TOKEN \[none\]: ", "xoxb-of-another-app")
    talk.say("Answer these questions again.*: ", "y")
    talk.rest({"SLACK_BOT_TOKEN": secrets["SLACK_BOT_TOKEN"]})
    assert "Slack does not accept the bot token" in re.sub(r"\s+", " ", talk.screen)
    assert "Slack does not" not in talk.screen.partition("Slack works.")[2]
    assert written(tmp_path / "new")["SLACK_BOT_TOKEN"] == secrets["SLACK_BOT_TOKEN"]


PASTED = (
    "ntn_" + "sEcReT" * 8, "xoxb-1234567890-" + "sEcReT" * 4, "7100000002:" + "sEcReT" * 6,
    "sEcReT" * 5,
)  # fmt: skip


def test_a_secret_that_is_pasted_at_another_question_is_on_no_screen(tmp_path, urls, secrets):
    home, pasted = tmp_path / "new", itertools.cycle(PASTED)
    talk = Talk(home, urls)
    for question, answers in {
        "Which services": ["notion, email"],
        KEY: ["ntn_wrong"],
        "again": ["y"],
        rf"{KEY} \[set": [secrets[KEY]],
        f"{DATABASE} ": ["1"],
        "LEVQOR_TIME_ZONE ": ["-"],
        "RESEND_API_KEY": [secrets["RESEND_API_KEY"]],
        "RESEND_FROM ": ['"Levqor <bot@example.com>"'],
        "LEVQOR_RECIPIENTS ": ["-"],
        "questions again": ["n"],
        "own team": ["n"],
        "Add yourself": ["n"],
        "Which get a name": ["-"],
        "Send a test": ["n"],
        "Make a token": ["n"],
        "Keep levqor-bot": ["n"],
    }.items():
        # A secret belongs where one is asked for.
        mistaken = [] if "KEY" in question else [next(pasted)]
        for answer in [*mistaken, *answers]:
            talk.say(f"{question}.*: ", answer)
    talk.rest({})
    assert talk.status == 0, talk.screen
    assert "sEcReT" not in talk.screen
    assert "sEcReT" not in (home / ".env").read_text()
    assert written(home)["RESEND_FROM"] == "Levqor <bot@example.com>"


def test_a_secret_that_was_taken_for_a_value_is_not_shown_the_next_time(tmp_path, urls, secrets):
    home, mistaken = tmp_path / "new", "ntn_" + "sEcReT" * 8
    for _ in range(2):
        talk = Talk(home, urls, "sheets")
        talk.rest({name: secrets[name] for name in secrets} | {"SHEETS_RANGE_DEFAULT": mistaken})
        assert "sEcReT" not in talk.screen
    assert written(home)["SHEETS_RANGE_DEFAULT"] == mistaken


def test_enter_skips_a_service_that_nobody_has(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", urls, "slack", "notion")
    talk.say(f"{WEBHOOK}: ", "")
    talk.say("Skip Slack for now.*: ", "")
    talk.say(f"{KEY}: ", "")
    talk.say("Skip Notion for now.*: ", "n")
    talk.rest({KEY: secrets[KEY]})
    assert talk.status == 0, talk.screen
    assert "is missing" not in talk.screen
    assert WEBHOOK not in written(tmp_path / "new")
    assert written(tmp_path / "new")[KEY] == secrets[KEY]


def test_a_further_account_is_asked_for_by_the_names_of_its_settings(
    tmp_path, urls, secrets, sandbox
):
    home = tmp_path / "new"
    talk = Talk(home, {f"{k}__ACME": v for k, v in urls.items()}, "notion", "--account", "Acme")
    talk.rest({f"{KEY}__ACME": secrets[KEY], f"{DATABASE}__ACME": "1"})
    assert talk.status == 0, talk.screen
    assert "Notion (acme) works." in talk.screen
    assert "levqor target add acme notion.create --account acme" in talk.screen
    assert "LEVQOR_TIME_ZONE" not in talk.screen
    assert set(written(home)) == {f"{KEY}__ACME", f"{DATABASE}__ACME", "LEVQOR_DEFAULT_PLAN"}
    assert len(sandbox.notion.writes) == 1


def test_what_the_environment_sets_is_not_asked_for(tmp_path, urls, secrets):
    talk = Talk(tmp_path / "new", {**urls, WEBHOOK: secrets[WEBHOOK]}, "slack")
    talk.rest({})
    assert f"{WEBHOOK} is set in the environment" in re.sub(r"\s+", " ", talk.screen)
    assert WEBHOOK not in written(tmp_path / "new")


def test_at_sixty_columns_no_line_is_broken_by_the_terminal(tmp_path, urls, secrets):
    home = tmp_path / "h"
    talk = Talk(home, urls)
    talk.rest({name: secrets[name] for name in secrets} | {"Which services?": "all"})
    # What was shown until another text took its place is not on the screen.
    shown = re.sub("\\([0-9,]+ characters\\)(\b+) +\\1", "", STYLE.sub("", talk.screen))
    shown = shown.replace("\r", "")
    lines = [line for part in shown.split("\n") for line in re.split(r"(?<=: )(?=[A-Z])", part)]
    long = [line for line in lines if len(line) > 60 and str(tmp_path) not in line]
    # A command is pasted whole, and a link too.
    assert [line for line in long if not re.search(r"levqor run|https?://\S{30}", line)] == []


JOINED = {"my_chat_member": {"chat": {"id": -1001, "type": "supergroup", "title": "The Team"}}}


def test_chats_that_the_bot_has_seen_are_listed(tmp_path, urls, secrets, sandbox):
    sandbox.telegram.updates.add(JOINED)
    talk = Talk(tmp_path / "new", urls, "telegram")
    talk.rest({"TELEGRAM_BOT_TOKEN": secrets["TELEGRAM_BOT_TOKEN"], "TELEGRAM_CHAT_ID": "1"})
    assert "1  The Team" in talk.screen
    assert written(tmp_path / "new")["TELEGRAM_CHAT_ID_DEFAULT"] == "-1001"


def test_where_chats_cannot_be_listed_one_is_typed(tmp_path, urls, secrets, sandbox):
    sandbox.telegram.updates.add(JOINED)
    conflict = {"ok": False, "error_code": 409, "description": "Conflict: terminated by other"}
    sandbox.telegram.always(Answer(409, json=conflict), on="getUpdates")
    talk = Talk(tmp_path / "new", urls, "telegram")
    chat = secrets["TELEGRAM_CHAT_ID_DEFAULT"]
    talk.say("TELEGRAM_BOT_TOKEN: ", secrets["TELEGRAM_BOT_TOKEN"])
    talk.say(r"TELEGRAM_CHAT_ID_DEFAULT \[none\]: ", chat)
    talk.rest({})
    assert talk.status == 0, talk.screen
    assert "Telegram works." in talk.screen
    assert "The Team" not in talk.screen
    assert written(tmp_path / "new")["TELEGRAM_CHAT_ID_DEFAULT"] == chat


def test_with_nothing_set_up_levqor_points_to_init(home, secrets):
    assert "levqor init" in levqor("--home", home).err
    assert levqor("--home", home, env=secrets).err == ""
