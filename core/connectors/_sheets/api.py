"""The Sheets API: an account's calls to one spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel

from core.connectors._sheets.answers import KEY_DAMAGED, explain, explain_token
from core.contract import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.connectors._sheets.account import Account
    from core.contract import Answer, HttpClient
    from core.errors import UpstreamError

SCOPES = ("https://www.googleapis.com/auth/spreadsheets",)
APPEND = {
    "valueInputOption": "RAW",
    "insertDataOption": "INSERT_ROWS",  # OVERWRITE would write over what stands below the table
    "includeValuesInResponse": "false",
}
TABS = {"fields": "sheets.properties.title"}


class Properties(BaseModel):
    """A tab's properties."""

    title: str


class Sheet(BaseModel):
    """A tab."""

    properties: Properties


class Spreadsheet(BaseModel):
    """A spreadsheet: its tabs."""

    sheets: list[Sheet]


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
        spreadsheet = answer.parse(Spreadsheet) if answer.status == 200 else None
        if spreadsheet is None:
            raise explain(answer, values=self._names(), wrote=False)
        return [sheet.properties.title for sheet in spreadsheet.sheets]

    def explain(self, answer: Answer, tabs: Sequence[str]) -> UpstreamError:
        """Say what an answer to `append` means, with the names a fix may need."""
        return explain(answer, values={**self._names(), "tabs": listed(tabs)})

    def _signed(self, call: Callable[[dict[str, str]], Answer]) -> Answer:
        answer = call(self._bearer())
        # A token can end before its time; a call without one does nothing.
        return call(self._bearer(fresh=True)) if answer.status == 401 else answer

    def _bearer(self, *, fresh: bool = False) -> dict[str, str]:
        try:
            token = self.http.service_account_token(
                self.account.info,
                SCOPES,
                explain=lambda answer: explain_token(answer, self._names()),
                fresh=fresh,
            )
        except ValueError:
            # What google-auth says of a key it cannot sign with may hold a part of it.
            raise KEY_DAMAGED.error() from None
        return {"Authorization": f"Bearer {token}"}

    def _names(self) -> dict[str, str]:
        return {"email": self.account.email, "project": self.account.project}
