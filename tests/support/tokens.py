"""Whose token a secret is, as HTTP asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.web.authentication import bearer
from core.engine.access import check_token
from core.errors import Unauthorized

if TYPE_CHECKING:
    from core.ledger import Ledger, Token


def token_of(ledger: Ledger, secret: str) -> Token | None:
    """The token; None where it is nobody's, was revoked or has expired."""
    try:
        caller = bearer(f"Bearer {secret}")
        who = ledger.standing(str(caller))
        check_token(who, caller)
    except Unauthorized:
        return None
    return who.token
