"""What people see in Slack, as the JSON Slack draws it from: pure, with Slack's bounds.

In a form every block is named after its field, so that what is wrong can stand beside it.
docs.slack.dev/reference/block-kit and docs.slack.dev/reference/views.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.columns import Shown
from bot.form_fields import example, fewer, is_column, read, with_columns, with_target
from bot.messages import Confirm, Response
from core.contract import TARGET, Columns, Contract, FieldSpec, listed
from core.grammar import LINES

Json = dict[str, Any]

FORM = "form:"
AGAIN = "again"
OPEN = "open:"
COLUMNS = "columns"
_VALUE = "value"

_SECTION = 3000
_INPUT = 3000
_PLACEHOLDER = 150
_HINT = 2000
_ROW = 25  # buttons in one block
_OPTIONS = 100  # of one select
_LABEL = 75  # of an option
_CHOICE = 150  # of an option's value
_BLOCKS = 100
_BYTES = 150_000  # of the 250 KB that a view may have


def escaped(text: str) -> str:
    """A text that Slack shows as it stands: no mention, no hidden link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def note(text: str) -> Json:
    """An answer that only its asker sees."""
    return {"response_type": "ephemeral", "text": escaped(text)}


def answer(given: str | Response) -> Json:
    """A text or a response as a message; a question has its button."""
    if isinstance(given, str):
        return note(given)
    if not isinstance(given, Confirm):
        return note(given.text)
    button = _button(given.yes, AGAIN, given.nonce)
    blocks = [*sections(given.text), {"type": "actions", "elements": [button]}]
    return {**note(given.text), "blocks": blocks}


def form(action_id: str, title: str, blocks: Sequence[Json], where: Mapping[str, Any]) -> Json:
    """A modal with an action's fields; where to answer travels with it."""
    return {
        "type": "modal",
        "callback_id": FORM + action_id,
        "private_metadata": json.dumps(where, separators=(",", ":")),
        "title": plain(title),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": list(blocks),
    }


def notice(title: str, text: str) -> Json:
    """A modal that only says something."""
    return {
        "type": "modal",
        "title": plain(title),
        "close": plain("Close"),
        "blocks": sections(text),
    }


def confirm(title: str, question: Confirm) -> Json:
    """A modal that asks whether to send."""
    return {
        **notice(title, question.text),
        "callback_id": AGAIN,
        "private_metadata": question.nonce,
        "submit": plain(question.yes),
        "close": plain(question.no or "Close"),
    }


def home(actions: Iterable[tuple[str, str]], parts: Iterable[tuple[str, str]]) -> Json:
    """A home tab: a button for each (action id, title), then titled texts."""
    buttons = [_button(title, OPEN + action_id, action_id) for action_id, title in actions]
    blocks: list[Json] = [_header("What would you like to do?")] if buttons else []
    blocks += [
        {"type": "actions", "elements": buttons[start : start + _ROW]}
        for start in range(0, len(buttons), _ROW)
    ]
    for title, text in parts:
        blocks += [_header(title), *sections(text)]
    return {"type": "home", "blocks": blocks[:100]}


def inputs(
    contract: type[Contract],
    default: Callable[[str], str | None],
    targets: Iterable[str] = (),
    shown: Shown | None = None,
) -> list[Json]:
    """Make one input for each field, and a choice of the targets, if there are any.

    `default` gives a setting's value, where it has one. What is `shown` of the destination's
    columns comes before what takes the others, as far as Slack has room for it.
    """
    fields = with_target(contract, targets)
    chosen = fields != contract.fields()

    def drawn(specs: Iterable[FieldSpec]) -> list[Json]:
        return [_input(spec, default, given=chosen and spec.destination) for spec in specs]

    mapping = contract.mapping()
    if shown is None or mapping is None:
        return drawn(fields)
    at = fields.index(mapping)
    label = "Read its columns again" if shown.columns else "Show its columns"
    button = {"type": "actions", "block_id": COLUMNS, "elements": [_button(label, COLUMNS, "")]}
    said = [button, *(sections(shown.trouble) if shown.trouble else [])]
    rest: Sequence[FieldSpec] = fields[at:]
    if shown.columns:
        room = _BLOCKS - len(fields) - len(said)
        columns = fewer(shown.columns, _fitting(shown.columns, room))
        rest = with_columns(rest, contract, columns)
    where = [
        {**block, "dispatch_action": True} if block["block_id"] == TARGET else block
        for block in drawn(fields[:at])
    ]
    return [*where, *said, *drawn(rest)]


def _fitting(columns: Columns, room: int) -> int:
    """How many of the columns a view has room for, by blocks and by bytes."""
    size = 0
    for count, spec in enumerate(columns.fields[:room]):
        size += len(json.dumps(_column(spec)))
        if size > _BYTES:
            return count
    return min(len(columns.fields), room)


def values(contract: type[Contract], filled: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a view's state (`state.values`) into values; raises InvalidInput with every fault."""
    return read(contract, typed(filled))


def typed(filled: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed or chosen in a view, by field."""
    return {name: _typed(block or {}) for name, block in filled.items()}


def _typed(block: Mapping[str, Any]) -> Any:
    element = block.get(_VALUE) or {}
    option, several = element.get("selected_option"), element.get("selected_options")
    if several is not None:
        chosen = [each[_VALUE] for each in several]
        return "".join(chosen) if element.get("type") == "checkboxes" else chosen
    return option[_VALUE] if option else element.get("selected_date") or element.get(_VALUE)


def _input(spec: FieldSpec, default: Callable[[str], str | None], *, given: bool) -> Json:
    """Make a field's input; what may be `given` by a target may be left out."""
    if is_column(spec.name):
        return _column(spec)
    own = spec.default if isinstance(spec.default, str) else ""
    preset = (default(spec.setting) if spec.setting else None) or own
    if 0 < len(spec.choices) <= _OPTIONS:
        return _select(spec)
    element: Json = {
        "type": "plain_text_input",
        "action_id": _VALUE,
        "multiline": spec.long or spec.kind != "text",
        "max_length": _INPUT,
    }
    if spec.kind == "text" and spec.max_length:
        element["max_length"] = min(spec.max_length, _INPUT)
    if placeholder := (preset or example(spec))[:_PLACEHOLDER]:
        element["placeholder"] = plain(placeholder)
    return {
        "type": "input",
        "block_id": spec.name,
        "label": plain(f"{spec.title} ({spec.name})"),
        "hint": plain(_hint(spec, preset)[:_HINT]),
        "optional": given or (not spec.required and bool(preset or not spec.setting)),
        "element": element,
    }


def _column(spec: FieldSpec) -> Json:
    """A column's input: of its own kind, or a text where Slack cannot list its options."""
    element: Json = {"type": "plain_text_input", "action_id": _VALUE, "max_length": _INPUT}
    hint = spec.help
    labels = {_cut(name): name for name in spec.choices}
    told_apart = len(labels) == len(spec.choices) and 0 < len(labels) <= _OPTIONS
    if told_apart and max(map(len, spec.choices)) <= _CHOICE:
        options = [{"text": plain(label), "value": name} for label, name in labels.items()]
        kind = "multi_static_select" if spec.several else "static_select"
        element = {"type": kind, "action_id": _VALUE, "options": options}
    if spec.choices and "options" not in element:
        hint = f"One of: {listed(spec.choices)}"
    elif spec.takes == "number":
        element = {"type": "number_input", "action_id": _VALUE, "is_decimal_allowed": True}
    elif spec.takes == "day":
        element, hint = {"type": "datepicker", "action_id": _VALUE}, ""
    elif spec.takes == "yes":
        yes = {"text": plain("Yes"), "value": "yes"}
        element, hint = {"type": "checkboxes", "action_id": _VALUE, "options": [yes]}, ""
    elif spec.long:
        element["multiline"] = True
    more = {"hint": plain(hint[:_HINT])} if hint else {}
    named = {"type": "input", "block_id": spec.name, "label": plain(spec.title), **more}
    return {**named, "optional": True, "element": element}


def _cut(label: str) -> str:
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"


def _select(spec: FieldSpec) -> Json:
    options = [{"text": plain(name), "value": name} for name in spec.choices]
    return {
        "type": "input",
        "block_id": spec.name,
        "label": plain(f"{spec.title} ({spec.name})"),
        "hint": plain(spec.help),
        "optional": True,
        "element": {"type": "static_select", "action_id": _VALUE, "options": options},
    }


def _hint(spec: FieldSpec, preset: str) -> str:
    said = [spec.help]
    if spec.kind == "mapping":
        said.append(LINES)
    if preset:
        said.append(f"Left out, it is {preset}.")
    if spec.kind == "text" and (spec.max_length or 0) > _INPUT:
        said.append(f"A form takes {_INPUT} characters; type more after the command.")
    return " ".join(said)


def plain(text: str) -> Json:
    """Make a text that Slack shows as it stands."""
    return {"type": "plain_text", "text": text, "emoji": False}


def sections(text: str) -> list[Json]:
    """A text in as many sections as it needs, parted at the ends of lines where possible."""
    made = []
    while text:
        end = len(text)
        if end > _SECTION:
            end = text.rfind("\n", 1, _SECTION) + 1 or _SECTION
        made.append({"type": "section", "text": plain(text[:end].rstrip("\n") or "\u2026")})
        text = text[end:]
    return made or [{"type": "section", "text": plain("\u2026")}]


def _button(label: str, action: str, value: str) -> Json:
    return {"type": "button", "text": plain(label), "action_id": action, "value": value}


def _header(text: str) -> Json:
    return {"type": "header", "text": plain(text)}
