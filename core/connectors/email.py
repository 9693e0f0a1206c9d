"""Send an e-mail to one address through Resend.

One call, https://resend.com/docs/api-reference/emails/send-email; the run's id goes along as
the idempotency key, so an attempt in doubt is repeated and still arrives once. Resend takes
a handful of requests a second, and 100 e-mails a day on its free plan.
"""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from core.connectors._email_addresses import (
    ADDRESS_SHAPES,
    LONGEST_ADDRESS,
    checked_address,
    compared,
    sending_address,
    sent_form,
)
from core.connectors._email_answers import (
    ANSWERS,
    DOMAIN_UNVERIFIED,
    RESTRICTED_KEY,
    Accepted,
    Domains,
    explain,
)
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
    bearer,
    field,
    message_field,
    setting,
    upstream_url,
)
from core.errors import Forbidden

TEST_INBOX = "delivered@resend.dev"
TEST_SENDER = "onboarding@resend.dev"


def _recipients(value: str | None) -> tuple[str, ...]:
    """The addresses and domains of a list as they are compared; raises ValueError."""
    if value is None:
        return ()
    try:
        entries = [compared(entry.strip()) for entry in value.split(",") if entry.strip()]
    except ValueError:
        entries = []
    if not entries:
        # A list of nothing was meant to restrict something.
        raise ValueError("must be addresses or @domains with commas between them")
    return tuple(entries)


class Mail(Contract):
    """An e-mail."""

    to: Annotated[str, AfterValidator(checked_address)] = field(
        "To",
        "The address it goes to.",
        example="ann@example.com",
        address=True,
        destination=True,
        shape=ADDRESS_SHAPES,
        max_length=LONGEST_ADDRESS,
    )
    subject: str = field(
        "Subject",
        "What it is about, in one line.",
        example="The build is green",
        min_length=1,
        max_length=200,
    )
    # 100 000: mail programs such as Gmail cut a message off after about 102 KB.
    text: str = message_field("All tests pass.", max_length=100_000)


class EmailConfig(Config):
    """What Resend needs."""

    api_key: Secret = setting(
        "RESEND_API_KEY",
        "Resend's API key",
        "resend.com/api-keys, Create API Key: the permission Sending access is enough",
        required=True,
        example="re_…",
        shape=r"^re_[A-Za-z0-9_]{16,}$",
    )
    sender: Annotated[str, AfterValidator(sending_address)] = setting(
        "RESEND_FROM",
        "The address e-mails come from",
        "an address of a domain that resend.com/domains shows as verified",
        example="Levqor <bot@example.com>",
        default=TEST_SENDER,
    )
    recipients: Annotated[tuple[str, ...], BeforeValidator(_recipients)] = setting(
        "LEVQOR_RECIPIENTS",
        "Who may receive e-mail (everybody if it is not set)",
        "addresses and @domains of your choice, with commas between them",
        example="ann@example.com, @example.org",
        restricts=True,
    )
    api_url: BaseUrl = upstream_url("RESEND_API_URL", "Resend", "https://api.resend.com")


def check(request: Mail, config: EmailConfig, test: bool) -> None:
    """Keep to LEVQOR_RECIPIENTS; a test send reaches nobody but Resend's own inbox."""
    allowed, to = config.recipients, compared(request.to)
    if not allowed or to in allowed or f"@{to.partition('@')[2]}" in allowed:
        return
    if not (test and to == TEST_INBOX):
        raise Forbidden(
            "This Levqor may not write to that address.",
            reason="recipient",
            fix="Ask whoever runs Levqor to add the address, or its @domain, to LEVQOR_RECIPIENTS.",
        )


def send(request: Mail, config: EmailConfig, http: HttpClient) -> Receipt:
    """Send one e-mail."""
    to = sent_form(request.to)
    mail = {"subject": request.subject, "text": request.text}
    body = {"from": config.sender, "to": [to], **mail}
    headers = bearer(config.api_key) | {"Idempotency-Key": http.run}
    answer = http.post(f"{config.api_url}/emails", json=body, headers=headers, effect="keyed")
    if answer.success(Accepted) is None:
        raise explain(answer)
    return Receipt("sent", note=None if to == request.to else f"It was sent to {to}.")


def probe(config: EmailConfig, http: HttpClient) -> Probe:
    """List the account's domains and look for the sender's among them."""
    answer = http.get(f"{config.api_url}/domains", headers=bearer(config.api_key))
    domains = answer.success(Domains)
    if domains is None:
        error = explain(answer)
        if error.reason != RESTRICTED_KEY.reason:
            raise error
    address = config.sender.rpartition("<")[2].rstrip(">").lower()
    if address == TEST_SENDER:
        return Probe((f"From {TEST_SENDER}, e-mail reaches only the owner of the Resend account.",))
    if domains is None:
        return Probe(("The key can only send: Levqor cannot check the domain of RESEND_FROM.",))
    name = address.partition("@")[2]
    if any(each.name.lower() == name and each.status == "verified" for each in domains.data):
        return Probe()
    if domains.has_more:
        return Probe(("There are many domains: RESEND_FROM's was not among the first.",))
    return Probe((f"RESEND_FROM: {DOMAIN_UNVERIFIED.message}",), fix=DOMAIN_UNVERIFIED.fix)


CONNECTOR = Connector(
    name="email",
    title="E-mail",
    config=EmailConfig,
    actions=(
        Action(
            name="send",
            title="Send an e-mail",
            input=Mail,
            sample={
                "to": TEST_INBOX,
                "subject": "Hello from Levqor",
                "text": "This is a test message.",
            },
            send=send,
            check=check,
        ),
    ),
    probe=probe,
    answers=ANSWERS,
)
