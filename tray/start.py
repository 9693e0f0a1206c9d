"""Where `levqor-tray` begins: says what to install where the tray's libraries are missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What `.[tray]` brings and the rest of Levqor does without.
LIBRARIES = ("PIL", "pystray")
EXIT_NO_DESKTOP = 3


def main(args: Sequence[str] | None = None) -> int:
    """Run the tray; 3 where `.[tray]` was not installed, else what tray.app.main returns."""
    try:
        from tray.app import main as run
    except ModuleNotFoundError as missing:
        if missing.name not in LIBRARIES:
            raise
        print(  # noqa: T201 - a program speaks here
            "levqor-tray: the tray's libraries are missing. Install them with: "
            "pip install 'levqor[tray]', or in a checkout: pip install '.[tray]'",
            file=sys.stderr,
        )
        return EXIT_NO_DESKTOP
    return run(args)
