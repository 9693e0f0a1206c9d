"""What Telegram makes of a text, so that nothing of it is lost in silence.

Its server cleans every text (clean_input_string in td/telegram/misc.cpp of
https://github.com/tdlib/td): tabs become spaces, some marks are taken out.
"""

import re
import unicodedata

from core.contract import utf16_length

# A message's bound (core.telegram.org/bots/api#sendmessage), counted in UTF-16 units.
TEXT_UNITS = 4096

_LINE_BREAKS = re.compile("[\u2028\u2029]")
# A ring above that is a part of the letter before it, as macOS writes it in names of files.
_RING = re.compile(r"[A-Za-z]\u030a")
_TAKEN_OUT = re.compile("[\u030a\u0333\u033f]")
_DIRECTION = re.compile("[\u202a-\u202e]|[\u200e\u200f]{2,}")


def fitting(text: str) -> str:
    """Return a text that arrives as it is seen; raises ValueError where none would."""
    text = _LINE_BREAKS.sub("\n", text)
    text = _RING.sub(lambda letter: unicodedata.normalize("NFC", letter[0]), text)
    if lost := _TAKEN_OUT.search(text):
        raise ValueError(
            f"holds a mark that Telegram takes out (U+{ord(lost[0]):04X},"
            f" {unicodedata.name(lost[0]).lower()}): leave it out"
        )
    if (units := utf16_length(text)) > TEXT_UNITS:
        raise ValueError(
            f"is {units} characters long as Telegram counts them (many emoji count twice); "
            f"{TEXT_UNITS} is the most"
        )
    return text


def changes(text: str) -> list[str]:
    """Say what Telegram changes in a text though it looks much the same."""
    notes = []
    if "\t" in text:
        notes.append("Telegram makes each tab a space.")
    if _DIRECTION.search(text):
        notes.append("Telegram takes out marks of direction, which nobody sees.")
    return notes
