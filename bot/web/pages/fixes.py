"""How to fix something, as a page shows it: in steps, with links and with values to copy."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from core.contract import Connector

_ADDRESS = r"(?<![\w@./-])(?:[a-z0-9-]+\.)+(?:com|so|org|dev)(?:/[\w./-]*\w)?(?![\w@-])"
# What somebody copies: a setting, a command, a permission, an e-mail address.
_VALUE = (
    r"\b[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+\b"
    r"|(?<=: )levqor(?:-bot|-tray)?(?: (?:(?!\.(?: |$)|;| \().)+)?"
    r"|\blevqor(?:-bot|-tray|(?: [a-z]+)|\.(?:db|key))"
    r"|\b[a-z]+:[a-z]+\b"
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
# Without the letters that are taken for others.
_RUN = r"(?<=\b[Rr]un )[a-hjkmnp-z2-9]{10}\b"
_TOKEN = re.compile(
    f"'(?P<quoted>levqor [^']+)'|(?P<address>{_ADDRESS})|(?P<value>{_VALUE})|(?P<run>{_RUN})"
)
_SENTENCE = re.compile(r"(?<=[\w)'])[.?] +(?=[A-Z/])")
_VERBS = (
    "add|allow|ask|check|choose|compare|copy|correct|delete|enable|fill|give|install|invite|look|"
    "make|open|press|put|reinstall|remove|report|restart|run|send|set|share|start|stop|switch|try|"
    "type|unblock|use|verify|wait|write"
)
_NEXT = re.compile(rf"(?:, (?:and |then )?| and | then )(?=(?:{_VERBS})\b)")
# Where a sentence names another way, what follows an "and" may belong to that alone.
_NEXT_OF_WAYS = re.compile(rf", (?:and|then) (?=(?:{_VERBS})\b)")
_BEGINS = re.compile(rf"(?:{_VERBS})\b", re.IGNORECASE)


class Piece(NamedTuple):
    """A part of a text: plain, a link's address, a value, or a run's ID."""

    text: str
    kind: str = ""


class Fixes:
    """Makes steps of sentences. A link is only what Levqor's own texts name, never a service's."""

    def __init__(self, connectors: Iterable[Connector]) -> None:
        self._known: set[str] = set()
        for connector in connectors:
            rows = (row.fix for row in connector.answers.rows)
            places = (setting.where for setting in connector.config.settings())
            for text in (*rows, *places):
                self._known |= set(re.findall(_ADDRESS, text))

    def steps(self, fix: str) -> list[list[Piece]]:
        """What to do, one thing after the other."""
        return [[*self.pieces(step)] for step in _steps(fix)]

    def pieces(self, text: str) -> Iterator[Piece]:
        """A text with its links and values."""
        end = 0
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            if kind == "address" and match[0] not in self._known:
                continue
            yield Piece(text[end : match.start()])
            yield Piece(match[kind], "value" if kind == "quoted" else kind)
            end = match.end()
        yield Piece(text[end:])


def _steps(fix: str) -> Sequence[str]:
    steps = []
    for sentence in _SENTENCE.split(fix.strip()):
        split = _NEXT_OF_WAYS if ", or " in sentence else _NEXT
        parts = split.split(sentence) if _BEGINS.match(sentence) else [sentence]
        steps += [part.strip() for part in parts]
    if len(steps) == 1:
        return steps
    return [f"{step[:1].upper()}{step[1:].rstrip('.')}." for step in steps]
