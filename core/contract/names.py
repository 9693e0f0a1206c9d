"""Names as people see them: alike whatever their case, their blanks or how they are composed."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> str:
    """Return the key under which two names that look the same to a person are one.

    Composed (NFC), without case, outer white space gone and each blank inside a single space.
    Full-width and other look-alike letters stay what they are: they make another name.
    """
    composed = unicodedata.normalize("NFC", name).casefold()
    # Folding may take a letter apart again (U+0130); what is compared is composed.
    return " ".join(unicodedata.normalize("NFC", composed).split())
