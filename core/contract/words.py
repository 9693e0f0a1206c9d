"""What a service calls its things, as a refusal or a receipt lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 80


def listed(names: Iterable[str], most: int = 20) -> str:
    """Write names one after another on one line: at most `most`, each cut at 80 characters."""
    shown = [plain_line(name, LONGEST_NAME) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more
