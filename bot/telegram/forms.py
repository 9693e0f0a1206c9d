"""A form, question by question; in memory alone, for ten minutes after the last answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot import form_fields
from bot.confirmations import MOST, SECONDS
from bot.expiring import ExpiringMap
from core.errors import InvalidInput
from core.grammar import LINES, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.contract import Contract, FieldSpec

# What a preview shows of one field; a whole message may be 4096 characters long.
SHOWN = 600

MAYBE_CUT = (
    "One answer is about as long as Telegram allows: if it was cut in two, the rest is not in it."
)


@dataclass
class Form:
    """One person's answers so far. `name` is how the action is spelled, `/name`.

    `maybe_cut` tells that an answer may be the first part of a longer one.
    """

    action_id: str
    name: str
    title: str
    contract: type[Contract]
    default: Callable[[str], str | None]
    values: dict[str, Any] = field(default_factory=dict)
    at: int = 0
    maybe_cut: bool = False

    @property
    def spec(self) -> FieldSpec:
        """The field that is asked for now."""
        return self.contract.fields()[self.at]

    @property
    def done(self) -> bool:
        """Whether every field was asked for."""
        return self.at >= len(self.contract.fields())

    @property
    def needed(self) -> bool:
        """Whether the field must be answered: nothing would stand in for it."""
        return form_fields.is_required(self.spec, self.default)

    def answer(self, text: str) -> str | None:
        """Take an answer and go on to the next field; what is wrong with it, if anything."""
        spec = self.spec
        try:
            given = form_fields.parse_answer(self.contract, spec, text, self.values, self.default)
        except InvalidInput as problem:
            return "\n".join(f"{one.field}: {one.message}" for one in problem.faults)
        self.values[spec.name] = given
        self.at += 1
        return None

    def skip(self) -> bool:
        """Leave the field out; False where it must be answered."""
        if self.needed:
            return False
        self.at += 1
        return True

    def question(self) -> str:
        """Ask for the field: its name, what it is, an example, what may be done instead."""
        spec, count = self.spec, len(self.contract.fields())
        lines = [f"{self.name}, {self.at + 1} of {count}: {spec.title} ({spec.name})", spec.help]
        if spec.max_length:
            lines.append(f"At most {spec.max_length:,} {spec.unit}.")
        if spec.kind == "mapping":
            lines.append(LINES)
        if example := _example(spec):
            lines.append(f"For example: {example}")
        lines.append(f"Reply with it. {self._instead()}/cancel sends nothing.")
        return "\n".join(lines)

    def preview(self) -> str:
        """Everything as it would be sent, long texts cut short."""
        lines = [f"{self.title}: {self.name}"]
        for spec in self.contract.fields():
            if spec.name in self.values:
                lines.append(f"{spec.name}: {_shown(spec, self.values[spec.name])}")
            elif spec.setting and self.default(spec.setting) is not None:
                lines.append(f"{spec.name}: as {spec.setting} says")
        if self.maybe_cut:
            lines.append(MAYBE_CUT)
        return "\n".join([*lines, "Send it?"])

    def _instead(self) -> str:
        if self.needed:
            return ""
        spec = self.spec
        if spec.setting and self.default(spec.setting) is not None:
            return f"/skip takes what {spec.setting} says, "
        if spec.default is not None:
            return f"/skip takes {spec.default}, "
        return "/skip leaves it out, "


class Forms:
    """The open forms: one for a person in a chat."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._open: ExpiringMap[tuple[int, int], Form] = ExpiringMap(MOST, seconds)

    def put(self, chat: int, user: int, form: Form) -> None:
        """Open a form, in place of one that is open."""
        self._open[chat, user] = form

    def find(self, chat: int, user: int) -> Form | None:
        """The form somebody has open here; asking for it keeps it open."""
        form = self._open.get((chat, user))
        if form is not None:
            self.put(chat, user, form)
        return form

    def close(self, chat: int, user: int) -> Form | None:
        """Close a form and hand it over; None where there is none, or not any more."""
        return self._open.pop((chat, user))


def _example(spec: FieldSpec) -> str:
    if spec.example is None:
        return ""
    if spec.kind == "rows":
        return written(spec.example[:1], numbers=spec.numbers)
    if spec.kind == "mapping":
        return " ".join(f"{name}={inner}" for name, inner in list(spec.example.items())[:1])
    return str(spec.example)


def _shown(spec: FieldSpec, given: Any) -> str:
    if isinstance(given, dict):
        text = "\n".join(f"{name}={inner}" for name, inner in given.items())
    elif isinstance(given, list):
        text = written(given, numbers=spec.numbers)
    else:
        text = str(given)
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… ({len(text):,} characters in all)"
