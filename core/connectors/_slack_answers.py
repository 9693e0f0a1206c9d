"""What Slack may say, in plain words, and which of it an answer says.

Webhook codes are plain text, Web API codes the `error` of a 200. The same code comes with
different HTTP statuses over the years, so the code decides and the status only helps out.
Codes: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.postMessage
"""

import re
from dataclasses import replace

from core.contract import Answer, AnswerModel, AnswerTable, not_sent, refused
from core.errors import UpstreamError

_APP = "at api.slack.com/apps"

MISSING_SCOPE = refused(
    "missing_scope",
    "The Slack app lacks a permission for this.",
    f"Open your app {_APP}, add the scope chat:write under OAuth & Permissions and reinstall it.",
    f"Open your app {_APP}, add the scope {{needed}} under OAuth & Permissions and reinstall it.",
)
WEBHOOK_GONE = refused(
    "webhook_gone",
    "Slack no longer knows this webhook: it was deleted or switched off, or its app was removed.",
    f"Open your app {_APP}, choose Incoming Webhooks, add a new webhook and put its address in "
    "SLACK_WEBHOOK_URL.",
)
TOO_FAST = not_sent(
    "too_fast",
    "Slack is getting messages faster than it takes them (about one a second in a channel).",
    "Wait a little and send it again.",
)

API = AnswerTable(
    service="Slack",
    what="the message",
    look="Look in the channel",
    status_page="slack-status.com",
    # Among them the codes of a webhook that say the same.
    by_code={
        "invalid_payload | invalid_arg_name | invalid_array_arg | invalid_charset"
        " | invalid_form_data | invalid_json | invalid_post_type | missing_post_type"
        " | unknown_method | method_deprecated | deprecated_endpoint": refused(
            "bad_request",
            "Slack could not read the request; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
        "no_text | missing_text_or_fallback_or_attachments": refused(
            "no_text",
            "Slack found no text in the message.",
            "Write some text and send it again.",
        ),
        "is_archived | channel_is_archived": refused(
            "channel_archived",
            "The channel is archived.",
            "Unarchive the channel in Slack, or choose another one.",
        ),
        "action_prohibited | posting_to_general_channel_denied | restricted_action"
        " | restricted_action_read_only_channel | restricted_action_thread_only_channel"
        " | restricted_action_non_threadable_channel | restricted_action_thread_locked"
        " | ekm_access_denied | access_denied | accesslimited | no_permission"
        " | app_access_restricted | enterprise_is_restricted | team_access_not_granted"
        " | slack_connect_file_link_sharing_blocked | slack_connect_canvas_sharing_blocked"
        " | slack_connect_lists_sharing_blocked": refused(
            "posting_forbidden",
            "An admin of the workspace has forbidden posting there.",
            "Ask a workspace admin to allow the app to post there, or choose another channel.",
        ),
        "channel_not_found | team_not_found": refused(
            "channel_not_found",
            "Slack knows no such channel, or it is private and the bot cannot see it.",
            "Use the channel's ID (it is at the bottom of the channel's details), and for a "
            "private channel type /invite @ and the bot's name in it.",
        ),
        "not_in_channel": refused(
            "not_in_channel",
            "The bot is not in that channel.",
            "Type /invite @ and the bot's name in that channel, then send it again.",
        ),
        "missing_scope": MISSING_SCOPE,
        "not_authed | invalid_auth | token_revoked | token_expired | account_inactive"
        " | two_factor_setup_required": refused(
            "token_refused",
            "Slack does not accept the bot token: it is wrong, expired or revoked.",
            f"Reinstall your app {_APP} and put its Bot User OAuth Token (xoxb-…) in "
            "SLACK_BOT_TOKEN.",
        ),
        "org_login_required | team_added_to_org": refused(
            "workspace_migrating",
            "The workspace is being moved to an Enterprise organisation.",
            "Wait until the move is over, then reinstall the app and put its new xoxb- token in "
            "SLACK_BOT_TOKEN.",
        ),
        "not_allowed_token_type | is_bot": refused(
            "wrong_token",
            "That is not a bot's token.",
            "Put the Bot User OAuth Token, which begins with xoxb-, in SLACK_BOT_TOKEN.",
        ),
        "invalid_blocks | invalid_blocks_format | msg_too_long | msg_blocks_too_long"
        " | too_many_attachments | attachment_payload_limit_exceeded": refused(
            "message_too_long",
            "Slack refused the message's size or shape.",
            "Make the message shorter and send it again.",
        ),
        "messages_tab_disabled": refused(
            "messages_off",
            "The app takes no direct messages.",
            f"Open your app {_APP}, choose App Home and switch on the Messages Tab, or choose a "
            "channel.",
        ),
        "ratelimited | rate_limited": TOO_FAST,
        "message_limit_exceeded": refused(
            "slack_plan_limit",
            "The workspace has reached the message limit of its own Slack plan.",
            "Wait, or upgrade the workspace's plan at Slack; this is not Levqor's limit.",
        ),
    },
    by_status={429: TOO_FAST},
)
HOOK = replace(
    API,
    by_code={
        **API.by_code,
        "no_service | no_service_id | no_active_hooks": WEBHOOK_GONE,
        "invalid_token": refused(
            "webhook_invalid",
            "The webhook's address is mistyped, or the person who made it has left the workspace.",
            "Copy the webhook's address again, or have somebody active make a new one, and put "
            "it in SLACK_WEBHOOK_URL.",
        ),
        "channel_not_found": refused(
            "webhook_channel_gone",
            "The webhook's channel was deleted, or made private without the app in it.",
            "Invite the app to the channel, or make a webhook for another channel and put it in "
            "SLACK_WEBHOOK_URL.",
        ),
        "no_team | team_disabled": refused(
            "workspace_gone",
            "The workspace is gone, or the app was removed from it.",
            f"Install the app in the workspace again {_APP} and put the new webhook in "
            "SLACK_WEBHOOK_URL.",
        ),
    },
    by_status={**API.by_status, 404: WEBHOOK_GONE},
)
# With these it may have been posted, whatever the status.
_FAILING = frozenset(
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"]
)


class Reply(AnswerModel):
    """What is read of a Web API answer, which is a 200 even when it says no."""

    ok: bool
    error: str = ""
    needed: str = ""


class Channel(AnswerModel):
    """A channel, as much as is read of it."""

    id: str
    name: str


class Conversations(AnswerModel):
    """The channels that a bot is in."""

    channels: tuple[Channel, ...] = ()


def explain(answer: Answer, table: AnswerTable) -> UpstreamError:
    """Say what an answer other than success means; `table` is `HOOK` or `API`."""
    reply = answer.parse(Reply)
    code = reply.error if reply else answer.text.strip()
    status = answer.status
    if code in _FAILING:
        status = 500
    elif code in table.by_code or (reply and not reply.ok and status < 400):
        status = 400
    scope = reply.needed if reply and re.fullmatch(r"[a-z:._,]{1,80}", reply.needed) else None
    return table.error(answer, status=status, code=code, values={"needed": scope})


def is_ok(answer: Answer) -> bool:
    """Whether the Web API did what was asked."""
    reply = answer.success(Reply)
    return reply is not None and reply.ok
