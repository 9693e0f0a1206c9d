"""What is notified, and when: changes that stay, once each, together when they come together."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.reports import BECAME, Verdict
from core.wording import STATES
from tray import formatting
from tray.menu import MARKS
from tray.state import Notify, Run, State, TestResult
from tray.summary import summary

_SOURCE = ""
_MOST_RUNS = 5


@dataclass(frozen=True)
class Notification:
    """One message. `about` names what a *How to fix* button would explain, if anything."""

    title: str
    body: str
    about: str | None = None


@dataclass(frozen=True)
class _Look:
    """How one thing was at a check."""

    name: str
    title: str
    verdict: Verdict
    words: str
    fix: str | None = None
    page: str | None = None

    @property
    def trouble(self) -> tuple[Verdict, str]:
        """Equal for the same trouble."""
        return self.verdict, "" if self.verdict is Verdict.OK else self.words


class Notifier:
    """Remembers what was notified. Call `checked` once after every finished check."""

    def __init__(self) -> None:
        self._notified: dict[str, tuple[Verdict, str]] = {}
        self._seen_once: dict[str, tuple[Verdict, str]] = {}
        self._runs: set[str] | None = None

    @property
    def unsettled(self) -> bool:
        """A change was seen once: look again soon, to believe or to forget it."""
        return bool(self._seen_once)

    def checked(self, state: State) -> list[Notification]:
        """Take in a finished check and return what is to be notified now."""
        changes = [look for look in _looks(state) if self._is_news(look)]
        runs = self._new_runs(state)
        if state.preferences.notify is Notify.OFF:
            return []
        notifications = [_for_changes(changes)] if changes else []
        if runs and state.preferences.notify is Notify.EVERYTHING:
            notifications.append(_for_runs(runs))
        return notifications

    def _is_news(self, look: _Look) -> bool:
        """A change is believed when two checks in a row saw it: a shorter one is left out."""
        before = self._notified.setdefault(look.name, look.trouble)
        seen_once = self._seen_once.pop(look.name, None)
        if look.trouble == before:
            return False
        if look.trouble != seen_once:
            self._seen_once[look.name] = look.trouble
            return False
        self._notified[look.name] = look.trouble
        return True

    def _new_runs(self, state: State) -> list[Run]:
        settled = [run for run in state.runs if run.outcome]
        known, self._runs = self._runs, {run.run for run in settled}
        return [
            run
            for run in settled
            if known is not None
            and run.run not in known
            and not (run.test and run.surface == "tray")
        ]


def for_test(result: TestResult, title: str) -> Notification:
    """Say what came of a test send; `title` is the connector's."""
    how = {"sent": "sent", "unknown": "result unknown"}.get(result.outcome or "", "not sent")
    parts = [
        "" if result.words == how else result.words,
        f"→ {result.fix}" if result.fix else "",
        result.link or "",
        f"Run {result.run}" if result.run else "",
    ]
    return Notification(f"{title}: test {how}", "\n".join(filter(None, parts)))


def _looks(state: State) -> Iterator[_Look]:
    """Everything that can be notified; while the source is silent, that alone."""
    if state.fault or (state.health and state.health.offline):
        seen = summary(state)
        words = formatting.plain(state.fault.words) if state.fault else seen.headline
        yield _Look(_SOURCE, words, Verdict.FAILING, words, seen.fix, page="")
        return
    yield _Look(_SOURCE, "Levqor", Verdict.OK, "answers again")
    for c in state.health.connectors if state.health else ():
        if c.verdict is not Verdict.UNCHECKED and not state.mute_left(c.name):
            yield _Look(c.name, c.title, c.verdict, c.words, c.fix, page=c.name)
    for i in state.health.inbound if state.health else ():
        verdict = Verdict.OK if i.ok else Verdict.FAILING
        yield _Look(f"in:{i.surface}", i.title, verdict, i.words, i.fix, page=i.surface)


def _for_changes(changes: list[_Look]) -> Notification:
    fixable = (look.page for look in changes if look.fix and look.verdict is not Verdict.OK)
    about = next(fixable, None)
    if len(changes) > 1:
        lines = (f"{MARKS[look.verdict]} {look.title} — {_short(look)}" for look in changes)
        return Notification(f"{len(changes)} changes", "\n".join(lines), about)
    (look,) = changes
    well = look.verdict is Verdict.OK
    if look.name == _SOURCE:
        title = "Levqor answers again" if well else look.title
        return Notification(title, look.fix or "Checks continue.", about)
    body = f"{look.words}\n→ {look.fix}" if look.fix else look.words
    if well:
        body = look.words if look.name.startswith("in:") else "Nothing to do."
    return Notification(f"{look.title} {BECAME[look.verdict]}", body, about)


def _short(look: _Look) -> str:
    if look.verdict is Verdict.OK:
        return BECAME[Verdict.OK]
    return formatting.without_title(look.words, look.title)


def _for_runs(runs: list[Run]) -> Notification:
    if len(runs) == 1:
        (run,) = runs
        how = run.words or STATES.get(run.outcome or "", "failed")
        return Notification(f"{run.action}: {how}", f"Run {run.run}")
    lines = [f"{r.action}: {STATES.get(r.outcome or '', 'failed')}" for r in runs[:_MOST_RUNS]]
    if len(runs) > _MOST_RUNS:
        lines.append(f"and {len(runs) - _MOST_RUNS} more")
    return Notification(f"{len(runs)} runs", "\n".join(lines))
