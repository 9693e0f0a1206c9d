"""The Slack part of `levqor-bot check`."""

import re
from collections.abc import Awaitable, Iterator

from bot.slack.api import Api, SlackApiError, Unreachable
from bot.slack.connection_status import refused_install, refused_token
from bot.slack.manifest import (
    EVENTS_PATH,
    SCOPES,
    command_names,
    main_command,
    name_faults,
    over_http,
)
from bot.slack.settings import SlackSettings
from core.connectors import CONNECTORS
from core.plain import counted
from core.reports import Finding
from core.settings import Settings

# Without these nothing works; the others are for more comfort.
_NEEDED = ("commands", "chat:write")
_INSTALL = "Add it under OAuth & Permissions at api.slack.com/apps, and install the app again."
_WITHOUT = {
    "chat:write.public": "messages reach only channels the bot was invited to",
    "users:read": "guests look like members, and are allowed",
}


async def check(settings: Settings) -> list[Finding]:
    """Check the Slack interface: tokens, scopes, commands."""
    own = settings.of(SlackSettings)
    if own.app_token is None and own.signing_secret is None:
        what = "Slack is off: no SLACK_APP_TOKEN and no SLACK_SIGNING_SECRET."
        return [Finding(None, what, "To begin: levqor-bot slack-manifest")]
    findings = list(_names(settings))
    if own.bot_token is None:
        fix = "Set it: api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token."
        return [*findings, Finding(False, "SLACK_BOT_TOKEN is missing.", fix)]
    try:
        api = Api(settings)
    except Unreachable as down:
        return [*findings, Finding(False, f"Slack: {down.why}", down.fix)]
    try:
        findings += await _found("SLACK_BOT_TOKEN", _bot_token(api))
        if own.app_token is not None:
            token = own.app_token.get_secret_value()
            findings += await _found("SLACK_APP_TOKEN", _app_token(api, token))
    finally:
        await api.close()
    if over_http(settings):
        what = f"Slack posts to this bot's {EVENTS_PATH}, signed."
        address = settings.default("LEVQOR_HTTP")
        findings.append(Finding(None, what, f"Slack must reach https://…{EVENTS_PATH}; "
                                f"the bot itself listens on http://{address}."))  # fmt: skip
    return findings


def _names(settings: Settings) -> Iterator[Finding]:
    prefix = settings.of(SlackSettings).prefix
    names = command_names(prefix, CONNECTORS)
    faults = list(name_faults(names))
    for fault in faults:
        yield Finding(False, fault, "Choose another LEVQOR_SLACK_PREFIX.")
    if not faults:
        all_of_them = counted(len(names), "command")
        what = f"Slack takes the names of all {all_of_them} ({main_command(prefix)} …)."
        yield Finding(True, what)


async def _found(name: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await look
    except SlackApiError as refused:
        error = refused_token(name, refused.code)
        return [Finding(False, error.message, error.fix)]
    except Unreachable as down:
        return [Finding(False, down.why.replace("; trying again", ""), down.fix)]


async def _bot_token(api: Api) -> list[Finding]:
    me = await api.who_am_i()
    if wrong := refused_install(me):
        return [Finding(False, wrong.message, wrong.fix)]
    team = me.get("team")
    named = f", in the workspace {team}" if isinstance(team, str) and team.isprintable() else ""
    findings = [Finding(True, f"SLACK_BOT_TOKEN is good{named}.")]
    scopes = set(filter(None, re.split(r"[,\s]+", me["scopes"])))
    for scope in SCOPES:
        if not scopes or scope in scopes:
            continue
        if scope in _NEEDED:
            findings.append(Finding(False, f"The bot token lacks the scope {scope}.", _INSTALL))
        elif scope in _WITHOUT:
            what = f"Without the scope {scope} {_WITHOUT[scope]}."
            findings.append(Finding(None, what, _INSTALL))
    return findings


async def _app_token(api: Api, token: str) -> list[Finding]:
    await api.open_socket(token)
    return [Finding(True, "SLACK_APP_TOKEN is good: Slack opens a socket.")]
