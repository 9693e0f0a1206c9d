"""The ledger's schema, as numbered steps; a released step is never edited.

Loaded only when a ledger is behind: importing sqlite-utils costs more than a run.
"""

from core.migrations import to_7, to_8, to_9, to_10
from core.migrations.to_5 import MIGRATIONS

__all__ = ["MIGRATIONS", "to_7", "to_8", "to_9", "to_10"]
