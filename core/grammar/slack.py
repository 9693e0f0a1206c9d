"""What Slack does to a typed text, undone."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"<([@#!]|[a-z][a-z0-9+.-]*:)([^<>|\s]*)(?:\|([^<>]*))?>")
_ENTITY = re.compile(r"&(lt|gt|amp);")
_LETTERS = {"lt": "<", "gt": ">", "amp": "&"}
_QUOTED = re.compile(r'("[^"]*"|“[^”]*”)')
_NBSP = "\N{NO-BREAK SPACE}"


def unquote_slack(text: str) -> str:
    """Give back what a person typed: links, addresses, names, entities, plain spaces.

    Entities are decoded last and once, so that no typed text can turn into a mention;
    whoever sends the text to Slack again escapes it again.
    """
    unwrapped = _TOKEN.sub(_unwrap, text)
    decoded = _ENTITY.sub(lambda entity: _LETTERS[entity[1]], unwrapped)
    pieces = _QUOTED.split(decoded)
    pieces[::2] = [piece.replace(_NBSP, " ") for piece in pieces[::2]]
    return "".join(pieces)


def _unwrap(token: re.Match[str]) -> str:
    kind, inner, label = token[1], token[2], token[3] or ""
    # As a field's value the id is what Slack takes; in a sentence people want the name.
    as_value = token.string[: token.start()].endswith(("=", '="', "=“"))
    if kind in ("#", "@") and as_value:
        return inner
    if kind == "#":
        return f"#{label}" if label else inner
    if kind in ("@", "!"):
        word = label or inner.partition("^")[0]
        if inner.startswith("date^"):
            return label
        return word if word.startswith("@") else f"@{word}"
    if kind in ("mailto:", "tel:"):
        return inner
    # Slack adds http:// to what looks like a host, README.md included.
    return label if label and f"{kind}{inner}" == f"http://{label}" else kind + inner
