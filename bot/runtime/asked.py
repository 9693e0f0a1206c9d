"""Who waits for an answer of this process: a stop waits for them all, for a while."""

from __future__ import annotations

import asyncio
from typing import Any


class Asked:
    """Answers on their way."""

    def __init__(self) -> None:
        self._answers: set[asyncio.Future[Any]] = set()

    def add(self, answer: asyncio.Future[Any]) -> None:
        """Count one until it is done."""
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def wait(self, seconds: float) -> None:
        """Wait until all are done, those that begin meanwhile too, at most so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._answers and (left := until - loop.time()) > 0:
            await asyncio.wait(tuple(self._answers), timeout=left)
