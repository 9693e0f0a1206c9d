"""Names as people see them: alike whatever their case, their blanks or how they are composed."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# No service has a longer name. Composing a long run of accents costs time by its square.
LONGEST_FOLDED = 1000
# Nobody mistypes a longer one, and comparing costs time by the product of both lengths.
LONGEST_NEAR = 100


def folded(name: str) -> str:
    """Return the key under which two names that look the same to a person are one.

    Composed (NFC), without case, outer white space gone and each blank inside a single space.
    Full-width and other look-alike letters stay what they are: they make another name.
    """
    if len(name) > LONGEST_FOLDED:
        return name
    composed = unicodedata.normalize("NFC", name).casefold()
    # Folding may take a letter apart again (U+0130); what is compared is composed.
    return " ".join(unicodedata.normalize("NFC", composed).split())


def nearest(word: str, known: Iterable[str], *, closeness: float = 0.6) -> str | None:
    """Find the known word that was most likely meant, if any comes close."""
    if len(word) > LONGEST_NEAR:
        return None
    names = {folded(one): one for one in reversed(list(known)) if len(one) <= LONGEST_NEAR}
    close = difflib.get_close_matches(folded(word), names, n=1, cutoff=closeness)
    return names[close[0]] if close else None
