"""What is said of a token Slack does not take, and of a Slack that cannot be reached."""

from __future__ import annotations

from core.errors import NotConfigured

UNREACHABLE = "Slack cannot be reached; trying again."
NETWORK = "Check this machine's connection to slack.com."

_WHERE = {
    "SLACK_APP_TOKEN": "api.slack.com/apps, your app, Basic Information, App-Level Tokens, "
    "scope connections:write",
    "SLACK_BOT_TOKEN": "api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token",
}
_NO_SOCKET = "Switch Socket Mode on: api.slack.com/apps, your app, Socket Mode."


def refused_token(setting: str, code: str) -> NotConfigured:
    """Say which token Slack refuses, Slack's word for it, and where to get another."""
    fix = f"Copy {setting} again: {_WHERE[setting]}."
    if code in ("socket_mode_disabled", "link_disabled", "not_enabled"):
        fix = _NO_SOCKET
    return NotConfigured(f"Slack refuses {setting} ({code}).", settings=[setting], fix=fix)
