"""A bot's surface at work: in a thread with a loop of its own, until a block ends."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bot.runtime import Bot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from core.engine import Engine

T = TypeVar("T")


class Quiet(Bot):
    """Keeps what a bot says on standard error."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.said: list[str] = []

    def print_status(self, line: str) -> None:
        self.said.append(line)


@contextmanager
def running(
    life: Callable[[Callable[[T], Awaitable[None]]], Coroutine[Any, Any, None]],
) -> Iterator[T]:
    """Run `life(serve)` until the block ends; what it raises comes out.

    `await serve(thing)` hands the thing to the block and returns once that has ended.
    """
    started, stop = threading.Event(), threading.Event()
    served: list[T] = []
    failed: list[BaseException] = []

    async def serve(thing: T) -> None:
        served.append(thing)
        started.set()
        await asyncio.to_thread(stop.wait)

    def run() -> None:
        try:
            asyncio.run(life(serve))
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failed.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="a surface at work")
    thread.start()
    try:
        assert started.wait(120), "the surface did not start"
        if served:
            yield served[0]
    finally:
        stop.set()
        thread.join(120)
        assert not thread.is_alive()
    if failed:
        raise failed[0]
