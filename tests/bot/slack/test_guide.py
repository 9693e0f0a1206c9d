"""docs/guides/slack.md says what the program says, and names every setting and scope it needs."""

import re
from pathlib import Path

import pytest

from bot.slack.manifest import SCOPES, manifest
from core.connectors import CONNECTORS
from core.settings import Settings

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guides/slack.md").read_text()
SPOKEN = " ".join(
    re.sub(r'"\s*"|\s+', " ", file.read_text()) for file in (ROOT / "bot" / "slack").glob("*.py")
)


def first_cells(heading):
    table = GUIDE.split(heading, 1)[1]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [row.split("|")[1].strip() for row in rows]


def test_every_setting_of_the_surface_is_named_with_its_place(home):
    for name in ("SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_WEBHOOK_URL"):
        assert f"`{name}`" in GUIDE or f"\n{name}=" in GUIDE
    for place in ("App-Level Tokens", "Bot User OAuth Token", "Signing Secret", "Webhook URL"):
        assert place in GUIDE


def test_every_command_in_the_guide_is_one_of_the_manifests(home):
    made = manifest(Settings(home, environ={}), CONNECTORS)
    names = {one["command"] for one in made["features"]["slash_commands"]}
    shown = set(re.findall(r"(?m)^\s*(/levqor[a-z-]*)", GUIDE))
    assert shown
    assert shown <= names


@pytest.mark.parametrize(
    "said",
    [
        "another process uses the same app token: some commands go to it",
        "answers are slow: Slack gives up after three seconds",
        "Slack cannot be reached; trying again.",
        "Slack takes ten connections with one app token, and all are in use.",
        "Slack hangs up at once; trying again.",
        "The Slack app is installed for a whole organisation",
        "a post came whose signature is not valid",
        "Levqor answers members of its own workspace only.",
        "Levqor does not answer guests.",
        "your Slack app still has",
    ],
)
def test_what_the_guide_explains_is_what_the_program_says(said):
    assert said in GUIDE
    assert said in SPOKEN


def test_the_usual_failures_are_there():
    failures = " ".join(first_cells("And in Slack:"))
    for word in ("dispatch_failed", "operation_timeout", "nothing happens after a command"):
        assert word in failures


def test_the_scopes_the_guide_speaks_of_are_asked_for():
    spoken = set(re.findall(r"`((?:users|chat|connections)[.:][a-z.:]+)`", GUIDE))
    assert "users:read" in spoken
    assert spoken - {"connections:write"} <= set(SCOPES)
