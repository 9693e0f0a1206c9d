"""The local source: short-lived children of this home's own `levqor` command.

A child that hangs is ended, and what it loaded goes with it: the tray stays small.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tray.source import Pairing, SourceError, reading
from tray.state import Missing, SourceFault, SourceInfo, TestResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tray.state import Health, Run

# Probes run side by side and each ends within ten seconds; the rest is a slow start.
HEALTH_S = 40.0
# A run may wait 120 s in its queue before its own thirty seconds start.
TEST_S = 170.0
ASK_S = 20.0
# The interface whose people have a phone to pair.
PAIRED = "telegram"
_LAST = 50
# -P: no module of the folder this was started in, which may be anybody's.
COMMAND = (sys.executable, "-P", "-m", "core.cli")
# SQLite needs a few pages to write anything at all.
_FULL_BYTES = 256 * 1024


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
        self.settings_file: Path | None = self._home / ".env"
        self.log_folder: Path | None = self._home / "logs"
        where = "sandbox on this computer" if sandbox else "this computer"
        self.about = SourceInfo(
            where, sandbox=sandbox, home=str(self._home), test_gap=0.0 if sandbox else 60.0
        )

    def health(self) -> Health:
        """Probe every connector once, in a child; raises SourceError."""
        body = self._ask("health", "--live", seconds=HEALTH_S)
        # A full disk still answers; what it can no longer keep is the history.
        trouble = _full(self._home)
        if trouble:
            raise SourceError(trouble)
        try:
            return reading.health(body, time.time())
        except ValueError:
            raise SourceError(_strange()) from None

    def runs(self) -> tuple[Run, ...]:
        """The latest runs of everybody on this home; raises SourceError."""
        return reading.runs(self._ask("runs", "--last", str(_LAST)))

    def test(self, action: str) -> TestResult:
        """Send an action's sample through the engine, in a child."""
        try:
            body = self._child("run", action, "--test", seconds=TEST_S)
            return reading.test_result(action, body, time.time(), self.about.test_gap)
        except SourceError as error:
            return reading.unanswered(action, error, time.time())
        except ValueError:
            return reading.unanswered(action, SourceError(_strange()), time.time())

    def pair(self) -> Pairing:
        """Make a one-time pairing code; raises SourceError."""
        body = self._ask("pair", PAIRED)
        return Pairing(str(body.get("code", "")), body.get("link"))

    def stamp(self) -> object:
        """The state of the settings file."""
        return _stamp(self._home / ".env")

    def close(self) -> None:
        """End the children that only look; a run that is out settles itself."""
        for child in tuple(self._children):
            with contextlib.suppress(OSError):
                child.kill()

    def _ask(self, *args: str, seconds: float = ASK_S) -> dict[str, Any]:
        body = self._child(*args, seconds=seconds)
        if "error" in body:
            raise SourceError(self._trouble(body))
        return body

    def _child(self, *args: str, seconds: float) -> dict[str, Any]:
        if self._seen_home and not self._home.is_dir():
            raise SourceError(_gone(self._home), before_it_left=True)
        with self._start(args) as child:
            looks = args[0] != "run"
            if looks:
                self._children.add(child)
            try:
                out, _ = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                raise SourceError(_slow()) from None
            finally:
                self._children.discard(child)
        self._seen_home = self._seen_home or self._home.is_dir()
        try:
            body = json.loads(out)
        except ValueError:
            raise SourceError(_strange()) from None
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
            raise SourceError(_no_core(problem), before_it_left=True) from None

    def _trouble(self, body: dict[str, Any]) -> SourceFault:
        code = body.get("error")
        message, fix = str(body.get("message") or ""), str(body.get("fix") or "Run: levqor doctor")
        if code == "not_configured":
            return SourceFault(Missing.SETTINGS, message, fix)
        if code != "ledger_error":
            return SourceFault(Missing.STRANGE, message or "Levqor's core failed", fix)
        return _diagnosis(self._home) or SourceFault(Missing.LEDGER, message, fix)


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _diagnosis(home: Path) -> SourceFault | None:
    """Why a ledger cannot be used, as far as its folder tells."""
    if not home.is_dir():
        return _gone(home)
    full = _full(home)
    if full:
        return full
    try:
        probe = home / ".levqor-tray-writes"
        probe.touch()
        probe.unlink()
    except OSError:
        fix = f"Let your user write in {home}; Levqor goes on by itself."
        return SourceFault(Missing.HOME_READ_ONLY, "The ledger's folder is read-only", fix)
    return None


def _full(home: Path) -> SourceFault | None:
    try:
        room = shutil.disk_usage(home).free
    except OSError:
        return None  # not made yet; one that has gone was told before
    if room >= _FULL_BYTES:
        return None
    fix = f"Make room on the disk that holds {home}; Levqor goes on by itself."
    return SourceFault(Missing.DISK_FULL, "The disk with the ledger is full", fix)


def _gone(home: Path) -> SourceFault:
    fix = f"Bring {home} back, or start levqor-tray with another --home."
    return SourceFault(Missing.HOME_GONE, "The home folder is gone", fix)


def _slow() -> SourceFault:
    fix = "Levqor tries again by itself; if it stays so, run: levqor doctor"
    return SourceFault(Missing.SLOW, "The checks did not end in time", fix)


def _no_core(problem: OSError) -> SourceFault:
    fix = "If Levqor was moved or updated: start levqor-tray again."
    words = f"Levqor's core cannot be started: {problem.strerror}"
    return SourceFault(Missing.STRANGE, words, fix)


def _strange() -> SourceFault:
    return SourceFault(
        Missing.STRANGE, "Levqor's core gave no answer that can be read", "Run: levqor doctor"
    )
