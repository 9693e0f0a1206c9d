"""A contract as a form of Slack's blocks, and what was filled in as an action's values.

Every block is named after its field, so that what is wrong can stand beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Fault, InvalidInput
from core.grammar import LINES, value, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from core.contract import Contract, FieldSpec

VALUE = "value"

# docs.slack.dev/reference/block-kit: what an input takes, a placeholder, a hint, an error.
LONGEST = 3000
PLACEHOLDER = 150
HINT = 2000


def blocks(contract: type[Contract], default: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Make one input for each field; `default` gives a setting's value, where it has one."""
    return [_input(spec, default) for spec in contract.fields()]


def read(contract: type[Contract], filled: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a view's state (`state.values`) into values; raises InvalidInput with every fault."""
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for spec in contract.fields():
        text = (filled.get(spec.name) or {}).get(VALUE, {}).get(VALUE)
        if not text or not text.strip():
            continue
        try:
            found[spec.name] = value(spec, text)
        except ValueError as problem:
            faults.append(Fault(spec.name, str(problem)))
    if faults:
        raise InvalidInput(faults)
    return found


def errors(contract: type[Contract], faults: Iterable[Fault]) -> dict[str, str]:
    """Put each fault beside its field; what belongs to none stands beside the first."""
    names = [spec.name for spec in contract.fields()]
    beside: dict[str, str] = {}
    for fault in faults:
        name, _, deeper = fault.field.partition(".")
        said = f"{deeper}: {fault.message}" if deeper else fault.message
        if name not in names:
            name, said = names[0], f"{fault.field}: {fault.message}"
        beside[name] = f"{beside[name]}; {said}" if name in beside else said
    return beside


def _input(spec: FieldSpec, default: Callable[[str], str | None]) -> dict[str, Any]:
    preset = (default(spec.setting) if spec.setting else None) or _text(spec.default)
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": VALUE,
        "multiline": spec.long or spec.kind != "text",
        "max_length": LONGEST,
    }
    if spec.kind == "text" and spec.max_length:
        element["max_length"] = min(spec.max_length, LONGEST)
    if placeholder := (preset or _example(spec))[:PLACEHOLDER]:
        element["placeholder"] = plain(placeholder)
    return {
        "type": "input",
        "block_id": spec.name,
        "label": plain(f"{spec.title} ({spec.name})"),
        "hint": plain(_hint(spec, preset)[:HINT]),
        "optional": not spec.required and bool(preset or not spec.setting),
        "element": element,
    }


def _hint(spec: FieldSpec, preset: str) -> str:
    said = [spec.help]
    if spec.kind == "mapping":
        said.append(LINES)
    if preset:
        said.append(f"Left out, it is {preset}.")
    if spec.kind == "text" and (spec.max_length or 0) > LONGEST:
        said.append(f"A form takes {LONGEST} characters; type more after the command.")
    return " ".join(said)


def _example(spec: FieldSpec) -> str:
    if isinstance(spec.example, dict):
        return "".join(f"{name}={one}" for name, one in list(spec.example.items())[:1])
    if isinstance(spec.example, list):
        return written(spec.example[:1], numbers=spec.numbers)
    return _text(spec.example)


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def plain(text: str) -> dict[str, Any]:
    """Make a text that Slack shows as it stands."""
    return {"type": "plain_text", "text": text, "emoji": False}
