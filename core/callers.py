"""Who asks: a surface and an immutable id, and what they may do."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass

# The surface that knows people by a phone alone; they are let in by a one-time code.
PAIRED_SURFACE = "telegram"


@dataclass(frozen=True)
class Caller:
    """Someone who asks for a run, e.g. `slack:T1:U123`; compared by id, never by name.

    `surface` is where they ask, `id` what that surface knows them by. `known` is False
    for a caller without a token or an account (an address): logs call them `anon`.
    """

    surface: str
    id: str
    known: bool = True

    def __str__(self) -> str:
        return f"{self.surface}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Caller:
        """Read `surface:id`; raises ValueError where either part is missing."""
        surface, _, ident = text.strip().partition(":")
        if not surface or not ident:
            raise ValueError("a caller is written surface:id, e.g. telegram:42")
        return cls(surface, ident)


def os_user() -> str:
    """The name of the person this process runs as, from the system's own records.

    Not from the environment: `LOGNAME=root levqor ...` must not change who asks.
    """
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd

    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        # A container may run as a number that has no name.
        return str(uid)
