"""What the forms of the admins' pages share: what was typed, what is wrong with it, what was done.

Each form has a `do`. What it shows of a value stands in `was_NAME` as well: only what was changed
in it is changed, and not what somebody else changed meanwhile.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from core.errors import InvalidInput, LevqorError, NotFound

PLANS = [("free", "free: one run of each action a day"), ("pro", "pro: no limit")]
NOT_WHOLE = NotFound("That form is not whole; nothing was changed.", fix="Open the page again.")


@dataclass(frozen=True)
class Typed:
    """A page's form as it is shown: what was typed into it, and the refusal of that."""

    texts: Mapping[str, str] = field(default_factory=dict)
    error: LevqorError | None = None

    @property
    def do(self) -> str:
        """Which of a page's forms it is."""
        return self.texts.get("do", "")

    def of(self, do: str) -> Self:
        """Another form of the same page, into which nothing was typed."""
        return self if self.do == do else type(self)({"do": do})

    def text(self, name: str, otherwise: str | None = None) -> str:
        """What stands in a field."""
        return self.texts.get(name, otherwise or "")

    def faults(self, name: str) -> str:
        """What is wrong with a field."""
        # A field that takes several has what is wrong with any one of them.
        named = [each.message for each in self._faults() if _field(each.field) in (name, name[:-1])]
        return "; ".join(named)

    def others(self, names: Iterable[str]) -> list[str]:
        """What is wrong beside these fields."""
        shown = {*names}
        return [each.words for each in self._faults() if _field(each.field) not in shown]

    @property
    def status(self) -> int:
        """The status of the page that shows it."""
        return self.error.http if self.error else 200

    def _faults(self) -> tuple[Any, ...]:
        return self.error.faults if isinstance(self.error, InvalidInput) else ()


FIRST = Typed()


def _field(name: str) -> str:
    """A form's field for what the terminal calls `--per-hour`."""
    return name.removeprefix("--").partition(".")[0].replace("-", "_")


def changed(form: Mapping[str, str], name: str) -> str | None:
    """What a field was changed to; None where it was left as it was."""
    text = form.get(name)
    return None if text is None or text == form.get(f"was_{name}", "") else text


def given(form: Mapping[str, str], name: str) -> str | None:
    """What was typed into a field; None where nothing was."""
    return form.get(name, "").strip() or None


def address(page: str, name: str, **query: str) -> str:
    """The address of somebody's or something's page."""
    asked = "&".join(f"{each}={quote(value, safe=':')}" for each, value in query.items())
    return f"/{page}/{quote(name, safe=':')}" + (f"?{asked}" if asked else "")
