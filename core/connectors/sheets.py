"""Append rows to a Google spreadsheet that is shared with a service account.

One https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/append
writes all rows or none. Cells are stored as given: a formula stays text, so nobody's words run
in the sheet. A repeat is not told from new rows; sixty writes a minute are taken.
"""

from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, SecretStr, field_validator

from core.connectors._sheets.account import Account, read_account, spreadsheet_id
from core.connectors._sheets.answers import ANSWERS, NO_SUCH_DEFAULT, NO_SUCH_RANGE
from core.connectors._sheets.api import Api, Appended, note
from core.connectors._sheets.ranges import (
    RANGE_SHAPE,
    NoTab,
    Row,
    Unclear,
    a1_range,
    in_tabs,
    quote_tab,
)
from core.contract import (
    Action,
    BaseUrl,
    Config,
    Connector,
    Contract,
    HttpClient,
    Probe,
    Receipt,
    field,
    json_of_at_most,
    listed,
    setting,
    upstream_url,
)
from core.errors import Fault, InvalidInput

DEFAULT = "SHEETS_RANGE_DEFAULT"
REQUEST_BYTES = 2_000_000  # https://developers.google.com/workspace/sheets/api/limits

Range = Annotated[str, AfterValidator(a1_range)]
Table = Annotated[list[Row], AfterValidator(json_of_at_most(REQUEST_BYTES))]


class Rows(Contract):
    """Rows for a spreadsheet."""

    range: Range = field(
        "Range",
        "The tab and the column to begin in, in A1 notation.",
        example="'Q3 plan'!A1",
        shape=(RANGE_SHAPE,),
        setting=DEFAULT,
        destination=True,
        default="A1",
        min_length=1,
        max_length=250,
    )
    values: Table = field(
        "Rows",
        "One row a line, cells separated by commas or tabs; a number in quotes stays text.",
        example=[["2026-12-01", "Ada", 42]],
        takes_text=True,
        min_length=1,
        max_length=500,  # rows of one send; Google's own bound is the size below
    )

    @field_validator("values")
    @classmethod
    def _not_all_empty(cls, rows: list[list[object]]) -> list[list[object]]:
        if all(cell in (None, "") for row in rows for cell in row):
            raise ValueError("must hold at least one cell that is not empty")
        return rows


class SheetsConfig(Config):
    """What Google Sheets needs."""

    key_file: SecretStr = setting(
        "GOOGLE_SERVICE_ACCOUNT_JSON",
        "A Google service account's JSON key, best as base64",
        "console.cloud.google.com, IAM & Admin > Service accounts, your account, Keys > Add key >"
        " JSON; then: base64 -w0 FILE (on macOS: base64 -i FILE)",
        required=True,
        example="eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIsIC…",
    )
    spreadsheet: Annotated[str, AfterValidator(spreadsheet_id)] = setting(
        "GOOGLE_SHEETS_SPREADSHEET_ID",
        "The spreadsheet's address or id",
        "open the spreadsheet and copy its address; share it, as Editor, with the key file's"
        " client_email",
        required=True,
        example="https://docs.google.com/spreadsheets/d/…/edit",
        shape=r"(?:.*/d/)?[A-Za-z0-9_-]{20,}(?:[/?#].*)?$",
    )
    range_default: Range | None = setting(
        DEFAULT,
        "The tab and column to use if no range is given",
        "the tab's name at the bottom of the spreadsheet, then !A1",
        example="'Q3 plan'!A1",
    )
    api_url: BaseUrl = upstream_url("SHEETS_API_URL", "Google", "https://sheets.googleapis.com")

    @field_validator("key_file")
    @classmethod
    def _can_sign(cls, value: SecretStr) -> SecretStr:
        read_account(value.get_secret_value())
        return value

    @cached_property
    def account(self) -> Account:
        """The key file, read."""
        return read_account(self.key_file.get_secret_value())

    @property
    def book(self) -> str:
        """The spreadsheet's address in the API."""
        return f"{self.api_url}/v4/spreadsheets/{self.spreadsheet}"


def send(request: Rows, config: SheetsConfig, http: HttpClient) -> Receipt:
    """Append the rows below the table the range finds."""
    sheets = Api(config.book, config.account, http)
    # Which tabs there are decides what a written range means: Q1 may be one.
    tabs = sheets.tabs() if "range" in request.model_fields_set else None
    place = request.range if tabs is None else _place(request.range, tabs, config)
    answer = sheets.append(place, request.values)
    appended = answer.success(Appended)
    if appended is None:
        raise sheets.explain(answer, tabs or ())
    link = f"https://docs.google.com/spreadsheets/d/{config.spreadsheet}/edit"
    words = note(place, request.values, appended)
    return Receipt("appended", updated=appended.rows, link=link, note=words)


def _place(place: str, tabs: list[str], config: SheetsConfig) -> str:
    try:
        return in_tabs(place, tabs)
    except Unclear as unclear:
        raise InvalidInput([Fault("range", str(unclear))]) from None
    except NoTab:
        row = NO_SUCH_DEFAULT if place == config.range_default else NO_SUCH_RANGE
        raise row.error(values={"tabs": listed(tabs)} if tabs else None) from None


def probe(config: SheetsConfig, http: HttpClient) -> Probe:
    """Read the tabs' names: the key, the API, the id and the sharing, but no right to edit."""
    tabs = Api(config.book, config.account, http).tabs()
    note = "Permission to edit can't be checked until rows are appended."
    if config.range_default is None:
        return Probe((note,))
    try:
        in_tabs(config.range_default, tabs)
    except Unclear as unclear:
        what, fix = f"{DEFAULT} {unclear.what}.", f"In {DEFAULT}, {unclear.how}."
    except NoTab as missing:
        what = f"{DEFAULT} names the tab '{listed([str(missing)])}', which is not there."
        fix = f"Set {DEFAULT} to one of the tabs: {listed(tabs)}."
    else:
        return Probe((note,))
    return Probe((what, note), fix=fix)


def look(request: Rows, config: SheetsConfig, http: HttpClient) -> Probe:
    """Look for the tab that rows would go to."""
    names = Api(config.book, config.account, http).tabs()
    if "range" in request.model_fields_set:
        _place(request.range, names, config)
    return Probe()


def tabs(config: SheetsConfig, http: HttpClient) -> list[tuple[str, str]]:
    """List the tabs, as ranges that begin at the first cell."""
    names = Api(config.book, config.account, http).tabs()
    return [(f"{quote_tab(name)}!A1", name) for name in names]


CONNECTOR = Connector(
    name="sheets",
    choices={DEFAULT: tabs},
    title="Google Sheets",
    config=SheetsConfig,
    actions=(
        Action(
            name="append",
            title="Append rows to Sheets",
            input=Rows,
            sample={"values": [["Levqor test", 42]]},
            send=send,
            look=look,
        ),
    ),
    probe=probe,
    answers=ANSWERS,
)
