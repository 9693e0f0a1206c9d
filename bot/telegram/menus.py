"""The menu beside the input field: what each paired person may use, and nobody else sees."""

import asyncio
import contextlib
from collections.abc import Awaitable

from telegram import BotCommand, BotCommandScopeChat
from telegram.constants import BotCommandLimit
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.commands import Spelling, questions
from bot.runtime import Bot, step
from bot.telegram.api import Api
from bot.telegram.settings import NAME
from core.callers import Caller
from core.errors import LevqorError

Menu = dict[str, str]

SPELLING = Spelling(
    action=lambda action_id: "/" + action_id.replace(".", "_").replace("-", "_"),
    question=lambda word: f"/{word}",
)


class Menus:
    """Keeps Telegram's menus as pairings and roles are; one that fails is tried again later."""

    def __init__(self, bot: Bot, api: Api) -> None:
        self._bot = bot
        self._api = api
        # Nothing where it is to be taken away.
        self._shown: dict[str, Menu] | None = None

    async def keep(self, seconds: float) -> None:
        """Refresh the menus from time to time; never returns."""
        while True:
            with step():
                await self._refresh()
            await asyncio.sleep(seconds)

    async def _refresh(self) -> None:
        ledger = self._bot.engine.ledger
        paired = set(await self._bot.call(ledger.paired, NAME))
        if self._shown is None:
            # Unknown users see no menu, and those unpaired while the bot was off none any more.
            if not await _done(self._api.delete_my_commands()):
                return
            callers = [each.caller.partition(":") for each in await self._bot.call(ledger.callers)]
            known = {ident for name, _, ident in callers if name == NAME}
            self._shown = {ident: {} for ident in known - paired}
        for ident in self._shown.keys() - paired:
            scope = BotCommandScopeChat(int(ident))
            if await _done(self._api.delete_my_commands(scope=scope)):
                del self._shown[ident]
        for ident in paired:
            menu = await self._menu(ident)
            if menu != self._shown.get(ident) and await self._show(ident, menu):
                self._shown[ident] = menu

    async def show(self, user: int) -> None:
        """Show the menu in one person's chat."""
        with contextlib.suppress(LevqorError):
            await self._show(str(user), await self._menu(str(user)))

    async def _menu(self, ident: str) -> Menu:
        """The commands that somebody may use, each with its line."""
        may, commands = self._bot.engine.authorization, self._bot.commands
        who = await self._bot.read(may.access, Caller(NAME, ident))
        offered = may.offered(who)
        menu = {SPELLING.action(i): a.title for i, _, a in commands.actions() if i in offered}
        return menu | {SPELLING.question(each.word): each.tells for each in questions(who)}

    async def _show(self, ident: str, menu: Menu) -> bool:
        """Show a menu; False where that may work another time."""
        listed = [
            BotCommand(name.lstrip("/"), text[: BotCommandLimit.MAX_DESCRIPTION])
            for name, text in menu.items()
        ]
        scope = BotCommandScopeChat(int(ident))
        return await _done(self._api.set_my_commands(listed, scope=scope))


async def _done(call: Awaitable[bool]) -> bool:
    try:
        await call
    except (BadRequest, Forbidden):
        # Somebody who never wrote to the bot, or does not want it any more.
        return True
    except TelegramError:
        return False
    return True
