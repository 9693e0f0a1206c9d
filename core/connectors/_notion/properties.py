"""Plain values as the typed properties a database's own columns want."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from core.connectors._notion.dates import Zone
from core.connectors._notion.schema import Names, Schema, shown
from core.connectors._notion.values import PLAIN, Conversion
from core.contract import folded, json_of_at_most, listed
from core.errors import Fault, InvalidInput

READ_ONLY = {
    *("formula", "rollup", "unique_id", "button", "verification"),
    *("created_time", "created_by", "last_edited_time", "last_edited_by", "last_visited_time"),
}
TITLE = "title"
REQUEST_BYTES = 500_000  # https://developers.notion.com/reference/request-limits


@dataclass
class Properties:
    """A page's typed properties by column, and what its receipt says of them."""

    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    creates: bool = False  # an option that the schema does not have


def named_once(props: Any) -> Any:
    """Refuse names that stripping would empty or make the same."""
    if isinstance(props, Mapping):
        names = {str(name).strip() for name in props}
        if "" in names:
            raise ValueError("has a value without a name")
        if len(names) < len(props):
            raise ValueError("names a column twice")
    return props


Props = Annotated[
    dict[str, Any], BeforeValidator(named_once), AfterValidator(json_of_at_most(REQUEST_BYTES))
]


def typed(props: Mapping[str, Any], schema: Schema, zone: Zone | None = None) -> Properties:
    """Turn plain values into the typed properties of this schema.

    A key is a column's name or id; `title` is the title column, whatever its name. Notion's
    own property objects are left as they are. Raises InvalidInput with every fault.
    """
    made = Properties()
    faults: list[Fault] = []
    names = Names("columns", {name: column.id for name, column in schema.columns.items()})
    given: dict[str, str] = {}
    for key, value in props.items():
        try:
            name = column_named(key.strip(), schema, names)
            if name in given:
                faults.append(_twice(name, given[name], key))
                continue
            given[name] = key
            turn = Conversion(schema.columns[name], zone or Zone())
            made.values[name] = _property(value, turn)
        except ValueError as wrong:
            faults.append(Fault(f"props.{key[:80]}", str(wrong)))
        else:
            if turn.new:
                turn.notes.append(_new_options(turn.new))
                made.creates = True
            made.notes += [f"{shown(name)}: {note}." for note in turn.notes]
    if faults:
        raise InvalidInput(faults)
    return made


def column_named(key: str, schema: Schema, names: Names) -> str:
    """Return a column's exact name; raises ValueError where none or several are meant."""
    name = None if key == TITLE else names.find(key)
    if name is None and folded(key) == TITLE:
        name = next((n for n, column in schema.columns.items() if column.type == TITLE), None)
    if name is None:
        offered = (n for n, column in schema.columns.items() if column.type not in READ_ONLY)
        hint = names.hint(key, offered)
        text = "" if hint.startswith(" (") else '; to send it as text, write title="…"'
        raise ValueError(f"is not a column of this database{hint}{text}")
    return name


def _twice(name: str, earlier: str, key: str) -> Fault:
    """Say that two keys are one column; nobody wrote `title` who wrote a text."""
    written = [each for each in (key, earlier) if each.strip() != TITLE]
    what = f"is the column {shown(name)}, which is given twice"
    if len(written) == 1:
        what = "is the page's title, and so is the text (or title=…): keep one of the two"
    return Fault(f"props.{written[0][:80]}", what)


def _new_options(names: Sequence[str]) -> str:
    """Say which options a page makes: a mistyped one is noticed."""
    are = "is a new option" if len(names) == 1 else "are new options"
    return f"{listed(map(shown, names), 3)} {are}"


def _property(value: Any, turn: Conversion) -> dict[str, Any]:
    kind = turn.column.type
    if kind in READ_ONLY:
        raise ValueError(f"is read-only in Notion ({kind}); leave it out")
    if isinstance(value, Mapping) and kind in value:
        return dict(value)
    if kind not in PLAIN:
        raise ValueError(f"is of type {kind}, which takes only Notion's own object ({kind}: …)")
    empty, convert = PLAIN[kind]
    try:
        value = type(value)(value.strip()) if isinstance(value, str) else value
        return {kind: empty if value == "" and kind != "checkbox" else convert(value, turn)}
    except ValueError as wrong:
        raise ValueError(f"is of type {kind}: {wrong}") from None
