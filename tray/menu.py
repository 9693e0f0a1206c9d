"""The menu as a value: state in, rows out.

Every row has a key that stays the same while its words change, so that a menu somebody has
open can be edited in place.
"""

from dataclasses import dataclass

from tray import formatting
from tray.rows import SEPARATOR, Command, Row, connector_rows, inbound_rows, text_row
from tray.state import Notify, State
from tray.summary import IconState, Summary, summary

# Windows refuses a longer tooltip with an exception (pystray 0.19.5, szTip).
TOOLTIP = 127
_NOTIFY = {
    Notify.OFF: "Off",
    Notify.CHANGES: "When something changes",
    Notify.EVERYTHING: "Changes and every run",
}
_TROUBLE = (IconState.ATTENTION, IconState.BROKEN, IconState.EMPTY, IconState.OFFLINE)
_HOW_TO_FIX = Command("how_to_fix")


@dataclass(frozen=True)
class Menu:
    """What the desktop shows: the icon's state, its tooltip and the rows below it."""

    icon: IconState
    tooltip: str
    rows: tuple[Row, ...]


def menu(state: State) -> Menu:
    """Compute the whole menu from a state."""
    seen = summary(state)
    trouble = seen.icon in _TROUBLE
    headline = formatting.cut(seen.headline)
    rows = [
        Row("headline", headline, _HOW_TO_FIX if trouble else None, enabled=trouble),
        _fix(seen.fix),
        text_row("checked", _checked(state, seen)),
        SEPARATOR,
        *connector_rows(state),
    ]
    if inbound := inbound_rows(state):
        rows += [SEPARATOR, *inbound]
    rows += [SEPARATOR, *_checks(state), SEPARATOR, *_files(state)]
    tooltip = formatting.cut(f"Levqor: {seen.headline}", TOOLTIP)
    return Menu(seen.icon, tooltip, tuple(rows))


def _fix(fix: str | None) -> Row:
    """One row always: rows that came and went here would move the others under the mouse."""
    if fix is None:
        return text_row("fix", "→ Nothing to do")
    lines = formatting.lines(fix, most=8)
    if len(lines) == 1:
        return Row("fix", f"→ {fix}", _HOW_TO_FIX)
    rows = tuple(text_row(str(n), line) for n, line in enumerate(lines))
    return Row("fix", formatting.cut(f"→ {fix}"), rows=rows)


def _checked(state: State, seen: Summary) -> str:
    if state.checking and seen.icon is not IconState.CHECKING:
        return "Checking…"
    if state.health is None:
        return "Not checked yet"
    return f"Checked {formatting.ago(state.now - state.health.at)}"


def _checks(state: State) -> list[Row]:
    pause = (
        Row("hour", "For 1 hour", Command("pause", seconds=formatting.HOUR)),
        Row("tomorrow", "Until tomorrow", Command("pause_until_tomorrow")),
        Row("resume", "Resume", Command("resume"), enabled=state.pause_left > 0),
    )
    chosen = state.preferences.notify
    notify = [
        Row(which, text, Command("notify", which), checked=chosen is which, radio=True)
        for which, text in _NOTIFY.items()
    ]
    if state.notification_error:
        text = formatting.cut(f"Notifications do not arrive: {state.notification_error}")
        notify.append(text_row("notification_error", text))
    return [
        Row("check", "Check now", Command("check"), enabled=not state.checking),
        Row("pause", "Pause checks", rows=pause),
        Row("notify", "Notifications", rows=tuple(notify)),
        Row("autostart", "Start at login", Command("autostart"), checked=state.autostart),
    ]


def _files(state: State) -> list[Row]:
    home = state.source.home
    here = home is not None
    about = [text_row("version", f"Levqor {state.version}")]
    if here:
        about.append(text_row("home", formatting.cut(f"Home folder: {home}")))
    about.append(text_row("source", formatting.cut(f"Connected to: {state.source.words}")))
    pair = "Pair a phone…" if here else "Pair a phone (on the computer that runs the bot)"
    return [
        Row("pair", pair, Command("pair"), enabled=here),
        Row("settings", "Open settings file", Command("open_settings"), enabled=here),
        Row("logs", "Open log folder", Command("open_log_folder"), enabled=here),
        Row("about", "About", rows=tuple(about)),
        Row("quit", "Quit", Command("quit")),
    ]
