"""levqor.db: runs, quota, callers and plans, tokens, what was noticed."""

from core.ledger.ledger import Ledger
from core.ledger.records import (
    AuditRecord,
    CallerRecord,
    Inbound,
    Owed,
    PersonRecord,
    ProbeStreak,
    RunRecord,
    RunRequest,
    TargetRecord,
    Token,
)
from core.ledger.standing import Standing
from core.ledger.store import digest, random_code

__all__ = [
    "AuditRecord",
    "CallerRecord",
    "Inbound",
    "Ledger",
    "Owed",
    "PersonRecord",
    "ProbeStreak",
    "RunRecord",
    "RunRequest",
    "Standing",
    "TargetRecord",
    "Token",
    "digest",
    "random_code",
]
