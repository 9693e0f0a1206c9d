"""The step to schema 8: what came of each attempt of a run."""

from sqlite_utils import Database

from core.migrations.to_5 import MIGRATIONS


@MIGRATIONS()
def m008_tries(db: Database) -> None:
    """Of a run with several attempts, each one's time and reason."""
    db.executescript("ALTER TABLE runs ADD COLUMN tries TEXT")  # as JSON; NULL: one at most
