"""A whole input: `name=value` pairs and one free text, or JSON.

In a chat or console the pairs stand first and the text runs to the end; in a terminal each
argument is one item, in any order. What begins with `{` is JSON.
"""

from collections.abc import Callable, Sequence
from typing import Any

from core.contract import Contract
from core.errors import Fault, InvalidInput
from core.grammar.fields import Inputs
from core.grammar.jsons import BrokenJson, json_object
from core.grammar.words import goes_on, item, no_value, pair_at, shown, split_equals, visible

_IN_TWO_ITEMS = (
    "seems to go on in the next argument: put {0}=… in quotes as a whole, or the text before it"
)


def parse_chat(text: str, contract: type[Contract]) -> dict[str, Any]:
    """Read what was typed after a command; raises InvalidInput with every fault.

    The first word that is not `name=value` starts the text, which is taken as it stands.
    """
    inputs = Inputs(contract)
    if visible(text).startswith("{"):
        return _whole_json(text, inputs)
    rest = text
    while pair := pair_at(visible(rest), inputs.names):
        inputs.named(pair.name, pair.value, trouble=pair.trouble)
        rest = visible(rest)[pair.end :]
        # What ends a value is no cell: the tab of an empty one comes after it.
        rest = rest.removeprefix("\t")
    rest = visible(rest, tabs=True) if inputs.takes_rows else rest.lstrip(" \t\r\n")
    if rest.strip() and inputs.words(rest):
        inputs.text(rest)
    return inputs.values()


def parse_items(
    items: Sequence[str],
    contract: type[Contract],
    *,
    text: Sequence[str] = (),
    dash: Callable[[], str] | None = None,
) -> dict[str, Any]:
    """Read a terminal's arguments; raises InvalidInput with every fault.

    Whatever is no `name=value` is the text, joined by a space. What stands in `text` (the
    words after `--`) is nothing but text: no field and no JSON. `dash` reads the text that a
    lone `-` stands for, which is nothing but text either; it is called where nothing is wrong.
    """
    inputs = Inputs(contract)
    if items and visible(items[0]).startswith("{"):
        if text:
            raise InvalidInput([Fault("json", "is the whole input; leave out the text after it")])
        return _whole_json(" ".join(items), inputs)
    words = _named_items(items, inputs)
    if dash and words == ["-"] and not text:
        inputs.refuse(text_follows=True)
        words, text = [], [dash()]
    plain = not words or inputs.words(" ".join(words), " (-- before the text does the same)")
    if plain and (words or text):
        inputs.text(" ".join([*words, *text]), pure=bool(text))
    return inputs.values()


def _named_items(items: Sequence[str], inputs: Inputs) -> list[str]:
    """Take the arguments that are `name=value`, or `name`, `=`, `value`; return the others."""
    words = []
    rest = list(reversed(items))
    while rest:
        word = rest.pop()
        pair = item(word, inputs.names)
        begun = split_equals(word, rest[-1], inputs.names) if rest and pair is None else None
        if pair is not None:
            following = rest[-1] if rest and item(rest[-1], inputs.names) is None else ""
            cut = goes_on(pair[1], "" if following == "-" else following)
            inputs.named(*pair, trouble=_IN_TWO_ITEMS.format(shown(pair[0])) if cut else None)
        elif begun is None:
            words.append(word)
        else:
            rest.pop()
            name, missing = word.strip(), not begun and (not rest or item(rest[-1], inputs.names))
            typed = begun or ("" if missing else rest.pop())
            inputs.named(name, typed, trouble=no_value(name) if missing else None)
    return words


def _whole_json(text: str, inputs: Inputs) -> dict[str, Any]:
    try:
        return json_object(text)
    except BrokenJson as broken:
        name, why = broken.args
        if name == "json":
            instead = f'; as text write {inputs.text_name}="…"' if inputs.text_name else ""
            why += f" (input that begins with {{ is read as JSON{instead})"
        raise InvalidInput([Fault(name, why)]) from None
