"""Off until its surface is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.app.frame import Surface
    from core.settings import Settings


def build(settings: Settings) -> Surface | None:
    """No surface."""
    del settings
    return None
