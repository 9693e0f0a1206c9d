"""A database's columns as the fields of a form."""

from collections.abc import Mapping
from typing import Any

from core.connectors._notion.dates import Zone
from core.connectors._notion.properties import READ_ONLY, TITLE, column_named, typed
from core.connectors._notion.schema import Column, Names, Schema
from core.connectors._notion.values import ITEMS
from core.contract import Columns, FieldSpec, listed, plain_line

# A fault names no more of a key.
_LONGEST_KEY = 80
_DAY = "A day such as 2026-12-01, a time such as 2026-12-01T09:30, or two with / between them."
_NEW = "Written here, an option may be new, and a day may have a time."
# Each type that a field can ask for: what is said of it, and its hints.
_FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    TITLE: ("The page's title.", {}),
    "rich_text": ("", {"long": True}),
    "number": ("A number such as 3 or 4.5.", {"takes": "number"}),
    "select": ("", {}),
    "status": ("", {}),
    "multi_select": ("", {"several": True}),
    "date": (_DAY, {"takes": "day"}),
    "checkbox": ("Yes or no.", {"takes": "yes"}),
    "url": ("An address.", {"takes": "url"}),
    "email": ("An e-mail address.", {"takes": "mail"}),
    "phone_number": ("A telephone number.", {"takes": "phone"}),
}
_OPTIONS = ("select", "status", "multi_select")


def form_columns(schema: Schema, zone: Zone) -> Columns:
    """Make a field of each column that one can ask for, the title first."""
    names = Names("columns", {name: column.id for name, column in schema.columns.items()})
    fields: list[FieldSpec] = []
    others: list[str] = []
    for name, column in sorted(schema.columns.items(), key=lambda each: each[1].type != TITLE):
        if column.type in READ_ONLY:
            continue
        spec = _field(name, column, schema, names) if len(fields) < ITEMS else None
        if spec:
            fields.append(spec)
        else:
            others.append(f"{name} ({column.type})")
    own = [name for name, column in schema.columns.items() if column.type in READ_ONLY]
    note = f"{_NEW} Notion itself fills in {listed(own)}." if own else _NEW
    return Columns(tuple(fields), tuple(others), note, lambda props: _fit(props, schema, zone))


def _fit(props: Mapping[str, Any], schema: Schema, zone: Zone) -> None:
    typed(props, schema, zone)


def _field(name: str, column: Column, schema: Schema, names: Names) -> FieldSpec | None:
    key = _key(name, column, schema, names)
    choices = tuple(option.name for option in column.options if _clean(option.name))
    if key is None or column.type not in _FIELDS or (column.type in _OPTIONS and not choices):
        return None
    text, hints = _FIELDS[column.type]
    return FieldSpec(
        name=key, title=plain_line(name, _LONGEST_KEY).strip() or key, help=text, example=None,
        kind="text", typed_cells=False, required=False, default=None,
        choices=choices if column.type in _OPTIONS else (), **hints,
    )  # fmt: skip


def _key(name: str, column: Column, schema: Schema, names: Names) -> str | None:
    """What is written for a column: its name where that is plain and no other's, else its id."""
    for key in (TITLE,) if column.type == TITLE else (name.strip(), column.id):
        try:
            fits = _clean(key) and len(key) <= _LONGEST_KEY
            if fits and column_named(key, schema, names) == name:
                return key
        except ValueError:
            continue
    return None


def _clean(name: str) -> bool:
    """Whether a name goes into a form and comes back as it was."""
    return bool(name.strip()) and plain_line(name) == name
