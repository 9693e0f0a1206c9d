"""One run's story: what became of it, in which attempts, and who decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.engine import Engine
    from core.ledger import RunRecord


def story(engine: Engine, entry: RunRecord) -> str:
    """Tell it in lines."""
    return "\n".join([wording.why(entry, engine.connectors), *decided(engine, entry)])


def decided(engine: Engine, entry: RunRecord) -> Iterator[str]:
    """Say who said yes to a run that repeats another."""
    first = engine.ledger.repeated(entry)
    if first is not None:
        ago = wording.span(entry.at - first.at)
        before = f"The same had gone out as run {first.run}, {ago} before"
        # Everybody is asked there, and nobody can answer for another.
        interfaces = engine.settings.interfaces
        asks = {each.name for each in interfaces if each.direct} | {i.pages for i in interfaces}
        asked = f"; {entry.caller} was asked, and said yes" if entry.surface in asks else ""
        yield f"{before}{asked}."
