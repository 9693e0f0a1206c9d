"""How each surface is doing, as health knows it: said when it changes, and written down."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.errors import LevqorError
from core.ledger import Ledger
from core.plain import plain_line

# What could not be written is tried again this often; the write itself waits too.
AGAIN_SECONDS = 2.0
REPORT = "Please report it; Levqor keeps trying."


def mistake(error: Exception) -> tuple[str, str]:
    """What is said of a failure nobody foresaw, and what to do; its own text may hold anything."""
    if isinstance(error, LevqorError):
        return error.message.rstrip("."), error.fix or REPORT
    return f"made a mistake of its own ({type(error).__name__})", REPORT


@dataclass(frozen=True)
class Verdict:
    """How a surface is doing: what is so, what to do about it, and whether it is well."""

    words: str
    fix: str | None = None
    ok: bool = False

    def __post_init__(self) -> None:
        """A bot's or a host's name may hold anything."""
        object.__setattr__(self, "words", plain_line(self.words))


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
        self._latest: dict[str, Verdict] = {}
        self._stumbled: dict[str, Verdict] = {}

    async def change(self, surface: str, verdict: Verdict) -> None:
        """Say and write a verdict, unless it is the latest one already."""
        if self._latest.get(surface) == verdict:
            return
        self._latest[surface] = verdict
        self._say(f"{surface}: {verdict.words}" + (f". {verdict.fix}" if verdict.fix else ""))
        if not await self.write(surface, verdict):
            self._spawn(self._write_later(surface, verdict), name=f"{surface} verdict")

    async def stumbled(self, surface: str, error: Exception) -> None:
        """Say that a surface failed in a way nobody foresaw, and is tried again."""
        self._stumbled[surface] = Verdict(*mistake(error))
        await self.change(surface, self._stumbled[surface])

    async def recovered(self, surface: str) -> None:
        """Say that a surface works, where it stumbled and has said nothing of itself since."""
        stumbled = self._stumbled.pop(surface, None)
        if stumbled is not None and self._latest[surface] == stumbled:
            await self.change(surface, Verdict("works again", ok=True))

    async def write(self, surface: str, verdict: Verdict) -> bool:
        """Write a verdict, changed or not; False where the ledger did not take it."""
        words, fix, ok = verdict.words, verdict.fix, verdict.ok
        try:
            await self._off_loop(
                lambda: self._ledger.inbound(surface, ok=ok, verdict=words, fix=fix)
            )
        except LevqorError:  # what health misses must not end what works
            return False
        return True

    async def _write_later(self, surface: str, verdict: Verdict) -> None:
        """Try until it is written, or another one is said."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            if self._latest[surface] != verdict or await self.write(surface, verdict):
                return
