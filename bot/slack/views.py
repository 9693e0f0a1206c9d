"""What people see in Slack, as the JSON Slack draws it from: pure, with Slack's bounds.

docs.slack.dev/reference/block-kit and docs.slack.dev/reference/views.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.slack.forms import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.conversation import Confirm

Json = dict[str, Any]

FORM = "form:"
AGAIN = "again"
OPEN = "open:"

_SECTION = 3000
_ROW = 25  # buttons in one block


def escaped(text: str) -> str:
    """A text that Slack shows as it stands: no mention, no hidden link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def note(text: str) -> Json:
    """An answer that only its asker sees."""
    return {"response_type": "ephemeral", "text": escaped(text)}


def ask_again(question: Confirm) -> Json:
    """The question whether to send, with its button."""
    button = _button(question.yes, AGAIN, question.nonce)
    return {
        **note(question.text),
        "blocks": [*sections(question.text), {"type": "actions", "elements": [button]}],
    }


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
        "close": plain(question.no),
    }


def home(actions: Iterable[tuple[str, str]], parts: Iterable[tuple[str, str]]) -> Json:
    """A home tab: a button for each (action id, title), then titled texts."""
    buttons = [_button(title, OPEN + action_id, action_id) for action_id, title in actions]
    blocks: list[Json] = [_header("What would you like to do?")]
    blocks += [
        {"type": "actions", "elements": buttons[start : start + _ROW]}
        for start in range(0, len(buttons), _ROW)
    ]
    for title, text in parts:
        blocks += [_header(title), *sections(text)]
    return {"type": "home", "blocks": blocks[:100]}


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
