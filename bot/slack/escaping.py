"""What Slack does to a typed text, undone."""

import re

_TOKEN = re.compile(r"<([@#!]|[a-z][a-z0-9+.-]*:)([^<>|\s]*)(?:\|([^<>]*))?>")
_ENTITY = re.compile(r"&(lt|gt|amp);")
_LETTERS = {"lt": "<", "gt": ">", "amp": "&"}
_OPENERS = re.compile('["“]')
_CLOSERS = {'"': '"', "“": "”"}
_NBSP = "\N{NO-BREAK SPACE}"


def unescape(text: str) -> str:
    """Give back what a person typed: links, addresses, names, entities, plain spaces.

    Entities are decoded last and once, so that no typed text can turn into a mention;
    whoever sends the text to Slack again escapes it again.
    """
    unwrapped = _TOKEN.sub(_unwrap, text)
    decoded = _ENTITY.sub(lambda entity: _LETTERS[entity[1]], unwrapped)
    return _plain_spaces(decoded)


def _plain_spaces(text: str) -> str:
    """Put plain spaces for Slack's own, but in quotes, where they were typed."""
    pieces, end = [], 0
    last = {opener: text.rfind(closer) for opener, closer in _CLOSERS.items()}
    for opener in _OPENERS.finditer(text):
        # Where nothing closes any more, nothing is looked for: there may be many that open.
        if opener.start() < end or opener.end() > last[opener[0]]:
            continue
        pieces.append(text[end : opener.start()].replace(_NBSP, " "))
        end = text.index(_CLOSERS[opener[0]], opener.end()) + 1
        pieces.append(text[opener.start() : end])
    return "".join([*pieces, text[end:].replace(_NBSP, " ")])


def _unwrap(token: re.Match[str]) -> str:
    kind, inner, label = token[1], token[2], token[3] or ""
    # As a field's value the id is what Slack takes; in a sentence people want the name.
    as_value = token.string.endswith(("=", '="', "=“"), 0, token.start())
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
