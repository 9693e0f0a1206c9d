"""`levqor init`, as somebody at a terminal and a script go through it."""

import itertools
import json
import re

import pexpect
import pytest
from dotenv import dotenv_values

from core.callers import LABEL
from core.cli.naming import name_of
from core.settings import env_file
from tests.support.cli import ROOT, command, environment, levqor

WEBHOOK, KEY, DATABASE = "SLACK_WEBHOOK_URL", "NOTION_API_KEY", "NOTION_DATABASE_ID_DEFAULT"
QUESTION = r"[^\r\n]*(?:\?|\w|\])(?: \[[^\]\r\n]*\])?: $"
STYLE = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def urls(sandbox):
    """Where the services are, and nothing else of what they need."""
    return {k: v for k, v in sandbox.settings().items() if k.endswith("_API_URL")}


@pytest.fixture
def secrets(sandbox):
    return sandbox.settings()


class Seen(pexpect.spawn):
    """A program on a terminal, without the marks that ask it to say what is pasted."""

    def read_nonblocking(self, *args, **named):
        return re.sub("\x1b\\[\\?2004[hl]", "", super().read_nonblocking(*args, **named))


class Talk:
    """A conversation with `levqor init` on a terminal; `screen` is all that it showed."""

    def __init__(self, home, urls, *args, columns=60):
        words = command("--home", home, "init", *args)
        env = environment(**urls, NO_COLOR="1")
        self._child = Seen(
            words[0], words[1:], env=env, cwd=str(ROOT), encoding="utf-8",
            dimensions=(50, columns), timeout=60, echo=False,
        )  # fmt: skip
        self.screen = ""

    def until(self, pattern):
        self._child.expect(pattern)
        self.screen += self._child.before + self._child.after

    def say(self, pattern, answer):
        self.until(pattern)
        self._child.sendline(answer)

    def rest(self, answers):
        """Answer whatever is asked, by the beginning of the question, else with Enter."""
        asked = 0
        while True:
            found = self._child.expect(
                [r"[^\r\n]*(?:\?|\w|\])(?: \[[^\]\r\n]*\])?: $", pexpect.EOF]
            )
            self.screen += self._child.before
            if found == 1:
                self._child.close()
                return asked
            question = self._child.after.strip()
            self.screen += self._child.after
            asked += 1
            said = [text for start, text in answers.items() if question.startswith(start)]
            self._child.sendline(said[0] if said else "")

    def interrupt(self):
        self._child.sendintr()
        self._child.expect(pexpect.EOF)
        self.screen += self._child.before
        self._child.close()

    @property
    def status(self):
        return self._child.exitstatus


def written(home):
    return dotenv_values(home / ".env", interpolate=False)


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


OLD = """# ours, since 2024
RESEND_API_KEY=re_old   # of Ann's account

LEVQOR_KEEP_DAYS='30'
"""


@pytest.mark.parametrize("question", range(6))
def test_interrupted_at_any_question_the_old_file_is_whole(home, urls, secrets, question):
    (home / ".env").write_text(OLD)
    (home / ".env").chmod(0o600)
    talk = Talk(home, urls, "slack", "email")
    answers = {WEBHOOK: secrets[WEBHOOK], "RESEND_API_KEY": secrets["RESEND_API_KEY"]}
    for _ in range(question):
        talk.until(QUESTION)
        name = talk.screen.rsplit("\n", 1)[-1].split()[0].rstrip(":?")
        talk._child.sendline(answers.get(name, ""))
    talk.until(r": $")
    talk.interrupt()
    assert talk.status == 130
    text = (home / ".env").read_text()
    assert text.startswith(OLD.splitlines()[0])
    assert "LEVQOR_KEEP_DAYS='30'" in text
    assert [file.name for file in home.glob(".env*")] == [".env"]
    assert None not in written(home).values()


def test_what_was_in_the_file_keeps_its_place_and_its_comments(home, urls, secrets):
    (home / ".env").write_text(OLD)
    (home / ".env").chmod(0o600)
    talk = Talk(home, urls, "email")
    talk.rest({"RESEND_API_KEY": secrets["RESEND_API_KEY"], "LEVQOR_RECIPIENTS": "@resend.dev"})
    assert talk.status == 0, talk.screen
    lines = (home / ".env").read_text().splitlines()
    assert lines[0] == "# ours, since 2024"
    assert lines[1] == f"RESEND_API_KEY={secrets['RESEND_API_KEY']}"
    assert "LEVQOR_KEEP_DAYS='30'" in lines
    assert written(home)["LEVQOR_RECIPIENTS"] == "@resend.dev"


def test_once_more_with_enter_changes_nothing_and_a_dash_removes_a_value(home, urls, secrets):
    answers = {KEY: secrets[KEY], DATABASE: "1"}
    Talk(home, urls, "notion").rest(answers)
    before = (home / ".env").read_text()
    Talk(home, urls, "notion").rest({})
    assert (home / ".env").read_text() == before
    Talk(home, urls, "notion").rest({DATABASE: "-"})
    assert DATABASE not in written(home)
    assert written(home)[KEY] == secrets[KEY]


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


def test_without_a_terminal_it_says_how_answers_are_given(home):
    ran = levqor("--home", home, "init")
    assert ran.status == 2
    assert "--answers FILE" in ran.err
    assert not (home / ".env").exists()


def test_the_sandbox_needs_no_set_up():
    ran = levqor("--sandbox", "init", "--answers", "-")
    assert (ran.status, "levqor --sandbox smoke" in ran.err) == (2, True)


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


def test_chats_that_the_bot_has_seen_are_listed(tmp_path, urls, secrets, sandbox):
    sandbox.telegram.updates.add(
        {"my_chat_member": {"chat": {"id": -1001, "type": "supergroup", "title": "The Team"}}}
    )
    talk = Talk(tmp_path / "new", urls, "telegram")
    talk.rest({"TELEGRAM_BOT_TOKEN": secrets["TELEGRAM_BOT_TOKEN"], "TELEGRAM_CHAT_ID": "1"})
    assert "1  The Team" in talk.screen
    assert written(tmp_path / "new")["TELEGRAM_CHAT_ID_DEFAULT"] == "-1001"


def test_with_nothing_set_up_levqor_points_to_init(home, secrets):
    assert "levqor init" in levqor("--home", home).err
    assert levqor("--home", home, env=secrets).err == ""


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("", {"A": "1"}, "A=1\n"),
        ("A=0", {"A": "1"}, "A=1\n"),
        ("A=0\n# a\nB=2", {"C": "3"}, "A=0\n# a\nB=2\nC=3\n"),
        ("A=0\nA=1\nB=2\n", {"A": "3"}, "A=3\nB=2\n"),
        ("A=0\nB=2\n", {"A": None}, "B=2\n"),
        ("export A=0 # why\n", {"B": "it's # a \\ b"}, "export A=0 # why\nB='it\\'s # a \\\\ b'\n"),
        ("not a line\n", {"A": "1"}, "not a line\nA=1\n"),
    ],
)
def test_only_the_lines_of_changed_values_change(home, text, values, expected):
    file = home / ".env"
    file.write_text(text)
    file.chmod(0o600)
    env_file.write(file, values)
    assert file.read_text() == expected
    kept = {name: value for name, value in values.items() if value is not None}
    assert kept.items() <= written(home).items()


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
        assert done.status == 0, done.err
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
