"""The Slack interface's own settings."""

import re
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from core.contract import BaseUrl, Config, Secret, setting, upstream_url


def command_prefix(text: str) -> str:
    """Accept what may stand before an action's name in a Slack command."""
    # Slack: 32 characters with the slash; the longest action's name takes 13.
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,17}", text):
        raise ValueError("must be 1 to 18 small letters, digits, '-' and '_'")
    return text


class SlackSettings(Config):
    """What the interface reads; SLACK_BOT_TOKEN and SLACK_API_URL are the connector's too."""

    bot_token: SecretStr | None = setting(
        "SLACK_BOT_TOKEN",
        "Slack bot token",
        "api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
        example="xoxb-…",
    )
    app_token: Secret | None = setting(
        "SLACK_APP_TOKEN",
        "Slack app token (Socket Mode)",
        "api.slack.com/apps, your app, Basic Information, App-Level Tokens, scope"
        " connections:write",
        example="xapp-…",
        shape=r"xapp-[\w-]{10,}",
    )
    signing_secret: Secret | None = setting(
        "SLACK_SIGNING_SECRET",
        "Slack signing secret (commands over HTTP)",
        "api.slack.com/apps, your app, Basic Information, App Credentials",
        shape=r"[0-9a-f]{32}",
    )
    api_url: BaseUrl = upstream_url("SLACK_API_URL", "Slack", "https://slack.com/api/")
    prefix: Annotated[str, BeforeValidator(command_prefix)] = setting(
        "LEVQOR_SLACK_PREFIX",
        "What Slack commands begin with",
        "change it if another app of your workspace uses the same commands",
        default="levqor-",
    )
