"""The link that signs somebody in to the web console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotConfigured
from core.health import inbounds

if TYPE_CHECKING:
    from core.callers import Caller
    from core.ledger import Ledger
    from core.settings import Settings


def sign_in_link(settings: Settings, ledger: Ledger, caller: Caller) -> tuple[str, float]:
    """Make a link that signs a caller in to the web console: (link, when it expires).

    The time is in seconds since 1970. Raises NotConfigured where no bot shows the console.
    """
    for interface in settings.interfaces:
        if interface.console is None:
            continue
        serving = inbounds(ledger).get(interface.name)
        if serving is not None and serving.ok:
            code, expires = ledger.sign_in_code(str(caller))
            own = settings.of(interface.settings)
            return f"{interface.console(own)}/sign-in/{code}", expires
    raise NotConfigured(
        "No bot shows the web console now.", fix="Start one with: levqor-bot (without --no-http)"
    )
