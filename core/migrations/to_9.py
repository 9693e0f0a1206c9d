"""The step to schema 9: lists of runs by whatever they are narrowed to."""

from sqlite_utils import Database

from core.migrations.to_5 import MIGRATIONS


@MIGRATIONS()
def m009_lists(db: Database) -> None:
    """Indexes that lists come out of (core/ledger/listing.py).

    Each also has what else a list may be narrowed to: a run that is not meant is not read.
    """
    db.executescript(
        """
        CREATE INDEX runs_kind ON runs (connector, surface, at, state, action)
            WHERE settled_at IS NOT NULL;
        CREATE INDEX runs_failed ON runs (state, at, connector, surface, action, caller)
            WHERE state NOT IN ('accepted', 'sending', 'sent');
        DROP INDEX runs_caller;
        CREATE INDEX runs_caller ON runs (caller, at, connector, surface, action);
        """
    )
