"""The menu beside the input field: every command, shown to paired people alone."""

import asyncio
import contextlib
from collections.abc import Awaitable

from telegram import BotCommand, BotCommandScopeChat
from telegram.constants import BotCommandLimit
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.commands import QUESTIONS, Spelling
from bot.runtime import Bot
from bot.telegram.api import Api
from bot.telegram.settings import NAME
from core.errors import LevqorError

SPELLING = Spelling(
    action=lambda action_id: "/" + action_id.replace(".", "_").replace("-", "_"),
    question=lambda word: f"/{word}",
)


class Menus:
    """Keeps Telegram's menus as the pairings are; one that fails is tried again later."""

    def __init__(self, bot: Bot, api: Api) -> None:
        self._bot = bot
        self._api = api
        self._shown: set[str] | None = None

    async def keep(self, seconds: float) -> None:
        """Refresh the menus from time to time; never returns."""
        while True:
            # A menu is a convenience; the ledger's trouble is told elsewhere.
            with contextlib.suppress(LevqorError):
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
            self._shown = {ident for name, _, ident in callers if name == NAME} - paired
        for ident in self._shown - paired:
            scope = BotCommandScopeChat(int(ident))
            if await _done(self._api.delete_my_commands(scope=scope)):
                self._shown.discard(ident)
        for ident in paired - self._shown:
            if await self.show(int(ident)):
                self._shown.add(ident)

    async def show(self, user: int) -> bool:
        """Show the menu in one person's chat; False where that may work another time."""
        commands = self._bot.commands
        texts = {SPELLING.action(i): action.title for i, _, action in commands.actions()}
        texts |= {SPELLING.question(each.word): each.tells for each in QUESTIONS}
        menu = [
            BotCommand(name.lstrip("/"), text[: BotCommandLimit.MAX_DESCRIPTION])
            for name, text in texts.items()
        ]
        return await _done(self._api.set_my_commands(menu, scope=BotCommandScopeChat(user)))


async def _done(call: Awaitable[bool]) -> bool:
    try:
        await call
    except (BadRequest, Forbidden):
        # Somebody who never wrote to the bot, or does not want it any more.
        return True
    except TelegramError:
        return False
    return True
