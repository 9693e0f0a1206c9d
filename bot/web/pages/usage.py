"""The console's page of usage: runs by day, person, action or service, and the same as CSV."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bot.runtime import Bot
from bot.web.pages.routing import Download, Route, View, Visit
from bot.web.pages.shown import title
from core import tables
from core.errors import Fault, InvalidInput
from core.ledger import Ledger
from core.roles import Role
from core.scopes import Read

BY = ("service", "person", "action", "day")
DAYS, MOST_DAYS = 30, 3660


def _heading(name: str) -> str:
    # Each time has its unit beside it.
    return tables.HEADINGS.get(name, name).removesuffix(" ms")


_COUNTS = {*map(_heading, (*tables.COUNTED, *tables.TIMED))}


class Usage:
    """How many runs ended how."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.routes = (
            Route("GET", "/usage", Role.ADMIN, self._page, "Usage", "see everybody's usage"),
        )

    async def _page(self, visit: Visit) -> View | Download:
        visit.who.require_read(Read.USAGE)
        asked = {name: value for name, value in visit.query.items() if value}
        as_csv = asked.pop("output", None) == "csv"
        try:
            of, days, until = _read(asked)
        except InvalidInput as error:
            page = {"by": BY[0], "columns": (), "rows": (), "error": error}
        else:
            names = tables.usage_columns(None if of == "day" else of)
            rows = await self._bot.call(_rows, self._bot.engine.ledger, of, days, until, names)
            if as_csv:
                span = asked.get("month") or f"{days}-days"
                return Download(f"levqor-usage-{of}-{span}.csv", tables.spreadsheet([*names], rows))
            columns = [*map(_heading, names)]
            rows = self._titled(rows, [*names])
            page = {"by": of, "columns": columns, "rows": rows, "error": None}
        csv = "/usage?" + urlencode({**asked, "output": "csv"})
        return View(
            "usage.html",
            {
                "title": "Usage",
                "asked": asked,
                "kinds": BY,
                "days": DAYS,
                "csv": csv,
                "counts": _COUNTS,
                **page,
            },
        )

    def _titled(self, rows: list[list[Any]], names: Sequence[str]) -> list[list[Any]]:
        """Rows whose service is called as everywhere on the pages."""
        if BY[0] not in names:
            return rows
        engine, at = self._bot.engine, names.index(BY[0])
        return [[*row[:at], title(engine, row[at]), *row[at + 1 :]] for row in rows]


def _read(asked: Mapping[str, str]) -> tuple[str, int, float | None]:
    """By what, of how many days, and until when; raises InvalidInput."""
    by, days, month = asked.get("by", BY[0]), asked.get("days", ""), asked.get("month", "")
    faults = []
    if by not in BY:
        faults.append(Fault("by", f"must be one of {', '.join(BY)}"))
    if days and not (days.isascii() and days.isdecimal() and 1 <= int(days[:9]) <= MOST_DAYS):
        faults.append(Fault("days", f"must be a whole number from 1 to {MOST_DAYS}"))
    if days and month:
        faults.append(Fault("month", "goes without days"))
    span, until = int(days) if days and not faults else DAYS, None
    if month:
        try:
            span, until = tables.month(month)
        except ValueError as error:
            faults.append(Fault("month", str(error)))
    if faults:
        raise InvalidInput(faults, "This usage cannot be shown.")
    return by, span, until


def _rows(
    ledger: Ledger, by: str, days: int, until: float | None, names: Mapping[str, str]
) -> list[list[Any]]:
    usage = (
        ledger.usage(days, None, until) if by == "day" else ledger.usage_by(by, days, until).usage
    )
    return [[getattr(row, field) for field in names.values()] for row in usage]
