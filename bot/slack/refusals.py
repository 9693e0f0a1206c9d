"""What is said of a token Slack does not take, and of a Slack that cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack.api import InvalidAnswer
from core.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.slack.api import Unreachable

UNREACHABLE = "Slack cannot be reached; trying again."
INVALID_ANSWERS = "Answers come that are not Slack's; trying again."
HUNG_UP = "Slack hangs up at once; trying again."
NETWORK = "Check this machine's connection to slack.com."
BETWEEN = (
    "See what stands before Slack: a proxy (HTTPS_PROXY), a firewall, or the address in "
    "SLACK_API_URL."
)
FULL = "Slack takes ten connections with one app token, and all are in use."
ONE_EACH = "Stop the other levqor-bot, or give each an app of its own."

# Slack's words for a bot token that it will not take again.
GONE = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)

_WHERE = {
    "SLACK_APP_TOKEN": "api.slack.com/apps, your app, Basic Information, App-Level Tokens, "
    "scope connections:write",
    "SLACK_BOT_TOKEN": "api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
}
_NO_SOCKET = "Switch Socket Mode on: api.slack.com/apps, your app, Socket Mode."


def no_answer(down: Unreachable) -> tuple[str, str]:
    """What it means that Slack gave no answer, and what to do."""
    return (INVALID_ANSWERS, BETWEEN) if isinstance(down, InvalidAnswer) else (UNREACHABLE, NETWORK)


def refused_token(setting: str, code: str) -> NotConfigured:
    """Say which token Slack refuses, Slack's word for it, and where to get another."""
    fix = f"Copy {setting} again: {_WHERE[setting]}."
    if code in ("socket_mode_disabled", "link_disabled", "not_enabled"):
        fix = _NO_SOCKET
    return NotConfigured(f"Slack refuses {setting} ({code}).", settings=[setting], fix=fix)


def while_running(refused: NotConfigured) -> str:
    """What to do about a token that was good when the bot started."""
    return f"{refused.fix} Then start levqor-bot again."


def refused_install(me: Mapping[str, Any]) -> NotConfigured | None:
    """What is wrong with where the app is installed, by what `auth.test` says."""
    if not me.get("is_enterprise_install"):
        return None
    return NotConfigured(
        "The Slack app is installed for a whole organisation; Levqor serves one workspace.",
        settings=["SLACK_BOT_TOKEN"],
        fix="Make the app in that workspace (`levqor-bot slack-manifest`) and use its token.",
    )
