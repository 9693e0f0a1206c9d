"""How spans of time and long texts are written in a row."""

import textwrap

from core import wording

MINUTE, HOUR, DAY = 60, 3600, 86400
# A row wider than this runs off a small screen; GTK does not wrap menu rows.
ROW_WIDTH = 72


def span(seconds: float) -> str:
    """Say how long, e.g. `3 hours`; at least a minute, rounded down."""
    return wording.span(max(seconds, MINUTE))


def ago(seconds: float) -> str:
    """Say how long past, e.g. `3 hours ago`; to the minute, so that rows seldom change."""
    return "just now" if seconds < MINUTE else f"{span(seconds)} ago"


def left(seconds: float) -> str:
    """Say how long still, e.g. `45 minutes left`; rounded up to a minute."""
    return f"{span(seconds + MINUTE - 1)} left"


def ms(value: float | None) -> str:
    """Say a duration, e.g. `, 234 ms`; empty where it is not known."""
    if value is None:
        return ""
    return f", {value:.0f} ms" if value < 10_000 else f", {value / 1000:.0f} s"


def plain(text: str | None) -> str:
    """Take a sentence's full stop away, so that it can stand inside a row."""
    return (text or "").strip().removesuffix(".")


def without_title(text: str | None, title: str) -> str:
    """Take away the title that begins a sentence, and the full stop that ends it."""
    return plain(text).removeprefix(f"{title} ")


def cut(text: str, width: int = ROW_WIDTH) -> str:
    """Put a text on one line of at most `width` characters, an ellipsis where it was longer."""
    flat = " ".join(text.split())
    if len(flat) <= width:
        return flat
    kept = flat[:width].rpartition(" ")[0].rstrip(" ,;:")
    # One long word, a path for instance, has no better place to be cut.
    return (kept if len(kept) > width // 2 else flat[: width - 1].rstrip()) + "…"


def lines(text: str, width: int = ROW_WIDTH, most: int = 4, indent: str = "") -> list[str]:
    """Break a text into at most `most` rows; an ellipsis ends what was longer."""
    return textwrap.wrap(text, width, max_lines=most, placeholder=" …", subsequent_indent=indent)


def listed(names: list[str]) -> str:
    """Join names as people do, e.g. `A, B and C`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
