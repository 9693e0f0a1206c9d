"""What is changed in the calls that schemathesis makes up."""

import itertools
import unicodedata

import schemathesis
from schemathesis.core import NOT_SET

from core.connectors._sheets.ranges import a1_range, tab_and_cells

_number = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Give each call a key of its own: the same one with another body is rightly refused."""
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and len(key) < 240 and key.isascii() and key.isprintable():
        case.headers["Idempotency-Key"] = f"{key}-{next(_number)}".strip()


@schemathesis.hook
def filter_case(context, case):
    """Leave out what the schema allows and cannot forbid.

    Texts with blanks at their edges are stripped before they are measured, unseen marks
    beyond 16 bits are refused in a name, no expression knows which letters a domain may have,
    which tabs a spreadsheet has or which targets there are, and either a body is sent or the
    sample is.
    """
    body = case.body if isinstance(case.body, dict) else {}
    if body.get("target") is not None:
        return False
    texts = [text for text in body.values() if isinstance(text, str)]
    if not all(text == text.strip() for text in texts) or any(map(_unseen, texts)):
        return False
    if not str(body.get("to", "")).isascii() or _names_a_tab(body.get("range")):
        return False
    sample = (case.query or {}).get("test") == "1"
    acts = case.method == "POST" and case.path.startswith("/actions/")
    return not acts or sample != (case.body is not NOT_SET)


def _names_a_tab(given):
    if not isinstance(given, str):
        return False
    try:
        tab, cells = tab_and_cells(a1_range(given))
    except ValueError:
        return False
    return tab or not cells


def _unseen(text):
    return any(ord(one) > 0xFFFF and unicodedata.category(one) == "Cf" for one in text)
