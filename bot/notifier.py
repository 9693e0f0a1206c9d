"""Whoever asked gets an answer, also where the bot died in between."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from bot.runtime import Bot, step
from core.backoff import backoffs
from core.callers import Caller
from core.engine import Accepted, Settled
from core.errors import LevqorError
from core.ledger import Owed
from core.ledger.owed import PRESS, SIGNED_IN, WITHDRAWN
from core.signing_in import was_used

# Writing an answer down: its asker waits for a confirmation meanwhile, and so do others.
PATIENCE = 2.0
# Who cannot be told something now is told it later.
LONGEST_WAIT = 300.0

# Where to answer, as a surface writes it down.
ReplyTo = dict[str, Any]


class Notifier:
    """Notifies a surface's askers of how their runs ended, each at least once.

    It also keeps the answers that belong to no run and are not out yet, so that the next bot
    gives them if this one ends first. `outcome` is handed where to answer and how a run ended,
    `lost` where to answer and the kind of an answer that a dead bot left, `direct` whom to tell
    something in private, and what; all raise what they like where nobody can be reached.
    """

    def __init__(
        self,
        bot: Bot,
        surface: str,
        *,
        outcome: Callable[[ReplyTo, Settled], Awaitable[None]],
        lost: Callable[[ReplyTo, str], Awaitable[None]],
        direct: Callable[[Caller, str], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._ledger = bot.engine.ledger
        self._surface = surface
        self._outcome = outcome
        self._lost = lost
        self._direct = direct
        self._look = asyncio.Event()
        self._answered: set[str] = set()

    def start(self) -> None:
        """Give the answers a dead bot left, and tell what is to be told, now and later."""
        self._bot.on_owed.append(self._look.set)
        self._bot.spawn(self._catch_up(), name=f"{self._surface} notifier")

    def follow(self, accepted: Accepted, reply_to: ReplyTo) -> asyncio.Task[None]:
        """Send an accepted run and notify its asker, in the background."""
        return self._spawn(self._follow(accepted, reply_to))

    async def notify(self, reply_to: ReplyTo, settled: Settled) -> None:
        """Notify one asker, then forget where to answer."""
        # Whether or not the message got through, saying it again would not help: the
        # run's id still finds the story.
        with contextlib.suppress(Exception):
            await self._outcome(reply_to, settled)
        with contextlib.suppress(LevqorError):
            await self._bot.call(self._ledger.mark_notified, settled.run)

    async def keep_answer(self, key: str, reply_to: ReplyTo, kind: str) -> None:
        """Write down that an answer is not out yet; raises LedgerError."""
        owed = Owed(key, kind, encoded(reply_to))
        await self._bot.call(self._ledger.owe, owed, self._surface, patience=PATIENCE)

    async def answered(self, key: str) -> None:
        """The answer is out, or nobody can be told any more."""
        self._answered.add(key)
        for each in tuple(self._answered):
            with contextlib.suppress(LevqorError):
                await self._bot.call(self._ledger.answered, each)
                self._answered.discard(each)

    def _spawn(self, job: Any) -> asyncio.Task[None]:
        return self._bot.spawn(job, name=f"{self._surface} notifier", asked=True)

    async def _follow(self, accepted: Accepted, reply_to: ReplyTo) -> None:
        await self.notify(reply_to, await self._bot.settle(accepted))

    async def _catch_up(self) -> None:
        engine, call = self._bot.engine, self._bot.call
        while True:
            # Side by side: one chat in a flood must not keep the others waiting.
            with step():
                for run in await call(self._ledger.claim_unnotified, self._surface):
                    reply_to = json.loads(run.reply_to or "{}")
                    self._spawn(self.notify(reply_to, engine.settled(run)))
                for owed in await call(self._ledger.owed, self._surface):
                    if owed.kind == SIGNED_IN:
                        # It may take hours: a stop leaves it to the next bot.
                        self._bot.spawn(self._tell(owed), name=f"{self._surface} notice")
                    else:
                        self._spawn(self._give(owed))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._ledger.store.look_seconds):
                    await self._look.wait()
            self._look.clear()

    async def _tell(self, owed: Owed) -> None:
        """Tell somebody that a link of theirs was used, for as long as its session may last."""
        how = json.loads(owed.reply_to)
        caller = Caller.parse(how["caller"])
        for wait in backoffs(longest=LONGEST_WAIT):
            try:
                text = was_used(self._bot.settings, caller, how["at"], how["browser"])
                await self._direct(caller, text)
                break
            except Exception:  # noqa: BLE001 - whoever cannot be reached now may be later
                if await self._bot.read(self._ledger.now) > how["until"]:
                    break
                await asyncio.sleep(wait)
        await self.answered(owed.key)

    async def _give(self, owed: Owed) -> None:
        kind = owed.kind
        # Whether or not it got through, saying it again would not help.
        with contextlib.suppress(Exception):
            if kind.startswith(PRESS):
                if not await self._bot.call(self._ledger.withdraw, owed.key):
                    return
                kind = WITHDRAWN
            # How a run ended is told by itself.
            if kind != WITHDRAWN or not await self._bot.call(self._ledger.keyed, owed.key):
                await self._lost(json.loads(owed.reply_to), kind)
        await self.answered(owed.key)


def encoded(reply_to: ReplyTo) -> str:
    """Where to answer, as the ledger keeps it until the asker was told."""
    return json.dumps(reply_to, separators=(",", ":"))
