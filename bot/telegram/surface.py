"""Telegram as one of the bot's surfaces: meeting it, taking messages, letting go."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from telegram.error import InvalidToken, TelegramError

from bot.runtime import Hook
from bot.telegram import pulse as words
from bot.telegram import webhook
from bot.telegram.api import Flood, connect
from bot.telegram.desk import SPELLING, Desk
from bot.telegram.intake import Intake
from bot.telegram.menus import Menus
from bot.telegram.pace import Pace
from bot.telegram.polling import Polling
from bot.telegram.pulse import Pulse
from bot.telegram.runs import Runs
from bot.telegram.settings import NAME, TOKEN, TelegramSettings
from bot.telegram.voice import Voice
from core.backoff import backoffs
from core.errors import LevqorError, NotConfigured
from core.network import NoRoute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.runtime import Bot, HookAnswer, HookRequest
    from bot.telegram.api import Api
    from core.settings import Settings

# What is still being said when the bot stops; what is not said then, the next start says.
LAST_WORDS = 3.0
POLL_ENDS = 4.0


class Telegram:
    """People in Telegram, met by polling or through a webhook."""

    name = NAME

    def __init__(self, settings: Settings, pace: Pace | None = None) -> None:
        self._own = settings.of(TelegramSettings)
        self._pace = pace or Pace()
        self._settings = settings
        token = self._own.bot_token
        self._seal = webhook.Seal(
            settings.home, token.get_secret_value().partition(":")[0] if token else ""
        )
        self._api: Api | None = None
        self._intake: Intake | None = None
        self._polling: Polling | None = None
        self._poll: asyncio.Task[None] | None = None

    def hooks(self) -> Sequence[Hook]:
        """Where Telegram posts, with a webhook."""
        if self._own.mode != "webhook":
            return ()
        return (Hook(self._seal.path, self._seal.authentic, self._posted, refused=403),)

    async def start(self, bot: Bot) -> None:
        """Meet Telegram, however long that takes, and take messages."""
        pulse = Pulse(bot, self.name, self._pace)
        api = await self._meet(pulse)
        me = api.bot
        if bot.ending:
            return
        with contextlib.suppress(LevqorError):  # the ledger's trouble is told elsewhere
            if not await bot.read(bot.engine.ledger.paired, self.name):
                home = bot.settings.home
                bot.print_status(
                    f"telegram: nobody is paired yet; run: levqor --home {home} pair telegram"
                )
        voice = Voice(api)
        runs = Runs(bot, voice, self.name, me.id)
        menus = Menus(bot, api, self.name, SPELLING)
        self._intake = Intake(bot, Desk(bot, voice, runs, menus), runs, pulse, me)
        runs.teller.start()
        runs.owing.start()
        if self._own.mode == "webhook":
            hook = webhook.Webhook(api, pulse, self._seal, self._own.webhook_url or "", self._pace)
            bot.spawn(hook.run(), name="telegram webhook")
        else:
            self._polling = Polling(
                bot, api, self._intake, pulse,
                ours=self._seal.ours, how=f"as @{me.username}", pace=self._pace,
            )  # fmt: skip
            self._poll = bot.spawn(self._polling.run(), name="telegram polling")
        bot.spawn(pulse.beat(), name="telegram pulse")
        bot.spawn(_keep(menus, self._pace.menus), name="telegram menus")

    async def pause(self) -> None:
        """Take no more messages; they wait at Telegram."""
        if self._polling is not None and self._poll is not None:
            self._polling.stop()
            await asyncio.wait({self._poll}, timeout=POLL_ENDS)

    async def stop(self) -> None:
        """Let the last answers out and close the connections."""
        if self._intake is not None and self._intake.working:
            await asyncio.wait(tuple(self._intake.working), timeout=LAST_WORDS)
        if self._api is not None:
            await self._api.shutdown()

    async def _posted(self, request: HookRequest) -> HookAnswer:
        return await webhook.answer(request, self._intake)

    async def _meet(self, pulse: Pulse) -> Api:
        """Ask who the bot is; raises NotConfigured where the token is refused."""
        for wait in backoffs(self._pace.pause, self._pace.longest):
            try:
                self._api = api = self._api or connect(self._settings)
                await api.initialize()
            except NoRoute as problem:
                await pulse.bad(words.Verdict(problem.words, problem.fix))
                await asyncio.sleep(wait)
            except InvalidToken:
                raise NotConfigured(
                    f"Telegram refuses {TOKEN}.",
                    settings=[TOKEN],
                    fix="Copy the token from @BotFather (/mybots, API Token), or set "
                    "LEVQOR_TELEGRAM=off.",
                ) from None
            except Flood as flood:
                await pulse.flooded(flood.seconds)
                await asyncio.sleep(flood.seconds)
            except TelegramError as error:
                await pulse.bad(words.trouble(error))
                await asyncio.sleep(wait)
            else:
                return api
        raise AssertionError("the waits never end")


async def _keep(menus: Menus, seconds: float) -> None:
    while True:
        # A menu is a convenience; the ledger's trouble is told elsewhere.
        with contextlib.suppress(LevqorError):
            await menus.refresh()
        await asyncio.sleep(seconds)
