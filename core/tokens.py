"""Tokens in words: what an admin types to make or change one, and what lists say of it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from core import wording
from core.callers import ADDRESSED_SURFACE
from core.errors import Fault, InvalidInput
from core.reports import iso
from core.roles import Role
from core.spans import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.ledger import Ledger, Token

LONGEST_OVERLAP = 30 * 86400
LONGEST_EXPIRY = 10 * 365 * 86400
MOST_PER_HOUR = 100_000


def rate(per_hour: str | None) -> int | None:
    """Read how many runs an hour; None is no limit. Raises InvalidInput."""
    if per_hour in (None, "none"):
        return None
    number = int(per_hour) if re.fullmatch("[0-9]{1,6}", per_hour) else 0
    if not 0 < number <= MOST_PER_HOUR:
        fault = Fault("--per-hour", f"must be a whole number from 1 to {MOST_PER_HOUR}, or none")
        raise InvalidInput([fault])
    return number


def expiry(expires: str | None) -> int | None:
    """Read in how many seconds it ends; None is never. Raises InvalidInput."""
    return None if expires in (None, "never") else _seconds("expires", expires, LONGEST_EXPIRY)


def overlap(text: str) -> int:
    """Read for how many seconds an old secret works on; raises InvalidInput."""
    return 0 if text == "0" else _seconds("overlap", text, LONGEST_OVERLAP)


def _seconds(option: str, text: str, most: int) -> int:
    seconds = span(text)
    if not seconds or seconds > most:
        limit = f"at most {most // 86400}d"
        raise InvalidInput(
            [Fault(f"--{option}", f"must be a time such as 90d, 12h or 30m, {limit}")]
        )
    return seconds


def may(token: Token) -> str:
    """What a token may do, in words."""
    if token.admin:
        return "may do everything, as an admin"
    return token.grant.describe()


def expired(token: Token, now: float) -> bool:
    """Whether its time is over."""
    return token.expires_at is not None and token.expires_at <= now


def ended(token: Token, now: float) -> bool:
    """Whether it is not valid any more."""
    return token.revoked_at is not None or expired(token, now)


def wide(token: Token, now: float) -> bool:
    """Whether it is from before tokens could be narrowed."""
    return token.scope is None and not ended(token, now)


def validity(token: Token, now: float, written: Callable[[float], str | None] = iso) -> str:
    """Until when it is valid, or since when not; nothing where it has no end."""
    if token.revoked_at is not None:
        return f"revoked {_ago(token.revoked_at)}"
    if token.expires_at is None:
        return ""
    if expired(token, now):
        return f"expired {_ago(token.expires_at)}"
    return f"until {written(token.expires_at)}"


def _ago(at: float) -> str:
    return wording.ago(time.time() - at)


def why_wide(label: str) -> str:
    """What to do about a token from before tokens could be narrowed."""
    return (
        f"{label} was made before tokens could be narrowed and may do everything. "
        f"Narrow it: levqor token set {label} --only …"
    )


def why_it_may_not_send(ledger: Ledger, label: str) -> str | None:
    """Why a token may not send whatever its scope says, and what to do; None where it may."""
    caller = f"{ADDRESSED_SURFACE}:{label}"
    standing = ledger.standing(caller)
    if standing.role in (None, Role.SENDER, Role.ADMIN):
        return None
    who = standing.person or caller
    return (
        f"It may not send: {who} has the role {standing.role}. To change it: "
        f"levqor people set {who} --role sender"
    )
