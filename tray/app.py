"""`levqor-tray`: the icon, a source and the poller over it, tied together."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, streams
from core.arguments import Parser, folder
from core.errors import LevqorError
from tray import NAME, desktop, formatting, preferences
from tray.actions import Actions
from tray.autostart import Autostart
from tray.backend import toolkit, window
from tray.poller import EVERY_S, Poller
from tray.source.local import Local
from tray.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tray.source.remote import Remote

EXIT_WRONG, EXIT_NO_DESKTOP = 2, 3
# What `.[tray]` brings and the rest of Levqor does without; loaded only where a window is made.
_LIBRARIES = ("PIL", "pystray")
# At login the panel may come up after us.
_HOST_S = 10.0
_HOST_POLL_S = 0.2
_NEEDS = (
    "The tray keeps its lock and its icons in your own folders: let your user write there, or set\n"
    "XDG_STATE_HOME and XDG_CACHE_HOME to folders where it may."
)
# Some panels (LXQt's) read the icon's title once, when it registers: by then it had better say
# how things are. A first check that takes longer is not waited for.
_FIRST_CHECK_S = 10.0
_UP = "the icon is in the corner of the screen; to end it: Quit in its menu, or Ctrl-C here"


def main(args: Sequence[str] | None = None) -> int:
    """Run the tray; returns the exit status: 0 done, 2 wrong options, 3 not set up for it."""
    # Before the libraries, which connect to the display.
    streams.open_closed()
    try:
        return _main(args)
    finally:
        streams.flush()


def _main(args: Sequence[str] | None) -> int:
    with streams.printing_help():
        options = _parser().parse_args(args)
    if not all(map(importlib.util.find_spec, _LIBRARIES)):
        _print(
            "the tray's libraries are missing. Install Levqor with its part for the tray: "
            "uv tool install 'levqor[tray]', or in a checkout: make run-tray"
        )
        return EXIT_NO_DESKTOP
    if warning := desktop.ready_for_tls():
        _print(warning)
    logging.basicConfig(format=f"{NAME}: %(message)s", level=logging.WARNING)
    try:
        with desktop.endings(), _source(options) as (source, paths, which):
            script = Path(sys.argv[0])
            module = [sys.executable, "-P", "-m", "tray.app"]
            program = [str(script.absolute())] if script.stem == NAME else module
            autostart = Autostart([*program, *which, "--wait", "120"])
            return _run(options, source, paths, autostart)
    except toolkit.NoDesktop as problem:
        _print(str(problem))
        return EXIT_NO_DESKTOP
    except OSError as problem:
        _print(f"{problem.filename or 'A file'}: {problem.strerror or problem}.\n{_NEEDS}")
        return EXIT_NO_DESKTOP
    except LevqorError as problem:
        _print(f"{problem.message}\n{problem.fix}")
        return problem.exit
    except ValueError as problem:
        _print(str(problem))
        return EXIT_WRONG


def _run(
    options: argparse.Namespace, source: Local | Remote, paths: desktop.Paths, autostart: Autostart
) -> int:
    instance = desktop.SingleInstance(paths)
    state = State(
        time.time(),
        source.info,
        preferences=preferences.load(paths.preferences),
        autostart=autostart.on,
        version=__version__,
        stale_after=max(6 * options.every, 120.0),
    )
    poller = Poller(source, state, instance, every=options.every)
    shown = window(poller.menu, paths.icons, poller.click)
    if not instance.take():
        _print("it is running already; look at the corner of the screen")
        return 0
    try:
        _wait_for_host(options.wait)

        def ready() -> None:
            poller.start(shown, Actions(poller, shown, paths, autostart, desktop.open_file))
            poller.checked.wait(_FIRST_CHECK_S)
            _print(_UP)

        shown.run(ready)
    finally:
        poller.stop()
        instance.release()
    return 0


def _parser() -> argparse.ArgumentParser:
    about = "The icon in the corner of the screen: which service is failing and how to fix it."
    parser = Parser(prog=NAME, description=about)
    add = parser.add_argument
    add("--home", type=folder, metavar="DIR", help="the folder with levqor.db")
    add("--sandbox", action="store_true", help="use the built-in sandbox services")
    remote = "show the Levqor of another computer; its token is in LEVQOR_REMOTE_TOKEN"
    add("--remote", metavar="URL", help=remote)
    every = "time between two checks (default: 300)"
    add("--every", type=_seconds, default=EVERY_S, metavar="SECONDS", help=every)
    wait = "how long to wait for the desktop's tray (default: 10)"
    add("--wait", type=_seconds, default=_HOST_S, metavar="SECONDS", help=wait)
    add("--version", action="version", version=f"{NAME} {__version__}")
    return parser


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= formatting.DAY:
            return float(text)
    most = formatting.DAY
    raise argparse.ArgumentTypeError(f"must be a number of seconds from 0 to {most}")


@contextlib.contextmanager
def _source(
    options: argparse.Namespace,
) -> Iterator[tuple[Local | Remote, desktop.Paths, list[str]]]:
    """The source that was asked for, where its tray keeps its files, and what names it again."""
    source: Local | Remote
    if options.sandbox and options.remote is None:
        from tray.source.sandbox import sandbox

        with sandbox(options.home) as (source, folder):
            yield source, desktop.Paths(str(folder), folder), ["--sandbox"]
        return
    if options.remote is not None:
        from tray.source.remote import Remote

        which = ["--remote", options.remote]
        source = Remote(options.remote, desktop.remote_token(), desktop.network())
    else:
        home = desktop.home(options.home)
        which, source = ["--home", str(home)], Local(home)
    with contextlib.closing(source):
        yield source, desktop.Paths(which[1]), which


def _wait_for_host(seconds: float) -> None:
    """Wait for something that draws icons; raises NoDesktop after that many seconds."""
    ends = time.monotonic() + seconds
    while True:
        try:
            return toolkit.require_host(desktop.hosts())
        except toolkit.NoDesktop as problem:
            if time.monotonic() >= ends:
                toolkit.notify(str(problem))
                raise
        time.sleep(_HOST_POLL_S)


def _print(text: str) -> None:
    streams.print_error(f"{NAME}: {text}")


if __name__ == "__main__":
    sys.exit(main())
