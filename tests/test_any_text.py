"""Whatever a person writes into a text field arrives as it is, or is refused: every surface.

Down to the contract's value, for each text field there is and will be; `test_what_arrives.py`
does the same with fewer texts through the programs and the services.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings

from bot.slack.escaping import unescape
from bot.web.body import parse_object
from core.connectors import CONNECTORS
from core.engine.validation import validate
from core.errors import InvalidInput
from core.grammar import parse_chat, parse_items, value
from tests.conftest import SOAK
from tests.support.everywhere import as_slack_passes_on
from tests.support.texts import telegram_cleaned, texts, tidy

# (action, contract, field, key in a mapping) of every text, and the rest of a sound input.
FIELDS = [
    (connector.action_id(action), action.input, spec, spec.takes_text if mapping else None)
    for connector in CONNECTORS
    for action in connector.actions
    for spec in action.input.fields()
    for mapping in [spec.kind == "mapping"]
    if spec.kind == "text" or (mapping and isinstance(spec.takes_text, str))
]
JSON = {"content-type": "application/json"}


def counted(short: int, soak: int) -> int:
    return soak if SOAK else short


def each_field(test):
    ids = [f"{action}-{key or spec.name}" for action, _, spec, key in FIELDS]
    return pytest.mark.parametrize(("action", "contract", "spec", "key"), FIELDS, ids=ids)(test)


class Field:
    """One text field of a contract: how it is written by name, and what it came to."""

    def __init__(self, action, contract, spec, key):
        self.action, self.contract, self.spec, self.key = action, contract, spec, key
        self.name = key or spec.name
        self.others = {
            one.name: one.example
            for one in contract.fields()
            if one.required and one.name != spec.name
        }

    def came_to(self, read, *given: Any) -> str | None:
        """The field's value in a checked input; None where it is refused."""
        try:
            values = {**self.others, **read(*given)}
            made = validate(self.contract, values, lambda _: None)
        except (InvalidInput, ValueError):
            return None
        found = getattr(made, self.spec.name)
        # What a mapping holds is stripped where its type is known.
        return tidy(str(found.get(self.key, ""))) if self.key else found

    def json(self, text: str) -> dict[str, Any]:
        return {self.spec.name: {self.key: text} if self.key else text}

    def right(self, text: str) -> str:
        """What has to arrive of a text."""
        text = tidy(text)
        return tidy(telegram_cleaned(text)) if self.action == CHAT and self.name == "text" else text


CHAT = "telegram.send"


def blanks(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def literal(field: Field) -> bool:
    """Whether the field's contract keeps a text as it is (an id's is read out of an address)."""
    return field.spec.name not in ("database_id", "range", "to", "chat_id")


@each_field
@settings(max_examples=counted(120, 3000), deadline=None)
@given(text=texts)
def test_a_text_given_by_name_is_that_text_or_refused(action, contract, spec, key, text):
    field = Field(action, contract, spec, key)
    if not literal(field):
        return
    by_http = field.came_to(lambda body: parse_object(body, JSON), _bytes(field.json(text)))
    assert by_http in {None, field.right(text)}
    in_json = field.came_to(parse_chat, json.dumps(field.json(text)), contract)
    assert in_json == by_http
    item = field.came_to(parse_items, [f"{field.name}={text}"], contract)
    assert item in {by_http, None}
    if spec.kind == "text":
        in_a_form = field.came_to(lambda typed: {spec.name: value(spec, typed)}, text)
        assert in_a_form == by_http


@each_field
@settings(max_examples=counted(120, 3000), deadline=None)
@given(text=texts)
def test_a_text_in_quotes_is_that_text_or_refused(action, contract, spec, key, text):
    field = Field(action, contract, spec, key)
    # A quote before a blank ends the text: what comes after it is written for itself.
    if not literal(field) or re.search(r'"\s', text):
        return
    typed = f'{field.name}="{text}"'
    assert field.came_to(parse_chat, typed, contract) in {None, field.right(text)}
    passed = field.came_to(parse_chat, unescape(as_slack_passes_on(typed)), contract)
    # Which blanks Slack made such as do not break, nobody can tell.
    assert passed is None or blanks(passed) == blanks(field.right(text))


@each_field
@settings(max_examples=counted(120, 3000), deadline=None)
@given(text=texts)
def test_free_text_is_that_text_or_what_is_left_of_it_or_refused(action, contract, spec, key, text):
    field = Field(action, contract, spec, key)
    if not spec.takes_text:
        return
    # After -- and from standard input it is text whatever it holds.
    protected = field.came_to(lambda: parse_items([], contract, text=[text]))
    assert protected in {None, field.right(text)}
    if field.right(text) and spec.kind == "text":
        assert protected == field.came_to(lambda: field.json(text))
    typed = field.came_to(parse_chat, text, contract)
    one_item = field.came_to(parse_items, [text], contract)
    passed = field.came_to(parse_chat, unescape(as_slack_passes_on(text)), contract)
    assert blanks(typed or "") == blanks(passed or "")
    if "=" in text or "\uff1d" in text or "\ufe66" in text or "{" in text:
        # Fields stand first, what is left is the text; by name it may stand anywhere.
        for came in (typed, one_item):
            assert came is None or came in field.right(text) or _in_json(came, text)
    else:
        assert {typed, one_item} <= {protected, None}
        if field.right(text):
            assert typed == one_item == protected


def _in_json(came: str, text: str) -> bool:
    try:
        return came in json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return False


def _bytes(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
