"""The sandbox's front page: what was received, newest first."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.sandbox.standin import Received

SHOWN = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}


def render(url: str, received: list[Received]) -> str:
    """The page; `received` is oldest first."""
    rows = "".join(_row(request) for request in reversed(received[-SHOWN:]))
    return f"<!doctype html><title>{html.escape(url)}</title><ul>{rows}</ul>"


def _row(request: Received) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(request.at))
    return f"<li>{when} {html.escape(request.call)} {html.escape(request.shown)}</li>"
