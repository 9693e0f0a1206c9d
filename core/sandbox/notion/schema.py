"""The workspace on loopback: a database with a column of every type."""

from dataclasses import dataclass
from typing import Any

from core.sandbox.credentials import uuid

BOT = uuid("notion bot")
PERSON = uuid("notion person")
HOME = uuid("notion home page")
TASK = uuid("notion task page")

CREATED = "2026-01-10T09:00:00.000Z"


@dataclass(frozen=True)
class Source:
    """A data source: its id, name and columns, each a name and its type's own settings."""

    id: str
    name: str
    properties: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Database:
    """A database and its data sources."""

    id: str
    title: str
    sources: tuple[Source, ...]


def options(*names: str) -> list[dict[str, Any]]:
    """The options of a select or status column."""
    colors = ("gray", "blue", "green", "red", "yellow")
    return [
        {"id": uuid(f"option {name}"), "name": name, "color": color, "description": None}
        for name, color in zip(names, colors, strict=False)
    ]


def column(name: str, kind: str, **settings: Any) -> dict[str, Any]:
    """A column and its type's own settings."""
    ident = "title" if kind == "title" else uuid(f"column {name}")[:4]
    return {"id": ident, "name": name, "description": None, "type": kind, kind: settings}


def columns(*listed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns by name."""
    return {entry["name"]: entry for entry in listed}


STATUS = options("Not started", "Open", "In progress", "Done")
GROUPS = [
    {
        "id": uuid(f"group {name}"),
        "name": name,
        "color": "gray",
        "option_ids": [STATUS[index]["id"] for index in indexes],
    }
    for name, indexes in (("To-do", (0, 1)), ("In progress", (2,)), ("Complete", (3,)))
]

TASKS = Source(
    uuid("tasks"),
    "Tasks",
    columns(
        column("Name", "title"),
        column("Notes", "rich_text"),
        column("Points", "number", format="number"),
        column("Priority", "select", options=options("Low", "Medium", "High")),
        column("Status", "status", options=STATUS, groups=GROUPS),
        column("Tags", "multi_select", options=options("bug", "idea")),
        column("Due", "date"),
        column("Done", "checkbox"),
        column("Link", "url"),
        column("Mail", "email"),
        column("Phone", "phone_number"),
        column("Owner", "people"),
        column(
            "Related",
            "relation",
            database_id=uuid("tasks database"),
            data_source_id=uuid("tasks"),
            type="single_property",
            single_property={},
        ),
        column("Files", "files"),
        column("Overdue", "formula", expression="false"),
        column(
            "Related points",
            "rollup",
            function="sum",
            relation_property_name="Related",
            relation_property_id=uuid("column Related")[:4],
            rollup_property_name="Points",
            rollup_property_id=uuid("column Points")[:4],
        ),
        column("Created", "created_time"),
        column("Created by", "created_by"),
        column("Edited", "last_edited_time"),
        column("Edited by", "last_edited_by"),
        column("Number", "unique_id", prefix="TASK"),
        column("Close", "button"),
    ),
)
DATABASE = Database(uuid("tasks database"), "Team tasks", (TASKS,))


def rich_text(content: str, link: str | None = None) -> dict[str, Any]:
    """A piece of rich text as Notion answers it."""
    plain = ("bold", "italic", "strikethrough", "underline", "code")
    return {
        "type": "text",
        "text": {"content": content, "link": {"url": link} if link else None},
        "annotations": {**dict.fromkeys(plain, False), "color": "default"},
        "plain_text": content,
        "href": link,
    }


def user(ident: str) -> dict[str, Any]:
    """A user as Notion refers to one."""
    return {"object": "user", "id": ident}


def _object(kind: str, ident: str, created: str = CREATED, **more: Any) -> dict[str, Any]:
    """What databases, data sources and pages have alike, and what is their own."""
    return {
        "object": kind,
        "id": ident,
        "created_time": created,
        "last_edited_time": created,
        "in_trash": False,
        "icon": None,
        "cover": None,
        "url": f"https://www.notion.so/{ident.replace('-', '')}",
        "public_url": None,
        **more,
    }


def database_json(database: Database) -> dict[str, Any]:
    """A database as `GET /v1/databases/{id}` answers."""
    return _object(
        "database",
        database.id,
        title=[rich_text(database.title)],
        description=[],
        parent={"type": "page_id", "page_id": HOME},
        is_inline=False,
        is_locked=False,
        data_sources=[{"id": source.id, "name": source.name} for source in database.sources],
    )


def source_json(source: Source, database: Database) -> dict[str, Any]:
    """A data source as `GET /v1/data_sources/{id}` answers, its columns included."""
    return _object(
        "data_source",
        source.id,
        title=[rich_text(source.name)],
        description=[],
        parent={"type": "database_id", "database_id": database.id},
        database_parent={"type": "page_id", "page_id": HOME},
        is_inline=False,
        created_by=user(PERSON),
        last_edited_by=user(PERSON),
        properties=source.properties,
    )


def page_json(
    ident: str, parent: dict[str, Any], properties: dict[str, Any], created: str
) -> dict[str, Any]:
    """A page as Notion answers it."""
    people = {"created_by": user(BOT), "last_edited_by": user(BOT)}
    own = {"is_locked": False, "parent": parent, "properties": properties, **people}
    return _object("page", ident, created, **own)
