"""A form's fields: what they are, which must be filled in, and how what was typed is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.contract import (
    TARGET,
    Columns,
    Contract,
    Entered,
    FieldSpec,
    listed,
)
from core.errors import Fault, InvalidInput
from core.grammar import value, written


def with_target(
    contract: type[Contract], targets: Iterable[str], *, only: bool = False
) -> tuple[FieldSpec, ...]:
    """A contract's fields; where there are targets, the choice of one before what it fills in.

    With `only` that choice is all that says where it goes.
    """
    names, fields = tuple(targets), contract.fields()
    if not names:
        return fields
    where = contract.destinations()
    choice = FieldSpec(
        name=TARGET,
        title="Target",
        help=f"A name for where it goes, in place of {' and '.join(where)}.",
        example=names[0],
        kind="text",
        typed_cells=False,
        required=only,
        default=None,
        choices=names,
    )
    at = [spec.name for spec in fields].index(where[0])
    rest = (replace(s, required=False) if s.destination else s for s in fields[at:])
    return (*fields[:at], choice, *(s for s in rest if not (only and s.destination)))


def with_columns(
    fields: Sequence[FieldSpec], contract: type[Contract], columns: Columns | None
) -> tuple[FieldSpec, ...]:
    """A form's fields; what columns there are in place of the mapping, which takes the rest."""
    spec = contract.mapping()
    if spec is None or columns is None:
        return tuple(fields)
    rest = f"For a column without a field, as name=value: {listed(columns.others)}."
    said = [rest] if columns.others else []
    others = replace(
        spec, title="Other columns", help=" ".join([*said, columns.note]), required=False
    )
    own = [replace(each, name=f"{spec.name}.{each.name}") for each in columns.fields]
    at = [each.name for each in fields].index(spec.name)
    return (*fields[:at], *own, others, *fields[at + 1 :])


def fewer(columns: Columns, most: int) -> Columns:
    """Columns of which no more than so many have a field."""
    rest = [each.title for each in columns.fields[most:]]
    return replace(columns, fields=columns.fields[:most], others=(*rest, *columns.others))


def is_column(name: str) -> bool:
    """Whether a form's field is an entry of a mapping: no field of a contract is named so."""
    return "." in name


def asks(spec: FieldSpec) -> str:
    """How a question calls its field: a column has no other name than its own."""
    return spec.title if is_column(spec.name) else f"{spec.title} ({spec.name})"


def shown_entry(key: str, columns: Columns | None) -> str:
    """How a person knows what stands under a mapping's key."""
    known = columns.fields if columns else ()
    return next((each.title for each in known if each.name == key), key)


def is_required(spec: FieldSpec, default: Callable[[str], str | None]) -> bool:
    """Whether the field must be answered: it has no default."""
    if spec.setting is None:
        return spec.required
    return spec.default is None and default(spec.setting) is None


def read(
    contract: type[Contract], texts: Mapping[str, str | Sequence[str] | None]
) -> dict[str, Any]:
    """Turn what was typed into a form's fields into values; raises InvalidInput, every fault.

    What was typed for a column is its value as it stands.
    """
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for spec in contract.fields():
        text = texts.get(spec.name)
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            found[spec.name] = value(spec, text)
        except ValueError as problem:
            faults.append(Fault(spec.name, str(problem)))
    for name, given in texts.items():
        field, _, key = name.partition(".")
        if not is_column(name) or not (entry := entered(given)):
            continue
        entries = found.setdefault(field, {})
        if key in entries:
            faults.append(Fault(field, f"names {key}, which has a field of its own: keep one"))
        entries[key] = entry
    if faults:
        raise InvalidInput(faults)
    target = str(texts.get(TARGET) or "").strip()
    return {TARGET: target, **found} if target else found


def entered(given: str | Sequence[str] | None) -> Entered | list[Entered] | None:
    """What was typed into a column's field, or chosen there; None where nothing was."""
    if isinstance(given, str):
        return Entered(given) if given.strip() else None
    return [Entered(each) for each in given or ()] or None


def beside(
    contract: type[Contract], faults: Iterable[Fault], asked: Iterable[str] = ()
) -> dict[str, str]:
    """Put each fault beside its field; what belongs to none stands beside the first.

    `asked` names the form's fields, among which may be the choice of a target.
    """
    asked, names = [*asked], [spec.name for spec in contract.fields()]
    names += [TARGET] if TARGET in asked else []
    found: dict[str, str] = {}
    columns = [name for name in asked if is_column(name)]
    for fault in faults:
        if fault.field in columns:
            found[fault.field] = fault.message
            continue
        if columns and fault == Fault(columns[0].partition(".")[0], "is required"):
            found[columns[0]] = "fill in this or another column"
            continue
        name, _, deeper = fault.field.partition(".")
        said = f"{deeper}: {fault.message}" if deeper else fault.message
        if name not in names:
            name, said = names[0], fault.words
        found[name] = f"{found[name]}; {said}" if name in found else said
    return found


def example(spec: FieldSpec) -> str:
    """A short example of an answer; empty where the field has none."""
    if spec.kind == "rows" and spec.example:
        return written(spec.example[:1], numbers=spec.typed_cells)
    if spec.kind == "mapping" and spec.example:
        return next(f"{name}={inner}" for name, inner in spec.example.items())
    return "" if spec.example is None else str(spec.example)
