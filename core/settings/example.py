"""`.env.example`: every setting, what it is and where to get it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from core.settings.app import AppSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.contract import Connector, Interface, Setting

_HEAD = """\
# Levqor's settings. Copy this file to .env in Levqor's home folder and fill in what you use;
# levqor doctor shows which folder that is. What is set in the environment comes first. A secret
# may stand in a file of its own instead: NAME_FILE=/run/secrets/name. An empty value counts as
# absent, but not where a setting restricts who may do what: leave it out, or say whom.
"""


def sections(
    connectors: Sequence[Connector], interfaces: Sequence[Interface]
) -> Iterator[tuple[str, list[Setting]]]:
    """Every setting once: those of each connector, of each interface, then Levqor's own."""
    seen: set[str] = set()
    for title, settings in [
        *((one.title, one.config.settings()) for one in connectors),
        *((f"Interface: {one.title}", one.settings.settings()) for one in interfaces),
        ("Levqor itself", AppSettings.settings()),
    ]:
        new = [one for one in settings if one.name not in seen]
        seen.update(one.name for one in new)
        if new:
            yield title, new


def example(connectors: Sequence[Connector], interfaces: Sequence[Interface]) -> str:
    """Write the example file, a section at a time."""
    outside: list[Setting] = []
    parts = [_HEAD]
    for title, settings in sections(connectors, interfaces):
        outside += [one for one in settings if one.env_only]
        inside = [line for one in settings if not one.env_only for line in ("", *_lines(one))]
        parts.append("\n".join([f"# --- {title} ---", *inside, ""]))
    lines = [line for one in outside for line in ("", *_lines(one))]
    title = "# --- From the environment only; ignored in this file ---"
    parts.append("\n".join([title, *lines, ""]))
    return "\n".join(parts)


def _lines(one: Setting) -> Iterator[str]:
    hint = f", e.g. {one.example}" if one.example and one.example != one.default else ""
    yield f"# {one.title}{hint}"
    yield from textwrap.wrap(one.where, 90, initial_indent="#   ", subsequent_indent="#   ")
    if one.default or one.env_only or one.restricts:
        yield f"# {one.name}={one.default or ''}"
    else:
        yield f"{one.name}="
