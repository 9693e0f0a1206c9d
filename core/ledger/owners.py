"""Which processes are alive: each holds a lock on a small file beside the ledger.

The operating system frees the lock of a process that dies, however it dies, and neither
clocks nor process numbers (which containers share) come into it.
"""

import contextlib
import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from core.ledger.endings import Endings


class Owner:
    """This process, as the owner of the runs it accepts and of a file for their endings."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.id = secrets.token_hex(8)
        self._lock = hard_lock(_file(self._ledger, self.id))
        self._lock.acquire()
        try:
            self.endings = Endings(ledger, self.id)
        except OSError:
            self._release()
            raise

    @staticmethod
    def lives(ledger: Path, owner: str) -> bool:
        """Tell whether another process, which called itself `owner`, still runs."""
        file = _file(ledger, owner)
        if not file.exists():
            return False
        lock = hard_lock(file)
        try:
            lock.acquire(timeout=0)
        except (Timeout, PermissionError):
            # Another user's process: whether it lives cannot be told, so it is left alone.
            return True
        # Unlinked while held: an owner's file is made once and never opened again.
        file.unlink(missing_ok=True)
        lock.release()
        return False

    def close(self) -> None:
        """Let go; from now on this owner counts as dead."""
        self.endings.close()
        self._release()

    def _release(self) -> None:
        with contextlib.suppress(OSError):
            _file(self._ledger, self.id).unlink()
        self._lock.release()


def hard_lock(file: Path, timeout: float = -1) -> FileLock:
    """Make a lock that ends with its process; acquiring it raises OSError where none can be had."""
    # filelock would make do with a file that outlives a killed process: its runs would count
    # as a live one's for ever, and nobody would be told.
    # Of the process: a thread that accepts begins, and another one ends.
    return FileLock(file, timeout=timeout, mode=0o600, fallback_to_soft=False, thread_local=False)


def _file(ledger: Path, owner: str) -> Path:
    return ledger.with_name(f"{ledger.name}-owner-{owner}")
