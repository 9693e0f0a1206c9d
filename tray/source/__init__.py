"""Where state comes from: this home's own core, or a remote Levqor over HTTP.

`Local` and `Remote` have the same methods and give the same values, so the menu does not know
which it shows. They block for seconds, and are called off the window thread.
"""

from dataclasses import dataclass

from tray.state import SourceFault

# How many of a person's latest runs are in the menu.
OWN_RUNS = 5


class SourceError(Exception):
    """No answer came; with `before_it_left` the question surely never reached the source."""

    def __init__(self, words: str, fix: str, *, before_it_left: bool = False) -> None:
        super().__init__(words)
        self.fault = SourceFault(words, fix)
        self.before_it_left = before_it_left


@dataclass(frozen=True)
class Pairing:
    """A one-time code, the message to the bot that redeems it, and a link that does, if known."""

    code: str
    message: str
    link: str | None
