"""The same commands typed into a terminal: no chat, no credentials needed.

The operating system says who types. A person is asked field by field where an action comes
without words, and before the same thing goes out twice within a minute; piped input is a
script, which is neither asked nor guarded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bot.console.surface import Console

if TYPE_CHECKING:
    from core.settings import Settings

__all__ = ["Console", "build"]


def build(settings: Settings) -> Console:
    """Make the console: interactive where standard input is a terminal."""
    del settings
    return Console(interactive=sys.stdin.isatty())
