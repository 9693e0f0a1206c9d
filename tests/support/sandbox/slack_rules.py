"""Slack's bounds for blocks and views.

From docs.slack.dev/reference/block-kit and docs.slack.dev/reference/views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BLOCKS = {"message": 50, "modal": 100, "home": 100}
_SHORT = 24  # a modal's title, submit and close
_METADATA = 3000
_IDENT = 255

_TEXTS = {"section": ("text", 3000), "header": ("text", 150), "input": ("label", 2000)}
_LISTS = {"actions": ("elements", 25), "context": ("elements", 10)}
_BLOCKS = {"section", "header", "input", "actions", "context", "divider", "image", "rich_text"}
_INPUTS = {
    "plain_text_input",
    "static_select",
    "multi_static_select",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "number_input",
    "email_text_input",
    "url_text_input",
    "users_select",
    "conversations_select",
    "channels_select",
}

Fault = tuple[str, str]  # what is wrong, and where (a JSON pointer)


def view_faults(view: Any, kind: str) -> list[str]:
    """What is wrong with a view, in Slack's words; `kind` is modal or home."""
    if not isinstance(view, dict):
        return ["[ERROR] must provide an object [json-pointer:/view]"]
    return [f"[ERROR] {what} [json-pointer:/view{where}]" for what, where in _view(view, kind)]


def _view(view: dict[str, Any], kind: str) -> Iterator[Fault]:
    if view.get("type") != kind:
        yield f'must be "{kind}"', "/type"
    if kind == "modal":
        yield from _text(view.get("title"), _SHORT, "/title", plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                yield from _text(view[name], _SHORT, f"/{name}", plain=True)
    if len(str(view.get("private_metadata") or "")) > _METADATA:
        yield f"must be less than {_METADATA + 1} characters", "/private_metadata"
    if len(str(view.get("callback_id") or "")) > _IDENT:
        yield f"must be less than {_IDENT + 1} characters", "/callback_id"
    blocks = view.get("blocks")
    yield from blocks_faults(blocks, kind)
    listed = blocks if isinstance(blocks, list) else []
    inputs = any(isinstance(block, dict) and block.get("type") == "input" for block in listed)
    if kind == "modal" and inputs and not view.get("submit"):
        yield "must define `submit` to use an `input` block in modals", ""


def blocks_faults(blocks: Any, kind: str) -> Iterator[Fault]:
    """What is wrong with a list of blocks."""
    if not isinstance(blocks, list):
        yield "must provide an array", "/blocks"
        return
    if len(blocks) > MAX_BLOCKS[kind]:
        yield f"no more than {MAX_BLOCKS[kind]} items allowed", "/blocks"
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        where = f"/blocks/{index}"
        if not isinstance(block, dict) or str(block.get("type")) not in _BLOCKS:
            yield "unsupported type", f"{where}/type"
            continue
        ident = block.get("block_id")
        if ident is not None and (ident in seen or not 1 <= len(str(ident)) <= _IDENT):
            yield "block_id must be unique and less than 256 characters", f"{where}/block_id"
        seen.add(str(ident))
        yield from _block(block, where)


def _block(block: dict[str, Any], where: str) -> Iterator[Fault]:
    kind = block["type"]
    if kind in _TEXTS:
        name, bound = _TEXTS[kind]
        if name in block or kind != "section":
            plain = kind != "section"
            yield from _text(block.get(name), bound, f"{where}/{name}", plain=plain)
    if kind == "section":
        yield from _section(block, where)
    if kind in _LISTS:
        name, bound = _LISTS[kind]
        elements = block.get(name)
        if not isinstance(elements, list) or not 1 <= len(elements) <= bound:
            yield f"must have 1 to {bound} items", f"{where}/{name}"
            return
        for index, element in enumerate(elements):
            yield from _element(element, f"{where}/{name}/{index}", inputs=False)
    if kind == "input":
        yield from _element(block.get("element"), f"{where}/element", inputs=True)
        if block.get("hint") is not None:
            yield from _text(block["hint"], 2000, f"{where}/hint", plain=True)


def _section(block: dict[str, Any], where: str) -> Iterator[Fault]:
    fields = block.get("fields")
    if "text" not in block and not fields:
        yield "missing required field: text", where
    if fields is not None and (not isinstance(fields, list) or not 1 <= len(fields) <= 10):
        yield "must have 1 to 10 items", f"{where}/fields"
        return
    for index, text in enumerate(fields or []):
        yield from _text(text, 2000, f"{where}/fields/{index}")
    if "accessory" in block:
        yield from _element(block["accessory"], f"{where}/accessory", inputs=False)


def _element(element: Any, where: str, *, inputs: bool) -> Iterator[Fault]:
    if not isinstance(element, dict) or not isinstance(element.get("type"), str):
        yield "unsupported type", f"{where}/type"
        return
    kind = element["type"]
    if inputs and kind not in _INPUTS:
        yield "unsupported element in an input block", f"{where}/type"
    if len(str(element.get("action_id", ""))) > _IDENT:
        yield f"must be less than {_IDENT + 1} characters", f"{where}/action_id"
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, f"{where}/placeholder", plain=True)
    if kind == "button":
        yield from _text(element.get("text"), 75, f"{where}/text", plain=True)
        if len(str(element.get("value", ""))) > 2000:
            yield "must be less than 2001 characters", f"{where}/value"
    if kind == "plain_text_input":
        yield from _input(element, where)
    if "options" in element or kind.endswith("static_select"):
        yield from _options(element.get("options"), f"{where}/options")


def _input(element: dict[str, Any], where: str) -> Iterator[Fault]:
    longest = element.get("max_length", 3000)
    if not isinstance(longest, int) or not 1 <= longest <= 3000:
        yield "must be between 1 and 3000", f"{where}/max_length"
        return
    shortest = element.get("min_length", 0)
    if not isinstance(shortest, int) or shortest > longest:
        yield "must be less than or equal to max_length", f"{where}/min_length"
    if len(str(element.get("initial_value", ""))) > longest:
        yield f"must be less than {longest + 1} characters", f"{where}/initial_value"


def _options(options: Any, where: str) -> Iterator[Fault]:
    if not isinstance(options, list) or not 1 <= len(options) <= 100:
        yield "must have 1 to 100 items", where
        return
    for index, option in enumerate(options):
        if not isinstance(option, dict):
            yield "must be an object", f"{where}/{index}"
            continue
        yield from _text(option.get("text"), 75, f"{where}/{index}/text")
        if not 1 <= len(str(option.get("value", ""))) <= 150:
            yield "must be 1 to 150 characters", f"{where}/{index}/value"


def _text(text: Any, bound: int, where: str, *, plain: bool = False) -> Iterator[Fault]:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"must be a {' or '.join(kinds)} object", where
    elif not isinstance(text.get("text"), str) or not text["text"]:
        yield "must be more than 0 characters", f"{where}/text"
    elif len(text["text"]) > bound:
        yield f"must be less than {bound + 1} characters", f"{where}/text"
