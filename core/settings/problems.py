"""What is wrong with settings, in words that hold no value."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from core.contract import Config, Problem, Setting
from core.errors import NotConfigured


def refuse(problems: Sequence[Problem], *first: str, hint: str | None = None) -> None:
    """Raise NotConfigured with every problem, if there is any; the hint is what to try first."""
    if problems:
        raise NotConfigured(
            " ".join([*first, *(problem.what for problem in problems)]),
            fix=" ".join(filter(None, [hint, *dict.fromkeys(each.fix for each in problems)])),
            settings=[problem.setting for problem in problems],
        )


def missing(setting: Setting, name: str) -> Problem:
    """Say that a setting is missing, by the name that an account has for it."""
    title = setting.title
    if title.startswith(("A ", "An ", "The ")):
        title = title[0].lower() + title[1:]
    return Problem(
        name,
        f"{name} is missing ({title}).",
        f"Set {name} in the environment or in .env. Where to get it: {setting.where}.",
        fatal=True,
    )


def malformed(kind: type[Config], values: Mapping[str, str]) -> dict[str, str]:
    """Name each broken setting and say why, without its value."""
    try:
        kind.model_validate(values)
    except ValidationError as problem:
        wrong = {}
        for error in problem.errors(include_url=False, include_input=False, include_context=False):
            what = error["msg"].removeprefix("Value error, ").rstrip(".")
            name = str(error["loc"][0]) if error["loc"] else ""
            wrong[name] = what.replace("Input should be", "must be")
        return wrong
    return {}
