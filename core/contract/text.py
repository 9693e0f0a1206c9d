"""Texts as people and programs write them: bytes, line breaks, names, cells."""

import codecs
import difflib
import unicodedata
from collections.abc import Iterable
from typing import Self

Cell = str | int | float | bool | None

# What Windows programs put before a text, and nobody sees.
BYTE_ORDER_MARK = "\ufeff"
# UTF-32 first: its mark begins with that of UTF-16.
_OTHERS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# No service has a longer name. Composing a long run of accents costs time by its square.
LONGEST_FOLDED = 1000
# Nobody mistypes a longer one, and comparing costs time by the product of both lengths.
LONGEST_NEAR = 100


def utf8(data: bytes) -> str:
    """Decode UTF-8 without its byte order mark; raises ValueError that holds nothing of it."""
    for mark, name in _OTHERS:
        if data.startswith(mark):
            raise ValueError(f"is {name}, not UTF-8: save it as UTF-8")
    try:
        return data.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        where = f"byte {fault.start + 1}" + (f", on line {line}" if line > 1 else "")
        raise ValueError(f"is not UTF-8: see {where}") from None


def with_newlines(text: str) -> str:
    """Write each line break, Windows' and old Macs' too, as one newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    names = {folded(name): name for name in reversed(list(known)) if len(name) <= LONGEST_NEAR}
    close = difflib.get_close_matches(folded(word), names, n=1, cutoff=closeness)
    return names[close[0]] if close else None


class TypedNumber(float):
    """A number that was typed with digits which a number does not keep: `3.10` is 3.1."""

    typed: str

    def __new__(cls, typed: str) -> Self:
        """Read the number and keep how it was typed."""
        number = super().__new__(cls, typed)
        number.typed = typed
        return number

    @property
    def stored(self) -> str:
        """The digits that are left."""
        whole, _, decimals = self.typed.partition(".")
        decimals = decimals.rstrip("0")
        return f"{whole}.{decimals}" if decimals else whole
