"""levqor.db: runs, quota, callers and plans, tokens, what was noticed."""

from core.ledger.ledger import Ledger
from core.ledger.records import (
    Inbound,
    Owed,
    Person,
    ProbeStreak,
    RunRecord,
    RunRequest,
    Token,
)
from core.ledger.store import random_code

__all__ = [
    "Inbound",
    "Ledger",
    "Owed",
    "Person",
    "ProbeStreak",
    "RunRecord",
    "RunRequest",
    "Token",
    "random_code",
]
