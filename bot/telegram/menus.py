"""The menu beside the input field: every command, shown to paired people alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import BotCommand, BotCommandScopeChat
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.commands import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.commands import Spelling
    from bot.runtime import Bot
    from bot.telegram.api import Api

# core.telegram.org/bots/api#botcommand
DESCRIPTION = 256


class Menus:
    """Keeps Telegram's menus as the pairings are; one that fails is tried again later."""

    def __init__(self, bot: Bot, api: Api, surface: str, spelling: Spelling) -> None:
        self._bot = bot
        self._api = api
        self._surface = surface
        self._spelling = spelling
        self._shown: set[str] | None = None

    def commands(self) -> list[BotCommand]:
        """Every action and question, in the order of the help."""
        spelling = self._spelling
        told = [(spelling.action(i), action.title) for i, _, action in self._bot.commands.actions()]
        told += [(spelling.question(each.word), each.tells) for each in QUESTIONS]
        return [BotCommand(name.lstrip("/"), text[:DESCRIPTION]) for name, text in told]

    async def refresh(self) -> None:
        """Show the menu to everyone who is paired, take it from those who are not."""
        ledger = self._bot.engine.ledger
        paired = set(await self._bot.call(ledger.paired, self._surface))
        if self._shown is None:
            # Unknown users see no menu, and those unpaired while the bot was off none any more.
            if not await self._forget(None):
                return
            prefix = f"{self._surface}:"
            people = await self._bot.call(ledger.callers)
            known = {
                one.caller.removeprefix(prefix) for one in people if one.caller.startswith(prefix)
            }
            self._shown = known - paired
        for ident in self._shown - paired:
            if await self._forget(ident):
                self._shown.discard(ident)
        for ident in paired - self._shown:
            if await self.show(int(ident)):
                self._shown.add(ident)

    async def show(self, user: int) -> bool:
        """Show the menu in one person's chat; False where that may work another time."""
        scope = BotCommandScopeChat(user)
        return await _done(self._api.set_my_commands(self.commands(), scope=scope))

    async def _forget(self, ident: str | None) -> bool:
        scope = BotCommandScopeChat(int(ident)) if ident else None
        return await _done(self._api.delete_my_commands(scope=scope))


async def _done(call: Awaitable[bool]) -> bool:
    try:
        await call
    except (BadRequest, Forbidden):
        # Somebody who never wrote to the bot, or does not want it any more.
        return True
    except TelegramError:
        return False
    return True
