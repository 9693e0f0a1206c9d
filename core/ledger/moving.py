"""Moving a home: the database, its key, the settings and the log, to another folder.

Everything is copied before anything is taken away, and from the first copy to the last both
folders hold a mark with which no Levqor uses either (core.home.check). So a move that was
killed anywhere is carried on by the next one, and nothing is written to a copy that goes.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from core.errors import LedgerError, NotConfigured
from core.home import DATABASE, MOVING, SHARED, check, moving, open_trusted, refuse_link, trust
from core.home_key import KEY
from core.ledger import backup, endings
from core.ledger.explain import LOCKED, code_of, explain
from core.ledger.file import BESIDE, connect, refuse_strangers
from core.ledger.owners import Owner, hard_lock

SETTINGS, LOGS = ".env", "logs"
LOCK = f"{DATABASE}-lock"
# Who opens a ledger holds the lock for a moment, and who looks at it has it open for one.
_PATIENCE = 10.0
_BUSY_MS = 3000
_PART = ".part"


def move(source: Path, target: Path) -> list[str]:
    """Move a home's files and return their names; raises LedgerError or NotConfigured.

    Nothing of the target is ever replaced.
    """
    if source == target:
        raise NotConfigured(
            f"{source} is the home already; there is nothing to move.",
            fix="To use another folder: levqor --home DIR home move",
        )
    try:
        _refuse_another_move(source, target)
        _refuse_no_home(source, begun=bool(moving(source) or moving(target)))
        # Before anything is touched; and again once nobody else can put a file there.
        _refuse_to_replace(source, target)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        trust(target, target.lstat(), "The home folder")
        with hard_lock(target / LOCK, _PATIENCE), _alone(source) as database:
            return _move(source, target, database)
    except Timeout:  # pragma: no cover - its ten seconds are too long for a test
        raise _in_use(f"{source} or in {target}") from None
    except sqlite3.Error as error:
        if code_of(error) in LOCKED:
            raise _in_use(str(source)) from None
        raise explain(source / DATABASE, error) from None
    except OSError as error:
        raise LedgerError(
            f"{error.filename or source} cannot be moved ({error.strerror}); nothing is lost.",
            fix="Put that right, then run the same command again.",
            reason="home_unmovable",
        ) from None


def files(home: Path) -> list[str]:
    """What of a home is moved, the database last: a folder that has it has everything."""
    logs = sorted(log.name for log in (home / LOGS).glob("connectors.log*"))
    kept = [
        endings.file_of(home / DATABASE, owner).name for owner in endings.owners(home / DATABASE)
    ]
    names = [SETTINGS, KEY, *(f"{LOGS}/{name}" for name in logs), *kept, SHARED, DATABASE]
    return [name for name in names if os.path.lexists(home / name)]


def _refuse_another_move(source: Path, target: Path) -> None:
    """Refuse where one of the two is in a move with a third; that one's own words say more."""
    if moving(source) not in (None, ("to", target)):
        check(source)
    if moving(target) not in (None, ("from", source)):
        check(target)


def _refuse_no_home(source: Path, *, begun: bool) -> None:
    # A bot whose database is in PostgreSQL has no other file there that is surely ours.
    if not begun and not any(os.path.lexists(source / name) for name in (DATABASE, SHARED)):
        raise NotConfigured(
            f"There is no {DATABASE} in {source}, so there is nothing to move.",
            fix="Go to the folder that was the home, or name it with --from DIR.",
        )
    if source.is_dir():
        # Else a strange folder's settings would become ours after all.
        trust(source, source.lstat(), "The folder")
        refuse_link(source / LOGS, "The log folder")
        refuse_strangers(source / DATABASE)
        for name in files(source):
            if name != DATABASE:
                os.close(open_trusted(source / name, "The file"))


def _refuse_to_replace(source: Path, target: Path) -> None:
    begun = moving(target) == ("from", source)
    for name in files(source):
        if os.path.lexists(target / name) and not (begun and _same(source, target, name)):
            raise NotConfigured(
                f"{target / name} exists already, and a move replaces nothing.",
                fix=f"Keep one of the two: move {target / name} or {source / name} away.",
            )


@contextlib.contextmanager
def _alone(source: Path) -> Iterator[sqlite3.Connection | None]:
    """Keep every other Levqor away from a home, and lend its database; None where it has none."""
    file, lock = source / DATABASE, source / LOCK
    if not file.exists():
        # In PostgreSQL, or moved already: no lock of a database keeps a bot out.
        kept = (endings.file_of(file, owner) for owner in endings.owners(file))
        if any(map(endings.in_use, kept)):
            raise _in_use(str(source))
        yield None
        return
    with hard_lock(lock, _PATIENCE):
        owners = (lock.name.rpartition("-")[2] for lock in source.glob(f"{DATABASE}-owner-*"))
        if any(Owner.lives(file, owner) for owner in owners):
            raise _in_use(str(source))
        with contextlib.closing(connect(file)) as database:
            database.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
            # So SQLite begins only where nobody else has it open, to read it or to write.
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            database.execute("COMMIT")
            # What a dead process left in the log goes into the file.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            yield database
    with contextlib.suppress(OSError):
        lock.unlink()


def _move(source: Path, target: Path, database: sqlite3.Connection | None) -> list[str]:
    moved = files(source)
    _refuse_to_replace(source, target)
    if moved:
        # The target first: with its mark and a database it has one that was copied whole.
        _mark(target, f"from {source}")
        _mark(source, f"to {target}")
    for name in moved:
        if not (target / name).exists():
            _put(source / name, target / name, database)
    if database is not None and os.name != "posix":  # pragma: no cover - only Windows runs it
        database.close()  # Windows deletes no file that is open
    for name in moved:
        (source / name).unlink()
    for file in [*(f"{DATABASE}{end}" for end in BESIDE), f"{LOGS}/.connectors.lock"]:
        (source / file).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # there may be others' logs in it
        (source / LOGS).rmdir()
    (target / MOVING).unlink(missing_ok=True)
    (source / MOVING).unlink(missing_ok=True)
    return moved


def _same(source: Path, target: Path, name: str) -> bool:
    # The copy of the database took its name when it was whole, and nobody could use either since.
    return name == DATABASE or (source / name).read_bytes() == (target / name).read_bytes()


def _put(file: Path, copy: Path, database: sqlite3.Connection | None) -> None:
    """Copy a file, which takes its name only when it is whole and on the disk."""
    copy.parent.mkdir(mode=0o700, exist_ok=True)
    part = copy.with_name(copy.name + _PART)
    for left in (part, *(part.with_name(part.name + end) for end in BESIDE)):
        left.unlink(missing_ok=True)
    if copy.name == DATABASE and database is not None:
        backup.write(database, part)
    else:
        made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "wb") as out, os.fdopen(open_trusted(file, "The file"), "rb") as given:
            shutil.copyfileobj(given, out)
    _flush(part)
    part.replace(copy)
    _flush(copy.parent)


def _mark(folder: Path, text: str) -> None:
    """Write the mark whole or not at all; a folder that is gone needs none."""
    if not folder.is_dir() or (folder / MOVING).exists():
        return
    part = folder / f"{MOVING}{_PART}"
    part.write_text(f"{text}\n", "utf-8")
    _flush(part)
    part.replace(folder / MOVING)
    _flush(folder)


def _flush(path: Path) -> None:
    """Have the disk keep a file, or a folder's names."""
    if os.name == "posix":  # pragma: no branch - Windows goes on without
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _in_use(where: str) -> LedgerError:
    return LedgerError(
        f"The database in {where} is in use.",
        fix="Stop levqor-bot, levqor-tray and whatever else uses it, then run it again.",
        reason="ledger_locked",
    )
