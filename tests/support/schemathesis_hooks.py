"""What is changed in the calls that schemathesis makes up."""

import itertools

import schemathesis

_number = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Give each call a key of its own: the same one with another body is rightly refused."""
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and len(key) < 240 and key.isascii() and key.isprintable():
        case.headers["Idempotency-Key"] = f"{key}-{next(_number)}".strip()


@schemathesis.hook
def filter_case(context, case):
    """Leave out texts with blanks at their edges: they are stripped before they are measured."""
    body = case.body if isinstance(case.body, dict) else {}
    return all(text == text.strip() for text in body.values() if isinstance(text, str))
