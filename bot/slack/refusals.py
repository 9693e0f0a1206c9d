"""What Slack says of a token it does not take, and how long to wait for one it cannot judge."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from core.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_WAIT = 60.0

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


def waits_of() -> Iterator[float]:
    """Give the waits between attempts, without end: one second, twice as long, up to a minute."""
    wait = 1.0
    while True:
        yield wait * random.uniform(0.7, 1.0)  # noqa: S311 - spreads load, guards nothing
        wait = min(2 * wait, LONGEST_WAIT)
