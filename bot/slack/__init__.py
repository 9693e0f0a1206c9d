"""Slack: slash commands, forms, a home tab; over Socket Mode or signed HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.declaration import Subcommand, SurfaceSpec, imported
from bot.slack.settings import SlackSettings
from core.callers import CallerShape
from core.errors import NotConfigured

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface


def build(startup: Startup) -> Surface | None:
    """Make the surface where Slack can reach us; raises NotConfigured without a bot token."""
    own = startup.settings.of(SlackSettings)
    if own.app_token is None and own.signing_secret is None:
        return None
    if own.bot_token is None:
        raise NotConfigured(
            "Slack can reach Levqor, but SLACK_BOT_TOKEN is missing.",
            settings=["SLACK_BOT_TOKEN"],
            fix="Set SLACK_BOT_TOKEN: api.slack.com/apps, your app, OAuth & Permissions, "
            "Bot User OAuth Token.",
        )
    from bot.slack.surface import Slack

    return Slack(startup.settings)


SURFACE = SurfaceSpec(
    name="slack",
    title="Slack",
    settings=SlackSettings,
    caller=CallerShape(re.compile(r"[ET][A-Z0-9]+:[UW][A-Z0-9]+"), "T0123456789:U0123456789"),
    command=imported("bot.slack.manifest:written"),
    direct=True,
    profile=imported("bot.slack.profile:profile_name"),
    loggers=("slack_sdk",),
    token_shapes=(
        r"\b(?:xoxe\.)?x(?:ox[a-z]|app)-[\w-]{4,}",
        r"hooks\.slack(?:-gov)?\.com(?::\d+)?/[^\s\"'<>\\]+",
        r"\bwss://[^\s\"'<>\\]+",  # Socket Mode's address holds its ticket
    ),
    build=build,
    check=imported("bot.slack.check:check"),
    guide="levqor-bot slack-manifest",
    commands=(
        Subcommand(
            "slack-manifest",
            "print the Slack app's manifest, ready to paste",
            imported("bot.slack.manifest:main"),
        ),
    ),
)
