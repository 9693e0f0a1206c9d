"""Google Sheets on loopback: reading a spreadsheet's tabs and appending rows."""

import re
from typing import Any

from aiohttp import web

from core.sandbox import a1_notation
from core.sandbox.credentials import letters, service_account
from core.sandbox.google import Tokens
from core.sandbox.service import (
    Card,
    Handler,
    Received,
    Refusal,
    SandboxService,
    bearer,
    flag,
)

SPREADSHEET = "1" + letters("spreadsheet", 43)
TABS = ("Sheet1", "Q3 plan", "Jon's", "CRM26", "Übersicht")
ROWS, COLUMNS = 1000, 26  # a new tab's grid; appending adds rows, never columns
MAX_CELL = 50_000

_COMMON = {"alt", "fields", "key", "prettyPrint", "quotaUser", "$.xgafv", "access_token"}
_APPEND = {
    "valueInputOption",
    "insertDataOption",
    "includeValuesInResponse",
    "responseValueRenderOption",
    "responseDateTimeRenderOption",
}
_GET = {"ranges", "includeGridData", "excludeTablesInBandedRanges"}
_OPTIONS = {
    "valueInputOption": ("RAW", "USER_ENTERED"),
    "insertDataOption": ("OVERWRITE", "INSERT_ROWS"),
}
_ANONYMOUS = "Method doesn't allow unregistered callers (callers without established identity)."
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
    "cookie or other valid authentication credential."
)
_UNKNOWN_PARAMETER = (
    'Invalid JSON payload received. Unknown name "{}": Cannot bind query parameter. Field '
    "could not be found in request message."
)


def refusal(code: int, status: str, message: str) -> Refusal:
    """The API's refusal: HTTP status, Google's status, sentence."""
    body = {"error": {"code": code, "message": message, "status": status}}
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'}
    return Refusal(web.json_response(body, status=code, headers=headers if code == 401 else {}))


def invalid(message: str) -> Refusal:
    """What the API says of a request that it cannot do."""
    return refusal(400, "INVALID_ARGUMENT", message)


class Sheets(SandboxService):
    """The Sheets API and the token endpoint before it."""

    name = "sheets"
    connector = "sheets"
    title = "Google Sheets"

    def __init__(self, url: str) -> None:
        self.token_uri = f"{url}/google/token"
        self.tokens = Tokens(self.token_uri)
        super().__init__(url)

    def settings(self) -> dict[str, str]:
        """A service account made for this process and the spreadsheet shared with it."""
        return {
            "GOOGLE_SERVICE_ACCOUNT_JSON": service_account(self.token_uri),
            "GOOGLE_SHEETS_SPREADSHEET_ID": SPREADSHEET,
            "SHEETS_API_URL": self.url,
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The two calls, and the token before them."""
        book = "/sheets/v4/spreadsheets/{book:[^/:]+}"
        return [
            ("POST", "/google/token", "token", self.tokens.answer),
            ("GET", book, "spreadsheets.get", self._get),
            ("POST", book + "/values/{range:[^/]+}:append", "values.append", self._append),
        ]

    def reset(self) -> None:
        """Empty every tab."""
        self.rows: dict[str, list[list[Any]]] = {tab: [] for tab in TABS}

    def not_found(self) -> Refusal:
        """What Google says to an address it does not have."""
        return refusal(404, "NOT_FOUND", "Requested entity was not found.")

    async def _get(self, request: web.Request, received: Received) -> web.Response:
        self._check(request, _GET)
        whole = self._spreadsheet()
        mask = _mask(request.query.get("fields", ""))
        return web.json_response(_masked(whole, mask) if mask else whole)

    async def _append(self, request: web.Request, received: Received) -> web.Response:
        self._check(request, _APPEND)
        _check_options(request)
        place = request.match_info["range"]
        try:
            start = a1_notation.parse(place, list(TABS))
        except a1_notation.BadRange as error:
            raise invalid(str(error)) from None
        values = _values(received.json, place)
        answer = self._write(start, values, request)
        where = answer["updates"]["updatedRange"]
        rows = [[_shown(cell) for cell in row] for row in values]
        summary = f"{where}: {'; '.join(map(', '.join, rows))}"
        received.card = Card("Levqor sandbox", where, rows=_grid(where, rows), summary=summary)
        return web.json_response(answer)

    def _check(self, request: web.Request, known: set[str]) -> None:
        if not (token := bearer(request)):
            raise refusal(403, "PERMISSION_DENIED", _ANONYMOUS)
        if not self.tokens.good(token):
            raise refusal(401, "UNAUTHENTICATED", _UNAUTHENTICATED)
        if unknown := [name for name in request.query if name not in known | _COMMON]:
            raise invalid(_UNKNOWN_PARAMETER.format(unknown[0]))
        if request.match_info["book"] != SPREADSHEET:
            raise self.not_found()

    def _write(
        self, start: a1_notation.Range, values: list[list[Any]], request: web.Request
    ) -> dict[str, Any]:
        tab = start.tab or TABS[0]
        width = max((len(row) for row in values), default=0)
        name, last = a1_notation.quoted(tab), start.column + max(width, 1) - 1
        first = a1_notation.letters(start.column)
        if last > COLUMNS or (start.row > ROWS and not self.rows[tab]):
            text = f"Range ({name}!{first}{start.row}) exceeds grid limits. "
            text += f"Max rows: {ROWS}, max columns: {COLUMNS}"
            raise invalid(text)
        rows = self.rows[tab]
        before = _table(name, rows)
        row = max(len(rows) + 1, start.row if not rows else 1)
        rows += [[] for _ in range(row - 1 - len(rows))]
        rows += [[""] * (start.column - 1) + list(line) for line in values]
        place = f"{name}!{first}{row}"
        if width > 1 or len(values) > 1:
            place += f":{a1_notation.letters(last)}{row + len(values) - 1}"
        updates = {
            "spreadsheetId": SPREADSHEET,
            "updatedRange": place,
            "updatedRows": len(values),
            "updatedColumns": width,
            "updatedCells": sum(cell is not None for line in values for cell in line),
        }
        if flag(request.query, "includeValuesInResponse"):
            data = {"range": place, "majorDimension": "ROWS", "values": values}
            updates["updatedData"] = data
        return {"spreadsheetId": SPREADSHEET, **before, "updates": updates}

    def _spreadsheet(self) -> dict[str, Any]:
        tabs = [
            {
                "properties": {
                    "sheetId": index,
                    "title": tab,
                    "index": index,
                    "sheetType": "GRID",
                    "gridProperties": {"rowCount": rows, "columnCount": COLUMNS},
                }
            }
            for index, tab in enumerate(TABS)
            for rows in [max(ROWS, len(self.rows[tab]))]
        ]
        book = {"title": "Levqor sandbox", "locale": "en_GB", "timeZone": "Etc/UTC"}
        return {
            "spreadsheetId": SPREADSHEET,
            "properties": {**book, "autoRecalc": "ON_CHANGE"},
            "sheets": tabs,
            "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{SPREADSHEET}/edit",
        }


def _shown(cell: Any) -> str:
    return "" if cell is None else str(cell).upper() if isinstance(cell, bool) else str(cell)


def _grid(where: str, rows: list[list[str]]) -> list[list[str]]:
    """Cells with the letters and numbers a sheet has around them."""
    start = a1_notation.parse(where, list(TABS))
    columns = range(start.column, start.column + max(map(len, rows), default=0))
    numbered = [[str(number), *row] for number, row in enumerate(rows, start.row)]
    return [["", *map(a1_notation.letters, columns)], *numbered]


def _table(name: str, rows: list[list[Any]]) -> dict[str, str]:
    """Say which table was found; nothing where the tab was empty."""
    if not rows:
        return {}
    last = f"{a1_notation.letters(max(map(len, rows)) or 1)}{len(rows)}"
    return {"tableRange": f"{name}!A1" + ("" if last == "A1" else f":{last}")}


def _check_options(request: web.Request) -> None:
    if "valueInputOption" not in request.query:
        raise invalid("'valueInputOption' is required but not specified")
    for name, known in _OPTIONS.items():
        given = request.query.get(name, known[0])
        if given not in known:
            raise invalid(f"Invalid value at '{name}', \"{given}\"")


def _values(body: Any, place: str) -> list[list[Any]]:
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received.")
    for name in body:
        if name not in ("range", "majorDimension", "values"):
            raise invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            )
    if body.get("range", place) != place:
        raise invalid(f"Requested writing within range [{place}], but got {body['range']}")
    values = body.get("values", [])
    if not isinstance(values, list) or not all(isinstance(row, list) for row in values):
        raise invalid("Invalid value at 'data.values' (ListValue)")
    for row, line in enumerate(values):
        for column, cell in enumerate(line):
            _check_cell(cell, f"Invalid data[{row}]: Invalid values[{row}][{column}]")
    if body.get("majorDimension", "ROWS") == "COLUMNS":
        height = max((len(line) for line in values), default=0)
        values = [[line[i] if i < len(line) else None for line in values] for i in range(height)]
    return values


def _check_cell(cell: Any, where: str) -> None:
    if isinstance(cell, list | dict):
        kind = "list_value" if isinstance(cell, list) else "struct_value"
        raise invalid(f"{where}: {kind}")
    if isinstance(cell, str) and len(cell) > MAX_CELL:
        text = f"Your input contains more than the maximum of {MAX_CELL} characters in a "
        raise invalid(text + "single cell.")


def _masked(value: Any, mask: dict[str, Any]) -> Any:
    """Keep only what a field mask names."""
    if isinstance(value, list):
        return [_masked(inner, mask) for inner in value]
    if not isinstance(value, dict) or not mask.keys() <= value.keys():
        raise invalid("Request contains an invalid argument.")
    return {
        name: _masked(value[name], rest) if rest else value[name] for name, rest in mask.items()
    }


def _mask(text: str) -> dict[str, Any]:
    """Read a field mask like `a.b,c(d,e)`: each name with what is kept below it."""
    root: dict[str, Any] = {}
    name, above = root, [root]
    for part in re.findall(r"[^.,()/]+|[,()]", text):
        if part == "(":
            above.append(name)
        elif part == ")":
            above = above[:-1] or above
        elif part == ",":
            name = above[-1]
        else:
            name = name.setdefault(part, {})
    return root
