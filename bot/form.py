"""A form whose fields are answered one after another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot import form_fields
from bot.columns import Shown, show_columns
from bot.messages import OpenForm
from bot.runtime import Bot
from core.callers import Caller
from core.contract import TARGET, Entered, FieldSpec, folded, listed, nearest
from core.engine.validation import validate
from core.errors import Fault, InvalidInput
from core.grammar import value

# Nobody answers more questions; the other columns are written in one answer.
MOST_ASKED = 25
# An answer that lists more is not read.
MOST_LISTED = 40


@dataclass
class Form:
    """An action's fields, answered one after another; `default` gives a setting's value."""

    opened: OpenForm
    default: Callable[[str], str | None]
    values: dict[str, Any] = field(default_factory=dict)
    at: int = 0
    shown: Shown | None = None  # of its columns, once they were asked for

    @property
    def plain_fields(self) -> tuple[FieldSpec, ...]:
        """The contract's: of where it goes, once a target is chosen, what that leaves open."""
        fields = form_fields.with_target(self.opened.contract, self.opened.targets)
        chosen = self.values.get(TARGET)
        needed = {spec.name for spec in self.opened.contract.fields() if spec.required}
        if chosen is not None:
            needed -= {*self.opened.targets.get(chosen, ())}
            fields = tuple(s for s in fields if not s.destination or s.name in needed)
        # Without a target, what must be given must be given.
        return tuple(replace(s, required=s.name in needed) for s in fields)

    @property
    def fields(self) -> tuple[FieldSpec, ...]:
        """What is asked for: in place of a mapping its columns, and the others in one question."""
        columns = self.shown.columns if self.shown else None
        fields = form_fields.with_columns(self.plain_fields, self.opened.contract, columns)
        unasked = self._mapping if columns and not columns.others else None
        return tuple(spec for spec in fields if spec.name != unasked)

    @property
    def spec(self) -> FieldSpec:
        """The field that is asked for now."""
        return self.fields[self.at]

    @property
    def done(self) -> bool:
        """Whether every field was asked for."""
        return self.at >= len(self.fields)

    @property
    def trouble(self) -> str:
        """Why the columns that belong to this question are not asked for one by one."""
        return self.shown.trouble if self.shown and self.spec.name == self._mapping else ""

    @property
    def _mapping(self) -> str | None:
        spec = self.opened.contract.mapping()
        return spec.name if spec else None

    async def look(self, bot: Bot, caller: Caller) -> None:
        """Read the columns, where the next question is what they are part of."""
        here = not self.done and self.spec.name == self._mapping
        if here and self.opened.columns and self.shown is None:
            shown = await show_columns(bot, self.opened.action_id, self.values, caller)
            if shown.columns is not None:
                shown = Shown(form_fields.fewer(shown.columns, MOST_ASKED))
            self.shown = shown

    def answer(self, text: str) -> str | None:
        """Take an answer and go on to the next field; what is wrong with it, if anything."""
        spec, (name, _, key) = self.spec, self.spec.name.partition(".")
        try:
            if spec.choices:
                given: Any = chosen(spec, text)
            else:
                given = Entered(text) if key else value(spec, text)
            if key or (self.shown and self.shown.columns and name == self._mapping):
                given = self._with_entries(name, {key: given} if key else given)
            if name != TARGET:
                validate(self.opened.contract, {**self.values, name: given}, self.default)
        except ValueError as problem:
            return f"{spec.title if key else name}: {problem}"
        except InvalidInput as problem:
            wrong = [fault for fault in problem.faults if fault.field.split(".")[0] == name]
            if wrong:
                return "\n".join(fault.words for fault in wrong)
        self.values[name] = given
        self.at += 1
        return None

    def _with_entries(self, name: str, more: dict[str, Any]) -> dict[str, Any]:
        """A mapping's entries with more; raises InvalidInput where these do not fit."""
        entries = self.values.get(name, {})
        if twice := entries.keys() & more.keys():
            raise InvalidInput([Fault(f"{name}.{each}", "is given already") for each in twice])
        if self.shown and self.shown.columns:
            self.shown.columns.check({**entries, **more})
        return {**entries, **more}

    def skip(self) -> str | None:
        """Leave the field out and go on; what is wrong with that, if anything."""
        columns = self.shown.columns if self.shown else None
        if columns and self.at == len(self.fields) - 1 and not self.values.get(self._mapping or ""):
            return f"{self._mapping}: at least one column is required"
        if form_fields.is_required(self.spec, self.default):
            return f"{self.spec.name}: is required"
        self.at += 1
        return None

    def finish(self) -> str | None:
        """Leave out all that is left; what is wrong with that, if anything."""
        wrong = None
        while not self.done and wrong is None:
            wrong = self.skip()
        return wrong


def choices(spec: FieldSpec) -> str:
    """What a question's answer can be."""
    how = "Any of, with commas between them" if spec.several else "One of"
    return f"{how}: {listed(spec.choices, MOST_LISTED)}" if spec.choices else ""


def chosen(spec: FieldSpec, text: str) -> Any:
    """What was chosen of a field's choices; raises ValueError."""
    choose = Entered if form_fields.is_column(spec.name) else str
    if not spec.several:
        return choose(_one(text, spec.choices))
    try:
        return [choose(_one(text, spec.choices))]
    except ValueError:
        parts = text.split("\n") if "\n" in text else text.split(",")
        return [choose(_one(part, spec.choices)) for part in parts]


def _one(typed: str, known: Sequence[str]) -> str:
    alike = [each for each in known if folded(each) == folded(typed)]
    exact = [each for each in alike if each == typed.strip()]
    if len(alike) == 1 or exact:
        return (exact or alike)[0]
    near = nearest(typed, known)
    meant = f"did you mean {near}?" if near else f"choose from: {listed(known, MOST_LISTED)}"
    raise ValueError(f"is none of them; {meant}")
