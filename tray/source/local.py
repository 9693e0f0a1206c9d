"""The local source: short-lived children of this home's own `levqor` command.

A child that hangs is ended, and what it loaded goes with it: the tray stays small.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import NotConfigured
from core.home import write_private
from tray.source import OWN_RUNS, Pairing, SourceError, reading
from tray.state import Health, Run, SourceInfo, TestResult

# Probes run side by side and each ends within ten seconds; the rest is a slow start.
HEALTH_S = 40.0
# A run may wait 120 s in its queue before its own thirty seconds start.
TEST_S = 170.0
ASK_S = 20.0
_LAST = 50
# -P: no module of the folder this was started in, which may be anybody's.
COMMAND = (sys.executable, "-P", "-m", "core.cli")
# SQLite needs a few pages to write anything at all.
_FULL_BYTES = 256 * 1024
_DOCTOR = "Run: levqor doctor"
_FOREWORD = (
    "# Levqor's settings, one NAME=value on each line. Save this file and Levqor reads it.\n"
    "# For the names and where to get each value, choose How to fix in the tray's menu.\n"
)


class Local:
    """This home's core, asked through child processes."""

    def __init__(
        self,
        home: Path,
        *,
        environment: Callable[[], Mapping[str, str]] | None = None,
        sandbox: bool = False,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._home = home.absolute()
        self._environment = environment
        self._command = command
        self._children: set[subprocess.Popen[str]] = set()
        self._seen_home = False
        words = "sandbox on this computer" if sandbox else "this computer"
        self.info = SourceInfo(words, self._home, test_gap=0.0 if sandbox else 60.0)

    def health(self) -> Health:
        """Probe every connector once, in a child; raises SourceError."""
        body = self._ask("health", "--live", seconds=HEALTH_S)
        # A full disk still answers; what it can no longer keep is the history.
        if full := _full(self._home):
            raise full
        with _readable():
            return reading.health(body, time.time())

    def runs(self) -> tuple[Run, ...]:
        """The latest runs of everybody on this home; raises SourceError."""
        return reading.runs(self._ask("runs", "--last", str(_LAST)))

    def own_runs(self) -> tuple[Run, ...]:
        """The latest runs of this computer's user; raises SourceError."""
        return reading.runs(self._ask("runs", "--mine", "--last", str(OWN_RUNS)))

    def console_link(self, page: str) -> str:
        """Make an address that opens a page of the console, signed in; raises SourceError."""
        link = reading.web_link(self._ask("open", page).get("link"))
        if link is None:
            raise SourceError("The answer of Levqor's core cannot be read", _DOCTOR)
        return link

    def test(self, action: str) -> TestResult:
        """Send an action's sample through the engine, in a child."""
        try:
            body = self._child("run", action, "--test", seconds=TEST_S)
            with _readable():
                return reading.test_result(body, time.time(), self.info.test_gap)
        except SourceError as error:
            return reading.unanswered(error, time.time())

    def pair(self) -> Pairing:
        """Make a code for the first interface that pairs people; raises SourceError."""
        # Loaded on a click only: it weighs ten megabytes.
        from core.interfaces import declared

        try:
            name, pairing = next((i.name, i.pairing) for i in declared() if i.pairing)
        except NotConfigured as problem:
            raise SourceError(problem.message, problem.fix or _DOCTOR) from None
        body = self._ask("pair", name)
        code = str(body.get("code", ""))
        return Pairing(code, pairing.message.format(code=code), body.get("link"))

    def settings(self) -> Path | None:
        """Return the settings file, made where there is none; raises SourceError and OSError."""
        file = self._home / ".env"
        if not file.exists():
            # A home that has gone may come back: no other is made in its place.
            if self._seen_home and not self._home.is_dir():
                raise _gone(self._home)
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Other users of this machine must not read what will be filled in.
            write_private(file, _FOREWORD.encode())
        return file

    def close(self) -> None:
        """End the children that only look; a run that is out settles itself."""
        for child in tuple(self._children):
            with contextlib.suppress(OSError):
                child.kill()

    def _ask(self, *args: str, seconds: float = ASK_S) -> dict[str, Any]:
        body = self._child(*args, seconds=seconds)
        code = body.get("error")
        if code is None:
            return body
        words = str(body.get("message") or "Levqor's core failed")
        fault = _diagnosis(self._home) if code == "ledger_error" else None
        raise fault or SourceError(words, str(body.get("fix") or _DOCTOR))

    def _child(self, *args: str, seconds: float) -> dict[str, Any]:
        if self._seen_home and not self._home.is_dir():
            raise _gone(self._home)
        with self._start(args) as child:
            if args[0] != "run":
                self._children.add(child)
            try:
                out, _ = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                fix = f"Levqor tries again by itself. If the problem stays: {_DOCTOR}"
                raise SourceError("The checks took too long", fix) from None
            finally:
                self._children.discard(child)
        self._seen_home = self._seen_home or self._home.is_dir()
        with _readable():
            body = json.loads(out)
        return body if isinstance(body, dict) else {}

    def _start(self, args: tuple[str, ...]) -> subprocess.Popen[str]:
        head = [*self._command, "--home", str(self._home), "--surface", "tray"]
        try:
            return subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*head, *args, "--output", "json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env=self._environment() if self._environment else None,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as problem:
            words = f"Levqor's core cannot be started: {problem.strerror}"
            fix = "If Levqor was moved or updated, start levqor-tray again."
            raise SourceError(words, fix, before_it_left=True) from None


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Turn what is no answer of Levqor's into SourceError."""
    try:
        yield
    except ValueError:
        raise SourceError("The answer of Levqor's core cannot be read", _DOCTOR) from None


def _diagnosis(home: Path) -> SourceError | None:
    """Why a ledger cannot be used, as far as its folder tells."""
    if not home.is_dir():
        return _gone(home)
    if full := _full(home):
        return full
    try:
        probe = home / ".levqor-tray-writes"
        probe.touch()
        probe.unlink()
    except OSError:
        fix = f"Allow your user to write in {home}. Levqor then continues by itself."
        return SourceError("The database's folder is read-only", fix)
    return None


def _full(home: Path) -> SourceError | None:
    try:
        room = shutil.disk_usage(home).free
    except OSError:
        return None  # not made yet; one that has gone was noticed before
    if room >= _FULL_BYTES:
        return None
    fix = f"Free some space on the disk that holds {home}. Levqor then continues by itself."
    return SourceError("The disk with the database is full", fix)


def _gone(home: Path) -> SourceError:
    fix = f"Put {home} back, or start levqor-tray with another --home."
    return SourceError("The home folder is gone", fix, before_it_left=True)
