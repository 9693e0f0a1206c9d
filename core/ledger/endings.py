"""What a process knows of its runs and the database could not take, kept in a file beside it.

The file's room is taken when the process begins to own runs: a disk that is full has none
left. It holds what the runs' rows would hold, and a later start writes it into them.
"""

import contextlib
import errno
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

if sys.platform != "win32":  # pragma: no branch - Windows goes on without
    import fcntl

# A record stands within one page, so that a killed process has written it whole or not at all.
SLOT = 256
# As many runs as sixteen connectors send at a time (sixteen workers each); the file is 64 KB.
SLOTS = 256
_KNOWN = {"state", "at", "attempts", "ms", "code", "reason", "receipt", "told"}


class Endings:
    """One process's file. What finds no room in it is kept in memory alone."""

    def __init__(self, ledger: Path, owner: str) -> None:
        """Make the file at its full size; raises OSError where there is no room for it."""
        self._file = file_of(ledger, owner)
        self._lock = threading.Lock()
        self._kept: dict[str, dict[str, Any]] = {}
        self._slots: dict[str, int] = {}
        self._handle = _reserve(self._file)

    def move(self, ledger: Path, owner: str) -> None:
        """Go on in another owner's file; raises OSError where there is no room for it."""
        file = file_of(ledger, owner)
        with self._lock:
            handle = _reserve(file)
            for run, slot in self._slots.items():
                os.pwrite(handle, _record(run, self._kept[run]), slot * SLOT)
            os.close(self._handle)
            self._file.unlink(missing_ok=True)
            self._file, self._handle = file, handle

    @property
    def kept(self) -> dict[str, dict[str, Any]]:
        """Run to what its row lacks."""
        with self._lock:
            return {run: dict(what) for run, what in self._kept.items()}

    def put(self, run: str, **what: Any) -> None:
        """Keep something of a run, beside what is kept of it already."""
        with self._lock:
            self._kept[run] = {**self._kept.get(run, {}), **what}
            slot = self._slots.get(run)
            if slot is None:
                slot = min(set(range(len(self._slots) + 1)) - set(self._slots.values()))
            record = _record(run, self._kept[run])
            with contextlib.suppress(OSError):
                if os.pwrite(self._handle, record, slot * SLOT) == SLOT:
                    self._slots[run] = slot

    def drop(self, run: str, what: dict[str, Any]) -> None:
        """Forget a run's record, where nothing was added to it since it was `what`."""
        with self._lock:
            if self._kept.get(run) != what:
                return
            del self._kept[run]
            if (slot := self._slots.pop(run, None)) is not None:
                with contextlib.suppress(OSError):
                    os.pwrite(self._handle, bytes(SLOT), slot * SLOT)

    def safe(self, run: str) -> bool:
        """Whether a run's record outlives this process."""
        return run in self._slots

    def close(self) -> None:
        """Leave the file to the next start where it holds something; nothing is kept after."""
        with self._lock:
            if self._handle < 0:
                return
            os.close(self._handle)
            self._handle = -1
            if not self._slots:
                self._file.unlink(missing_ok=True)


def _reserve(file: Path) -> int:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    reserved = 0
    with contextlib.suppress(OSError):
        reserved = os.write(handle, bytes(SLOT * SLOTS))
    if reserved < SLOT * SLOTS:
        os.close(handle)
        file.unlink(missing_ok=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with contextlib.suppress(OSError):  # some disks cannot lock
        _lock(handle)
    return handle


def in_use(file: Path) -> bool:
    """Whether the process lives that keeps its endings in a file."""
    with file.open("rb") as opened:
        try:
            _lock(opened.fileno())
        except BlockingIOError:
            return True
    return False


def _lock(handle: int) -> None:
    """Lock a file until it is closed; raises BlockingIOError where another process has."""
    if sys.platform != "win32":  # pragma: no branch - Windows goes on without
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def file_of(ledger: Path, owner: str) -> Path:
    """Where an owner's endings are."""
    return ledger.with_name(f"{ledger.name}-endings-{owner}")


def owners(ledger: Path) -> list[str]:
    """Whose files there are."""
    prefix = file_of(ledger, "").name
    return [file.name.removeprefix(prefix) for file in ledger.parent.glob(f"{prefix}*")]


def left_by(ledger: Path, owner: str) -> dict[str, dict[str, Any]]:
    """What a dead process's file holds; nothing where there is none."""
    kept: dict[str, dict[str, Any]] = {}
    try:
        content = file_of(ledger, owner).read_bytes()
    except OSError:
        return kept
    for at in range(0, len(content), SLOT):
        record = _read(content[at : at + SLOT])
        run = record.pop("run", None)
        if isinstance(run, str):
            kept[run] = {name: value for name, value in record.items() if name in _KNOWN}
    return kept


def _record(run: str, what: dict[str, Any]) -> bytes:
    for given in (what, {**what, "receipt": None}):
        known = {
            name: value for name, value in given.items() if value is not None and name in _KNOWN
        }
        text = json.dumps({"run": run, **known}, separators=(",", ":")).encode()
        if len(text) <= SLOT:
            break
    return text.ljust(SLOT, b"\0")[:SLOT]


def _read(slot: bytes) -> dict[str, Any]:
    try:
        record = json.loads(slot.rstrip(b"\0"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
