"""Scopes: what a token may send, where to, and what it may read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from core.callers import LABEL
from core.contract import nearest
from core.errors import Fault, InvalidInput
from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

EVERY_ACTION = "*"


class Read(StrEnum):
    """What a token reads only if its scope says so."""

    METRICS = "metrics"
    USAGE = "usage"
    LIVE = "live"
    OPENAPI = "openapi"
    OPEN = "open"

    @property
    def what(self) -> str:
        """How lists show it."""
        return _TITLES[self]


_TITLES = {
    Read.METRICS: "metrics",
    Read.USAGE: "everybody's usage",
    Read.LIVE: "live checks",
    Read.OPENAPI: "the API's description",
    Read.OPEN: "sign-in links",
}


@dataclass(frozen=True)
class Scope:
    """What may be sent and read: `ACTION`, `ACTION@TARGET`, `*` for every action, reads.

    A word that nobody knows (of another release) allows nothing.
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """The scope that `str` gave."""
        return cls(tuple(text.split(",")))

    @classmethod
    def parse(cls, text: str, actions: Collection[str]) -> Self:
        """Read what a person typed; raises InvalidInput with every fault."""
        scope = cls(tuple(dict.fromkeys(word.strip() for word in text.split(","))))
        known = (EVERY_ACTION, *actions, *Read)
        if not any(scope.words):
            nothing = Fault("only", f"names nothing: choose from {', '.join(known)}")
            raise InvalidInput([nothing], "That cannot be a scope.")
        faults = [said for word in scope.words if (said := _fault(word, known, actions))]
        faults += [
            f"{word} is allowed by {wider} already: leave one of them out"
            for word in scope.words
            for wider in (EVERY_ACTION, word.partition("@")[0])
            if wider != word and wider in scope.words and word not in tuple(Read)
        ]
        if faults:
            raise InvalidInput([Fault("only", said) for said in faults], "That cannot be a scope.")
        return scope

    def __str__(self) -> str:
        return ",".join(self.words)

    def sends(self, action: str) -> bool:
        """Whether an action may be sent anywhere."""
        return not {EVERY_ACTION, action}.isdisjoint(self.words)

    def targets(self, action: str) -> tuple[str, ...]:
        """The targets to which alone an action may be sent."""
        if self.sends(action):
            return ()
        return tuple(target for each, target in self.destinations() if each == action)

    def destinations(self) -> Iterable[tuple[str, str]]:
        """The actions that may be sent to one target, each with that."""
        parts = (word.partition("@") for word in self.words)
        return [(action, target) for action, at, target in parts if at]

    def reads(self, what: Read) -> bool:
        """Whether something may be read."""
        return what in self.words

    def offers(self, action: str) -> bool:
        """Whether an action may be sent at all."""
        return self.sends(action) or bool(self.targets(action))

    def describe(self) -> str:
        """The scope in words, for lists."""
        sent = ["every action"] if EVERY_ACTION in self.words else []
        sent += [word for word in self.words if word not in (EVERY_ACTION, *Read)]
        sent = [word.replace("@", " to ") for word in sent]
        read = [Read(word).what for word in self.words if word in tuple(Read)]
        parts = [f"sends {', '.join(sent)}"] if sent else []
        parts += [f"reads {', '.join(read)}"] if read else []
        return "; ".join(parts)


# What a new token may do that nobody has narrowed; what one of before scopes may; an admin's.
DEFAULT = Scope((EVERY_ACTION,))
BEFORE = Scope((EVERY_ACTION, Read.METRICS, Read.USAGE, Read.LIVE, Read.OPENAPI))
EVERYTHING = Scope((EVERY_ACTION, *Read))
# What needs no token: the role alone decides.
TOKENLESS = Scope((EVERY_ACTION, Read.LIVE, Read.OPENAPI))


def _fault(word: str, known: Collection[str], actions: Collection[str]) -> str | None:
    """What is wrong with one word of a scope."""
    if not word:
        return "names nothing between two commas"
    action, at, target = word.partition("@")
    if at and action in actions:
        return None if LABEL.fullmatch(target) else f"needs a target's name after {action}@"
    if not at and word in known:
        return None
    near = nearest(action, actions if at else known)
    meant = f"did you mean {near}{at}{target}?" if near else f"choose from {', '.join(known)}"
    return plain_line(f"{word[:80]} is no action and nothing to read: {meant}")
