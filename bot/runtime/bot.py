"""What every surface of the bot shares: one engine, one event loop, one way to end."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ParamSpec, TypeVar

from bot.commands import Commands
from bot.runtime.pools import Kind, Pools
from bot.runtime.starting import Starter
from bot.runtime.verdicts import Verdict, Verdicts
from core import streams, wording
from core.callers import Caller
from core.engine import Accepted, Engine, Settled
from core.errors import InProgress, InternalError, LevqorError, Stopping
from core.plain import plain_text
from core.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

# How long a run waits for another program that holds the ledger, unless its surface is in more
# of a hurry.
PATIENCE = 10.0

# What is still out this long after the wish to stop becomes `unknown`.
GRACE = 15.0

# A caller who repeats a request that is still on its way had better wait this long.
IN_PROGRESS_RETRY = 5.0

log = logging.getLogger("levqor.bot")


@dataclass(frozen=True)
class End:
    """Why the process ends: its exit status and, for a failure, one line to a person."""

    status: int = 0
    line: str | None = None


class Bot:
    """The running process, as its surfaces see it. Made inside the event loop."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.on_acknowledged: list[Callable[[str, float], None]] = []
        self.on_owed: list[Callable[[], None]] = []
        self.ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._pools = Pools()
        self.starter = Starter(engine)
        # Answers on their way: a stop waits for them, for a while.
        self._answers: set[asyncio.Future[Any]] = set()
        self._jobs: set[asyncio.Task[Any]] = set()
        self.verdicts = Verdicts(
            engine.ledger, partial(self._on, "note"), say=self.print_status, spawn=self.spawn
        )

    @property
    def settings(self) -> Settings:
        """What is set now: an edited `.env` is read again while the bot runs."""
        return self.engine.settings

    @cached_property
    def commands(self) -> Commands:
        """What chat and console can ask for."""
        return Commands(self.engine, call=self.call, read=self.read)

    @property
    def ending(self) -> bool:
        """Whether the process is on its way out and nothing new may start."""
        return self.ended.done()

    def warm(self) -> None:
        """Be ready for a burst of what is to be acknowledged."""
        self._pools.warm("accept")

    async def call(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work (the ledger, the engine's checks) off the event loop."""
        return await self._on("call", partial(fn, *args, **kwargs))

    async def read(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read from the ledger off the event loop, also while every `call` waits to write."""
        return await self._on("read", partial(fn, *args, **kwargs))

    async def ask(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask a service something off the event loop; one that hangs holds up no other work."""
        return await self._on("ask", partial(fn, *args, **kwargs))

    async def accept(
        self,
        action_id: str,
        values: Mapping[str, Any],
        caller: Caller,
        *,
        patience: float = PATIENCE,
        hold: bool = False,
        **options: Any,
    ) -> Accepted:
        """Journal a run and have it sent, with `Engine.accept`'s options; raises its errors.

        Once this returns the request may be acknowledged: the run is in the ledger.
        `patience` begins now, the wait for a free thread included. With `hold` it is sent once
        `settle` is asked for its end.
        """
        accept = self._accepting(patience, action_id, values, caller, **options)

        def begin(tell: Callable[[Accepted], None]) -> None:
            accepted = accept()
            # Not by the event loop, which others wait for; who asked may have gone.
            if accepted.first and not hold:
                self.starter.add(accepted)
            tell(accepted)

        answer = self._expect(self._begun("accept", begin))
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            # Who asked has gone, the thread has not: what it accepts must still be sent.
            answer.add_done_callback(self._start_unattended)
            raise

    async def settle(self, accepted: Accepted) -> Settled:
        """Await the end of an accepted run; cancelling this never ends the run."""
        if accepted.settled is not None:
            return accepted.settled
        return await asyncio.shield(asyncio.wrap_future(self.starter.outcome(accepted)))

    async def run(
        self,
        action_id: str,
        values: Mapping[str, Any],
        caller: Caller,
        *,
        patience: float = PATIENCE,
        **options: Any,
    ) -> Settled:
        """Accept a run and await its end, for a surface that acknowledges nothing.

        Raises what `accept` raises, and InProgress for a redelivery whose first run is still out.
        """
        accept = self._accepting(patience, action_id, values, caller, **options)

        def begin(tell: Callable[[Settled], None]) -> None:
            out = self.engine.start(_not_out(accept()))
            out.add_done_callback(lambda ended: tell(ended.result()))

        return await asyncio.shield(self._expect(self._begun("run", begin)))

    def _accepting(
        self,
        patience: float,
        action_id: str,
        values: Mapping[str, Any],
        caller: Caller,
        **options: Any,
    ) -> Callable[[], Accepted]:
        """What journals a run, once a thread does it; raises Stopping."""
        if self.ending and options.get("key") is None:
            raise Stopping
        give_up = time.monotonic() + patience

        def accept() -> Accepted:
            remaining = max(0.0, give_up - time.monotonic())
            options["stopping"] = self.ending  # of what came before, the answer is there
            return self.engine.accept(action_id, values, caller, patience=remaining, **options)

        return accept

    def _begun(self, kind: Kind, begin: Callable[[Callable[[T], None]], None]) -> asyncio.Future[T]:
        """Have a thread begin something; what it tells, or some other thread does.

        It is not begun where this is cancelled before. The event loop is woken once.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def tell(how: Callable[[Any], object], what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the bot has ended, and nobody listens
                loop.call_soon_threadsafe(lambda: answer.done() or how(what))

        def work() -> None:
            if answer.cancelled():
                return
            try:
                begin(partial(tell, answer.set_result))
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                tell(answer.set_exception, error)

        self._pools.submit(kind, work)
        return answer

    async def _on(self, kind: Kind, work: Callable[[], T]) -> T:
        return await self._begun(kind, lambda tell: tell(work()))

    def _expect(self, answer: asyncio.Future[T]) -> asyncio.Future[T]:
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)
        return answer

    async def wait_replied(self, seconds: float) -> None:
        """Wait until everybody who had asked, and asks meanwhile, was told; at most so long."""
        until = time.monotonic() + seconds
        while self._answers and (remaining := until - time.monotonic()) > 0:
            await asyncio.wait(tuple(self._answers), timeout=remaining)

    def _start_unattended(self, answer: asyncio.Future[Accepted]) -> None:
        if not answer.cancelled() and answer.exception() is None and answer.result().first:
            self.engine.start(answer.result())

    def spawn(
        self, job: Coroutine[Any, Any, Any], *, name: str | None = None, asked: bool = False
    ) -> asyncio.Task[Any]:
        """Run a job in the background, logging errors by kind; a stop waits for `asked` ones."""
        task = asyncio.get_running_loop().create_task(job, name=name)
        if asked:
            self._expect(task)
        self._jobs.add(task)
        task.add_done_callback(self._job_done)
        return task

    def _job_done(self, task: asyncio.Task[Any]) -> None:
        self._jobs.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A background job (%s) failed: %s", task.get_name(), type(error).__name__)

    async def inbound(
        self, surface: str, verdict: str, fix: str | None = None, *, ok: bool = True
    ) -> None:
        """Report a surface's health in words; writes changes only."""
        await self.verdicts.change(surface, Verdict(verdict, fix, ok))

    def acknowledged(self, surface: str, seconds: float) -> None:
        """Count how long a platform waited for its acknowledgement."""
        for tell in self.on_acknowledged:
            tell(surface, seconds)

    def owed(self) -> None:
        """Have what somebody is owed looked for now, and not only from time to time."""
        for look in self.on_owed:
            look()

    def print_status(self, line: str) -> None:
        """Tell whoever watches the terminal; one line on standard error."""
        streams.print_error(plain_text(line))

    def end(self, status: int = 0, line: str | None = None) -> None:
        """End the process in order; the first reason counts."""
        if not self.ended.done():
            self.ended.set_result(End(status, line))

    def fail(self, error: BaseException) -> None:
        """End the process because of an error, with its exit status and one line."""
        if not isinstance(error, LevqorError):
            log.error("The bot failed: %s", type(error).__name__)
            error = InternalError()
        self.end(error.exit, wording.in_one_line(error))

    async def finish(self) -> None:
        """Cancel what is left in the background and let the threads go."""
        for job in tuple(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        self.starter.close()
        self._pools.close()


def _not_out(accepted: Accepted) -> Accepted:
    """Raise InProgress for a redelivery whose first run is still out."""
    if not accepted.first and accepted.settled is None:
        raise InProgress(run=accepted.run, retry_after=IN_PROGRESS_RETRY, fix="Ask again shortly.")
    return accepted
