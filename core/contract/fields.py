"""A contract's fields: declared once, walked by every surface."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo

from core.contract.validation import OUTER, refuse_blank, refuse_control, refuse_unseen, tidied

Kind = Literal["text", "rows", "mapping"]
# What the text of a field is, so that a form can ask for it in its own way.
Takes = Literal["text", "number", "day", "yes", "url", "mail", "phone"]

# What a target is given by, on every interface; no contract has a field of that name.
TARGET = "target"


def field(
    title: str,
    help: str,  # noqa: A002 - it is the help
    *,
    example: Any,
    long: bool = False,
    address: bool = False,
    setting: str | None = None,
    takes_text: bool | str = False,
    destination: bool = False,
    shape: Sequence[str] = (),
    **bounds: Any,
) -> Any:
    """Declare a field of a contract: text, rows or a mapping.

    There are no number fields: take a number as text and convert it in `send`.
    `long` allows line breaks; `address` marks what names a person or a place; `setting`
    names the setting that fills the field in when it is left out; `takes_text` makes the
    free text of a command land here (in a mapping: under that key); `destination` says where
    it goes: such a field, a text, is what a target may fill in. Bounds are pydantic's. `shape`
    says in the HTTP schema what a validator takes: expressions (ECMA 262) to match.
    """
    hints = {"long": long, "address": address, "setting": setting, "takes_text": takes_text}
    hints |= {"destination": destination}
    extra: Any = {f"x-{name}": value for name, value in hints.items() if value}
    if shape:
        extra["pattern"], *others = shape
        if others:
            extra["allOf"] = [{"pattern": other} for other in others]
    return Field(
        title=title, description=help, examples=[example], json_schema_extra=extra, **bounds
    )


def message_field(example: str, max_length: int) -> Any:
    """Declare the text of a message: required, of several lines, and a command's free text."""
    return field(
        "Text",
        "What to say.",
        example=example,
        long=True,
        takes_text=True,
        min_length=1,
        max_length=max_length,
    )


@dataclass(frozen=True)
class FieldSpec:
    """A contract's field as the surfaces see it."""

    name: str
    title: str
    help: str
    example: Any
    kind: Kind
    typed_cells: bool  # whether a cell without quotes that reads as a number is one
    required: bool
    default: Any
    long: bool = False
    address: bool = False
    setting: str | None = None
    takes_text: bool | str = False
    destination: bool = False
    choices: tuple[str, ...] = ()  # what it can be; with none, anything
    several: bool = False  # of the choices it can be more than one
    takes: Takes = "text"
    min_length: int | None = None
    max_length: int | None = None

    @property
    def text_name(self) -> str:
        """The name under which a command's free text can be given as well."""
        return self.takes_text if isinstance(self.takes_text, str) else self.name

    @property
    def unit(self) -> str:
        """What its bounds count."""
        return {"text": "characters", "rows": "rows", "mapping": "entries"}[self.kind]


class Entered(str):
    """A text from a field of its own in a form: an option of that name must be there already."""

    __slots__ = ()


@dataclass(frozen=True)
class Columns:
    """What a destination takes for a mapping, as its service has it now.

    `fields` are named as the mapping's keys are, `others` are entries that no field can ask for,
    each as a person knows it, and `note` says what else there is to know. `fit` raises
    InvalidInput where entries do not fit.
    """

    fields: tuple[FieldSpec, ...]
    others: tuple[str, ...]
    note: str
    fit: Callable[[Mapping[str, Any]], None]

    def check(self, entries: Mapping[str, Any]) -> None:
        """Raise InvalidInput where entries do not fit; this asks nobody."""
        self.fit(_present(entries))


class Contract(BaseModel):
    """The base of every action's input: strict, stripped, closed, frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, str_strip_whitespace=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Take null for absence, as the value of a field and in a mapping."""
        kept = dict(values)
        for spec in cls.fields():
            given = kept.get(spec.name)
            if given is None:
                kept.pop(spec.name, None)
            elif spec.kind == "mapping" and isinstance(given, Mapping):
                kept[spec.name] = _present(given)
        return kept

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            refuse_control(value, line_breaks=True)
            return tidied(value)
        # A line break that was copied along with a word is stripped like a space.
        value = value.strip(OUTER)
        spec = next(each for each in cls.fields() if each.name == info.field_name)
        refuse_control(value, line_breaks=spec.long)
        if spec.address:
            refuse_unseen(value)
        refuse_blank(value)
        return tidied(value)

    @classmethod
    @cache
    def fields(cls) -> tuple[FieldSpec, ...]:
        """Walk the fields in the order a person fills them in."""
        return tuple(_spec(name, info) for name, info in cls.model_fields.items())

    @classmethod
    @cache
    def mapping(cls) -> FieldSpec | None:
        """The field that is a mapping, if there is one."""
        return next((spec for spec in cls.fields() if spec.kind == "mapping"), None)

    @classmethod
    @cache
    def destinations(cls) -> tuple[str, ...]:
        """The names of the fields that say where it goes."""
        return tuple(spec.name for spec in cls.fields() if spec.destination)


def _present(entries: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping's entries that say something: null is absence."""
    return {key: value for key, value in entries.items() if value is not None}


def _spec(name: str, info: FieldInfo) -> FieldSpec:
    if name == TARGET:
        raise TypeError("a contract has no field of that name: a target's name is given by it")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    hints: Any = {key.removeprefix("x-"): value for key, value in extra.items() if "x-" in key}
    origin = get_origin(info.annotation)
    kind: Kind = "mapping" if origin in (dict, Mapping) else "text"
    bounds = {
        key: bound
        for mark in info.metadata
        for key in ("min_length", "max_length")
        if (bound := getattr(mark, key, None)) is not None
    }
    return FieldSpec(
        name=name,
        title=info.title or name,
        help=info.description or "",
        example=(info.examples or [None])[0],
        kind="rows" if origin in (list, tuple, Sequence) else kind,
        typed_cells=_takes_numbers(info.annotation),
        required=info.is_required(),
        default=None if info.is_required() else info.get_default(),
        **hints,
        **bounds,
    )


def _takes_numbers(annotation: Any) -> bool:
    return annotation in (int, float, Any) or any(map(_takes_numbers, get_args(annotation)))
