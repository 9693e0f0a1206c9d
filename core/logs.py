"""`logs/connectors.log`, one JSON object a line, and silence for talkative libraries."""

import contextlib
import errno
import json
import logging
import os
import stat
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import lock_descriptor, unlock_descriptor

from core import streams
from core.callers import Caller
from core.errors import LedgerError, NotConfigured
from core.home import own, refuse_link
from core.home_key import home_key
from core.masking import Redactor, address_tag, mask

LIMIT = 10 * 1024 * 1024
KEPT = 5

# A process that was stopped while it held the lock must not hold up every run.
_LOCK_SECONDS = 2.0
_LOCK_POLL = 0.002
_LINE = json.JSONEncoder(separators=(",", ":"))


class RunLog:
    """The log of one home, written by several processes at once, readable by its owner only.

    A file of `limit` bytes is moved to `.1`, and so on up to `kept` of them. Where it
    cannot be written, runs go on: `problem` says why and is None again after it worked.
    Addresses are tagged with the home's key, or the one that is `named`.
    """

    def __init__(
        self, home: Path, named: str | None = None, *, limit: int = LIMIT, kept: int = KEPT
    ) -> None:
        self.file = home / "logs" / "connectors.log"
        self.problem: str | None = None
        self._home, self._named = home, named
        self._limit = limit
        self._kept = kept
        self._key: bytes | None = None
        self._thread_lock = threading.Lock()
        self._guard = self.file.with_name(".connectors.lock")
        self._patience = _LOCK_SECONDS

    def write(
        self,
        *,
        run: str,
        caller: Caller,
        connector: str,
        action: str,
        status: str,
        ms: float,
        attempts: int,
        ip: str | None = None,
        error: str | None = None,
        ts: float | None = None,
    ) -> None:
        """Add the line of one run.

        `status` is the outcome or the error's code, `error` its reason; `ip` the plain
        address, of which a keyed hash is kept; `ts` in seconds since 1970.
        """
        with self._thread_lock:
            try:
                line = {
                    "ts": round(time.time() if ts is None else ts, 3),
                    "run": run,
                    "ip": self._tag(ip) if ip else None,
                    "user": mask(caller.id.rpartition(":")[2]) if caller.known else "anon",
                    "surface": caller.asks_on,
                    "connector": connector,
                    "action": action,
                    "status": status,
                    "ms": round(ms, 2),
                    "attempts": attempts,
                    "ids_masked": True,
                    "error": error,
                }
                present = {name: value for name, value in line.items() if value is not None}
                self._append(_LINE.encode(present).encode() + b"\n")
            except OSError as fault:
                self._complain(f"The log {self.file} cannot be written: {fault.strerror}.")
            except (LedgerError, NotConfigured) as fault:
                self._complain(fault.message)
            else:
                self.problem = None

    def _tag(self, ip: str) -> str:
        self._key = self._key or home_key(self._home, self._named)
        return address_tag(self._key, ip)

    def _append(self, line: bytes) -> None:
        folder = self.file.parent
        try:
            state = folder.lstat()
        except FileNotFoundError:
            # Not its parents: a home that was deleted must not come back as a log alone.
            folder.mkdir(mode=0o700, exist_ok=True)
            state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode):
            refuse_link(folder, "The log folder")
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        own(folder, state, "The log folder")
        # Without the lock a line still arrives whole, but nothing is rotated.
        with self._locked() as alone:
            handle, size = self._open()
            try:
                if alone and size and size + len(line) > self._limit:
                    self._rotate()
                    os.close(handle)
                    handle, size = self._open()
                if os.write(handle, line) < len(line):
                    # A disk that filled up half-way: half a line would spoil the next one.
                    if alone:
                        os.ftruncate(handle, size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(handle)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the lock; False where another process does not let go of it."""
        # A plain lock on a file of our own: FileLock's paths cost more than the line.
        guard, _ = _opened(self._guard, os.O_RDWR)
        try:
            give_up = time.monotonic() + self._patience
            while not (alone := lock_descriptor(guard, blocking=False)):
                if time.monotonic() >= give_up:
                    break
                time.sleep(_LOCK_POLL)
            self._patience = _LOCK_SECONDS if alone else 0.0
            yield alone
            if alone:
                unlock_descriptor(guard)
        finally:
            os.close(guard)

    def _open(self) -> tuple[int, int]:
        handle, state = _opened(self.file, os.O_WRONLY | os.O_APPEND)
        if state.st_mode & 0o077:
            with contextlib.suppress(OSError):
                self.file.chmod(0o600)
                self.file.parent.chmod(0o700)
        return handle, state.st_size

    def _rotate(self) -> None:
        def numbered(number: int) -> Path:
            return self.file.with_name(f"{self.file.name}.{number}")

        for number in range(self._kept, 1, -1):
            with contextlib.suppress(FileNotFoundError):
                numbered(number - 1).replace(numbered(number))
        self.file.replace(numbered(1))

    def _complain(self, problem: str) -> None:
        first, self.problem = self.problem is None, problem
        if first:
            # A terminal that is gone must not end the run's worker.
            streams.print_error(f"{problem} Runs go on without it.")


def _opened(file: Path, how: int) -> tuple[int, os.stat_result]:
    """Open one of the log's files, made where it is not there; never through a link."""
    nofollow = getattr(os, "O_NOFOLLOW", 0)
    if not nofollow:  # pragma: no cover - only Windows lacks it
        refuse_link(file, "The log")
    try:
        handle = os.open(file, how | os.O_CREAT | nofollow, 0o600)
    except OSError:
        refuse_link(file, "The log")
        raise
    try:
        state = os.fstat(handle)
        own(file, state, "The log")
    except BaseException:
        os.close(handle)
        raise
    return handle, state


def mistake(error: BaseException) -> str:
    """Name an error of our own by its class and place; its text may hold anything."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = [f" at {'/'.join(Path(p.filename).parts[-2:])}:{p.lineno}" for p in place]
    return f"{type(error).__name__}{''.join(where)}"


# They print tokens, whole messages or whole requests; so do those that interfaces declare.
_WITHHELD = (
    "aiohttp",
    "google",
    "httpcore",
    "httpx",
    "multipart",
    "python_multipart",
    "requests",
    "urllib3",
    "websockets",
)
_WARNINGS_ONLY = ("asyncio", "concurrent.futures", "filelock", "uvicorn")
_NEVER = logging.CRITICAL + 1


def quiet_libraries(redactor: Redactor, loggers: Iterable[str] = ()) -> None:
    """Silence libraries that print what is private; clean what anyone else logs.

    Works on every record as it is made: it holds whatever level and handlers are set later.
    `loggers` are those of interfaces. Called again, it uses the new redactor.
    """
    withheld = frozenset((*_WITHHELD, *loggers))
    for name in withheld:
        logging.getLogger(name).setLevel(_NEVER)
    for name in _WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").setLevel(_NEVER)
    made_by = logging.getLogRecordFactory()
    if isinstance(made_by, _CleanRecords):
        made_by = made_by.made_by
    logging.setLogRecordFactory(_CleanRecords(redactor, withheld, made_by))


class _CleanRecords:
    def __init__(self, redactor: Redactor, withheld: frozenset[str], made_by: Any) -> None:
        self.made_by = made_by
        self._withheld = withheld
        self._redactor = redactor
        self._formatter = logging.Formatter()

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self.made_by(*args, **more)
        if record.name.split(".")[0] in self._withheld:
            record.msg = f"{record.name} said something that is withheld: it may be private"
            record.args = None
            # An own level on the library's logger lets it through; the terminal begins at WARNING.
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            record.exc_info = record.exc_text = record.stack_info = None
        elif record.name != "uvicorn.access":  # its formatter takes the arguments apart
            self._clean(record)
        return record

    def _clean(self, record: logging.LogRecord) -> None:
        clean = self._redactor.clean
        try:
            record.msg = clean(record.getMessage())
        except (TypeError, ValueError):
            record.msg = clean(str(record.msg))
        record.args = None
        if record.exc_info:
            record.exc_text = clean(self._formatter.formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = clean(record.stack_info)
