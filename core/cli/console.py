"""`levqor open`: a link that signs its reader in to the web console."""

from __future__ import annotations

import typer

from core.cli import options
from core.errors import NotConfigured
from core.health import inbounds
from core.reports import iso


def open_console(ctx: typer.Context, output: options.Output = None) -> None:
    """Make a link that signs you in to the web console, once, within ten minutes."""
    session = options.session(ctx)
    interface = next((each for each in session.settings.interfaces if each.console), None)
    if interface is None or interface.console is None:
        raise NotConfigured("This installation of Levqor has no web console.")
    base = interface.console(session.settings.of(interface.settings))
    code, expires = session.ledger.sign_in_code(str(session.caller))
    link = f"{base}/sign-in/{code}"
    serving = inbounds(session.ledger).get(interface.name)

    def draw() -> None:
        session.out.line(f"Open this link in a browser: {link}")
        session.out.line(f"It signs in {session.caller}, once, within ten minutes.")
        if serving is None or not serving.ok:
            session.out.note("No bot shows the web console now. Start one with: levqor-bot")

    session.answer({"link": link, "caller": str(session.caller), "expires_at": iso(expires)}, draw)
