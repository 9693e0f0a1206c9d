"""What is wrong with settings, in words that hold no value."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from core.contract import Config, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Setting

C = TypeVar("C", bound=Config)


def missing(one: Setting) -> Problem:
    """Say that a required setting is not set."""
    return Problem(
        one.name,
        f"{one.name} is missing ({_within(one.title)}).",
        f"Set {one.name} in the environment or in .env: {one.where}.",
        fatal=True,
    )


def _within(title: str) -> str:
    """A title inside a sentence: a name keeps its capital, an article does not."""
    return title[0].lower() + title[1:] if title.startswith(("A ", "An ", "The ")) else title


def broken(problem: ValidationError) -> list[tuple[str, str]]:
    """Name each broken setting and say why, without its value."""
    found = []
    for one in problem.errors(include_url=False, include_input=False, include_context=False):
        what = one["msg"].removeprefix("Value error, ").rstrip(".")
        what = what.replace("Input should be", "must be")
        found.append((str(one["loc"][0]) if one["loc"] else "", what))
    return list({name: (name, what) for name, what in found}.values())


def read_tolerantly(kind: type[C], values: Mapping[str, str]) -> tuple[C, list[Problem]]:
    """Read settings, a broken one as if it were absent; and say what is wrong with those."""
    try:
        return kind.model_validate(values), []
    except ValidationError as problem:
        wrong = dict(broken(problem))
    faults = [
        Problem(name, f"{name} {what}.", f"Correct {name}, or take it out.", fatal=True)
        for name, what in wrong.items()
    ]
    rest = {name: value for name, value in values.items() if name not in wrong}
    return kind.model_validate(rest), faults
