"""`levqor-tray`: the icon, a source and the watch over it, tied together."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, streams
from core.errors import NotConfigured
from tray import NAME, desktop, formatting, preferences
from tray.actions import Actions
from tray.autostart import Autostart
from tray.backend import toolkit, window
from tray.poller import EVERY_S, Poller
from tray.source.local import Local
from tray.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tray.backend import Window
    from tray.source import Source

EXIT_WRONG, EXIT_NO_DESKTOP = 2, 3
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
    streams.hold()
    with streams.helping():
        given = _parser().parse_args(args)
    if said := desktop.ready_for_tls():
        _say(said)
    logging.basicConfig(format=f"{NAME}: %(message)s", level=logging.WARNING)
    try:
        with desktop.endings(), _source(given) as (source, places):
            return _run(given, source, places)
    except toolkit.NoDesktop as problem:
        _say(str(problem))
        return EXIT_NO_DESKTOP
    except OSError as problem:
        _say(f"{problem.filename or 'A file'}: {problem.strerror or problem}.\n{_NEEDS}")
        return EXIT_NO_DESKTOP
    except NotConfigured as problem:
        _say(f"{problem.message}\n{problem.fix}")
        return problem.exit
    except ValueError as problem:
        _say(str(problem))
        return EXIT_WRONG


def _run(given: argparse.Namespace, source: Source, places: desktop.Paths) -> int:
    only = desktop.SingleInstance(places)
    autostart = Autostart(_command(given))
    watch = Poller(
        source,
        State(
            time.time(),
            source.about,
            preferences=preferences.load(places.preferences),
            autostart=autostart.on,
            version=__version__,
            stale_after=max(6 * given.every, 120.0),
        ),
        every=given.every,
        only=only,
    )
    shown: Window = window(watch.menu, places.icons, watch.do)
    if not only.take():
        _say("it is running already; look at the corner of the screen")
        return 0
    try:
        _await_host(given.wait)
        clicks = Actions(watch, shown, places, autostart, desktop.open_file)

        def ready() -> None:
            watch.start(shown, clicks)
            watch.wait_checked(_FIRST_CHECK_S)
            _say(_UP)

        shown.run(ready)
    finally:
        watch.stop()
        only.release()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME, description="Connector health in the corner of the screen, and test sends."
    )
    parser.add_argument("--home", type=Path, metavar="DIR", help="the folder with levqor.db")
    parser.add_argument("--sandbox", action="store_true", help="use the built-in sandbox services")
    parser.add_argument(
        "--remote", metavar="URL", help="watch a Levqor elsewhere; token in LEVQOR_REMOTE_TOKEN"
    )
    parser.add_argument(
        "--every", type=_seconds, default=EVERY_S, metavar="SECONDS", help="between checks (300)"
    )
    parser.add_argument(
        "--wait", type=_seconds, default=_HOST_S, metavar="SECONDS", help="for a tray (10)"
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {__version__}")
    return parser


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= formatting.DAY:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {formatting.DAY}")


@contextlib.contextmanager
def _source(given: argparse.Namespace) -> Iterator[tuple[Source, desktop.Paths]]:
    """The source that was asked for, and where its tray keeps its own files."""
    source: Source
    if given.remote:
        from tray.source.remote import Remote

        source = Remote(given.remote, desktop.remote_token(), desktop.network())
        places = desktop.Paths(given.remote)
    elif given.sandbox:
        from tray.source.sandbox import sandbox

        with sandbox(given.home) as (source, folder):
            yield source, desktop.Paths(str(folder), folder)
        return
    else:
        home = desktop.home(given.home)
        source, places = Local(home), desktop.Paths(str(home))
    with contextlib.closing(source):
        yield source, places


def _await_host(seconds: float) -> None:
    """Wait for something that draws icons; raises NoDesktop after that many seconds."""
    ends = time.monotonic() + seconds
    while True:
        try:
            toolkit.require_host(desktop.hosts())
        except toolkit.NoDesktop as problem:
            if time.monotonic() >= ends:
                toolkit.say(str(problem))
                raise
            time.sleep(_HOST_POLL_S)
        else:
            return


def _command(given: argparse.Namespace) -> list[str]:
    """What starts this same tray at login."""
    script = Path(sys.argv[0])
    head = (
        [str(script.absolute())]
        if script.stem == NAME
        else [sys.executable, "-P", "-m", "tray.app"]
    )
    if given.remote:
        return [*head, "--remote", given.remote, "--wait", "120"]
    mode = ["--sandbox"] if given.sandbox else ["--home", str(desktop.home(given.home))]
    return [*head, *mode, "--wait", "120"]


def _say(text: str) -> None:
    streams.tell(f"{NAME}: {text}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        streams.flush()
