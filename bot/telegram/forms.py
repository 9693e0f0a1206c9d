"""A form, question by question; in memory alone, for ten minutes after the last answer."""

from dataclasses import dataclass
from typing import Any

from bot import form, form_fields
from bot.conversation import MOST_PENDING, PENDING_SECONDS
from bot.expiring import ExpiringMap
from bot.telegram.menus import SPELLING
from core.contract import FieldSpec
from core.grammar import LINES, written

# What a preview shows of one field; a whole message may be 4096 characters long.
SHOWN = 600

MAYBE_CUT = (
    "One answer is about as long as Telegram allows: if it was cut in two, the rest is not in it."
)


@dataclass
class Form(form.Form):
    """One person's answers so far."""

    maybe_cut: bool = False  # an answer may be the first part of a longer one

    def question(self) -> str:
        """Ask for the field: its name, what it is, an example, what may be done instead."""
        spec, name = self.spec, SPELLING.action(self.opened.action_id)
        lines = [f"{name}, {self.at + 1} of {len(self.fields)}: {form_fields.asks(spec)}"]
        lines += filter(None, [self.trouble, spec.help])
        if spec.max_length:
            lines.append(f"At most {spec.max_length:,} {spec.unit}.")
        if spec.kind == "mapping":
            lines.append(LINES)
        if spec.choices:
            lines.append(form.choices(spec))
        elif spec.example is not None:
            lines.append(f"For example: {form_fields.example(spec)}")
        rest = "/done leaves out the rest, " if form_fields.is_column(spec.name) else ""
        lines.append(f"Reply with it. {self._instead()}{rest}/cancel sends nothing.")
        return "\n".join(lines)

    def preview(self) -> str:
        """Everything as it would be sent, long texts cut short."""
        lines = [f"{self.opened.text}: {SPELLING.action(self.opened.action_id)}"]
        for spec in self.plain_fields:
            if spec.name in self.values:
                lines.append(f"{spec.name}: {self._shown(spec, self.values[spec.name])}")
            elif spec.setting and self.default(spec.setting) is not None:
                lines.append(f"{spec.name}: as {spec.setting} says")
        if self.maybe_cut:
            lines.append(MAYBE_CUT)
        return "\n".join([*lines, "Send it?"])

    def _shown(self, spec: FieldSpec, value: Any) -> str:
        columns = self.shown.columns if self.shown else None
        if isinstance(value, dict):
            text = "\n".join(
                f"{form_fields.shown_entry(name, columns)}="
                + (", ".join(inner) if isinstance(inner, list) else str(inner))
                for name, inner in value.items()
            )
        elif isinstance(value, list):
            text = written(value, numbers=spec.typed_cells)
        else:
            text = str(value)
        if len(text) <= SHOWN:
            return text
        return f"{text[:SHOWN]}… ({len(text):,} characters in all)"

    def _instead(self) -> str:
        spec = self.spec
        if form_fields.is_required(spec, self.default):
            return ""
        if spec.setting and self.default(spec.setting) is not None:
            return f"/skip takes what {spec.setting} says, "
        if spec.default is not None:
            return f"/skip takes {spec.default}, "
        return "/skip leaves it out, "


class Forms(ExpiringMap[tuple[int, int], Form]):
    """The open forms, one for a person in a chat: (chat, user)."""

    def __init__(self, *, seconds: float = PENDING_SECONDS) -> None:
        super().__init__(MOST_PENDING, seconds)

    def get(self, key: tuple[int, int]) -> Form | None:
        """The form somebody has open; asking for it keeps it open."""
        form = super().get(key)
        if form is not None:
            self[key] = form
        return form
