"""What is told, and when: changes that stay, once each, together when they come together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.wording import STATES
from tray import formatting
from tray.rows import MARKS
from tray.state import Notify, Verdict
from tray.summary import inbound_title, summary

if TYPE_CHECKING:
    from tray.state import Run, State, TestResult

# A change is believed when two checks in a row saw it: a shorter flap is not told.
_CHECKS = 2
_SOURCE = ""


@dataclass(frozen=True)
class Notification:
    """One message. `about` names what a *How to fix* button would explain, if anything."""

    title: str
    body: str
    about: str | None = None


@dataclass(frozen=True)
class _Seen:
    """How one thing was at a check; equal ones are the same trouble."""

    verdict: Verdict
    words: str | None = None


@dataclass(frozen=True)
class _Change:
    """A change worth telling."""

    name: str
    title: str
    verdict: Verdict
    words: str
    fix: str | None


class Notifier:
    """Remembers what was told. Call `checked` once after every finished check."""

    def __init__(self) -> None:
        self._told: dict[str, _Seen] = {}
        self._waiting: dict[str, tuple[_Seen, int]] = {}
        self._runs: set[str] | None = None

    @property
    def unsettled(self) -> bool:
        """A change was seen once: look again soon, to believe or to forget it."""
        return bool(self._waiting)

    def checked(self, state: State) -> list[Notification]:
        """Take in a finished check and return what is to be told now."""
        changes = [c for c in _looks(state) if self._is_news(c)]
        runs = self._new_runs(state)
        if state.preferences.notify is Notify.OFF:
            return []
        told = [_notice(changes)] if changes else []
        if runs and state.preferences.notify is Notify.EVERYTHING:
            told.append(_runs_notice(runs))
        return told

    def _is_news(self, look: _Change) -> bool:
        seen = _Seen(look.verdict, None if look.verdict is Verdict.OK else look.words)
        before = self._told.get(look.name)
        if before is None or before == seen:
            self._told[look.name] = seen
            self._waiting.pop(look.name, None)
            return False
        waiting, times = self._waiting.get(look.name, (seen, 0))
        times = times + 1 if waiting == seen else 1
        if times < _CHECKS:
            self._waiting[look.name] = (seen, times)
            return False
        self._waiting.pop(look.name, None)
        self._told[look.name] = seen
        return True

    def _new_runs(self, state: State) -> list[Run]:
        settled = [run for run in state.runs if run.outcome]
        known, self._runs = self._runs, {run.run for run in settled}
        if known is None:
            return []
        return [
            run
            for run in settled
            if run.run not in known and not (run.test and run.surface == "tray")
        ]


def for_test(told: TestResult, title: str) -> Notification:
    """Word the answer to a test send; `title` is the connector's."""
    how = {"sent": "sent", "unknown": "in doubt"}.get(told.outcome or "", "not sent")
    parts = [
        "" if told.words == how else told.words,
        f"→ {told.fix}" if told.fix else "",
        told.link or "",
        f"Run {told.run}" if told.run else "",
    ]
    return Notification(f"{title}: test {how}", "\n".join(filter(None, parts)))


def _looks(state: State) -> list[_Change]:
    """Everything that can be told about; while the source is silent, that alone."""
    silent = state.trouble is not None or (state.health is not None and state.health.offline)
    if silent:
        seen = summary(state)
        said = formatting.plain(state.trouble.words) if state.trouble else seen.headline
        return [_Change(_SOURCE, said, Verdict.BROKEN, said, seen.fix)]
    looks = [_Change(_SOURCE, "Levqor", Verdict.OK, "answers again", None)]
    if state.health is None:
        return looks
    looks += [
        _Change(c.name, c.title, c.verdict, c.words or _plain(c.verdict), c.fix)
        for c in state.health.connectors
        if c.verdict is not Verdict.UNKNOWN and not state.muted(c.name)
    ]
    looks += [
        _Change(
            f"in:{i.surface}",
            inbound_title(i.surface),
            Verdict.OK if i.ok else Verdict.BROKEN,
            i.words,
            i.fix,
        )
        for i in state.health.inbound
    ]
    return looks


def _plain(verdict: Verdict) -> str:
    return {
        Verdict.OK: "works again",
        Verdict.OFF: "is no longer set up",
        Verdict.ATTENTION: "wants attention",
    }.get(verdict, "is broken")


def _notice(changes: list[_Change]) -> Notification:
    about = next((c.name for c in changes if c.fix and c.verdict is not Verdict.OK), None)
    about = about.removeprefix("in:") if about is not None else None
    if len(changes) == 1:
        (one,) = changes
        if one.name == _SOURCE:
            title = one.title if one.verdict is Verdict.BROKEN else "Levqor answers again"
            return Notification(title, one.fix or "Checks go on as before.", about)
        if one.verdict is Verdict.OK:
            return Notification(f"{one.title} works again", _mended(one), None)
        body = f"{one.words}\n→ {one.fix}" if one.fix else one.words
        return Notification(f"{one.title} {_title(one.verdict)}", body, about)
    lines = [f"{MARKS[c.verdict]} {c.title} — {_short(c)}" for c in changes]
    return Notification(f"{len(changes)} things changed", "\n".join(lines), about)


def _mended(change: _Change) -> str:
    return change.words if change.name.startswith("in:") else "Mended: nothing to do."


def _short(change: _Change) -> str:
    return (
        "works again" if change.verdict is Verdict.OK else formatting.of(change.title, change.words)
    )


def _title(verdict: Verdict) -> str:
    return {
        Verdict.BROKEN: "is broken",
        Verdict.ATTENTION: "wants attention",
        Verdict.OFF: "is no longer set up",
    }.get(verdict, "changed")


def _runs_notice(runs: list[Run]) -> Notification:
    if len(runs) == 1:
        (run,) = runs
        how = run.words or STATES.get(run.outcome or "", "failed")
        return Notification(f"{run.action}: {how}", f"Run {run.run}")
    lines = [f"{r.action}: {STATES.get(r.outcome or '', 'failed')}" for r in runs[:5]]
    more = [f"and {len(runs) - 5} more"] if len(runs) > 5 else []
    return Notification(f"{len(runs)} runs", "\n".join([*lines, *more]))
