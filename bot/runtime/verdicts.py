"""How each surface is doing, as health knows it: said when it changes, and written down."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from core.errors import LevqorError
from core.ledger import Ledger

# What could not be written is tried again this often; the write itself waits too.
AGAIN_SECONDS = 2.0
REPORT = "Please report it; Levqor keeps trying."


def mistake(error: Exception) -> tuple[str, str]:
    """What is said of a failure nobody foresaw, and what to do; its own text may hold anything."""
    if isinstance(error, LevqorError):
        return error.message.rstrip("."), error.fix or REPORT
    return f"made a mistake of its own ({type(error).__name__})", REPORT


class Verdicts:
    """The latest verdict of each surface."""

    def __init__(
        self,
        ledger: Ledger,
        off_loop: Callable[[Callable[[], object]], Awaitable[object]],
        *,
        say: Callable[[str], None],
        spawn: Callable[..., object],
    ) -> None:
        self._ledger = ledger
        self._off_loop = off_loop
        self._say = say
        self._spawn = spawn
        self._latest: dict[str, tuple[str, str | None]] = {}
        self._stumbled: dict[str, tuple[str, str | None]] = {}

    async def change(self, surface: str, verdict: str, fix: str | None, *, ok: bool) -> None:
        """Say and write a verdict, unless it is the latest one already."""
        if self._latest.get(surface) == (verdict, fix):
            return
        self._latest[surface] = (verdict, fix)
        self._say(f"{surface}: {verdict}" + (f". {fix}" if fix else ""))
        if not await self.write(surface, verdict, fix, ok=ok):
            again = self._write_later(surface, verdict, fix, ok=ok)
            self._spawn(again, name=f"{surface} verdict")

    async def stumbled(self, surface: str, error: Exception) -> None:
        """Say that a surface failed in a way nobody foresaw, and is tried again."""
        self._stumbled[surface] = mistake(error)
        await self.change(surface, *self._stumbled[surface], ok=False)

    async def recovered(self, surface: str) -> None:
        """Say that a surface works, where it stumbled and has said nothing of itself since."""
        stumbled = self._stumbled.pop(surface, None)
        if stumbled is not None and self._latest[surface] == stumbled:
            await self.change(surface, "works again", None, ok=True)

    async def write(self, surface: str, verdict: str, fix: str | None, *, ok: bool) -> bool:
        """Write a verdict, changed or not; False where the ledger did not take it."""
        write = partial(self._ledger.inbound, surface, ok=ok, verdict=verdict, fix=fix)
        try:
            await self._off_loop(write)
        except LevqorError:  # what health misses must not end what works
            return False
        return True

    async def _write_later(self, surface: str, verdict: str, fix: str | None, *, ok: bool) -> None:
        """Try until it is written, or another one is said."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            if self._latest[surface] != (verdict, fix):
                return
            if await self.write(surface, verdict, fix, ok=ok):
                return
