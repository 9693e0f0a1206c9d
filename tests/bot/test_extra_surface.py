"""One new folder and its name in the list: a further interface is everywhere."""

import subprocess
import sys

import pytest

from tests.support.cli import Ran, checkout, environment

PIGEON = '''
"""Carrier pigeons."""

import re
from typing import Literal

from bot.commands import Spelling
from bot.conversation import Conversation
from bot.messages import Command
from bot.declaration import Subcommand, SurfaceSpec
from bot.runtime import Hook, HookAnswer
from core.callers import Caller, CallerShape
from core.contract import Config, Pairing, Problem, Secret, setting
from core.reports import Finding


class PigeonSettings(Config):
    ring: Secret | None = setting("PIGEON_RING", "The pigeon's ring", "on its leg")
    weather: Literal["fair", "storm"] = setting(
        "LEVQOR_PIGEON_WEATHER", "The weather", "look outside", default="fair"
    )


def problems(own):
    if own.weather == "storm":
        yield Problem("LEVQOR_PIGEON_WEATHER", "No pigeon flies in a storm.", "Wait.", fatal=True)


async def landed(request):
    return HookAnswer(200)


class Loft:
    name = "pigeon"

    def hooks(self):
        return [Hook("/pigeon/landed", lambda request: b"ring" in request.body, landed)]

    async def start(self, bot):
        await bot.inbound(self.name, "cooing in the loft")
        conversation = Conversation(bot, self.name, Spelling(action=str, question=str))
        for word, text in (("whoami", ""), ("health", ""), ("slack.send", "Seeds")):
            request = Command(caller=Caller(self.name, "7"), id=word, word=word, text=text)
            bot.print_status((await conversation.handle(request)).text)
        bot.end()

    async def pause(self):
        pass

    async def stop(self):
        pass


def build(startup):
    return Loft() if startup.settings.of(PigeonSettings).ring else None


async def check(settings):
    return [Finding(good=True, what="The pigeon is at home.")]


SURFACE = SurfaceSpec(
    name="pigeon",
    title="Pigeon post",
    settings=PigeonSettings,
    problems=problems,
    caller=CallerShape(re.compile("[0-9]+"), "7"),
    pairing=Pairing("call {code}", lambda own, code: f"https://loft.example.com/{code}"),
    loggers=("pigeon_lib",),
    token_shapes=(r"feather-[a-z]+",),
    build=build,
    check=check,
    guide="levqor-bot pigeon-feed",
    commands=(Subcommand("pigeon-feed", "feed the pigeons", lambda settings: 5),),
)
'''


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the program with one interface more."""
    copy = checkout(tmp_path_factory.mktemp("extra"))
    (copy / "bot/pigeon").mkdir()
    (copy / "bot/pigeon/__init__.py").write_text(PIGEON)
    listing = copy / "bot/surfaces.py"
    listing.write_text(
        listing.read_text()
        .replace("from bot import console, ", "from bot import console, pigeon, ")
        .replace("    console.SURFACE,\n", "    pigeon.SURFACE,\n    console.SURFACE,\n")
    )
    return copy


@pytest.fixture
def program(tree, home):
    def run(module, *args, **settings):
        settings = {"PIGEON_RING": "ring-of-its-leg", **settings}
        ran = subprocess.run(
            [sys.executable, "-m", module, "--home", str(home), *args],
            check=False, capture_output=True, text=True, timeout=60, cwd=tree,
            stdin=subprocess.DEVNULL,
            env={**environment(**settings), "PYTHONPATH": str(tree)},
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


def test_its_settings_are_in_the_example_file_and_on_the_page(tree):
    ran = subprocess.run(
        [sys.executable, "docs/generate.py"], check=True, capture_output=True, text=True, cwd=tree
    )
    written = {"docs/reference/settings.md written", ".env.example written"}
    assert written <= set(ran.stdout.splitlines())
    page = (tree / "docs/reference/settings.md").read_text()
    assert "## Interface: Pigeon post\n" in page
    assert "| `PIGEON_RING` | The pigeon's ring (secret) | on its leg |" in page
    example = (tree / ".env.example").read_text()
    assert "# --- Interface: Pigeon post ---" in example
    assert "\nPIGEON_RING=\n" in example


def test_the_doctor_knows_what_is_wrong_with_its_settings(program):
    told = program("core.cli", "doctor", "--output", "json", LEVQOR_PIGEON_WEATHER="storm").json
    [finding] = [one for one in told["findings"] if one.get("setting") == "LEVQOR_PIGEON_WEATHER"]
    assert (finding["what"], finding["fix"]) == ("No pigeon flies in a storm.", "Wait.")
    refused = program("core.cli", "runs", LEVQOR_PIGEON_WEATHER="hail")
    assert refused.status == 3
    assert "LEVQOR_PIGEON_WEATHER must be 'fair' or 'storm'" in refused.err


def test_the_bot_makes_it_and_health_and_whoami_name_it(program):
    ran = program("bot.app", "--http", "127.0.0.1:0")
    assert ran.status == 0
    said, _, health = ran.err.partition("You are pigeon:7, on the free plan.\n")
    assert "pigeon: cooing in the loft\n" in said
    assert "cooing in the loft" in health
    assert "Slack is not set up." in health


def test_what_its_platform_posts_to_needs_http(program):
    ran = program("bot.app", "--no-http")
    assert ran.status == 3
    assert "/pigeon/landed is where the platform posts, but HTTP is off." in ran.err


def test_without_its_settings_the_bot_leads_to_its_guide(program):
    ran = program("bot.app", "--no-http", PIGEON_RING="")
    assert ran.status == 3
    assert "Pigeon post: levqor-bot pigeon-feed" in ran.err


def test_its_check_and_its_command_are_the_bot_s(program):
    assert "The pigeon is at home." in program("bot.app", "check").out
    assert program("bot.app", "pigeon-feed").status == 5
    told = program("bot.app", "--help").out
    assert "feed the pigeons" in told
    assert "Pigeon post" in told


def test_its_people_are_paired_and_put_on_a_plan(program):
    printed = program("core.cli", "pair", "pigeon", "--output", "json").json
    assert printed["link"] == f"https://loft.example.com/{printed['code']}"
    assert "or send your bot: call " in program("core.cli", "pair", "pigeon").out
    assert "Authorize one Pigeon post account" in program("core.cli", "pair", "--help").out
    assert program("core.cli", "plan", "set", "pigeon:7", "pro").status == 0
    refused = program("core.cli", "plan", "set", "pigeon:grey", "pro")
    assert "callers of pigeon are written pigeon:7" in refused.err


PRIVATE = """
import logging, sys
from pathlib import Path
from core.logs import quiet_libraries
from core.settings import Settings
settings = Settings(Path(sys.argv[1]))
quiet_libraries(settings.redactor(), settings.loggers())
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("pigeon_lib.wings").critical("a whole message")
logging.getLogger("ours").warning("the ring-of-its-leg and feather-abc")
"""


def test_its_secrets_are_hidden_and_its_library_is_silent(tree, home):
    settings = environment(PIGEON_RING="ring-of-its-leg")
    ran = subprocess.run(
        [sys.executable, "-c", PRIVATE, str(home)], check=True, capture_output=True, text=True,
        cwd=tree, env={**settings, "PYTHONPATH": str(tree)},
    )  # fmt: skip
    assert ran.stderr == "WARNING:ours:the **** and ****\n"
