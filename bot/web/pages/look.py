"""The console's pages to look at: the overview, runs, and how a service does."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from bot.runtime import Bot
from bot.web.live import LiveChecks
from bot.web.pages import shown
from bot.web.pages.routing import Redirect, Route, View, Visit
from core.errors import InvalidInput, NotFound
from core.health import HealthChecker, accounts
from core.roles import Role
from core.run_filter import read_filter
from core.scopes import Read

RUNS_A_PAGE = 50


class Look:
    """What there is to see."""

    def __init__(self, bot: Bot, live: LiveChecks) -> None:
        self._bot, self._live = bot, live
        self._health = HealthChecker(bot.engine)
        self.routes = (
            Route("GET", "/", Role.VIEWER, self._overview, "Overview"),
            Route("POST", "/check", Role.VIEWER, self._check_all),
            Route("POST", "/check/*", Role.VIEWER, self._check),
            Route("GET", "/runs", Role.VIEWER, self._runs, "Runs"),
            Route("GET", "/runs/*", Role.VIEWER, self._run),
            Route("GET", "/services/*", Role.VIEWER, self._service),
        )

    async def _overview(self, visit: Visit) -> View:
        engine, seen = self._bot.engine, self._live.seen()
        page = await self._bot.call(shown.overview, engine, self._health, visit.who, seen)
        return View("overview.html", page, refresh=True)

    async def _check_all(self, visit: Visit) -> Redirect:
        visit.who.require_read(Read.LIVE)
        await self._live.report()
        return Redirect("/")

    async def _check(self, visit: Visit) -> Redirect:
        visit.who.require_read(Read.LIVE)
        listed = {c.account_id(account) for c, account in accounts(self._bot.engine)}
        # Whoever uses targets alone is told of no account.
        if visit.name not in listed or ("/" in visit.name and visit.who.scope.destinations()):
            raise _no_service()
        await self._live.check([visit.name])
        return Redirect(f"/services/{visit.name}" if "here" in visit.form else f"/#{visit.name}")

    async def _runs(self, visit: Visit) -> View:
        engine, who = self._bot.engine, visit.who
        asked = {name: value for name, value in visit.query.items() if value}

        def look() -> dict[str, Any]:
            of, before = read_filter(engine, asked, who)
            page = engine.ledger.run_page(RUNS_A_PAGE, of, before)
            page = replace(page, runs=tuple(map(who.shown, page.runs)))
            return shown.runs(engine, page, who, asked)

        try:
            page = await self._bot.call(look)
        except InvalidInput as error:
            return View("runs.html", shown.no_runs(engine, error, who, asked))
        if page["next"]:
            page["next"] = "/runs?" + urlencode({**asked, "before": page["next"]})
        return View("runs.html", page)

    async def _run(self, visit: Visit) -> View:
        engine, who = self._bot.engine, visit.who
        entry = await self._bot.read(engine.ledger.run, visit.name, who.sees_only)
        if entry is None or entry.run != visit.name or not who.sees(entry):
            raise NotFound("There is no run of yours with that ID.", fix="Look among your runs.")
        page = await self._bot.read(shown.run, engine, who.shown(entry), who)
        return View("run.html", page)

    async def _service(self, visit: Visit) -> View:
        engine, span = self._bot.engine, visit.query.get("span", "1d")
        listed = {c.account_id(account): (c, account) for c, account in accounts(engine)}
        # The counts are everybody's.
        visit.who.require(Role.ADMIN, "see everybody's runs")
        if visit.name not in listed or span not in shown.SPANS:
            raise _no_service()
        kind = listed[visit.name]
        page = await self._bot.call(
            shown.service, engine, self._health, visit.who, kind, span, self._live.seen()
        )
        return View("service.html", page)


def _no_service() -> NotFound:
    return NotFound("There is no such service.", fix="Choose one on the overview.")
