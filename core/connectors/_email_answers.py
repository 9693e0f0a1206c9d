"""What Resend may say, in plain words, and what is read of its answers.

Error names have changed over the years and one name covers several troubles, so status,
name and message are looked at together: https://resend.com/docs/api-reference/errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

from core.contract import AnswerRow

if TYPE_CHECKING:
    from core.contract import Answer
    from core.errors import UpstreamError

FAILED = AnswerRow(
    "failed",
    "unknown",
    "Resend failed while it had the e-mail.",
    "Look at resend.com/emails before you send it again.",
)
TOO_FAST = AnswerRow(
    "too_fast",
    "not_sent",
    "Resend is getting requests faster than it takes them.",
    "Wait a little and send it again.",
)
DOWN = AnswerRow(
    "down",
    "not_sent",
    "Resend does not answer as it should at the moment.",
    "Wait a few minutes and look at resend-status.com, then try again.",
)
UNRECOGNISED = AnswerRow(
    "unrecognised",
    "refused",
    "Resend refused the e-mail and gave a reason that Levqor does not know.",
    "Run levqor doctor to check Resend's settings, then try again.",
)
UNEXPECTED = AnswerRow(
    "unexpected_answer",
    "unknown",
    "The answer was not one that Resend gives.",
    "Look at resend.com/emails, and check that no proxy stands between Levqor and Resend.",
)
KEY_REFUSED = AnswerRow(
    "key_refused",
    "refused",
    "Resend does not accept the API key: it is wrong, or it was deleted.",
    "Make a new key at resend.com/api-keys and put it in RESEND_API_KEY.",
)
RESTRICTED_KEY = AnswerRow(
    "restricted_key",
    "refused",
    "This API key is for sending only and was used for something else.",
    "Nothing needs doing for sending; for the rest make a key with full access at "
    "resend.com/api-keys.",
)
DOMAIN_UNVERIFIED = AnswerRow(
    "domain_unverified",
    "refused",
    "Resend has not verified the domain of the sender's address for this API key.",
    "Verify exactly that domain at resend.com/domains, or give RESEND_FROM an address of one "
    "that is verified.",
)
BAD_REQUEST = AnswerRow(
    "bad_request",
    "refused",
    "Resend could not use what the request held.",
    "Report it to whoever looks after Levqor, with the run's id.",
)

# Names · parts of a message, in small letters · what they mean. The first that fits is it.
TABLE: tuple[tuple[tuple[str, ...], tuple[str, ...], AnswerRow], ...] = (
    (
        ("missing_api_key",),
        ("missing api key",),
        AnswerRow(
            "key_missing",
            "refused",
            "Resend got no API key.",
            "Make a key at resend.com/api-keys and put it in RESEND_API_KEY.",
        ),
    ),
    (("restricted_api_key",), (), RESTRICTED_KEY),
    (
        ("suspended_api_key",),
        (),
        AnswerRow(
            "key_suspended",
            "refused",
            "Resend has suspended this API key.",
            "Write to Resend's support, or make a new key at resend.com/api-keys and put it in "
            "RESEND_API_KEY.",
        ),
    ),
    (("invalid_api_key",), ("api key is invalid",), KEY_REFUSED),
    (
        (),
        ("you can only send testing emails",),
        AnswerRow(
            "test_sender_only",
            "refused",
            "Resend's test sender reaches nobody but the owner of the Resend account.",
            "Verify a domain at resend.com/domains and set RESEND_FROM to an address of it.",
        ),
    ),
    ((), ("domain is not verified",), DOMAIN_UNVERIFIED),
    (
        (),
        ("error code: 1010",),
        AnswerRow(
            "client_blocked",
            "refused",
            "The guard in front of Resend turned the request away.",
            "Check that no proxy removes the User-Agent header, then report it to whoever looks "
            "after Levqor.",
        ),
    ),
    (
        ("invalid_from_address",),
        ("invalid `from`",),
        AnswerRow(
            "from_invalid",
            "refused",
            "Resend cannot read the sender's address.",
            "Set RESEND_FROM to an address such as bot@example.com or Name <bot@example.com>.",
        ),
    ),
    (
        ("invalid_to_address",),
        ("invalid `to`",),
        AnswerRow(
            "to_invalid",
            "refused",
            "Resend cannot read the recipient's address.",
            "Correct the address and send it again.",
        ),
    ),
    (
        ("missing_required_field", "missing_required_parameter"),
        (),
        AnswerRow(
            "field_missing",
            "refused",
            "Resend found the recipient, the subject or the text empty.",
            "Fill in the recipient, the subject and the text, and send it again.",
        ),
    ),
    (
        ("invalid_idempotency_key",),
        (),
        AnswerRow(
            "run_id_refused",
            "refused",
            "Resend did not accept the run's id as a key; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
    ),
    (
        ("invalid_idempotent_request",),
        (),
        AnswerRow(
            "run_id_reused",
            "refused",
            "Resend has seen this run's id with other content and did not send it again.",
            "Send it again as a new run.",
        ),
    ),
    (
        ("concurrent_idempotent_requests",),
        (),
        AnswerRow(
            "still_sending",
            "unknown",
            "Resend is still busy with the first attempt at this e-mail.",
            "Look at resend.com/emails in a minute before you send it again.",
        ),
    ),
    (
        ("daily_quota_exceeded",),
        (),
        AnswerRow(
            "resend_daily_quota",
            "refused",
            "Today's e-mails of your Resend plan are used up; this is not Levqor's limit.",
            "Wait a day, or upgrade your plan at resend.com/settings/billing.",
        ),
    ),
    (
        ("monthly_quota_exceeded",),
        (),
        AnswerRow(
            "resend_monthly_quota",
            "refused",
            "This month's e-mails of your Resend plan are used up; this is not Levqor's limit.",
            "Wait until next month, or upgrade your plan at resend.com/settings/billing.",
        ),
    ),
    (("rate_limit_exceeded",), (), TOO_FAST),
    (
        ("invalid_attachment", "invalid_parameter", "invalid_access", "method_not_allowed"),
        (),
        BAD_REQUEST,
    ),
)

REFUSALS = (*(row for _, _, row in TABLE), FAILED, UNRECOGNISED, UNEXPECTED, DOWN)


class Accepted(BaseModel):
    """What is read of a success: accepted, which is not yet delivered."""

    id: str


class Domains(BaseModel):
    """What is read of the account's domains."""

    class Domain(BaseModel):
        """One domain."""

        name: str
        status: str = ""

    data: list[Domain]
    has_more: bool = False


class Trouble(BaseModel):
    """What is read of an answer that says no."""

    name: str = ""
    message: str = ""


def explain(answer: Answer) -> UpstreamError:
    """Say what an answer other than success means."""
    row = _row(answer)
    # The key lets Resend tell a repeat, so what is in doubt may be tried again.
    return row.error(retry_after=answer.retry_after, repeatable=True)


def _row(answer: Answer) -> AnswerRow:
    trouble = answer.parse(Trouble) or Trouble(message=answer.text[:200])
    message = trouble.message.lower()
    if answer.status >= 500 or answer.status == 408:
        return FAILED
    if answer.status < 400:
        return UNEXPECTED
    for names, parts, row in TABLE:
        if trouble.name in names or any(part in message for part in parts):
            return row
    return {401: KEY_REFUSED, 422: BAD_REQUEST, 429: TOO_FAST}.get(answer.status, UNRECOGNISED)
