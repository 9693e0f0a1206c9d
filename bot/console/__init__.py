"""The same commands typed into a terminal: no chat, no credentials needed.

The operating system says who types. A person is asked field by field where an action comes
without words, and before the same thing goes out twice within a minute; piped input is a
script, which is neither asked nor guarded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bot.declaration import SurfaceSpec
from core.callers import OS_USER

if TYPE_CHECKING:
    from bot.declaration import Startup
    from bot.runtime import Surface


def build(startup: Startup) -> Surface | None:
    """Make the console where it is asked for, or no chat is set up and somebody sits there."""
    if not startup.options.console and (startup.before or not sys.stdin.isatty()):
        return None
    from bot.console.surface import Console

    return Console(interactive=sys.stdin.isatty())


SURFACE = SurfaceSpec(
    name="console", title="Console", caller=OS_USER, command=lambda _, words: words, build=build
)
