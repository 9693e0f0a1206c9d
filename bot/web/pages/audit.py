"""The console's page of the audit: who changed what, latest first."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from bot.runtime import Bot
from bot.web.pages.routing import Download, Route, View, Visit
from core.audit import changed
from core.errors import Fault, InvalidInput
from core.ledger.listing import Place
from core.ledger.records import AuditRecord
from core.reports import iso
from core.roles import Role
from core.run_filter import moment
from core.tables import spreadsheet

CHANGES_A_PAGE = 50


class Audit:
    """Changes to people, roles, plans, tokens and targets."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.routes = (Route("GET", "/audit", Role.ADMIN, self._page, "Audit", "see the audit"),)

    async def _page(self, visit: Visit) -> View | Download:
        ledger = self._bot.engine.ledger
        asked = {name: value for name, value in visit.query.items() if value}
        as_csv = asked.pop("output", None) == "csv"

        def look() -> dict[str, Any]:
            since = _read("since", asked, lambda text: moment(text, ledger.now())) or 0.0
            if as_csv:
                return {"all": ledger.audit(None, since)}
            before = _read("before", asked, Place.parse)
            rows = ledger.audit(CHANGES_A_PAGE + 1, since, before)
            shown = rows[:CHANGES_A_PAGE]
            more = Place(shown[-1].at, shown[-1].change) if len(rows) > len(shown) else None
            following = more and "/audit?" + urlencode({**asked, "before": str(more)})
            return {
                "rows": [(row, changed(row.before, row.after)) for row in shown],
                "next": following,
                "error": None,
            }

        try:
            page = await self._bot.call(look)
        except InvalidInput as error:
            page = {"rows": [], "next": None, "error": error}
        if "all" in page:
            return Download("levqor-audit.csv", _table(page["all"]))
        kept = {name: value for name, value in asked.items() if name != "before"}
        csv = "/audit?" + urlencode({**kept, "output": "csv"})
        return View("audit.html", {"title": "Audit", "asked": asked, "csv": csv, **page})


def _table(rows: Iterable[AuditRecord]) -> str:
    """The whole list for a spreadsheet, latest first."""
    return spreadsheet(
        ("time", "who", "what", "of", "change"),
        (
            (iso(row.at), row.who, row.what, row.subject, changed(row.before, row.after))
            for row in rows
        ),
    )


def _read(name: str, asked: Any, parse: Any) -> Any:
    try:
        return parse(asked[name]) if name in asked else None
    except ValueError as error:
        raise InvalidInput(
            [Fault(name, str(error))], "This part of the audit cannot be shown."
        ) from None
