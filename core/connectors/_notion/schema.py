"""A Notion database as its API describes it: its data source, its columns and their names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pydantic import AliasChoices, AliasPath, Field, SecretStr

from core.connectors._notion.answers import SEVERAL_SOURCES, UNREADABLE, complaint, explain
from core.contract import Answer, AnswerModel, HttpClient, bearer, folded, listed, nearest
from core.errors import UpstreamError

VERSION = "2026-03-11"  # https://developers.notion.com/reference/versioning
REMEMBERED = 300.0  # seconds

_ID = re.compile(
    r"(?:.*[^0-9a-f])?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})",
    re.IGNORECASE,
)
_HEX = "[0-9A-Fa-f]"
# An id alone, or after the page's title in an address; what follows ? or # does not count.
NOTION_ID_SHAPE = (
    rf"^(?:[^?#]*/(?:[^/?#]*[^/?#0-9A-Fa-f])?)?{_HEX}{{8}}-?(?:{_HEX}{{4}}-?){{3}}{_HEX}{{12}}"
    r"/*(?:[?#].*)?$"
)


@dataclass(frozen=True)
class Api:
    """One integration's calls within one attempt; paths are those after `/v1/`."""

    url: str
    token: SecretStr
    http: HttpClient

    def get(self, path: str) -> Answer:
        """Read."""
        return self.http.get(f"{self.url}/v1/{path}", headers=self._headers())

    def post(self, path: str, body: Any, **more: Any) -> Answer:
        """Write; with `effect="none"` search."""
        return self.http.post(f"{self.url}/v1/{path}", json=body, headers=self._headers(), **more)

    def _headers(self) -> dict[str, str]:
        return {**bearer(self.token), "Notion-Version": VERSION}


class Option(AnswerModel):
    """An option of a select, a status or a multi-select."""

    id: str = ""
    name: str


class Column(AnswerModel):
    """A property of a data source's schema; its name is the key it stands under."""

    id: str
    type: str
    # What a type has of its own stands under the type's name.
    options: tuple[Option, ...] = Field(
        default=(),
        validation_alias=AliasChoices(
            "options",
            *(AliasPath(own, "options") for own in ("select", "status", "multi_select")),
        ),
    )


class Schema(AnswerModel):
    """A data source: its id, and its columns by name."""

    id: str
    columns: dict[str, Column] = Field(validation_alias="properties")


class Source(AnswerModel):
    """A data source as its database lists it."""

    id: str
    name: str = ""


class Database(AnswerModel):
    """A database: a container of data sources."""

    data_sources: list[Source]


class Page(AnswerModel):
    """The page Notion made."""

    id: str
    url: str | None = None


class Text(AnswerModel):
    """A piece of a title."""

    plain_text: str = ""


class Shared(AnswerModel):
    """A data source as a search finds it."""

    id: str
    title: tuple[Text, ...] = ()


class Found(AnswerModel):
    """What a search found."""

    results: list[Shared]


def notion_id(value: str) -> str:
    """Return the dashed id in a 32-digit id, a dashed one or a pasted address.

    What follows `?` (a view's id) is left aside. Raises ValueError where there is no id.
    """
    path = re.split(r"[?#]", value.strip(), maxsplit=1)[0].rstrip("/")
    # Before the id, an address may have the page's title; an id alone has nothing.
    match = _ID.fullmatch(path.rpartition("/")[2])
    if not match or ("/" not in path and path[0 : match.start(1)]):
        raise ValueError("must be Notion's 32-character id, or an address that holds it")
    return "-".join(match.groups()).lower()


def remembered_schema(ident: str, notion: Api, *, fresh: bool = False) -> tuple[Schema, bool]:
    """Return a database's columns, and whether they were read earlier rather than now."""
    read: list[Schema] = []

    def make() -> tuple[Schema, float]:
        read.append(read_schema(ident, notion))
        return read[0], REMEMBERED

    return notion.http.remember(f"columns of {ident}", make, fresh=fresh), not read


def read_schema(ident: str, notion: Api) -> Schema:
    """Find a database's only data source and read its columns.

    `ident` may be either's id: people copy both. Raises what the table of answers says.
    """
    answer = notion.get(f"databases/{ident}")
    if answer.status == 200:
        ident = _only_source(answer).id
    elif answer.status != 404:
        raise explain(answer)
    answer = notion.get(f"data_sources/{ident}")
    if answer.status != 200:
        raise explain(answer)
    schema = answer.parse(Schema)
    if schema is None:
        raise UNREADABLE.error()
    return schema


def saved_page(answer: Answer, notion: Api) -> Page | None:
    """Read back the page that a 503 says was saved; None where it is not seen."""
    try:
        page = notion_id(str(complaint(answer).additional_data.get("committed_resource_id")))
        return notion.get(f"pages/{page}").success(Page)
    except (ValueError, UpstreamError):
        # A look that failed says nothing of the write, which stays unknown.
        return None


def shared_sources(notion: Api) -> list[tuple[str, str]]:
    """List the ids and titles of the data sources that the integration may use, latest first."""
    only = {"filter": {"property": "object", "value": "data_source"}, "page_size": 20}
    answer = notion.post("search", only, effect="none")
    if answer.status != 200:
        raise explain(answer)
    found = answer.parse(Found)
    if found is None:
        raise UNREADABLE.error()
    return [(each.id, "".join(part.plain_text for part in each.title)) for each in found.results]


def _only_source(answer: Answer) -> Source:
    database = answer.parse(Database)
    if database is None or not database.data_sources:
        raise UNREADABLE.error()
    if len(database.data_sources) > 1:
        sources = listed(f"{s.name or 'untitled'} ({s.id})" for s in database.data_sources)
        raise SEVERAL_SOURCES.error(values={"sources": sources})
    return database.data_sources[0]


class Names:
    """The names of one kind of thing; `ids` is name to id."""

    def __init__(self, kind: str, ids: Mapping[str, str]) -> None:
        """`kind` is what they name, in the plural."""
        self._kind, self.ids = kind, ids
        self._alike: dict[str, list[str]] = {}
        for name in ids:
            self._alike.setdefault(folded(name), []).append(name)

    def find(self, written: str) -> str | None:
        """Return the exact name; raises ValueError where several look like it."""
        alike = self._alike.get(folded(written), [])
        if len(alike) > 1:
            both = [f"{shown(name)} (id {listed([self.ids[name]])})" for name in alike]
            raise ValueError(
                f"could be any of the {self._kind} {' and '.join(both)}: "
                "write the id of the one you mean in place of its name"
            )
        if alike:
            return alike[0]
        ids = ((name, ident) for name, ident in self.ids.items() if ident)
        return next((name for name, ident in ids if written in (ident, unquote(ident))), None)

    def hint(self, written: str, offered: Iterable[str]) -> str:
        """Say which name is nearest, and which there are."""
        near = nearest(written, self.ids)
        meant = f" (did you mean {shown(near)}?)" if near else ""
        return f"{meant}; the {self._kind} are: {listed(offered)}"


def shown(name: str) -> str:
    """A name in quotes, so that a blank at its end is seen."""
    return f"'{listed([name])}'"
