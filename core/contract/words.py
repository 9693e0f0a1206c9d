"""What a service calls its things, fit to be shown to a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 80
# Whoever names a column must not be able to write lines, or backwards, into an answer.
_MARKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def listed(names: Iterable[str], most: int = 20) -> str:
    """Write names one after another on one line: at most `most`, each cut at 80 characters."""
    shown = [_MARKS.sub(" ", name) for name in names]
    cut = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in shown]
    more = f" and {len(cut) - most} more" if len(cut) > most else ""
    return ", ".join(cut[:most]) + more
