"""What Slack may say, in plain words, and which of it an answer says.

Webhook codes are plain text, Web API codes the `error` of a 200. The same code comes with
different HTTP statuses over the years, so the code decides and the status only helps out.
Codes: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel

from core.contract import AnswerRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Answer
    from core.errors import UpstreamError

_APP = "at api.slack.com/apps"

WEBHOOK_GONE = AnswerRow(
    "webhook_gone",
    "refused",
    "Slack no longer knows this webhook: it was deleted or switched off, or its app was removed.",
    f"Open your app {_APP}, choose Incoming Webhooks, add a new webhook and put its address in "
    "SLACK_WEBHOOK_URL.",
)
TOO_FAST = AnswerRow(
    "too_fast",
    "not_sent",
    "Slack is getting messages faster than it takes them (about one a second in a channel).",
    "Wait a little and send it again.",
)
FAILED = AnswerRow(
    "failed",
    "unknown",
    "Slack failed while it had the message.",
    "Look in the channel before you send it again.",
)
DOWN = AnswerRow(
    "down",
    "not_sent",
    "Slack does not answer as it should at the moment.",
    "Wait a few minutes and look at slack-status.com, then try again.",
)
UNRECOGNISED = AnswerRow(
    "unrecognised",
    "refused",
    "Slack refused the message and gave a reason that Levqor does not know.",
    "Run levqor doctor to check Slack's settings, then try again.",
)
UNEXPECTED = AnswerRow(
    "unexpected_answer",
    "unknown",
    "The answer was not one that Slack gives.",
    "Look in the channel, and check that no proxy stands between Levqor and Slack.",
)

# Codes of a webhook · codes of the Web API · what they mean.
TABLE: tuple[tuple[str, str, AnswerRow], ...] = (
    ("no_service no_service_id no_active_hooks", "", WEBHOOK_GONE),
    (
        "invalid_token",
        "",
        AnswerRow(
            "webhook_invalid",
            "refused",
            "The webhook's address is mistyped, or the person who made it has left the workspace.",
            "Copy the webhook's address again, or have somebody active make a new one, and put "
            "it in SLACK_WEBHOOK_URL.",
        ),
    ),
    (
        "invalid_payload",
        (
            "invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_json "
            "invalid_post_type missing_post_type unknown_method method_deprecated "
            "deprecated_endpoint"
        ),
        AnswerRow(
            "bad_request",
            "refused",
            "Slack could not read the request; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
    ),
    (
        "no_text missing_text_or_fallback_or_attachments",
        "no_text",
        AnswerRow(
            "no_text",
            "refused",
            "Slack found no text in the message.",
            "Write some text and send it again.",
        ),
    ),
    (
        "channel_is_archived",
        "is_archived",
        AnswerRow(
            "channel_archived",
            "refused",
            "The channel is archived.",
            "Unarchive the channel in Slack, or choose another one.",
        ),
    ),
    (
        "channel_not_found",
        "",
        AnswerRow(
            "webhook_channel_gone",
            "refused",
            "The webhook's channel was deleted, or made private without the app in it.",
            "Invite the app to the channel, or make a webhook for another channel and put it in "
            "SLACK_WEBHOOK_URL.",
        ),
    ),
    (
        "action_prohibited posting_to_general_channel_denied",
        (
            "restricted_action restricted_action_read_only_channel "
            "restricted_action_thread_only_channel restricted_action_non_threadable_channel "
            "restricted_action_thread_locked ekm_access_denied access_denied accesslimited "
            "no_permission app_access_restricted enterprise_is_restricted "
            "team_access_not_granted slack_connect_file_link_sharing_blocked "
            "slack_connect_canvas_sharing_blocked slack_connect_lists_sharing_blocked"
        ),
        AnswerRow(
            "posting_forbidden",
            "refused",
            "An admin of the workspace has forbidden posting there.",
            "Ask a workspace admin to allow the app to post there, or choose another channel.",
        ),
    ),
    (
        "no_team team_disabled",
        "",
        AnswerRow(
            "workspace_gone",
            "refused",
            "The workspace is gone, or the app was removed from it.",
            f"Install the app in the workspace again {_APP} and put the new webhook in "
            "SLACK_WEBHOOK_URL.",
        ),
    ),
    (
        "",
        "channel_not_found team_not_found",
        AnswerRow(
            "channel_not_found",
            "refused",
            "Slack knows no such channel, or it is private and the bot cannot see it.",
            "Use the channel's ID (it is at the foot of the channel's details), and for a "
            "private channel type /invite @ and the bot's name in it.",
        ),
    ),
    (
        "",
        "not_in_channel",
        AnswerRow(
            "not_in_channel",
            "refused",
            "The bot is not in that channel.",
            "Type /invite @ and the bot's name in that channel, then send it again.",
        ),
    ),
    (
        "",
        "missing_scope",
        AnswerRow(
            "missing_scope",
            "refused",
            "The Slack app lacks a permission for this.",
            f"Open your app {_APP}, add the scope chat:write under OAuth & Permissions and "
            "reinstall it.",
            f"Open your app {_APP}, add the scope {{needed}} under OAuth & Permissions and "
            "reinstall it.",
        ),
    ),
    (
        "",
        (
            "not_authed invalid_auth token_revoked token_expired account_inactive "
            "two_factor_setup_required"
        ),
        AnswerRow(
            "token_refused",
            "refused",
            "Slack does not accept the bot token: it is wrong, expired or revoked.",
            f"Reinstall your app {_APP} and put its Bot User OAuth Token (xoxb-…) in "
            "SLACK_BOT_TOKEN.",
        ),
    ),
    (
        "",
        "org_login_required team_added_to_org",
        AnswerRow(
            "workspace_migrating",
            "refused",
            "The workspace is being moved to an Enterprise organisation.",
            "Wait until the move is over, then reinstall the app and put its new xoxb- token in "
            "SLACK_BOT_TOKEN.",
        ),
    ),
    (
        "",
        "not_allowed_token_type is_bot",
        AnswerRow(
            "wrong_token",
            "refused",
            "That is not a bot's token.",
            "Put the Bot User OAuth Token, which begins with xoxb-, in SLACK_BOT_TOKEN.",
        ),
    ),
    (
        "",
        (
            "invalid_blocks invalid_blocks_format msg_too_long msg_blocks_too_long "
            "too_many_attachments attachment_payload_limit_exceeded"
        ),
        AnswerRow(
            "message_too_long",
            "refused",
            "Slack refused the message's size or shape.",
            "Make the message shorter and send it again.",
        ),
    ),
    (
        "",
        "messages_tab_disabled",
        AnswerRow(
            "messages_off",
            "refused",
            "The app takes no direct messages.",
            f"Open your app {_APP}, choose App Home and switch on the Messages Tab, or choose a "
            "channel.",
        ),
    ),
    ("ratelimited rate_limited", "ratelimited rate_limited", TOO_FAST),
    (
        "",
        "message_limit_exceeded",
        AnswerRow(
            "slack_plan_limit",
            "refused",
            "The workspace has reached the message limit of its own Slack plan.",
            "Wait, or upgrade the workspace's plan at Slack; this is not Levqor's limit.",
        ),
    ),
    (
        "rollup_error",
        "internal_error fatal_error service_unavailable request_timeout rollup_error",
        FAILED,
    ),
)

REFUSALS = (*(row for _, _, row in TABLE), UNRECOGNISED, UNEXPECTED, DOWN)
API = {code: row for _, codes, row in TABLE for code in codes.split()}
HOOK = API | {code: row for codes, _, row in TABLE for code in codes.split()}


class Reply(BaseModel):
    """What is read of a Web API answer, which is a 200 even when it says no."""

    ok: bool
    error: str = ""
    needed: str = ""


def explain(answer: Answer, codes: Mapping[str, AnswerRow]) -> UpstreamError:
    """Say what an answer other than success means; `codes` is `HOOK` or `API`."""
    reply = answer.parse(Reply)
    row = codes.get(reply.error if reply else answer.text.strip()) or _by_status(answer, codes)
    scope = reply.needed if reply and re.fullmatch(r"[a-z:._,]{1,80}", reply.needed) else ""
    return row.error(retry_after=answer.retry_after, values={"needed": scope} if scope else None)


def _by_status(answer: Answer, codes: Mapping[str, AnswerRow]) -> AnswerRow:
    if answer.status == 429:
        return TOO_FAST
    if answer.status >= 500 or answer.status == 408:
        return FAILED
    if answer.status == 404 and codes is HOOK:
        return WEBHOOK_GONE
    reply = answer.parse(Reply)
    if answer.status >= 400 or (reply and not reply.ok):
        return UNRECOGNISED
    return UNEXPECTED
