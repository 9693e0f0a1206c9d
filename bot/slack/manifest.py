"""`levqor-bot slack-manifest`: the Slack app, described so that Slack can make it.

Commands are shared by a whole workspace and the app installed last wins
(docs.slack.dev/interactivity/implementing-slash-commands), hence LEVQOR_SLACK_PREFIX.
Slack refuses a whole manifest for one bad name.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from bot.commands import QUESTIONS, Spelling
from bot.slack.settings import SlackSettings
from core import streams
from core.contract import Connector
from core.errors import NotConfigured
from core.grammar import usage
from core.settings import Settings

# docs.slack.dev/reference/app-manifest
LONGEST_NAME = 32  # the slash included
LONGEST_HINT = 1000
MOST_COMMANDS = 50

# Slack's own commands: it takes none of these names from an app.
RESERVED = {
    "me", "status", "away", "dnd", "shrug", "remind", "msg", "feed", "who", "collapse", "expand",
    "leave", "join", "open", "search", "topic", "mute", "pro", "shortcuts",
}  # fmt: skip

SCOPES = ("commands", "chat:write", "chat:write.public", "incoming-webhook", "users:read")
EVENTS_PATH = "/slack/events"
HOST = "https://YOUR-ADDRESS"
CREATE = "https://api.slack.com/apps?new_app=1&manifest_json="
THEN = """\
Then, on the app's page:
1. Install App. Then run: levqor init slack
   It asks for the webhook and the bot token.
2. Basic Information, App-Level Tokens: make one with the scope
   connections:write, and write it into {file}:
   SLACK_APP_TOKEN=xapp-…
3. Run: levqor-bot check
   If nothing is wrong, start levqor-bot."""


def main_command(prefix: str) -> str:
    """The command for questions: the prefix alone, e.g. `/levqor`."""
    return "/" + (prefix.rstrip("-_") or prefix)


def spelling(prefix: str) -> Spelling:
    """How Slack's commands are written: `/levqor-a-b` and `/levqor help`."""
    return Spelling(
        action=lambda action_id: "/" + prefix + action_id.replace(".", "-").replace("_", "-"),
        question=lambda word: f"{main_command(prefix)} {word}",
    )


def written(own: SlackSettings, words: str) -> str:
    """How a question is written, e.g. `/levqor help`."""
    return spelling(own.prefix).question(words)


def manifest(settings: Settings, connectors: Iterable[Connector]) -> dict[str, Any]:
    """Describe the app; raises NotConfigured where Slack would refuse a name."""
    prefix = settings.of(SlackSettings).prefix
    commands = list(_commands(prefix, connectors))
    check_names([command["command"] for command in commands])
    made: dict[str, Any] = {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Levqor",
            "description": "Fires your team's vetted actions and says honestly what became of them",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "levqor", "always_online": True},
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": ["app_home_opened"]},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    if over_http(settings):
        address = HOST + EVENTS_PATH
        for command in commands:
            command["url"] = address
        made["settings"]["interactivity"]["request_url"] = address
        made["settings"]["event_subscriptions"]["request_url"] = address
        made["settings"]["socket_mode_enabled"] = False
    return made


def over_http(settings: Settings) -> bool:
    """Whether Slack posts to us; it is Socket Mode where nothing is set yet."""
    own = settings.of(SlackSettings)
    return own.app_token is None and own.signing_secret is not None


def check_names(names: list[str]) -> None:
    """Raise NotConfigured for what Slack takes from no app."""
    faults = list(name_faults(names))
    if faults:
        raise NotConfigured(
            " ".join(faults),
            settings=["LEVQOR_SLACK_PREFIX"],
            fix="Choose another LEVQOR_SLACK_PREFIX.",
        )


def name_faults(names: list[str]) -> Iterator[str]:
    """Say what Slack would refuse about these commands."""
    for name in names:
        if name[1:] in RESERVED:
            yield f"{name} is a command of Slack's own."
        if len(name) > LONGEST_NAME:
            yield f"{name} is longer than {LONGEST_NAME} characters."
    if len(names) > MOST_COMMANDS:
        yield f"There are {len(names)} commands; an app has at most {MOST_COMMANDS}."


def command_names(prefix: str, connectors: Iterable[Connector]) -> list[str]:
    """Every command of the app."""
    return [command["command"] for command in _commands(prefix, connectors)]


def _commands(prefix: str, connectors: Iterable[Connector]) -> Iterator[dict[str, Any]]:
    words = " | ".join(f"{each.word} {each.takes}".strip() for each in QUESTIONS)
    yield {
        "command": main_command(prefix),
        "description": "Help, health, usage, and what became of a run",
        "usage_hint": words[:LONGEST_HINT],
        "should_escape": False,
    }
    spelt = spelling(prefix)
    for connector in connectors:
        for action in connector.actions:
            name = spelt.action(connector.action_id(action))
            hint = usage("", action.input).strip()
            yield {
                "command": name,
                "description": action.title,
                "usage_hint": hint[:LONGEST_HINT],
                # Escaping brings a channel's id along with its name, and turns every address that
                # looks like a link into one: wanted only where a channel is asked for.
                "should_escape": any(spec.name == "channel" for spec in action.input.fields()),
            }


def main(settings: Settings) -> int:
    """Print the manifest, and on standard error the page that makes an app from it."""
    from core.connectors import CONNECTORS

    made = manifest(settings, CONNECTORS)
    streams.print_answer(json.dumps(made, indent=2))
    note = "Open this page to make the app, or paste the manifest at api.slack.com/apps:"
    if over_http(settings):
        note = f"Put your own address in place of {HOST} first. Then:\n{note}"
    link = CREATE + quote(json.dumps(made, separators=(",", ":")), safe="")
    # Who is called over HTTP has the secrets already.
    then = "" if over_http(settings) else f"\n\n{THEN.format(file=settings.home / '.env')}"
    streams.print_error(f"{note}\n{link}{then}")
    return 0
