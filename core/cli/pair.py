"""`levqor pair NAME`: a one-time code for an interface whose platform vouches for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from core.cli import options
from core.reports import iso

if TYPE_CHECKING:
    from core.contract import Interface


class PairGroup(TyperGroup):
    """A command for each interface that pairs people; they are asked for once one is named."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Name the interfaces."""
        del ctx
        return list(_pairing())

    def get_command(self, ctx: typer.Context, cmd_name: str) -> typer.core.TyperCommand | None:  # type: ignore[override]
        """Make an interface's command."""
        del ctx
        interface = _pairing().get(cmd_name)
        if interface is None:
            return None
        one = typer.Typer(add_completion=False, rich_markup_mode=self.rich_markup_mode)
        words = f"Let one {interface.title} account in, by a code good for ten minutes."
        one.command(cmd_name, help=words)(pair)
        return typer.main.get_command(one)  # type: ignore[return-value]


def _pairing() -> dict[str, Interface]:
    from core.interfaces import declared

    return {one.name: one for one in declared() if one.pairing}


def pair(ctx: typer.Context, output: options.Output = options.Format.TEXT) -> None:
    """Make a code for the interface that the command is named for."""
    asked = options.session(ctx)
    interface = _pairing()[str(ctx.info_name)]
    pairing = interface.pairing
    assert pairing is not None  # noqa: S101 - the group names no other
    code, expires = asked.ledger.pair_code(interface.name)
    link = pairing.link(asked.settings.of(interface.settings), code)
    message = pairing.message.format(code=code)

    def draw() -> None:
        if link:
            asked.out.line(f"Open this link in {interface.title}: {link}")
            asked.out.line(f"or send your bot: {message}")
        else:
            asked.out.line(f"Send your bot in {interface.title}: {message}")
        asked.out.line("The code works once, within ten minutes.")

    asked.out.answer({"code": code, "link": link, "expires_at": iso(expires)}, draw)
    asked.say_home()
