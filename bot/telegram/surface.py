"""Telegram as one of the bot's surfaces: meeting it, taking messages, letting go."""

import asyncio
import contextlib
from collections.abc import Sequence
from shlex import quote

from telegram.error import InvalidToken, TelegramError

from bot.runtime import Bot, Hook, HookAnswer, HookRequest, Surface, Verdict
from bot.telegram import connection_status as verdicts
from bot.telegram import webhook
from bot.telegram.api import Api, Flood
from bot.telegram.connection_status import ConnectionStatus
from bot.telegram.handlers import Handlers
from bot.telegram.menus import Menus
from bot.telegram.polling import Polling
from bot.telegram.settings import NAME, TOKEN, TelegramSettings, Timing
from bot.telegram.update_handler import UpdateHandler
from core.backoff import backoffs
from core.errors import LevqorError, NotConfigured
from core.network import NoRoute
from core.settings import Settings

# What is still being said when the bot stops; what is not said then, the next start says.
LAST_WORDS = 3.0
POLL_ENDS = 4.0


class Telegram(Surface):
    """People in Telegram, met by polling or through a webhook."""

    name = NAME

    def __init__(self, settings: Settings, timing: Timing | None = None) -> None:
        self._own = settings.of(TelegramSettings)
        self._timing = timing or Timing()
        self._settings = settings
        self._secret = webhook.WebhookSecret(
            settings.home, self._own.token.partition(":")[0], settings.app.key_file
        )
        self._bot: Bot | None = None
        self._api: Api | None = None
        self._handler: UpdateHandler | None = None
        self._polling: Polling | None = None
        self._poll: asyncio.Task[None] | None = None

    def hooks(self) -> Sequence[Hook]:
        """Where Telegram posts, with a webhook."""
        if self._own.mode != "webhook":
            return ()
        return (Hook(self._secret.path, self._secret.authentic, self._posted, refused=403),)

    async def start(self, bot: Bot) -> None:
        """Meet Telegram, however long that takes, and take messages."""
        self._bot, status = bot, ConnectionStatus(bot, self._timing)
        api = await self._connect(status)
        if bot.ending:
            return
        with contextlib.suppress(LevqorError):  # the ledger's trouble is told elsewhere
            if not await bot.read(bot.engine.ledger.paired, NAME):
                pair = f"levqor --home {quote(str(bot.settings.home))} pair telegram"
                bot.print_status(f"telegram: nobody is paired yet; run: {pair}")
        menus = Menus(bot, api)
        handlers = Handlers(bot, api, menus)
        handlers.answers.notifier.start()
        self._handler = UpdateHandler(bot, api, handlers, status)
        if self._own.mode == "webhook":
            address = self._own.webhook_url or ""
            watching = webhook.watch(api, status, self._secret, address, self._timing)
            bot.spawn(watching, name="telegram webhook")
        else:
            self._polling = Polling(bot, api, self._handler, status, self._secret, self._timing)
            self._poll = bot.spawn(self._polling.run(), name="telegram polling")
        bot.spawn(status.beat(), name="telegram status")
        bot.spawn(menus.keep(self._timing.menus), name="telegram menus")

    async def pause(self) -> None:
        """Take no more messages; they wait at Telegram."""
        if self._polling is not None and self._poll is not None:
            self._polling.stop()
            await asyncio.wait({self._poll}, timeout=POLL_ENDS)

    async def stop(self) -> None:
        """Let the last answers out and close the connections."""
        if self._bot is not None:
            await self._bot.wait_replied(LAST_WORDS)
        if self._api is not None:
            await self._api.shutdown()

    async def _posted(self, request: HookRequest) -> HookAnswer:
        return await webhook.answer(request, self._handler)

    async def _connect(self, status: ConnectionStatus) -> Api:
        """Ask who the bot is; raises NotConfigured where the token is refused."""
        pauses = backoffs(self._timing.pause, self._timing.longest)
        while True:
            try:
                self._api = api = self._api or Api(self._settings)
                await api.initialize()
            except NoRoute as problem:
                await status.bad(Verdict(problem.words, problem.fix))
                await asyncio.sleep(next(pauses))
            except InvalidToken:
                raise NotConfigured(
                    f"Telegram refuses {TOKEN}.",
                    settings=[TOKEN],
                    fix="Copy the token from @BotFather (/mybots, API Token), or set "
                    "LEVQOR_TELEGRAM=off.",
                ) from None
            except Flood as flood:
                await status.flooded(flood.seconds)
                await asyncio.sleep(flood.seconds)
            except TelegramError as error:
                await status.bad(verdicts.of_error(error))
                await asyncio.sleep(next(pauses))
            else:
                return api
