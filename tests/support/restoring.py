"""Backups that are filled with anything, and put into another home's database."""

import contextlib

from core.home_key import key_check
from core.ledger import Ledger
from core.ledger.backup import TABLES
from core.ledger.file import connect
from core.ledger.restore import opened

KEPT = {table: columns for table, columns in TABLES.items() if table != "meta"}
DRAWN = {
    "TEXT": lambda draw: draw.choice(
        ["", "plain", "Žluťoučký 🐎", "a\tb\\N\n", "\\x41", "'; --", "x" * 3000]
    ),
    "REAL": lambda draw: draw.choice([0.0, -1.5, 1e300, 0.1, 5e-324, 1795715520.123456]),
    "INTEGER": lambda draw: draw.choice([0, 1, 2**31 - 1, -7]),
    "BLOB": lambda draw: draw.choice([b"", b"\0\xff\\", draw.randbytes(32)]),
}


def dump(ledger):
    """Every row of every table that is kept."""

    def read(db):
        return {
            table: sorted(db.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
            for table, columns in KEPT.items()
        }

    return ledger.store.read(read)


def fill(ledger, draw, count):
    """Put rows into every table that hold whatever their columns' types can."""

    def rows(table, columns):
        types = {row[1]: row[2:] for row in db.execute(f"PRAGMA table_info({table})")}
        for n in range(count):
            row = []
            for column in columns.split(", "):
                kind, needed, *_, in_key = types[column]
                value = None if not needed and draw.random() < 0.3 else DRAWN[kind](draw)
                if in_key or column in ("key", "quota_owner"):
                    value = f"{n} {value}" if kind == "TEXT" else n * 3 + 1
                if in_key and kind == "BLOB":
                    value = f"{n}".encode()
                # Open runs are another test's, and so is that old answers are forgotten.
                fixed = {"state": "sent", "at": draw.choice([4e9, 4e9 + 0.123456, 1e300])}
                row.append(fixed.get(column, value))
            yield tuple(row)

    with contextlib.closing(connect(ledger.store.files)) as db:
        db.execute("BEGIN")
        for table, columns in KEPT.items():
            db.load(table, columns, rows(table, columns))
        db.execute("COMMIT")


def put(file, home, database=None, **more):
    """Restore a file into a home's database; the home's key is made where there is none."""
    with opened(file, key_check(home), **more) as given, Ledger.open(home, database) as ledger:
        return given.restore(ledger)


def made(home, file, work=lambda ledger: None):
    """A backup of a home's database in which something was done."""
    with Ledger.open(home) as ledger:
        ledger.check_key(key_check(home))
        work(ledger)
        ledger.backup(file)
    return file
