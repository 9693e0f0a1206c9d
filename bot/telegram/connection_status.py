"""How the Telegram interface is doing, for health: measured by answers that came."""

import asyncio
import time
from urllib.parse import urlsplit

from telegram.error import InvalidToken, TelegramError

from bot.runtime import Bot, Verdict, step
from bot.telegram.api import InvalidAnswer
from bot.telegram.settings import NAME, Timing
from core.plain import agreeing, counted
from core.wording import wait

UNREACHABLE = Verdict("cannot reach Telegram", "Check this machine's network; Levqor keeps trying.")
INVALID_ANSWERS = Verdict(
    "gets answers that are not Telegram's",
    "Check what answers in Telegram's place: a proxy (HTTPS_PROXY), a firewall, or the address "
    "in TELEGRAM_API_URL. Levqor keeps trying.",
)
STALLED = Verdict(
    "has heard nothing from Telegram for more than a minute",
    "Check this machine's network; if it works, start levqor-bot again.",
)
OTHER_POLLER = Verdict(
    "another program reads messages with the same bot token, and each gets only some",
    "Stop the other program, or give each its own bot from @BotFather.",
)
REVOKED = Verdict(
    "Telegram refuses the bot's token: it was revoked",
    "Get the new one from @BotFather (/token), set TELEGRAM_BOT_TOKEN and start levqor-bot again.",
)
LEDGER = Verdict(
    "cannot take every message, because the database cannot be used; they wait at Telegram",
    "See what is wrong with: levqor doctor",
)
STUMBLED = Verdict(
    "made a mistake of its own while reading messages, and tries again",
    "If it stays, start levqor-bot again and report it.",
)
TAKEN = Verdict(
    "another program gets this bot's messages now",
    "Stop the other program, then start levqor-bot again.",
)
BAD_ADDRESS = Verdict(
    "Telegram does not take the address in TELEGRAM_WEBHOOK_URL",
    "It must be a public https address on port 443, 80, 88 or 8443; or set LEVQOR_TELEGRAM=poll.",
)


def of_error(error: TelegramError) -> Verdict:
    """What it means that Telegram did not do what it was asked."""
    if isinstance(error, InvalidToken):
        return REVOKED
    return INVALID_ANSWERS if isinstance(error, InvalidAnswer) else UNREACHABLE


def foreign_webhook(url: str) -> Verdict:
    """Another program has set a webhook; its path may be a secret."""
    host = urlsplit(url).hostname or "somewhere else"
    return Verdict(
        f"this bot's messages go to a webhook at {host}, and Levqor leaves that alone",
        "If nothing there needs it, remove it with Telegram's deleteWebhook; else give Levqor "
        "a bot of its own from @BotFather.",
    )


def undelivered(host: str) -> Verdict:
    """Telegram cannot reach our own webhook."""
    return Verdict(
        f"Telegram could not deliver messages to {host} lately",
        f"Check that https://{host} leads to this levqor-bot, with a valid certificate.",
    )


class ConnectionStatus:
    """Reports verdicts to health; a good answer is a sign of life, written down at times."""

    def __init__(self, bot: Bot, timing: Timing) -> None:
        self._bot = bot
        self._timing = timing
        self._answered = 0.0
        self._verdict = UNREACHABLE
        self._conflict_until = 0.0
        self._skipped = 0
        self._how = ""

    async def good(self, how: str | None = None) -> None:
        """Telegram answered as it should; `how` tells the way, e.g. as @name."""
        self._how = how or self._how
        self._answered = time.monotonic()
        if self._answered < self._conflict_until:
            return
        skipped = ""
        if self._skipped:
            were = agreeing(self._skipped, "was", "were")
            skipped = f"; {counted(self._skipped, 'message')} it could not read {were} skipped"
        await self._report(Verdict(f"takes messages {self._how}{skipped}", ok=True))

    async def standing_by(self) -> None:
        """Another bot on this database polls, and this one would follow it."""
        self._answered, self._conflict_until = time.monotonic(), 0.0
        await self._report(Verdict("stands by: another bot takes the messages", ok=True))

    async def flooded(self, seconds: float) -> None:
        """Telegram wants us to wait; a wait as short as a poll is no news."""
        if seconds > self._timing.poll:
            words = "must wait because Telegram asks it to; messages wait there too"
            await self.bad(Verdict(words, f"Do nothing: it goes on in {wait(seconds)}."))

    async def bad(self, verdict: Verdict) -> None:
        """Something is wrong."""
        if verdict is OTHER_POLLER:
            self._conflict_until = time.monotonic() + self._timing.peace
        await self._report(verdict)

    def skipped(self) -> None:
        """An update could not be read."""
        self._skipped += 1

    async def beat(self) -> None:
        """Write the signs of life down, and say so when they stop."""
        while True:
            await asyncio.sleep(self._timing.beat)
            with step():
                if self._verdict.ok and time.monotonic() - self._answered > self._timing.stalled:
                    await self.bad(STALLED)
                else:
                    await self._bot.verdicts.write(NAME, self._verdict)

    async def _report(self, verdict: Verdict) -> None:
        self._verdict = verdict
        await self._bot.inbound(NAME, verdict.words, verdict.fix, ok=verdict.ok)
