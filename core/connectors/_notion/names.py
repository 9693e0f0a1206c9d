"""Columns and options, found by their names as people see them, or by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from core.contract import folded, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Names:
    """The names of one kind of thing; `ids` is name to id."""

    def __init__(self, kind: str, ids: Mapping[str, str]) -> None:
        """`kind` is what they name, in the plural."""
        self._kind, self.ids = kind, ids
        self._alike: dict[str, list[str]] = {}
        for name in ids:
            self._alike.setdefault(folded(name), []).append(name)

    def find(self, written: str) -> str | None:
        """Return the exact name; raises ValueError where several look like it."""
        found = self._alike.get(folded(written), [])
        if len(found) > 1:
            both = [f"{shown(name)} (id {listed([self.ids[name]])})" for name in found]
            raise ValueError(
                f"could be any of the {self._kind} {' and '.join(both)}: "
                "write the id of the one you mean in place of its name"
            )
        if found:
            return found[0]
        ids = ((name, ident) for name, ident in self.ids.items() if ident)
        return next((name for name, ident in ids if written in (ident, unquote(ident))), None)

    def hint(self, written: str, offered: Iterable[str]) -> str:
        """Say which name is nearest, and which there are."""
        near = nearest(written, self.ids)
        meant = f" (did you mean {shown(near)}?)" if near else ""
        return f"{meant}; the {self._kind} are: {listed(offered)}"


def shown(name: str) -> str:
    """A name in quotes, so that a blank at its end is seen."""
    return f"'{listed([name])}'"
