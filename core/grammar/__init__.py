"""Typed words to values: one way to write an action down, wherever it is typed.

`name=value` pairs and one free text. In a chat or console the pairs stand first and the
text runs to the end; in a terminal each argument is one item, in any order. What begins
with `{` is JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.contract import nearest
from core.errors import Fault, InvalidInput
from core.grammar.fields import Collected, value
from core.grammar.jsons import read_json
from core.grammar.slack import unquote_slack
from core.grammar.tables import rows
from core.grammar.words import item, pair_at, visible

__all__ = [
    "nearest",
    "parse_chat",
    "parse_items",
    "read_json",
    "rows",
    "unquote_slack",
    "usage",
    "value",
]


if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.contract import Contract, FieldSpec


def parse_chat(text: str, contract: type[Contract]) -> dict[str, Any]:
    """Read what was typed after a command; raises InvalidInput with every fault.

    The first word that is not `name=value` starts the text, which is taken as it stands.
    """
    rest = text
    if visible(rest).startswith("{"):
        return read_json(visible(rest))
    found = Collected(contract)
    while pair := pair_at(visible(rest)):
        found.named(pair.name, pair.value, unclosed=pair.unclosed)
        rest = visible(rest)[pair.end :]
    rest = rest.lstrip()
    if rest:
        found.text(rest)
    return found.values()


def parse_items(
    items: Sequence[str], contract: type[Contract], *, text: Sequence[str] = ()
) -> dict[str, Any]:
    """Read a terminal's arguments; raises InvalidInput with every fault.

    Whatever is no `name=value` is the text, joined by a space. What stands in `text` (the
    words after `--`, standard input) is nothing but text: no field and no JSON.
    """
    if items and visible(items[0]).startswith("{"):
        if text:
            raise InvalidInput([Fault("json", "is the whole input; leave out the text after it")])
        return read_json(visible(" ".join(items)))
    found = Collected(contract)
    words = []
    for one in items:
        pair = item(one, spaced=found.mapping is not None)
        if pair is None:
            words.append(one)
        else:
            found.named(*pair)
    words += text
    if words:
        found.text(" ".join(words))
    return found.values()


def usage(command: str, contract: type[Contract]) -> str:
    """Show in one line how a command is written, what may be left out in brackets."""
    named, free = [], []
    for spec in contract.fields():
        needed = spec.required and spec.setting is None
        if spec.kind == "mapping":
            named.append("name=value…")
            if spec.takes_text:
                free.append(f"[{_text_name(spec)}]")
        elif spec.takes_text:
            free.append(_text_name(spec) if needed else f"[{_text_name(spec)}]")
        else:
            named.append(f"{spec.name}=…" if needed else f"[{spec.name}=…]")
    return " ".join([command, *named, *free])


def _text_name(spec: FieldSpec) -> str:
    return spec.takes_text if isinstance(spec.takes_text, str) else spec.name
