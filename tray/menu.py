"""The menu as a value: state in, rows out.

Every row has a key that stays the same while its words change, so that a menu somebody has
open can be edited in place.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.reports import BROKEN, Verdict
from core.wording import STATES, VERDICTS
from tray import formatting
from tray.rows import SEPARATOR, Command, Row, text_row
from tray.state import Connector, Inbound, Notify, Run, State
from tray.summary import IconState, Summary, summary

# Windows refuses a longer tooltip with an exception (pystray 0.19.5, szTip).
TOOLTIP = 127
_NOTIFY = {
    Notify.OFF: "Off",
    Notify.CHANGES: "When something changes",
    Notify.EVERYTHING: "Changes and every run",
}
_TROUBLE = (IconState.ATTENTION, IconState.BROKEN, IconState.EMPTY, IconState.OFFLINE)
MARKS = {
    Verdict.OK: "✓",
    Verdict.ATTENTION: "!",
    Verdict.FAILING: "✗",
    Verdict.UNREACHABLE: "✗",
    Verdict.NOT_CONFIGURED: "○",
    Verdict.UNCHECKED: "?",
}
# The same of a run, and how it is said that it ended so; the last is one that is still out.
_RUNS = {
    "sent": "✓ {} — sent {}",
    "refused": "✗ {} — refused {}",
    "not_sent": "✗ {} — not sent {}",
    "unknown": "! {} — unknown, {}",
    None: "· {} — asked for {}",
}
_MUTE_HOURS = (1, 4, 8)
# Narrower than the rows above, so that a small screen shows both side by side.
_SUBMENU_WIDTH = 54
_INDENT = "    "
_HOW_TO_FIX = Command("how_to_fix")
_OPEN = "Open the web console"


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
    headline, health = formatting.cut(seen.headline), state.health
    rows = [
        Row("headline", headline, _HOW_TO_FIX if trouble else None, enabled=trouble),
        _fix(seen.fix),
        text_row("checked", _checked(state, seen)),
        SEPARATOR,
    ]
    if health is None:
        rows.append(text_row("none", "Services appear here after the first check"))
    else:
        rows += [_connector(state, connector) for connector in health.connectors]
    if health and health.inbound:
        rows += [SEPARATOR, *(_inbound(state, each) for each in health.inbound)]
    if state.has_console:
        rows += [SEPARATOR, _own_runs(state), Row("console", _OPEN, Command("open_page", "/"))]
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


def _own_runs(state: State) -> Row:
    rows = [
        Row(str(n), _run(state, run), Command("open_page", f"/runs/{run.run}"))
        for n, run in enumerate(state.own_runs)
    ]
    return Row("runs", "Recent runs", rows=tuple(rows) or (text_row("none", "No runs yet"),))


def _run(state: State, run: Run) -> str:
    """A run in a row: its mark, action, how it ended and when."""
    words, ago = _RUNS.get(run.outcome, _RUNS[None]), formatting.ago(state.now - run.at)
    # However long the name, how it ended must be seen.
    room = _SUBMENU_WIDTH - len(words.format("", ago))
    return words.format(formatting.cut(f"{run.action}{' (test)' * run.test}", room), ago)


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
    pair = "Pair a phone…" if here else "Pair a phone (only on the computer that runs the bot)"
    return [
        Row("pair", pair, Command("pair"), enabled=here),
        Row("settings", "Open settings file", Command("open_settings"), enabled=here),
        Row("logs", "Open log folder", Command("open_log_folder"), enabled=here),
        Row("about", "About", rows=tuple(about)),
        Row("quit", "Quit", Command("quit")),
    ]


def why_failed(run: Run) -> str:
    """Say why a run failed, without a full stop."""
    return formatting.plain(run.words) or STATES.get(run.outcome or "", "failed")


def _connector(state: State, connector: Connector) -> Row:
    verdict = connector.verdict
    off = verdict is Verdict.NOT_CONFIGURED
    offline = bool(state.health and state.health.offline) and not off
    mark = MARKS[Verdict.UNCHECKED if offline or (state.fault and not off) else verdict]
    head = f"{mark} {connector.title}"
    if left := state.mute_left(connector.name):
        head += f" (muted, {formatting.left(left)})"
    head, words, tail = f"{head} — ", _words(state, connector), ""
    if offline:
        words = "unknown while offline"
    elif not off:
        if verdict in (*BROKEN, Verdict.ATTENTION):
            tail = _for(state, connector.since)
        tail += " (last known)" if state.fault else ""
    # However long its words are, its title and age must be seen.
    text = head + formatting.cut(words, formatting.ROW_WIDTH - len(head) - len(tail)) + tail
    return Row(connector.name, text, rows=_submenu(state, connector))


def _for(state: State, since: float | None) -> str:
    return "" if since is None else f", for {formatting.span(state.now - since)}"


def _words(state: State, connector: Connector) -> str:
    if connector.verdict is Verdict.OK:
        if run := connector.last_success:
            return f"sent {_ended(state, run)}"
        return f"{VERDICTS[Verdict.OK].cell}{formatting.ms(connector.latency_ms)}"
    if connector.verdict is Verdict.NOT_CONFIGURED:
        return VERDICTS[Verdict.NOT_CONFIGURED].cell
    return formatting.without_title(connector.words, connector.title)


def _ended(state: State, run: Run) -> str:
    return f"{formatting.ago(state.now - run.at)}{formatting.ms(run.ms)}"


def _submenu(state: State, connector: Connector) -> tuple[Row, ...]:
    name, sent, failed = connector.name, connector.last_success, connector.last_failure
    trouble = connector.verdict not in (Verdict.OK, Verdict.UNCHECKED)
    rows = [_send(connector, action) for action in connector.actions if state.has_console]
    rows += [row for action in connector.actions for row in _test_rows(state, connector, action)]
    success = _ended(state, sent) if sent else "none yet"
    rows += _text_rows("success", f"Last success: {success}")
    failure, to_do = "Last failure: none", None
    if failed:
        failure = f"Last failure, {formatting.ago(state.now - failed.at)}: {why_failed(failed)}"
        # The trouble of this moment is shown below: the same fix is not said twice.
        to_do = failed.fix if failed.fix != connector.fix else None
    rows += _text_rows("failure", failure, to_do and f"→ {to_do}")
    rows += _text_rows("note", *connector.notes)
    if trouble:
        # In full, for the row above may have cut it.
        now, fix = f"Now: {formatting.plain(connector.words)}", connector.fix
        rows += _text_rows("now", now, fix and f"→ {fix}")
    mutes = [
        Row(str(n), f"For {n} hour{'s' * (n > 1)}", Command("mute", name, n * formatting.HOUR))
        for n in _MUTE_HOURS
    ]
    unmute = Row("unmute", "Unmute", Command("unmute", name), enabled=state.mute_left(name) > 0)
    return (
        *rows,
        Row(
            "fix", "How to fix", Command("how_to_fix", name), enabled=trouble or bool(connector.fix)
        ),
        Row("mute", "Mute", rows=(*mutes, unmute)),
        Row("log", "Open log", Command("open_log"), enabled=state.source.home is not None),
    )


def _text_rows(key: str, *texts: str | None) -> list[Row]:
    """Make text rows of what is known, each text on as many as it needs."""
    known = (text for text in texts if text)
    lines = [
        line for text in known for line in formatting.lines(text, _SUBMENU_WIDTH, indent=_INDENT)
    ]
    return [text_row(f"{key}{n}", line) for n, line in enumerate(lines)]


def _send(connector: Connector, action: str) -> Row:
    enabled = connector.verdict is not Verdict.NOT_CONFIGURED
    name = action.partition(".")[2]
    text = "Send…" if len(connector.actions) == 1 else f"Send ({name})…"
    return Row(f"send:{action}", text, Command("open_page", f"/send/{action}"), enabled=enabled)


def _test_rows(state: State, connector: Connector, action: str) -> list[Row]:
    of = "" if len(connector.actions) == 1 else f" of {action.partition('.')[2]}"
    result, unconfirmed = state.test_results.get(action), state.unconfirmed_test(connector, action)
    sending, hold = action in state.sending, ""
    if unconfirmed:
        hold = " (the last one may have arrived)"
    elif result and result.wait and state.now - result.at < result.wait:
        hold = " (again in a minute)"
    enabled = not (sending or hold or state.fault or connector.verdict is Verdict.NOT_CONFIGURED)
    text = f"Sending a test{of}…" if sending else f"Send test{of}…{hold}"
    rows = [Row(f"test:{action}", text, Command("test", action), enabled=enabled)]
    if unconfirmed:
        text = "I have looked: allow another test"
        rows.append(Row(f"acknowledge:{action}", text, Command("acknowledge", unconfirmed)))
    if result:
        words = formatting.plain(result.words)
        last = f"Last test, {formatting.ago(state.now - result.at)}: {words}"
        rows += _text_rows(f"result:{action}", last)
        if result.run:
            rows.append(text_row(f"run:{action}", f"{_INDENT}run {result.run}"))
    return rows


def _inbound(state: State, interface: Inbound) -> Row:
    key, words = f"in:{interface.surface}", formatting.plain(interface.words)
    tail = "" if interface.ok else _for(state, interface.since)
    head = f"{MARKS[Verdict.OK if interface.ok else Verdict.FAILING]} {interface.title} — "
    text = head + formatting.cut(words, formatting.ROW_WIDTH - len(head) - len(tail)) + tail
    if interface.ok:
        return text_row(key, text)
    lines = enumerate(formatting.lines(interface.fix or ""))
    fixes = [text_row(f"fix{n}", line) for n, line in lines]
    how = Row("how", "How to fix", Command("how_to_fix", interface.surface))
    return Row(key, text, rows=(*fixes, how))
