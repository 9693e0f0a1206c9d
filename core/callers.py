"""Who asks: a surface and an immutable id, and what they may do."""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

# The interface whose callers are a token's label, or an address.
ADDRESSED_SURFACE = "http"
LOCAL = "127.0.0.1"

# The name of a token, a person or a target, and how to write one.
LABEL = re.compile(r"[a-z][a-z0-9-]{0,39}")
LABEL_SHAPE = "must be small letters, digits and dashes, a letter first, at most 40"


@dataclass(frozen=True)
class CallerShape:
    """How an interface's callers are written: the id's regular expression, and an example."""

    pattern: re.Pattern[str]
    example: str


OS_USER = CallerShape(re.compile(r"[^\s*?](.*[^\s*?])?"), "USER")


class Local(StrEnum):
    """Where this machine's own user asks `levqor`; nobody asks it in another's name."""

    CLI = "cli"
    TRAY = "tray"


# Those that core has without an interface's declaration.
_SHAPES: dict[str, CallerShape] = {
    ADDRESSED_SURFACE: CallerShape(LABEL, "LABEL"),
    Local.CLI: OS_USER,
    Local.TRAY: OS_USER,
}


@dataclass(frozen=True)
class Caller:
    """Someone who asks for a run, e.g. `slack:T1:U123`; compared by id, never by name.

    `surface` is where they ask, `id` what that surface knows them by. `known` is False
    for a caller without a token or an account (an address): logs call them `anon`.
    `credential` is the digest of what they came with, where that is still to be compared.
    `via` is where they ask now, where that is not the surface that knows them.
    """

    surface: str
    id: str
    known: bool = True
    credential: bytes | None = field(default=None, compare=False, repr=False)
    via: str | None = field(default=None, compare=False)

    @property
    def asks_on(self) -> str:
        """The surface on which they ask, as runs, the log and metrics have it."""
        return self.via or self.surface

    def __str__(self) -> str:
        return f"{self.surface}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> Caller:
        """Read `surface:id`; raises ValueError where either part is missing."""
        surface, _, ident = text.strip().partition(":")
        if not surface or not ident:
            raise ValueError("a caller is written surface:id, e.g. telegram:42")
        return cls(surface, ident)

    @classmethod
    def exact(cls, text: str, declared: Mapping[str, CallerShape]) -> Caller:
        """Read a caller who can exist; raises ValueError for a pattern or another shape.

        `declared` says how the callers of each interface are written.
        """
        shapes = {**declared, **_SHAPES}
        caller = cls.parse(text)
        if caller.surface not in shapes:
            known = ", ".join(f"{name}:{shape.example}" for name, shape in shapes.items())
            raise ValueError(f"callers are written {known}")
        if "*" in caller.id or "?" in caller.id:
            raise ValueError("names many callers; name one")
        shape = shapes[caller.surface]
        if shape.pattern.fullmatch(caller.id):
            return caller
        if caller.surface != ADDRESSED_SURFACE or not is_address(str(caller)):
            raise ValueError(
                f"callers of {caller.surface} are written {caller.surface}:{shape.example}"
            )
        counted = quota_address(caller.id)
        if "/" in caller.id and caller.id != counted:
            raise ValueError("names many addresses; name one")
        if caller.id != counted:
            raise ValueError(f"is counted as {caller.surface}:{counted}")
        return cls(caller.surface, caller.id, known=False)


def is_address(caller: str) -> bool:
    """Whether a caller is an address, or a network, and so nobody in particular."""
    surface, _, ident = caller.partition(":")
    if surface != ADDRESSED_SURFACE:
        return False
    try:
        ipaddress.ip_network(ident, strict=False)
    except ValueError:
        return False
    return True


def quota_address(address: str) -> str:
    """Return what a caller without a token is counted by.

    This machine's many loopback addresses are one caller, and so is an IPv6 network of 64
    bits: that is what one home or one server is given.
    """
    first, _, bits = address.partition("/")
    ip = parse_ip(first)
    if ip is None:
        return address
    if ip.is_loopback:
        return LOCAL
    if ip.version == 6 and bits in ("", "64"):
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def parse_ip(text: str) -> IP | None:
    """Read an address, without its zone; an IPv4 address inside an IPv6 one is that one."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def os_user(uid: int | None = None) -> str:
    """The name of a user, else of the one this process runs as, from the system's own records.

    Not from the environment: `LOGNAME=root levqor ...` must not change who asks.
    """
    if sys.platform == "win32":  # pragma: no cover - only Windows runs it
        return getpass.getuser()
    import pwd

    uid = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        # A container may run as a number that has no name.
        return str(uid)
