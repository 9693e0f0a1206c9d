"""The Sheets API: an account's calls to one spreadsheet, and what their receipts say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import AliasPath, Field

from core.connectors._sheets.account import Account
from core.connectors._sheets.answers import KEY_DAMAGED, explain, explain_token
from core.connectors._sheets.ranges import column_of
from core.contract import Answer, AnswerModel, Cell, HttpClient, TypedNumber, listed, plain_line
from core.errors import UpstreamError

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
APPEND = {
    "valueInputOption": "RAW",
    "insertDataOption": "INSERT_ROWS",  # OVERWRITE would write over what stands below the table
    "includeValuesInResponse": "false",
}
TABS = {"fields": "sheets.properties.title"}


class Tab(AnswerModel):
    """A tab of a spreadsheet."""

    title: str = Field(validation_alias=AliasPath("properties", "title"))


class Spreadsheet(AnswerModel):
    """A spreadsheet: its tabs."""

    sheets: list[Tab]


class Appended(AnswerModel):
    """The answer to an append: which range was written, and how many rows."""

    range: str = Field("", validation_alias=AliasPath("updates", "updatedRange"))
    rows: int = Field(validation_alias=AliasPath("updates", "updatedRows"))

    @property
    def place(self) -> str:
        """The range, as it is shown: a tab's name may be a hundred characters long."""
        return plain_line(self.range, most=160)


@dataclass(frozen=True)
class Api:
    """A service account's calls to one spreadsheet within one attempt."""

    url: str
    account: Account
    http: HttpClient

    def append(self, place: str, rows: Sequence[Sequence[Any]]) -> Answer:
        """Append rows below the table that a range finds."""
        url = f"{self.url}/values/{quote(place, safe='')}:append"
        body = {"majorDimension": "ROWS", "values": rows}
        return self._signed(
            lambda headers: self.http.post(url, json=body, params=APPEND, headers=headers)
        )

    def tabs(self) -> list[str]:
        """Read the tabs' names, in order; raises what the table of answers says."""
        answer = self._signed(lambda headers: self.http.get(self.url, params=TABS, headers=headers))
        spreadsheet = answer.success(Spreadsheet)
        if spreadsheet is None:
            raise self.explain(answer)
        return [tab.title for tab in spreadsheet.sheets]

    def explain(self, answer: Answer, tabs: Sequence[str] = ()) -> UpstreamError:
        """Say what an answer means, with the names a fix may need."""
        return explain(answer, {**self._names(), "tabs": listed(tabs)})

    def _signed(self, call: Callable[[dict[str, str]], Answer]) -> Answer:
        answer = call(self._bearer())
        # A token can end before its time; a call without one does nothing.
        return call(self._bearer(fresh=True)) if answer.status == 401 else answer

    def _bearer(self, *, fresh: bool = False) -> dict[str, str]:
        try:
            token = self.http.service_account_token(
                self.account.info,
                SCOPE,
                explain=lambda answer: explain_token(answer, self._names()),
                fresh=fresh,
            )
        except ValueError:
            # What google-auth says of a key it cannot sign with may hold a part of it.
            raise KEY_DAMAGED.error() from None
        return {"Authorization": f"Bearer {token}"}

    def _names(self) -> dict[str, str]:
        return {"email": self.account.email, "project": self.account.project}


def note(place: str, rows: Sequence[Sequence[Cell]], written: Appended) -> str | None:
    """Say where the rows are, and which digits a number does not keep."""
    return " ".join([*_where(place, written), *_digits(rows)]) or None


def _where(place: str, written: Appended) -> Iterator[str]:
    asked, got = column_of(place), column_of(written.range)
    if asked and got and asked != got:
        yield (
            f"They are at {written.place}, not in column {asked}: Google puts rows below"
            " the table it finds there."
        )
    elif written.range:
        yield f"They are at {written.place}."


def _digits(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    changed = [cell for row in rows for cell in row if isinstance(cell, TypedNumber)]
    if changed:
        which = listed((f"{cell.typed} is stored as {cell.stored}" for cell in changed), most=3)
        yield f'As a number, {which}; in quotes, "{changed[0].typed}", it keeps its digits.'
