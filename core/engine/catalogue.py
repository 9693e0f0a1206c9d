"""Which actions there are, by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.contract import nearest
from core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.contract import Action, Connector


class Catalogue:
    """The connectors' actions; `ids` are in menu order."""

    def __init__(self, connectors: Iterable[Connector]) -> None:
        self._found = {c.action_id(a): (c, a) for c in connectors for a in c.actions}
        self.ids = tuple(self._found)

    def find(self, action_id: str) -> tuple[Connector, Action]:
        """Look an action up; raises NotFound with the nearest name."""
        if action_id in self._found:
            return self._found[action_id]
        near = nearest(action_id, self.ids)
        raise NotFound(
            "There is no such action.",
            fix=f"Did you mean {near}?" if near else f"The actions are {', '.join(self.ids)}.",
        )
