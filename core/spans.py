"""Spans of time as people write them: `90d`, `36h`, `45m`."""

import re

SPAN = "[0-9]{1,5}[wdhm]"
_SECONDS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60}


def span(text: str) -> int | None:
    """The seconds of a span; None for what is none."""
    return int(text[:-1]) * _SECONDS[text[-1]] if re.fullmatch(SPAN, text) else None
