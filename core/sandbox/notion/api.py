"""Notion on loopback: databases, data sources, pages and the connection itself."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.credentials import uuid as made_up_uuid
from core.sandbox.notion import schema, values
from core.sandbox.notion.values import invalid, refusal
from core.sandbox.service import Card, Handler, Received, Refusal, SandboxService, bearer

T = TypeVar("T")

OLDER = "2025-09-03"  # what the official SDKs still send unless told otherwise
VERSIONS = (OLDER, "2026-03-11")
MAX_BLOCKS = 100
_CREATE = {
    *("parent", "properties", "icon", "cover", "children"),
    *("content", "markdown", "template", "position"),
}


class Notion(SandboxService):
    """Notion's API."""

    name = "notion"
    connector = "notion"
    title = "Notion"

    databases: tuple[schema.Database, ...] = (schema.DATABASE,)
    api_key = "_".join(("ntn", letters("notion", 46)))

    def settings(self) -> dict[str, str]:
        """An integration's secret and the database with a column of every type."""
        return {
            "NOTION_API_KEY": self.api_key,
            "NOTION_DATABASE_ID_DEFAULT": schema.DATABASE.id.replace("-", ""),
            "NOTION_API_URL": self.url,
        }

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        """The calls that a connector may need, in the two versions that make pages alike."""
        base, ruled = "/notion/v1", self._ruled
        return [
            ("GET", f"{base}/users/me", "users.me", ruled(self._me)),
            ("GET", f"{base}/databases/{{id}}", "databases.retrieve", ruled(self._database)),
            ("GET", f"{base}/data_sources/{{id}}", "data_sources.retrieve", ruled(self._source)),
            ("POST", f"{base}/search", "search", ruled(self._search)),
            ("POST", f"{base}/pages", "pages.create", ruled(self._create)),
            ("GET", f"{base}/pages/{{id}}", "pages.retrieve", ruled(self._page)),
        ]

    def reset(self) -> None:
        """Forget the pages."""
        self.pages: dict[str, dict[str, Any]] = {}

    def not_found(self) -> Refusal:
        """What Notion says to an address it does not have."""
        return refusal(400, "invalid_request_url", "Invalid request URL.")

    def _ruled(self, call: Callable[[web.Request, Received], dict[str, Any]]) -> Handler:
        # The rules every call shares.
        async def handle(request: web.Request, received: Received) -> web.Response:
            _check_headers(request, self.api_key)
            body = call(request, received)
            if request.headers["Notion-Version"] == OLDER and "in_trash" in body:
                body = {**body, "archived": body["in_trash"]}
            return web.json_response(body, headers={"x-notion-request-id": str(uuid.uuid4())})

        return handle

    def _me(self, request: web.Request, received: Received) -> dict[str, Any]:
        return {
            **schema.user(schema.BOT),
            "name": "Levqor",
            "avatar_url": None,
            "type": "bot",
            "bot": {
                "owner": {"type": "workspace", "workspace": True},
                "workspace_id": made_up_uuid("workspace"),
                "workspace_name": "Levqor sandbox",
                "workspace_limits": {"max_file_upload_size_in_bytes": 5242880},
            },
        }

    def _database(self, request: web.Request, received: Received) -> dict[str, Any]:
        return schema.database_json(self._find_database(_ident(request, "database")))

    def _source(self, request: web.Request, received: Received) -> dict[str, Any]:
        return schema.source_json(*self._find_source(_ident(request, "data_source")))

    def _search(self, request: web.Request, received: Received) -> dict[str, Any]:
        wanted = _object(received).get("filter")
        if wanted != {"property": "object", "value": "data_source"}:
            raise invalid("body failed validation: only data sources are found in the sandbox.")
        found = [
            schema.source_json(source, each) for each in self.databases for source in each.sources
        ]
        return {
            "object": "list", "results": found, "next_cursor": None, "has_more": False,
            "type": "page_or_data_source", "page_or_data_source": {},
        }  # fmt: skip

    def _page(self, request: web.Request, received: Received) -> dict[str, Any]:
        return _named("page", _ident(request, "page"), self.pages)

    def _create(self, request: web.Request, received: Received) -> dict[str, Any]:
        body = _object(received)
        for name in body:
            if name not in _CREATE:
                raise invalid(f"body failed validation: body.{name} should be not present.")
        children = body.get("children") or []
        if not isinstance(children, list):
            raise invalid("body failed validation: body.children should be an array.")
        if len(children) > MAX_BLOCKS:
            raise invalid("body failed validation: body.children.length should be ≤ `100`.")
        parent, columns = self._parent(body.get("parent"))
        given = body.get("properties", {})
        if not isinstance(given, dict):
            raise invalid("body failed validation: body.properties should be an object.")
        filled = {name: values.empty(column) for name, column in columns.items()}
        named = []
        for key, value in given.items():
            column = _column(columns, key)
            filled[column["name"]] = values.read(column, value)
            named.append(column["name"])
        ident = str(uuid.uuid4())
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        page = schema.page_json(ident, parent, filled, now.replace("+00:00", "Z"))
        self.pages[ident] = page
        rows = [(n, values.shown(filled[n])) for n in named if columns[n]["type"] != "title"]
        received.card = Card(_title(filled) or "Untitled", "Notion page", rows=rows)
        return page

    def _find_database(self, ident: str) -> schema.Database:
        return _named("database", ident, {each.id: each for each in self.databases})

    def _find_source(self, ident: str) -> tuple[schema.Source, schema.Database]:
        sources = {source.id: (source, each) for each in self.databases for source in each.sources}
        return _named("data_source", ident, sources)

    def _only_source(self, ident: str) -> tuple[schema.Source, schema.Database]:
        database = self._find_database(ident)
        if len(database.sources) == 1:
            return database.sources[0], database
        more = {
            "error_type": "multiple_data_sources_for_database",
            "database_id": database.id,
            "child_data_source_ids": [source.id for source in database.sources],
        }
        text = "Databases with multiple data sources are not supported in this API version."
        raise invalid(text, more)

    def _parent(self, given: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Where a page goes, and the columns it has there."""
        kind, ident = _parent_id(given)
        if kind == "page_id":
            _named("page", ident, dict.fromkeys((schema.HOME, schema.TASK)))
            title = {"id": "title", "name": "title", "type": "title", "title": {}}
            return {"type": "page_id", "page_id": ident}, {"title": title}
        find = self._only_source if kind == "database_id" else self._find_source
        source, database = find(ident)
        ids = {"data_source_id": source.id, "database_id": database.id}
        return {"type": "data_source_id", **ids}, source.properties


def _check_headers(request: web.Request, api_key: str) -> None:
    if bearer(request) != api_key:
        raise refusal(401, "unauthorized", "API token is invalid.")
    version = request.headers.get("Notion-Version")
    if version is None:
        text = "Notion-Version header failed validation: Notion-Version header should be "
        raise refusal(400, "missing_version", text + "defined, instead was `undefined`.")
    if version not in VERSIONS:
        known = " or ".join(f'`"{date}"`' for date in VERSIONS)
        text = f'Notion-Version header should be {known}, instead was `"{version}"`.'
        raise refusal(400, "validation_error", text)


def _object(received: Received) -> dict[str, Any]:
    body = received.json if received.body else {}
    if not isinstance(body, dict):
        raise refusal(400, "invalid_json", "Error parsing JSON body.")
    return body


def _ident(request: web.Request, kind: str) -> str:
    given = request.match_info["id"]
    ident = values.read_uuid(given)
    if ident is None:
        text = f"path failed validation: path.{kind}_id should be a valid uuid, instead was "
        raise invalid(f'{text}`"{given}"`.')
    return ident


def _named(kind: str, ident: str, things: Mapping[str, T]) -> T:
    """What an id names; raises Notion's refusal."""
    if ident in things:
        return things[ident]
    text = f"Could not find {kind} with ID: {ident}. Make sure the relevant pages and databases "
    raise refusal(404, "object_not_found", text + 'are shared with your integration "Levqor".')


def _parent_id(given: Any) -> tuple[str, str]:
    """Which kind of parent a page has, and its id."""
    wrong = "body failed validation: body.parent"
    for kind in ("data_source_id", "database_id", "page_id"):
        if isinstance(given, dict) and kind in given:
            if ident := values.read_uuid(given[kind]):
                return kind, ident
            text = f"{wrong}.{kind} should be a valid uuid, instead was "
            raise invalid(f'{text}`"{given[kind]}"`.')
    raise invalid(f"{wrong} should be defined, instead was `undefined`.")


def _column(columns: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    for name, column in columns.items():
        if key in (name, column["id"]):
            return column
    raise invalid(f"{key} is not a property that exists.")


def _title(filled: dict[str, Any]) -> str:
    titles = (value["title"] for value in filled.values() if value["type"] == "title")
    return "".join(piece["plain_text"] for piece in next(titles, []))
