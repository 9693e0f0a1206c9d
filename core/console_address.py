"""Where the web console is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.reports import InboundHealth
    from core.settings import Settings


def console_address(settings: Settings, inbound: Mapping[str, InboundHealth]) -> str | None:
    """Where a bot shows the web console, by how its interfaces are doing; None where none does."""
    for interface in settings.interfaces:
        serving = inbound.get(interface.name)
        if interface.console is not None and serving is not None and serving.ok:
            return interface.console(settings.of(interface.settings), serving.verdict)
    return None


def run_page(settings: Settings, run: str) -> str | None:
    """A run's page, where people elsewhere reach the console by an address that somebody set."""
    for interface in settings.interfaces:
        # Not the one that a bot listens on: it is no address to anybody who reads this elsewhere.
        if interface.console and (
            address := interface.console(settings.of(interface.settings), "")
        ):
            return f"{address}/runs/{run}"
    return None
