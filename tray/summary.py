"""One look at everything: the icon's state, and the headline that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core import wording
from core.plain import counted
from core.reports import BROKEN, Verdict
from tray import formatting
from tray.state import Connector, Health, Inbound, State

_NO_FIX = "Click Check now. If the problem stays, run: levqor doctor"
_EACH = "Click here to see how to fix each of them."


class IconState(StrEnum):
    """What the icon shows: each has a shape of its own besides its colour."""

    OK = "ok"
    ATTENTION = "attention"
    BROKEN = "broken"
    EMPTY = "empty"
    CHECKING = "checking"
    PAUSED = "paused"
    OFFLINE = "offline"


# Relative luminance between 0.14 and 0.30: at least 3:1 on a white and on a black bar alike.
COLOURS = {
    IconState.OK: "#2a9a42",
    IconState.ATTENTION: "#c67a00",
    IconState.BROKEN: "#d6322f",
    IconState.EMPTY: "#7c8794",
    IconState.CHECKING: "#2f7fe0",
    IconState.PAUSED: "#66788a",
    IconState.OFFLINE: "#9060d0",
}


@dataclass(frozen=True)
class Summary:
    """The icon's state, the headline, and what a person must do, if anything."""

    icon: IconState
    headline: str
    fix: str | None = None


def summary(state: State) -> Summary:
    """Sum a state up; the worst thing a person can act on wins."""
    requested = state.check_requested and state.checking
    if state.pause_left:
        left = formatting.left(state.pause_left)
        return Summary(IconState.PAUSED, f"Checks are paused, {left}")
    if state.fault and not requested:
        headline = formatting.plain(state.fault.words)
        return Summary(IconState.OFFLINE, headline, state.fault.fix or _NO_FIX)
    if state.health is None or requested:
        return Summary(IconState.CHECKING, "Checking…")
    if state.stale:
        old = formatting.span(state.now - state.health.at)
        fix = "Click Check now, or look in the log."
        return Summary(IconState.OFFLINE, f"No answer for {old}", fix)
    if state.health.offline:
        fix = "Check the network connection. Levqor tries again by itself."
        return Summary(IconState.OFFLINE, "This computer is offline", fix)
    return _of_health(state, state.health)


def worst(state: State) -> tuple[IconState, Sequence[Connector | Inbound]]:
    """What a person must look at first, if anything, and as what the icon shows it."""
    health = state.health
    unmuted = [c for c in health.connectors if not state.mute_left(c.name)] if health else []
    broken: list[Connector | Inbound] = [c for c in unmuted if c.verdict in BROKEN]
    broken += [i for i in health.inbound if not i.ok] if health else []
    if broken:
        return IconState.BROKEN, broken
    return IconState.ATTENTION, [c for c in unmuted if c.verdict is Verdict.ATTENTION]


def _of_health(state: State, health: Health) -> Summary:
    icon, problems = worst(state)
    if problems:
        return _worst(icon, problems)
    unmuted = [c for c in health.connectors if not state.mute_left(c.name)]
    if not health.configured:
        fix = "Open the settings file, fill in the services you use, and save it."
        return Summary(IconState.EMPTY, "No service is set up yet", fix)
    if unknown := [c.title for c in unmuted if c.verdict is Verdict.UNCHECKED]:
        return Summary(IconState.CHECKING, f"Not checked yet: {formatting.listed(unknown)}")
    further = sum(c.further for c in health.configured)
    total = sum(not c.further for c in health.connectors)
    more = f" and {counted(further, 'further account')}" if further else ""
    headline = f"All well, {len(health.configured) - further} of {total} services{more} set up"
    if muted := [c.title for c in health.configured if state.mute_left(c.name)]:
        headline += f", {formatting.listed(muted)} muted"
    return Summary(IconState.OK, headline)


def _worst(icon: IconState, problems: Sequence[Connector | Inbound]) -> Summary:
    if len(problems) > 1:
        are = "are failing" if icon is IconState.BROKEN else "need attention"
        names = formatting.listed([each.title for each in problems])
        return Summary(icon, f"{len(problems)} {are}: {names}", _EACH)
    (problem,) = problems
    headline = wording.titled(problem.title, formatting.plain(problem.words))
    return Summary(icon, headline, problem.fix or _NO_FIX)
