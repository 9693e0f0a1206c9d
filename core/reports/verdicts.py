"""What can be said of a service."""

from enum import StrEnum


class Verdict(StrEnum):
    """How a service is doing."""

    OK = "ok"
    ATTENTION = "attention"
    FAILING = "failing"
    UNREACHABLE = "unreachable"
    NOT_CONFIGURED = "not_configured"
    UNCHECKED = "unchecked"


# It is set up and does not work; one that is merely not set up is no failure.
BROKEN = (Verdict.FAILING, Verdict.UNREACHABLE)
# What is said of a service whose verdict has changed.
BECAME = {
    Verdict.OK: "works again",
    Verdict.ATTENTION: "needs attention",
    Verdict.FAILING: "is failing",
    Verdict.UNREACHABLE: "is failing",
    Verdict.NOT_CONFIGURED: "is no longer set up",
}
