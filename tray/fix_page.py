"""The page behind *How to fix*: what is wrong, what to do, and which settings it takes."""

from __future__ import annotations

import os
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from core.wording import STATES
from tray import formatting
from tray.icon import COLOURS
from tray.rows import MARKS, NO_WORDS
from tray.state import Connector, Inbound, Verdict
from tray.summary import Face, inbound_title, summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tray.state import Run, State

_FACES = {
    Verdict.OK: Face.OK,
    Verdict.ATTENTION: Face.ATTENTION,
    Verdict.BROKEN: Face.BROKEN,
    Verdict.OFF: Face.EMPTY,
    Verdict.UNKNOWN: Face.CHECKING,
}
_ORDER = (Verdict.BROKEN, Verdict.ATTENTION, Verdict.OFF, Verdict.UNKNOWN, Verdict.OK)
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 44rem; margin: 2.5rem auto;
       padding: 0 1.25rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
section { border: 1px solid var(--line); border-radius: 12px; padding: .2rem 1.2rem 1rem;
          margin: 1.1rem 0; border-left: 6px solid var(--colour); }
section h2 { font-size: 1.15rem; margin-bottom: .1rem; }
.mark { color: var(--colour); font-weight: 700; }
.fix { background: var(--soft); border-radius: 8px; padding: .6rem .9rem; }
code { background: var(--soft); border-radius: 4px; padding: .05rem .35rem; }
.well { color: %s; font-weight: 700; }
.small { opacity: .75; font-size: .9rem; }
"""


def html(state: State, first: str = "") -> str:
    """Make the whole page; the connector or way in called `first` stands on top."""
    seen = summary(state)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>Levqor: how to fix</title><style>{_STYLE % COLOURS[Face.OK]}</style>",
        f"<h1>How to fix</h1><p>{escape(seen.headline)}</p>",
        f"<p class=fix>{escape(seen.fix)}</p>" if seen.fix and not _below(state) else "",
        *_sections(state, first),
        f"<p class=small>{_where(state)}</p></html>\n",
    ]
    return "\n".join(filter(None, parts))


def write(file: Path, text: str) -> None:
    """Write the page for its owner's eyes only."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    Path(name).replace(file)


def _below(state: State) -> bool:
    """Whether the headline's fix stands with its connector, further down."""
    return summary(state).face in (Face.BROKEN, Face.ATTENTION)


def _sections(state: State, first: str) -> Iterator[str]:
    if state.health is None:
        return
    connectors = state.health.connectors
    found = [
        (one.name != first, _ORDER.index(one.verdict), _connector(state, one))
        for one in connectors
        if one.name == first or one.verdict is not Verdict.OK
    ]
    found += [
        (one.surface != first, _ORDER.index(Verdict.BROKEN), _way(one))
        for one in state.health.inbound
        if not one.ok
    ]
    yield from (section for *_, section in sorted(found, key=lambda one: one[:2]))
    well = [c.title for c in connectors if c.verdict is Verdict.OK and c.name != first]
    if well:
        yield f"<p><span class=well>✓</span> Works: {escape(formatting.listed(well))}.</p>"


def _connector(state: State, one: Connector) -> str:
    said = escape(_sentence(formatting.plain(one.words) or NO_WORDS[one.verdict]))
    if one.since:
        span = formatting.span(state.now - one.since).replace(" ", "&nbsp;")
        said += f" <span class=small>For&nbsp;{span}.</span>"
    parts = [_head(one.verdict, one.title), f"<p>{said}</p>"]
    if one.fix:
        parts.append(f"<p class=fix>{escape(one.fix)}</p>")
    if one.settings:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in one.settings)
        parts.append(f"<p>Settings that are missing: {names}</p>")
    parts += [f"<p>{escape(note)}</p>" for note in one.notes]
    if one.last_failure:
        parts.append(f"<p class=small>{escape(_failed(state, one, one.last_failure))}</p>")
    return "\n".join([*parts, "</section>"])


def _failed(state: State, one: Connector, run: Run) -> str:
    why = formatting.plain(run.words) or STATES.get(run.outcome or "", "failed")
    said = f"Last failed run, {formatting.ago(state.now - run.at)}: {_sentence(why)}"
    fix = f" {run.fix}" if run.fix and run.fix != one.fix else ""
    return f"{said}{fix} Run {run.run}."


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _way(one: Inbound) -> str:
    parts = [
        _head(Verdict.BROKEN, inbound_title(one.surface)),
        f"<p>{escape(_sentence(formatting.plain(one.words)))}</p>",
        f"<p class=fix>{escape(one.fix)}</p>" if one.fix else "",
    ]
    return "\n".join([*filter(None, parts), "</section>"])


def _head(verdict: Verdict, title: str) -> str:
    colour = COLOURS[_FACES[verdict]]
    mark = f"<span class=mark>{MARKS[verdict]}</span>"
    return f"<section style='--colour: {colour}'><h2>{mark} {escape(title)}</h2>"


def _where(state: State) -> str:
    if state.source.home is None:
        return escape(f"Settings are kept by {state.source.words}.")
    file = Path(state.source.home) / ".env"
    return f"Settings stand in <code>{escape(str(file))}</code>, one NAME=value on each line."
