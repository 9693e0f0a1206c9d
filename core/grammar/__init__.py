"""Typed words to values: one way to write an action down, wherever it is typed."""

from core.grammar.fields import value
from core.grammar.jsons import read_json
from core.grammar.parse import parse_chat, parse_items
from core.grammar.tables import rows, written
from core.grammar.usage import LINES, column_hint, field_help, quoting, usage

__all__ = [
    "LINES",
    "column_hint",
    "field_help",
    "parse_chat",
    "parse_items",
    "quoting",
    "read_json",
    "rows",
    "usage",
    "value",
    "written",
]
