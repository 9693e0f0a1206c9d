"""What `levqor init` leaves of the `.env` that was there."""

import pytest

from core.settings import env_file
from tests.support.init import DATABASE, KEY, QUESTION, WEBHOOK, Talk, written

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
