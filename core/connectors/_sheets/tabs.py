"""Which of a spreadsheet's tabs a range means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.connectors._sheets.ranges import cells_of, quote_tab, tab_of
from core.contract import folded, listed

if TYPE_CHECKING:
    from collections.abc import Sequence


class NoTab(ValueError):
    """No tab goes by the name that the range holds."""


class Unclear(ValueError):
    """A range that means two things: `what` they are, and `how` each is written."""

    def __init__(self, what: str, how: str) -> None:
        self.what, self.how = what, how
        super().__init__(f"{what}: {how}")


def in_tabs(place: str, tabs: Sequence[str]) -> str:
    """Return a range with the name of its tab as the spreadsheet has it.

    Names are compared as people see them; one that is written exactly so is that one. Raises
    NoTab, and Unclear where the range could be a tab as well as cells, or either of two tabs.
    """
    tab = tab_of(place)
    alike = [name for name in tabs if folded(name) == folded(place if tab is None else tab)]
    if tab is None and cells_of(place):
        # "range=Q3 plan!A1" without quotes leaves Q3, and the rest to the rows.
        begun = [name for name in tabs if folded(name).startswith(f"{folded(place)} ")]
        if maybe := [*alike, *begun]:
            raise _tab_or_cells(place, maybe[0], tabs[0])
        return place
    if tab is None and not alike:
        return place  # a named range
    wanted = place if tab is None else tab
    if not alike:
        raise NoTab(wanted)
    if wanted not in alike and len(alike) > 1:
        raise _either(place, alike)
    return _at(wanted if wanted in alike else alike[0], cells_of(place))


def _tab_or_cells(place: str, tab: str, first: str) -> Unclear:
    as_tab, as_cells = listed([quote_tab(tab)]), listed([_at(first, place)])
    return Unclear(
        f"could be the tab {as_tab} or {place} in the first tab",
        f'write "{as_tab}" for the tab, or "{as_cells}" for the other',
    )


def _either(place: str, alike: Sequence[str]) -> Unclear:
    ways = [f'"{_at(tab, cells_of(place))}"' for tab in alike]
    return Unclear(
        f"could be any of the tabs {listed(map(quote_tab, alike))}",
        f"write the name of one exactly: {listed(ways)}",
    )


def _at(tab: str, cells: str | None) -> str:
    return quote_tab(tab) if cells is None else f"{quote_tab(tab)}!{cells}"
