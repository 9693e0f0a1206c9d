"""The fields of an action's form: as a page draws them, and as a browser sends them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import ImmutableMultiDict

from bot import form_fields
from core.contract import TARGET, Columns, Contract, FieldSpec
from core.grammar import LINES

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# What was typed, by field: several texts where several may be chosen.
Texts = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Field:
    """A field as the form draws it."""

    spec: FieldSpec
    given: str | Sequence[str]
    fault: str | None
    preset: str | None
    required: bool

    @property
    def text(self) -> str:
        """What was typed into it."""
        return self.given if isinstance(self.given, str) else ", ".join(self.given)

    @property
    def chosen(self) -> Sequence[str]:
        """What was chosen."""
        return ([self.given] if self.given else []) if isinstance(self.given, str) else self.given

    @property
    def choices(self) -> Sequence[str]:
        """What it can be, and what was chosen before that is not there any more."""
        gone = [each for each in self.chosen if each not in self.spec.choices]
        return [*self.spec.choices, *gone] if self.spec.choices else []

    @property
    def draws(self) -> str:
        """How it is asked for."""
        if self.spec.choices:
            return "several" if self.spec.several else "one"
        if self.spec.takes == "yes":
            return "tick"
        if self.spec.takes == "day" and (not self.given or _DAY.fullmatch(self.text)):
            return "date"
        return "text"

    @property
    def lines(self) -> int:
        """How many lines of it are shown; one is a single line's field."""
        if form_fields.is_column(self.spec.name):
            return 3 if self.spec.long else 1
        if self.spec.kind != "text":
            return 5
        return 6 if self.spec.long else 1

    @property
    def help(self) -> str:
        """What to write."""
        # What is to be chosen says so itself.
        said = [] if self.draws in ("date", "tick") else [self.spec.help]
        if self.spec.kind == "mapping":
            said.append(LINES)
        if self.spec.kind == "rows":
            said.append("A table that is copied from a sheet can be pasted.")
        if self.preset:
            said.append(f"Left empty, it is {self.preset}.")
        if self.spec.max_length:
            said.append(f"At most {self.spec.max_length:,} {self.spec.unit}.")
        return " ".join(said)

    @property
    def example(self) -> str:
        """An example of an answer."""
        return form_fields.example(self.spec)


def texts_of(form: ImmutableMultiDict[str, str], contract: type[Contract]) -> Texts:
    """What was typed into the fields of a form, those of columns too."""
    names, mapping = {TARGET, *(spec.name for spec in contract.fields())}, contract.mapping()
    several = {*form.getlist("several")}
    return {
        name: form.getlist(name) if name in several else form[name]
        for name in {**form, **dict.fromkeys(several)}
        if name in names or (mapping and name.startswith(f"{mapping.name}."))
    }


def with_columns(
    specs: Sequence[FieldSpec], contract: type[Contract], columns: Columns | None, texts: Texts
) -> Sequence[FieldSpec]:
    """The fields with those of columns; what was typed for one that has gone is still there."""
    made = form_fields.with_columns(specs, contract, columns)
    known, mapping = {spec.name for spec in made}, contract.mapping()
    gone = [name for name, given in texts.items() if given and name not in known]
    if mapping is None or not gone:
        return made
    at = [spec.name for spec in made].index(mapping.name)
    more = [
        replace(
            mapping, name=name, title=name.partition(".")[2], help="", kind="text", required=False,
            max_length=None, several=not isinstance(texts[name], str),
            choices=() if isinstance(texts[name], str) else tuple(texts[name]),
        )
        for name in gone
    ]  # fmt: skip
    return (*made[:at], *more, *made[at:])


def parted(fields: Sequence[Field]) -> tuple[Sequence[Field], ...]:
    """Where it goes, then its columns, then the rest."""
    own = [form_fields.is_column(field.spec.name) for field in fields]
    first = own.index(True) if True in own else len(own) - 1
    end = first + sum(own)
    return fields[:first], fields[first:end], fields[end:]
