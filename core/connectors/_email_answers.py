"""What Resend may say, in plain words, and what is read of its answers.

Error names have changed over the years and one name covers several troubles, so status,
name and message are looked at together: https://resend.com/docs/api-reference/errors
"""

from core.contract import Answer, AnswerModel, AnswerTable, not_sent, refused, unknown
from core.errors import UpstreamError

KEY_MISSING = refused(
    "key_missing",
    "Resend got no API key.",
    "Make a key at resend.com/api-keys and put it in RESEND_API_KEY.",
)
KEY_REFUSED = refused(
    "key_refused",
    "Resend does not accept the API key: it is wrong, or it was deleted.",
    "Make a new key at resend.com/api-keys and put it in RESEND_API_KEY.",
)
RESTRICTED_KEY = refused(
    "restricted_key",
    "This API key is for sending only and was used for something else.",
    "Nothing needs doing for sending; for the rest make a key with full access at "
    "resend.com/api-keys.",
)
DOMAIN_UNVERIFIED = refused(
    "domain_unverified",
    "Resend has not verified the domain of the sender's address for this API key.",
    "Verify exactly that domain at resend.com/domains, or give RESEND_FROM an address of one "
    "that is verified.",
)
FROM_INVALID = refused(
    "from_invalid",
    "Resend cannot read the sender's address.",
    "Set RESEND_FROM to an address such as bot@example.com or Name <bot@example.com>.",
)
TO_INVALID = refused(
    "to_invalid",
    "Resend cannot read the recipient's address.",
    "Correct the address and send it again.",
)
BAD_REQUEST = refused(
    "bad_request",
    "Resend could not use what the request held.",
    "Report it to whoever looks after Levqor, with the run's id.",
)
TOO_FAST = not_sent(
    "too_fast",
    "Resend is getting requests faster than it takes them.",
    "Wait a little and send it again.",
)

ANSWERS = AnswerTable(
    service="Resend",
    what="the e-mail",
    look="Look at resend.com/emails",
    status_page="resend-status.com",
    by_code={
        "missing_api_key": KEY_MISSING,
        "restricted_api_key": RESTRICTED_KEY,
        "suspended_api_key": refused(
            "key_suspended",
            "Resend has suspended this API key.",
            "Write to Resend's support, or make a new key at resend.com/api-keys and put it in "
            "RESEND_API_KEY.",
        ),
        "invalid_api_key": KEY_REFUSED,
        "invalid_from_address": FROM_INVALID,
        "invalid_to_address": TO_INVALID,
        "missing_required_field | missing_required_parameter": refused(
            "field_missing",
            "Resend found the recipient, the subject or the text empty.",
            "Fill in the recipient, the subject and the text, and send it again.",
        ),
        "invalid_idempotency_key": refused(
            "run_id_refused",
            "Resend did not accept the run's id as a key; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
        "invalid_idempotent_request": refused(
            "run_id_reused",
            "Resend has seen this run's id with other content and did not send it again.",
            "Send it again as a new run.",
        ),
        "concurrent_idempotent_requests": unknown(
            "still_sending",
            "Resend is still busy with the first attempt at this e-mail.",
            "Look at resend.com/emails in a minute before you send it again.",
        ),
        "daily_quota_exceeded": refused(
            "resend_daily_quota",
            "Today's e-mails of your Resend plan are used up; this is not Levqor's limit.",
            "Wait a day, or upgrade your plan at resend.com/settings/billing.",
        ),
        "monthly_quota_exceeded": refused(
            "resend_monthly_quota",
            "This month's e-mails of your Resend plan are used up; this is not Levqor's limit.",
            "Wait until next month, or upgrade your plan at resend.com/settings/billing.",
        ),
        "rate_limit_exceeded": TOO_FAST,
        "invalid_attachment | invalid_parameter | invalid_access | method_not_allowed": BAD_REQUEST,
    },
    by_text={
        "missing api key": KEY_MISSING,
        "api key is invalid": KEY_REFUSED,
        "you can only send testing emails": refused(
            "test_sender_only",
            "Resend's test sender reaches nobody but the owner of the Resend account.",
            "Verify a domain at resend.com/domains and set RESEND_FROM to an address of it.",
        ),
        "domain is not verified": DOMAIN_UNVERIFIED,
        "error code: 1010": refused(
            "client_blocked",
            "The guard in front of Resend turned the request away.",
            "Check that no proxy removes the User-Agent header, then report it to whoever looks "
            "after Levqor.",
        ),
        "invalid `from`": FROM_INVALID,
        "invalid `to`": TO_INVALID,
    },
    by_status={401: KEY_REFUSED, 422: BAD_REQUEST, 429: TOO_FAST},
)


class Accepted(AnswerModel):
    """What is read of a success: accepted, which is not yet delivered."""

    id: str


class Domains(AnswerModel):
    """What is read of the account's domains."""

    class Domain(AnswerModel):
        """One domain."""

        name: str
        status: str = ""

    data: list[Domain]
    has_more: bool = False


class Trouble(AnswerModel):
    """What is read of an answer that says no."""

    name: str = ""
    message: str = ""


def explain(answer: Answer) -> UpstreamError:
    """Say what an answer other than success means."""
    trouble = answer.parse(Trouble) or Trouble(message=answer.text[:200])
    return ANSWERS.error(answer, code=trouble.name, text=trouble.message)
