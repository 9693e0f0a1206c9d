"""`levqor pair NAME`: a one-time code for an interface whose platform vouches for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from core.cli import options
from core.cli.help import HelpCommand, HelpGroup
from core.reports import iso

if TYPE_CHECKING:
    from core.contract import Interface


class PairGroup(HelpGroup):
    """A command for each interface that pairs people; they are asked for once one is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the interfaces."""
        del ctx
        return list(_pairing())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make an interface's command."""
        del ctx
        interface = _pairing().get(cmd_name)
        if interface is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        words = f"Authorize one {interface.title} account with a code that works for ten minutes."
        app.command(cmd_name, cls=HelpCommand, help=words)(pair)
        return typer.main.get_command(app)


def _pairing() -> dict[str, Interface]:
    from core.interfaces import declared

    return {each.name: each for each in declared() if each.pairing}


def pair(ctx: typer.Context, output: options.Output = None) -> None:
    """Make a code for the interface that the command is named for."""
    session = options.session(ctx)
    interface = _pairing()[str(ctx.info_name)]
    pairing = interface.pairing
    assert pairing is not None  # noqa: S101 - the group names no other
    code, expires = session.ledger.pair_code(interface.name)
    link = pairing.link(session.settings.of(interface.settings), code)
    message = pairing.message.format(code=code)

    def draw() -> None:
        if link:
            session.out.line(f"Open this link in {interface.title}: {link}")
            session.out.line(f"or send your bot: {message}")
        else:
            session.out.line(f"Send your bot in {interface.title}: {message}")
        session.out.line("The code works once, within ten minutes.")

    session.out.answer({"code": code, "link": link, "expires_at": iso(expires)}, draw)
    session.print_home()
