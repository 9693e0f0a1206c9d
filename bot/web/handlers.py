"""Request handlers: what each address answers, once the middleware has said who asks."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotations
from starlette.responses import Response

from bot.web.body import parse_object, read_body
from bot.web.idempotency import key_of
from bot.web.responses import answer
from bot.web.schemas import NO_RUN_FIX
from core import __version__, reports
from core.errors import Busy, Fault, Forbidden, InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.runtime import Bot
    from bot.web.authentication import Principal
    from bot.web.limits import Limits
    from bot.web.metrics import Metrics
    from core.health import Health

# Whoever asks, and however often: a probe is a call the upstream counts.
LIVE_SECONDS = 15.0
# For another program that holds the ledger: callers that give up do so after five seconds or ten.
PATIENCE = 3.0
BUSY_RETRY = 5.0
MAX_DAYS = 366
DEFAULT_DAYS = 7


@dataclass
class Handlers:
    """Every page's handler; each takes the request and gives the answer.

    `places` is how many runs may be waited for at once.
    """

    bot: Bot
    health: Health
    metrics: Metrics
    limits: Limits
    places: int

    def __post_init__(self) -> None:
        self.started_at = time.time()
        self._waiting = 0
        self._began = time.monotonic()
        self._live = _Shared(partial(self.bot.call, self.health.report, live=True), LIVE_SECONDS)

    async def act(self, action_id: str, request: Request) -> Response:
        """Run an action and answer with how it ended."""
        principal, headers = _principal(request), request.scope["folded"]
        run = partial(
            self.bot.run,
            action_id,
            caller=principal.caller,
            ip=principal.address,
            patience=PATIENCE,
        )
        if not self.bot.settings.may(principal.caller, action_id):
            await run(values={})  # refuses and logs it, before a word of the body is read
        test = _flags(request, "test")["test"]
        body = await read_body(request.receive, headers, self.limits.body_seconds)
        values = {} if test and not body else parse_object(body, headers)
        key = key_of(headers, principal.caller)
        with self._place():
            settled = await run(values=values, key=key, rebind=key is not None, test=test)
        return answer(settled.body(), settled.http)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """Take one of the places for runs that are waited for; raises Busy."""
        if self._waiting >= self.places:
            raise Busy(
                "Too many requests wait for their runs to end; this one was not sent.",
                fix="Send it again later.",
                reason="busy",
                retry_after=BUSY_RETRY,
            )
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def connectors(self, request: Request) -> Response:
        """Tell which connectors are set up; with `live=1`, probe them."""
        if _flags(request, "live")["live"]:
            if not _principal(request).starts:
                raise Forbidden(
                    "A web page may not start a live check.",
                    reason="foreign_origin",
                    fix="Open the address yourself, or leave live=1 out.",
                )
            return answer(await self._live.get())
        return answer(self.health.summary())

    async def usage(self, request: Request) -> Response:
        """Count runs by connector and day, and the caller's quota of today."""
        said = request.query_params.getlist("days")
        days = said[0] if said else str(DEFAULT_DAYS)
        if len(said) > 1 or not re.fullmatch("[1-9][0-9]{0,2}", days) or int(days) > MAX_DAYS:
            raise InvalidInput([Fault("days", f"must be a whole number from 1 to {MAX_DAYS}")])
        engine = self.bot.engine
        return answer(
            await self.bot.read(
                reports.usage,
                engine.ledger,
                int(days),
                str(_principal(request).caller),
                engine.action_ids(),
            )
        )

    async def run(self, request: Request) -> Response:
        """Show a run to its caller, or to an admin; others are told there is none."""
        principal, run = _principal(request), request.path_params["run"]
        entry = await self.bot.read(self.bot.engine.ledger.run, run)
        admin = principal.admin or self.bot.settings.is_admin(principal.caller)
        mine = entry is not None and (admin or entry.caller == str(principal.caller))
        if entry is None or entry.run != run or not mine:
            raise NotFound("There is no such run of yours.", fix=NO_RUN_FIX)
        return answer(reports.run(entry))

    async def uptime(self, _: Request) -> Response:
        """Tell the version, since when it runs, and how the ways in are doing."""
        ways = await self.bot.read(self.bot.engine.ledger.inbounds)
        return answer(
            {
                "status": "ok",
                "version": __version__,
                "started_at": reports.iso(self.started_at),
                "uptime_seconds": round(time.monotonic() - self._began, 3),
                "inbound": {
                    way.surface: reports.known(
                        {
                            "ok": way.ok and way.alive,
                            "verdict": way.verdict,
                            "fix": way.fix,
                            "since": reports.iso(way.since),
                        }
                    )
                    for way in ways
                },
            }
        )

    async def numbers(self, request: Request) -> Response:
        """Show the metrics."""
        accept = request.headers.get("accept", "")
        body, media = await self.bot.read(self.metrics.text, accept)
        return Response(body, headers={"cache-control": "no-store", "content-type": media})


class _Shared:
    """An answer that is costly to find: asked for by many, found once, kept for a while."""

    def __init__(self, find: Any, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._found: asyncio.Task[dict[str, Any]] | None = None
        self._until = 0.0

    async def get(self) -> dict[str, Any]:
        """Return the answer, found by whoever came first."""
        done = self._found is not None and self._found.done()
        failed = done and self._found is not None and self._found.exception() is not None
        if self._found is None or failed or (done and time.monotonic() >= self._until):
            self._found = asyncio.get_running_loop().create_task(self._once())
        # A caller who hangs up must not take the answer from the others.
        return await asyncio.shield(self._found)

    async def _once(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._find()
        self._until = time.monotonic() + self._seconds
        return found


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["principal"]
    return principal


def _flags(request: Request, *names: str) -> dict[str, bool]:
    """Read yes-or-no parameters; raises InvalidInput for others, so that no typo sends."""
    said = request.query_params.multi_items()
    for name, value in said:
        if name not in names:
            known = " and ".join(f"{one}=1" for one in names)
            raise InvalidInput([Fault("query", f"may hold {known} and nothing else")])
        if value not in ("0", "1"):
            raise InvalidInput([Fault(name, "must be 1 or 0")])
    found = dict(said)
    if len(found) != len(said):
        raise InvalidInput([Fault("query", "may hold each name once")])
    return {name: found.get(name) == "1" for name in names}
