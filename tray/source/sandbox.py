"""The sandbox as a source: `levqor sandbox` runs beside the tray for as long as it lives.

Run as a program it is that child: it ends when its parent does, however that dies. With
TEMPORARY first its home goes with it: a parent that was killed cannot take it away.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.home import temporary
from tray import desktop
from tray.source import SourceError
from tray.source.local import Local

COMMAND = (sys.executable, "-P", "-m", "tray.source.sandbox")
TEMPORARY = "--temporary-home"
_END_S = 5


@contextlib.contextmanager
def sandbox(home: Path | None) -> Iterator[tuple[Local, Path]]:
    """Start the sandbox, by itself; yield a source that reaches nothing else, and its home."""
    with contextlib.ExitStack() as stack:
        folder = home or temporary(stack)
        options = [] if home else [TEMPORARY]
        child = stack.enter_context(
            subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*COMMAND, *options, "--home", str(folder), "sandbox", "--output", "json"],
                # Closed when this process ends, however it does: the child ends with it.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        stack.callback(_end, child)
        answer: dict[str, Any] = {}
        lock = threading.Lock()

        def environment() -> dict[str, str]:
            """Point a child at the sandbox; waits until it is up. Raises SourceError."""
            with lock, contextlib.suppress(ValueError):
                answer.update(answer or json.loads(child.stdout.readline() if child.stdout else ""))
            if "settings" not in answer:
                # Without them a child would ask the real services.
                fix = answer.get("fix") or "Start levqor-tray again."
                words = answer.get("message") or "The sandbox did not start"
                raise SourceError(words, fix, before_it_left=True)
            return desktop.environment(answer["settings"])

        source = Local(folder, environment=environment, sandbox=True)
        stack.callback(source.close)
        yield source, folder


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(_END_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _follow_parent() -> None:
    # The parent never writes: this returns when its end of the pipe is closed.
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> int:
    from core.cli import main

    ends = TEMPORARY in sys.argv
    if ends:
        sys.argv.remove(TEMPORARY)
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        return main()
    finally:
        if ends:
            shutil.rmtree(sys.argv[sys.argv.index("--home") + 1], ignore_errors=True)


if __name__ == "__main__":
    sys.exit(_main())
