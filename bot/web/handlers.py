"""Request handlers: what each address answers, once the middleware has said who asks."""

import asyncio
import re
import time
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bot.runtime import Bot
from bot.web.authentication import Authenticator, Principal
from bot.web.body import idempotency_key, json_response, parse_object, read_body
from bot.web.live import LiveChecks
from bot.web.metrics import Metrics
from bot.web.pages.browser import site
from bot.web.schemas import NO_RUN
from bot.web.server import Limits
from bot.web.settings import HttpSettings
from core import __version__
from core.contract import nearest
from core.errors import Busy, Fault, Forbidden, InvalidInput, LedgerError, Stopping
from core.health import HealthChecker, inbounds, shown
from core.reports import InboundUptime, RunPage, Status, Uptime, moment
from core.run_filter import read_filter, usage_for
from core.scopes import Read
from core.signing_in import OVERVIEW, token_link

# For another program that holds the ledger: callers that give up do so after five seconds or ten.
PATIENCE = 3.0
BUSY_RETRY = 5.0
MAX_DAYS = 366
DEFAULT_DAYS = 7
MAX_RUNS = 200
DEFAULT_RUNS = 20
RUNS_QUERY = (
    "since", "until", "person", "action", "interface", "outcome", "last", "before",
)  # fmt: skip


class Handlers:
    """Every address's handler; `places` is how many runs may be waited for at once."""

    def __init__(
        self,
        bot: Bot,
        metrics: Metrics,
        limits: Limits,
        places: int,
        live: LiveChecks,
        authenticator: Authenticator,
    ) -> None:
        self._bot = bot
        self._authenticator = authenticator
        self._health = HealthChecker(bot.engine)
        self._metrics = metrics
        self._limits = limits
        self._places = asyncio.Semaphore(places)
        self._started_at, self._began = moment(time.time()), time.monotonic()
        self._live = live

    async def act(self, action_id: str, request: Request) -> Response:
        """Run an action and answer with how it ended."""
        principal, headers = Principal.of(request), request.scope["folded"]
        caller = principal.caller
        run = partial(
            self._bot.run, action_id, caller=caller, ip=principal.address, patience=PATIENCE
        )
        if not self._bot.engine.authorization.offers(principal.access, action_id):
            await run(values={})  # refuses and logs it, before a word of the body is read
        test = _flag(request, "test")
        body = await read_body(request.receive, headers, self._limits.body_seconds)
        values = {} if test and not body else parse_object(body, headers)
        key = idempotency_key(headers, caller)
        if self._places.locked():
            raise Busy(
                "Too many requests wait for their runs to end; this one was not sent.",
                fix="Send it again later.",
                reason="busy",
                retry_after=BUSY_RETRY,
            )
        async with self._places:
            settled = await run(values=values, key=key, rebind=key is not None, test=test)
        return json_response(settled.body(), settled.http)

    async def connectors(self, request: Request) -> Response:
        """Show which connectors are set up; with `live=1`, probe them."""
        if not _flag(request, "live"):
            return json_response(self._health.summary().body())
        Principal.of(request).access.require_read(Read.LIVE)
        if not Principal.of(request).starts:
            raise Forbidden(
                "A web page may not start a live check.",
                reason="foreign_origin",
                fix="Open the address yourself, or leave live=1 out.",
            )
        who = Principal.of(request).access
        return json_response(shown(await self._live.report(), who).body())

    async def usage(self, request: Request) -> Response:
        """Count runs by connector and day, everybody's or the caller's, and today's quota."""
        days = _whole(_query(request, "days"), "days", DEFAULT_DAYS, MAX_DAYS)
        who = Principal.of(request).access
        report = await self._bot.read(usage_for, self._bot.engine, who, days)
        return json_response(report.body())

    async def runs(self, request: Request) -> Response:
        """List runs, latest first: the caller's own, or for an admin everybody's."""
        query = _query(request, *RUNS_QUERY)
        last = _whole(query, "last", DEFAULT_RUNS, MAX_RUNS)
        who = Principal.of(request).access

        def look() -> RunPage:
            of, before = read_filter(self._bot.engine, query, who)
            page = self._bot.engine.ledger.run_page(last, of, before)
            return replace(page, runs=tuple(map(who.shown, page.runs)))

        # Not among the quick reads: a filter may have to look at many runs.
        return json_response((await self._bot.call(look)).body())

    async def run(self, request: Request) -> Response:
        """Show a run to whoever asked for it, or to an admin; others are told there is none."""
        run, who = request.scope["path"].rpartition("/")[2], Principal.of(request).access
        entry = await self._bot.read(self._bot.engine.ledger.run, run, who.sees_only)
        if entry is None or entry.run != run or not who.sees(entry):
            raise NO_RUN.replace()
        return json_response(who.shown(entry.report()).body())

    async def sign_in(self, request: Request) -> Response:
        """Make a link by which a token's holder is signed in to the pages, as that token."""
        settings, peer = self._bot.settings, request.client.host if request.client else ""
        console = site(
            settings.of(HttpSettings), self._authenticator, peer, request.scope["folded"]
        )
        caller, ledger = Principal.of(request).caller, self._bot.engine.ledger
        page = _query(request, "page").get("page", OVERVIEW)
        link = await self._bot.call(token_link, settings, ledger, caller, console.origin, page)
        return json_response(link.body())

    async def uptime(self, _: Request) -> Response:
        """Show the version, since when it runs, and how the bot's interfaces are doing."""
        inbound = await self._bot.read(inbounds, self._bot.engine.ledger)
        report = Uptime(
            status="ok",
            version=__version__,
            started_at=self._started_at,
            uptime_seconds=round(time.monotonic() - self._began, 3),
            inbound={
                surface: InboundUptime(
                    ok=health.ok, verdict=health.verdict, fix=health.fix, since=health.since
                )
                for surface, health in inbound.items()
            },
        )
        return json_response(report.body())

    async def live(self, _: Request) -> Response:
        """Say that the process answers, whatever the database does."""
        return json_response(Status(status="live").body())

    async def ready(self, _: Request) -> Response:
        """Say whether requests can be served now; a stranger may ask, and learns no more."""
        if self._bot.ending:
            raise Stopping
        try:
            async with asyncio.timeout(PATIENCE):
                await self._bot.read(self._bot.engine.ledger.check_lease)
        except (LedgerError, TimeoutError) as error:
            reason = error.reason if isinstance(error, LedgerError) else "ledger_slow"
            raise LedgerError(
                fix="Try again later, or tell whoever runs Levqor.", reason=reason
            ) from None
        return json_response(Status(status="ready").body())

    async def scrape(self, request: Request) -> Response:
        """Show the metrics."""
        accept = request.headers.get("accept", "")
        body, media = await self._bot.read(self._metrics.text, accept)
        return Response(body, headers={"cache-control": "no-store", "content-type": media})


def _query(request: Request, *names: str) -> dict[str, str]:
    """Read the parameters; raises InvalidInput for one that is unknown here or comes twice."""
    query: dict[str, str] = {}
    faults = []
    for name, value in request.query_params.multi_items():
        if name not in names:
            near = nearest(name, names)
            meant = f"did you mean {near}?" if near else f"it may hold {', '.join(names)}"
            faults.append(Fault("query", f"holds a name that is not known here; {meant}"))
        elif name in query:
            faults.append(Fault(name, "may be given once"))
        query[name] = value
    if faults:
        raise InvalidInput(faults)
    return query


def _flag(request: Request, flag: str) -> bool:
    """Read a yes-or-no parameter; raises InvalidInput for others, so that no typo sends."""
    value = _query(request, flag).get(flag, "0")
    if value not in ("0", "1"):
        raise InvalidInput([Fault(flag, "must be 1 or 0")])
    return value == "1"


def _whole(query: dict[str, str], name: str, default: int, most: int) -> int:
    """Take a number of 1 to `most` out of the parameters; raises InvalidInput."""
    text = query.pop(name, str(default))
    if not re.fullmatch("[1-9][0-9]{0,2}", text) or int(text) > most:
        raise InvalidInput([Fault(name, f"must be a whole number from 1 to {most}")])
    return int(text)
