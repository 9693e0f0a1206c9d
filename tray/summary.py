"""One look at everything: which face the icon shows, and the headline that says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tray import formatting
from tray.state import Health, State, Verdict

# Windows refuses a longer tooltip with an exception (pystray 0.19.5, szTip).
TOOLTIP = 127
_NO_FIX = "Check now; if it stays so, run: levqor doctor"
_EACH = "Click here to see what each of them needs."


class Face(StrEnum):
    """What the icon shows: each has a shape of its own besides its colour."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"
    EMPTY = "empty"
    CHECKING = "checking"
    PAUSED = "paused"
    OFFLINE = "offline"


@dataclass(frozen=True)
class Summary:
    """A face, the headline in words, and what a person must do, if anything."""

    face: Face
    headline: str
    fix: str | None = None

    @property
    def tooltip(self) -> str:
        """The headline within the tightest platform's limit."""
        return formatting.cut(f"Levqor: {self.headline}", TOOLTIP)


def summary(state: State) -> Summary:
    """Sum a state up; the worst thing a person can act on wins."""
    if state.preferences.paused_until is not None and state.paused:
        left = formatting.left(state.preferences.paused_until - state.now)
        return Summary(Face.PAUSED, f"Checks are paused, {left}")
    if state.trouble and not (state.asked and state.checking):
        return Summary(Face.OFFLINE, formatting.plain(state.trouble.words), state.trouble.fix)
    if state.health is None or (state.asked and state.checking):
        return Summary(Face.CHECKING, "Checking…")
    if state.stale:
        old = formatting.span(state.now - state.health.at)
        return Summary(Face.OFFLINE, f"No answer for {old}", "Check now, or look into the log.")
    if state.health.offline:
        fix = "Look at the network connection; Levqor tries again by itself."
        return Summary(Face.OFFLINE, "This computer is offline", fix)
    return _of_health(state, state.health)


def _of_health(state: State, health: Health) -> Summary:
    heard = [c for c in health.connectors if not state.muted(c.name)]
    broken = [(c.title, c.words, c.fix) for c in heard if c.verdict is Verdict.BROKEN]
    broken += [(inbound_title(i.surface), i.words, i.fix) for i in health.inbound if not i.ok]
    attention = [(c.title, c.words, c.fix) for c in heard if c.verdict is Verdict.ATTENTION]
    if broken:
        return _worst(Face.BROKEN, "is broken", "are broken", broken)
    if attention:
        return _worst(Face.ATTENTION, "wants attention", "want attention", attention)
    if not health.configured:
        fix = "Open the settings file, fill in what you use, and save it."
        return Summary(Face.EMPTY, "Nothing is set up yet", fix)
    unknown = [c.title for c in heard if c.verdict is Verdict.UNKNOWN]
    if unknown:
        return Summary(Face.CHECKING, f"Not checked yet: {formatting.listed(unknown)}")
    return Summary(Face.OK, _all_well(state, health))


_Found = list[tuple[str, str | None, str | None]]


def _worst(face: Face, one: str, many: str, found: _Found) -> Summary:
    if len(found) == 1:
        title, said, fix = found[0]
        short = formatting.of(title, said)
        named = f"{title} {short}" if short != formatting.plain(said) else f"{title}: {short}"
        return Summary(face, named if short else f"{title} {one}", fix or _NO_FIX)
    names = formatting.listed([title for title, _, _ in found])
    return Summary(face, f"{len(found)} {many}: {names}", _EACH)


def _all_well(state: State, health: Health) -> str:
    said = f"All well, {len(health.configured)} of {len(health.connectors)} set up"
    muted = [c.title for c in health.configured if state.muted(c.name)]
    return f"{said}, {formatting.listed(muted)} muted" if muted else said


def inbound_title(surface: str) -> str:
    """Name a way in, so that it is not taken for the connector of the same name."""
    return f"Bot on {surface.capitalize()}"
