"""Words and numbers fit to be shown to a person.

Whoever names a tab, a page or a bot must not be able to move a cursor, write lines of his
own or write backwards in an answer, in whichever window it is read.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

LONGEST_LINK = 2000
LONGEST_NAME = 80
# Controls, escapes, line separators, marks of direction, lone halves of a character.
_MARKS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff]"
)


def plain_line(text: str, most: int | None = None) -> str:
    """Return a text on one line, without what nobody sees, cut at `most` characters."""
    line = _MARKS.sub(" ", text)
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


def plain_text(text: str) -> str:
    """Return a text of several lines without what nobody sees."""
    return "\n".join(map(plain_line, text.split("\n")))


def utf16_length(text: str) -> int:
    """A text's length in UTF-16 units, as Telegram, JavaScript and Notion count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def listed(names: Iterable[str], most: int = 20) -> str:
    """Write names one after another on one line: at most `most`, each cut at 80 characters."""
    shown = [plain_line(name, LONGEST_NAME) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def https_link(url: str | None) -> str | None:
    """Return an address that a person may open: https, of a host, bounded; else None."""
    if url is None or len(url) > LONGEST_LINK or not url.startswith("https://"):
        return None
    # What is no address (a space, a quote, a letter that looks like another) is no link.
    if re.search(r"[^!#-;=?-\[\]_a-z~]", url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if host and "@" not in parts.netloc else None


def counted(count: int, one: str, several: str | None = None) -> str:
    """Write a number with what is counted: `1 run`, `2 runs`; `several` is its own plural."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def agreeing(count: int, one: str = "is", several: str = "are") -> str:
    """Choose the verb that goes with a number: `1 … is`, `2 … are`."""
    return one if count == 1 else several
