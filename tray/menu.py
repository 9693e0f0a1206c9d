"""The menu as a value: state in, rows out.

Every row has a key that stays the same while its words change, so that a menu somebody has
open can be edited in place.
"""

from __future__ import annotations

from dataclasses import dataclass

from tray import formatting
from tray.rows import SEPARATOR, Command, Row, connector_rows, inbound_rows, say
from tray.state import Notify, State
from tray.summary import Face, Summary, summary

_TELLING = {
    Notify.OFF: "Off",
    Notify.CHANGES: "When something changes",
    Notify.EVERYTHING: "Changes and every run",
}


_MORE = Command("how_to_fix")


@dataclass(frozen=True)
class Menu:
    """What the desktop shows: the icon's face, its tooltip and the rows below it."""

    face: Face
    tooltip: str
    rows: tuple[Row, ...]


def menu(state: State) -> Menu:
    """Compute the whole menu from a state."""
    seen = summary(state)
    rows = [
        _headline(seen),
        _fix(seen.fix),
        say("checked", _checked(state, seen)),
        SEPARATOR,
        *connector_rows(state),
    ]
    inbound = inbound_rows(state)
    if inbound:
        rows += [SEPARATOR, *inbound]
    rows += [SEPARATOR, *_checks(state), SEPARATOR, *_files(state)]
    return Menu(seen.face, seen.tooltip, tuple(rows))


def _headline(seen: Summary) -> Row:
    """The first row; where there is trouble a click on it tells more."""
    more = seen.face in (Face.ATTENTION, Face.BROKEN, Face.EMPTY, Face.OFFLINE)
    return Row("headline", formatting.cut(seen.headline), _MORE if more else None, enabled=more)


def _fix(fix: str | None) -> Row:
    """One row always: rows that came and went here would move the others under the mouse."""
    if fix is None:
        return say("fix", "→ Nothing to do")
    below = formatting.lines(fix, most=8)
    if len(below) == 1:
        return Row("fix", f"→ {fix}", _MORE)
    rows = tuple(say(str(n), line) for n, line in enumerate(below))
    return Row("fix", formatting.cut(f"→ {fix}"), rows=rows)


def _checked(state: State, seen: Summary) -> str:
    if state.checking and seen.face is not Face.CHECKING:
        return "Checking…"
    if state.health is None:
        return "Not checked yet"
    return f"Checked {formatting.ago(state.now - state.health.at)}"


def _checks(state: State) -> list[Row]:
    choices = state.preferences
    resume = Row("resume", "Resume", Command("resume"), enabled=state.paused)
    pause = (
        Row("hour", "For 1 hour", Command("pause", seconds=formatting.HOUR)),
        Row("tomorrow", "Until tomorrow", Command("pause_until_tomorrow")),
        resume,
    )
    telling = [
        Row(kind, text, Command("tell", kind), checked=choices.notify is kind, radio=True)
        for kind, text in _TELLING.items()
    ]
    if state.notification_error:
        telling.append(
            say("bubbles", formatting.cut(f"They do not arrive: {state.notification_error}"))
        )
    return [
        Row("check", "Check now", Command("check"), enabled=not state.checking),
        Row("pause", "Pause checks", rows=pause),
        Row("telling", "Notifications", rows=tuple(telling)),
        Row("autostart", "Start at login", Command("autostart"), checked=state.autostart),
    ]


def _files(state: State) -> list[Row]:
    local = not state.source.remote
    about = [say("version", f"Levqor {state.version}")]
    if state.source.home:
        about.append(say("home", formatting.cut(f"Home: {state.source.home}")))
    about.append(say("source", formatting.cut(f"Source: {state.source.words}")))
    pair = "Pair a phone…" if state.source.pairs else "Pair a phone on the machine with the bot"
    return [
        Row("pair", pair, Command("pair"), enabled=state.source.pairs),
        Row("settings", "Open settings file", Command("open_settings"), enabled=local),
        Row("logs", "Open log folder", Command("open_logs"), enabled=local),
        Row("about", "About", rows=tuple(about)),
        Row("quit", "Quit", Command("quit")),
    ]
