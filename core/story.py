"""One run's story: what became of it, in which attempts, who decided, and where its page is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import wording
from core.console_address import run_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.contract import Connector
    from core.engine import Engine, Settled
    from core.ledger import RunRecord
    from core.settings import Settings


def ended(
    settings: Settings, settled: Settled, connectors: Sequence[Connector] | None = None
) -> str:
    """Say how a run ended, and where its page is, if that is anywhere."""
    page = run_page(settings, settled.run)
    return "\n".join(filter(None, (wording.settled(settled, connectors), page)))


def story(engine: Engine, entry: RunRecord) -> str:
    """Tell it in lines."""
    page = run_page(engine.settings, entry.run)
    lines = (wording.why(entry, engine.connectors), *decided(engine, entry), page)
    return "\n".join(filter(None, lines))


def decided(engine: Engine, entry: RunRecord) -> Iterator[str]:
    """Say who said yes to a run that repeats another."""
    first = engine.ledger.repeated(entry)
    if first is not None:
        passed = entry.at - first.at
        ago = wording.span(passed) if passed >= 1 else "a moment"
        before = f"The same had gone out as run {first.run}, {ago} before"
        # Everybody is asked there, and nobody can answer for another.
        interfaces = engine.settings.interfaces
        asks = {each.name for each in interfaces if each.direct} | {i.pages for i in interfaces}
        asked = f"; {entry.caller} was asked, and said yes" if entry.surface in asks else ""
        yield f"{before}{asked}."
