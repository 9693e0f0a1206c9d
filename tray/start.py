"""Where `levqor-tray` begins: says what to install where the tray's libraries are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import streams

if TYPE_CHECKING:
    from collections.abc import Sequence

# What `.[tray]` brings and the rest of Levqor does without.
LIBRARIES = ("PIL", "pystray")
EXIT_NO_DESKTOP = 3


def main(args: Sequence[str] | None = None) -> int:
    """Run the tray; 3 where `.[tray]` was not installed, else what tray.app.main returns."""
    # Before the libraries, which connect to the display.
    streams.hold()
    try:
        from tray.app import main as run
    except ModuleNotFoundError as missing:
        if missing.name not in LIBRARIES:
            raise
        streams.tell(
            "levqor-tray: the tray's libraries are missing. Install them with: "
            "pip install 'levqor[tray]', or in a checkout: pip install '.[tray]'"
        )
        return EXIT_NO_DESKTOP
    try:
        return run(args)
    finally:
        streams.flush()
