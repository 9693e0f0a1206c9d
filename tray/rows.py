"""The rows of each connector and each way in, with what can be done about them."""

from __future__ import annotations

from dataclasses import dataclass

from core.wording import STATES
from tray import formatting
from tray.state import Connector, Inbound, State, TestResult, Verdict
from tray.summary import inbound_title


@dataclass(frozen=True)
class Command:
    """What a click asks for."""

    what: str
    arg: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Row:
    """One row. `key` names it among its siblings; one without `do` and `rows` only speaks."""

    key: str
    text: str
    do: Command | None = None
    enabled: bool = True
    checked: bool | None = None
    radio: bool = False
    rows: tuple[Row, ...] = ()

    @property
    def separator(self) -> bool:
        """Whether this is a line between groups."""
        return not self.text


SEPARATOR = Row("", "")


def say(key: str, text: str) -> Row:
    """Make a row that only speaks."""
    return Row(key, text, enabled=False)


MARKS = {
    Verdict.OK: "✓",
    Verdict.ATTENTION: "!",
    Verdict.BROKEN: "✗",
    Verdict.OFF: "○",
    Verdict.UNKNOWN: "?",
}
NO_WORDS = {
    Verdict.OK: "works",
    Verdict.ATTENTION: "wants attention",
    Verdict.BROKEN: "broken",
    Verdict.OFF: "not set up",
    Verdict.UNKNOWN: "not checked yet",
}
_MUTES = (1, 4, 8)
_FURTHER = "    "
# Narrower than the rows above, so that a small screen shows both side by side.
_BELOW = 54


def connector_rows(state: State) -> list[Row]:
    """One row per connector, in the list's order."""
    if state.health is None:
        return [say("none", "No connectors known yet")]
    return [_connector(state, one) for one in state.health.connectors]


def inbound_rows(state: State) -> list[Row]:
    """One row per way in that a bot on this home serves; none without a bot."""
    return [_inbound(state, one) for one in state.health.inbound] if state.health else []


def _connector(state: State, one: Connector) -> Row:
    title = one.title
    if state.muted(one.name):
        title += f" (muted, {formatting.left(state.preferences.muted[one.name] - state.now)})"
    text = _row(f"{_mark(state, one)} {title} — ", _line(state, one), _tail(state, one))
    return Row(one.name, text, rows=tuple(_below(state, one)))


def _mark(state: State, one: Connector) -> str:
    known = state.trouble is None and not _offline(state, one)
    return MARKS[one.verdict if known or one.verdict is Verdict.OFF else Verdict.UNKNOWN]


def _offline(state: State, one: Connector) -> bool:
    return one.unreachable and state.health is not None and state.health.offline


def _row(head: str, said: str, tail: str) -> str:
    """One line where only the words in the middle may be cut."""
    return head + formatting.cut(said, formatting.ROW_WIDTH - len(head) - len(tail)) + tail


def _line(state: State, one: Connector) -> str:
    return "cannot be told while offline" if _offline(state, one) else _said(state, one)


def _tail(state: State, one: Connector) -> str:
    """What must be seen of a row however long its words are."""
    if one.verdict is Verdict.OFF or _offline(state, one):
        return ""
    return _since(state, one) + (" (last known)" if state.trouble else "")


def _since(state: State, one: Connector) -> str:
    if _wrong(one) and one.since is not None:
        return f", for {formatting.span(state.now - one.since)}"
    return ""


def _wrong(one: Connector) -> bool:
    return one.verdict in (Verdict.BROKEN, Verdict.ATTENTION)


def _said(state: State, one: Connector) -> str:
    if one.verdict is Verdict.OK:
        last = one.last_success
        if last:
            return f"sent {formatting.ago(state.now - last.at)}{formatting.ms(last.ms)}"
        return f"works{formatting.ms(one.latency_ms)}"
    if one.verdict is Verdict.OFF:
        return NO_WORDS[Verdict.OFF]
    return formatting.of(one.title, one.words) or NO_WORDS[one.verdict]


def _below(state: State, one: Connector) -> list[Row]:
    trouble = one.verdict not in (Verdict.OK, Verdict.UNKNOWN)
    rows = [row for action in one.actions for row in _tests(state, one, action)]
    rows += [say("success", _success(state, one)), *_failure(state, one)]
    rows += [
        say(f"note{n}", line)
        for n, line in enumerate(part for note in one.notes for part in _wrapped(note))
    ]
    rows += _now(one)
    rows += [
        Row("fix", "How to fix", Command("how_to_fix", one.name), enabled=trouble or bool(one.fix)),
        Row("mute", "Mute", rows=_mutes(state, one)),
        Row("log", "Open log", Command("open_log"), enabled=not state.source.remote),
    ]
    return rows


def _tests(state: State, one: Connector, action: str) -> list[Row]:
    name = "" if len(one.actions) == 1 else f" of {action.partition('.')[2]}"
    told, doubt = state.test_results.get(action), state.unconfirmed_test(one, action)
    able = one.verdict is not Verdict.OFF and state.trouble is None
    text, enabled = f"Send test{name}…", able
    if action in state.sending:
        text, enabled = f"Sending a test{name}…", False
    elif doubt:
        text, enabled = f"Send test{name}… (the last one may have arrived)", False
    elif told and told.wait and state.now - told.at < told.wait:
        text, enabled = f"Send test{name}… (again in a minute)", False
    rows = [Row(f"test:{action}", text, Command("test", action), enabled=enabled)]
    if doubt:
        rows.append(
            Row(f"looked:{action}", "I have looked: allow another test", Command("looked", doubt))
        )
    if told:
        rows += [say(f"told{n}:{action}", line) for n, line in enumerate(_told(state, told))]
    return rows


def _told(state: State, told: TestResult) -> list[str]:
    first = f"Last test, {formatting.ago(state.now - told.at)}: {formatting.plain(told.words)}"
    run = [f"{_FURTHER}run {told.run}"] if told.run else []
    return [*_wrapped(first), *run]


def _success(state: State, one: Connector) -> str:
    run = one.last_success
    if run is None:
        return "Last success: none yet"
    return f"Last success: {formatting.ago(state.now - run.at)}{formatting.ms(run.ms)}"


def _failure(state: State, one: Connector) -> list[Row]:
    run = one.last_failure
    if run is None:
        return [say("failure", "Last failure: none")]
    why = formatting.plain(run.words) or STATES.get(run.outcome or "", "failed")
    said = _wrapped(f"Last failure, {formatting.ago(state.now - run.at)}: {why}")
    rows = [say(f"failure{n or ''}", line) for n, line in enumerate(said)]
    # Said once: the trouble of this moment stands below, with the same fix.
    todo = _wrapped(f"→ {run.fix}") if run.fix not in (None, one.fix) else []
    return rows + [say(f"failure_fix{n}", line) for n, line in enumerate(todo)]


def _now(one: Connector) -> list[Row]:
    """What is wrong in full, for the row above may have cut it, and what to do."""
    if one.verdict in (Verdict.OK, Verdict.UNKNOWN):
        return []
    said = _wrapped(f"Now: {formatting.plain(one.words)}") if one.words else []
    todo = _wrapped(f"→ {one.fix}") if one.fix else []
    return [say(f"now{n}", line) for n, line in enumerate([*said, *todo])]


def _wrapped(text: str) -> list[str]:
    return formatting.lines(text, _BELOW, further=_FURTHER)


def _mutes(state: State, one: Connector) -> tuple[Row, ...]:
    hours = [
        Row(str(n), f"For {n} hour{'s' * (n > 1)}", Command("mute", one.name, n * formatting.HOUR))
        for n in _MUTES
    ]
    muted = state.muted(one.name)
    return (*hours, Row("unmute", "Unmute", Command("unmute", one.name), enabled=muted))


def _inbound(state: State, one: Inbound) -> Row:
    title = inbound_title(one.surface)
    said = formatting.plain(one.words)
    if not one.ok and one.since is not None:
        said += f", for {formatting.span(state.now - one.since)}"
    text = formatting.cut(f"{MARKS[Verdict.OK if one.ok else Verdict.BROKEN]} {title} — {said}")
    if one.ok:
        return say(f"in:{one.surface}", text)
    rows = [say(f"fix{n}", line) for n, line in enumerate(formatting.lines(one.fix or ""))]
    how = Row("how", "How to fix", Command("how_to_fix", one.surface))
    return Row(f"in:{one.surface}", text, rows=(*rows, how))
