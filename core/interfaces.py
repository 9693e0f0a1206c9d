"""The interfaces of this installation, which core knows by their declarations alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from core.callers import Local
from core.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Interface

# An entry-point group of this package: core imports nothing that is built upon it.
GROUP = "levqor.interfaces"


@cache
def declared() -> tuple[Interface, ...]:
    """Every interface, in order; raises NotConfigured where the installation is not whole.

    Without them nobody would know which settings are secret.
    """
    from importlib.metadata import distributions

    # A checkout may hold the description of an older installation, which would come first.
    points = (each.entry_points.select(group=GROUP) for each in distributions(name="levqor"))
    interfaces = tuple(each for point in next(filter(None, points), ()) for each in point.load())
    if not interfaces:
        raise NotConfigured(
            "This installation of Levqor does not say which interfaces it has.",
            fix="Install Levqor again; from its source: pip install -e .",
        )
    return interfaces


@cache
def titles() -> Mapping[str, str]:
    """Where runs may have been asked for, as data has it, and how people call it."""
    known: dict[str, str] = {}
    for each in declared():
        known[each.name] = each.title
        if each.pages:
            known[each.pages] = "Web console"
    return {**known, Local.CLI: "Terminal", Local.TRAY: "Tray"}


def called(name: str) -> str:
    """How people call an interface; one that is no more goes by its name."""
    return titles().get(name, name)
