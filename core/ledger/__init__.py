"""levqor.db: runs, quota, callers and plans, tokens, what was noticed."""

from core.ledger.ledger import Ledger
from core.ledger.people import word
from core.ledger.records import Entry, Inbound, Order, Owed, Person, Quota, Stretch, Token

__all__ = [
    "Entry",
    "Inbound",
    "Ledger",
    "Order",
    "Owed",
    "Person",
    "Quota",
    "Stretch",
    "Token",
    "word",
]
