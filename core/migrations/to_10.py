"""The step to schema 10: with which browser somebody signed in."""

from sqlite_utils import Database

from core.migrations.to_5 import MIGRATIONS


@MIGRATIONS()
def m010_browsers(db: Database) -> None:
    """Of each session its browser, in Levqor's own words."""
    db.executescript("ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT ''")
