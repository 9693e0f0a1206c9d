"""Send a message to Slack: to the webhook's channel, or to a channel that is named.

An incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)
cannot change its channel, so a named one goes through
https://docs.slack.dev/reference/methods/chat.postMessage and wants a bot token. About one
message a second and channel is taken, and nothing tells a repeat from a new message.
"""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from core.connectors._slack_answers import API, HOOK, MISSING_SCOPE, Conversations, explain, is_ok
from core.contract import (
    Action,
    BaseUrl,
    Config,
    Connector,
    Contract,
    HttpClient,
    Probe,
    Receipt,
    Secret,
    base_url,
    bearer,
    field,
    loopback,
    message_field,
    setting,
    upstream_url,
)
from core.errors import NotConfigured

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
# Of a channel or a direct message; a person's ID opens one by itself.
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{8,}")
BOT_PAGE = (
    "api.slack.com/apps, your app, OAuth & Permissions: add the scope chat:write, install the "
    "app and copy the Bot User OAuth Token"
)


class Message(Contract):
    """A Slack message."""

    # 3000: one section of a message (docs.slack.dev/reference/block-kit/blocks/section-block).
    text: str = message_field("The build is green.", max_length=3000)
    # 80: the longest name a channel can have.
    channel: str | None = field(
        "Channel",
        "A channel's ID or name; without one it goes where the webhook points.",
        example="C0123456789",
        address=True,
        destination=True,
        default=None,
        min_length=1,
        max_length=80,
    )


def incoming_webhook(value: Secret) -> Secret:
    """Let a secret address go nowhere but to one of Slack's webhooks, or to this machine."""
    parts = urlsplit(base_url(value.get_secret_value()))
    at_slack = parts.netloc.lower() in HOSTS
    if not at_slack and not loopback(parts.hostname):
        raise ValueError("must be an address at hooks.slack.com")
    if parts.path.startswith(("/workflows/", "/triggers/")):
        raise ValueError("starts a Slack workflow; make an incoming webhook instead")
    if at_slack and not parts.path.startswith("/services/"):
        raise ValueError("must look like https://hooks.slack.com/services/T…/B…/…")
    return value


class SlackConfig(Config):
    """What Slack needs."""

    webhook_url: Annotated[Secret, AfterValidator(incoming_webhook)] = setting(
        "SLACK_WEBHOOK_URL",
        "Slack's incoming webhook",
        "api.slack.com/apps, your app, Incoming Webhooks: switch them on, choose Add New Webhook "
        "to Workspace and copy the Webhook URL",
        required=True,
        example="https://hooks.slack.com/services/T…/B…/…",
        shape=r"^https://hooks\.slack(-gov)?\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}$",
    )
    bot_token: Secret | None = setting(
        "SLACK_BOT_TOKEN",
        "Slack's bot token, for messages to a named channel",
        BOT_PAGE,
        example="xoxb-…",
        shape=r"^xoxb-[A-Za-z0-9-]{20,}$",
    )
    api_url: BaseUrl = upstream_url("SLACK_API_URL", "Slack", "https://slack.com/api/")


def check(request: Message, config: SlackConfig, test: bool) -> None:
    """Refuse a named channel without a token: the webhook would post to the wrong place."""
    if request.channel and not config.bot_token:
        raise NotConfigured(
            "A message to a named channel needs SLACK_BOT_TOKEN, and it is not set.",
            settings=("SLACK_BOT_TOKEN",),
            fix=f"Set SLACK_BOT_TOKEN ({BOT_PAGE}), or leave the channel out.",
        )


def send(request: Message, config: SlackConfig, http: HttpClient) -> Receipt:
    """Post one message."""
    # Left alone, < and > could mention everyone or hide a link's address.
    text = request.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if request.channel is None:
        answer = http.post(config.webhook_url.get_secret_value(), json={"text": text})
        if answer.status != 200 or answer.body != b"ok":
            raise explain(answer, HOOK)
    else:
        body = {"channel": request.channel, "text": text}
        url = f"{config.api_url}/chat.postMessage"
        answer = http.post(url, json=body, headers=bearer(config.bot_token))
        if not is_ok(answer):
            raise explain(answer, API)
    return Receipt("sent")


def probe(config: SlackConfig, http: HttpClient) -> Probe:
    """Offer the webhook an empty text, which a live one refuses; ask who the bot is."""
    _probe_webhook(config, http)
    if not config.bot_token:
        return Probe(("SLACK_BOT_TOKEN is not set: messages go only to the webhook's channel.",))
    url, token = f"{config.api_url}/auth.test", bearer(config.bot_token)
    answer = http.post(url, json={}, headers=token, effect="none")
    trouble = None if is_ok(answer) else explain(answer, API)
    scopes = answer.headers.get("x-oauth-scopes")
    if scopes and "chat:write" not in re.split(r"[,\s]+", scopes):
        trouble = MISSING_SCOPE.error()
    if trouble is None:
        return Probe()
    return Probe((f"SLACK_BOT_TOKEN: {trouble.message}",), fix=trouble.fix)


def channels(config: SlackConfig, http: HttpClient) -> list[tuple[str, str]]:
    """List the channels the bot is in; none where the app may not see them.

    docs.slack.dev/reference/methods/users.conversations: it needs channels:read, groups:read.
    """
    if not config.bot_token:
        return []
    asked = {
        "types": "public_channel,private_channel", "exclude_archived": "true", "limit": "200",
    }  # fmt: skip
    url, token = f"{config.api_url}/users.conversations", bearer(config.bot_token)
    found = http.get(url, params=asked, headers=token).success(Conversations)
    return [(each.id, f"#{each.name}") for each in found.channels] if found else []


def _probe_webhook(config: SlackConfig, http: HttpClient) -> None:
    answer = http.post(config.webhook_url.get_secret_value(), json={"text": ""}, effect="none")
    error = explain(answer, HOOK)
    # Slack does not say whether it looks at the address or at the text first.
    if answer.body != b"ok" and error.reason not in ("no_text", "bad_request"):
        raise error


def look(request: Message, config: SlackConfig, http: HttpClient) -> Probe:
    """Ask for the channel that a message would go to, as far as the token may."""
    if request.channel is None:
        _probe_webhook(config, http)
        return Probe()
    if not CHANNEL_ID.fullmatch(request.channel):
        return Probe(("Only a send can tell: Slack looks up a channel by its ID alone.",))
    url, token = f"{config.api_url}/conversations.info", bearer(config.bot_token)
    answer = http.get(url, params={"channel": request.channel}, headers=token)
    error = None if is_ok(answer) else explain(answer, API)
    if error is None:
        return Probe()
    if error.reason != MISSING_SCOPE.reason:
        raise error
    return Probe(("Only a send can tell: the bot token may not look at channels.",))


CONNECTOR = Connector(
    name="slack",
    title="Slack",
    choices={"channel": channels},
    config=SlackConfig,
    actions=(
        Action(
            name="send",
            title="Send a Slack message",
            input=Message,
            sample={"text": "Hello from Levqor: this is a test message."},
            send=send,
            check=check,
            look=look,
        ),
    ),
    probe=probe,
    answers=HOOK,
)
