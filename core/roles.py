"""Roles: what somebody may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; each role also has what those before it have.

    A viewer sees health and their own runs, a sender sends, an admin sees everything and changes
    people, tokens, targets and plans.
    """

    NONE = "none"
    VIEWER = "viewer"
    SENDER = "sender"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether whoever has this role may do what the other one may."""
        return _ORDER.index(self) >= _ORDER.index(other)

    def at_most(self, other: Role) -> Role:
        """The narrower of two."""
        return other if self.includes(other) else self


_ORDER = tuple(Role)
