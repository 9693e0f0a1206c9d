"""Runs at the terminal: the latest ones, those that come while one watches, one run's story."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import options
from core.cli.reports import ago
from core.errors import Fault, InvalidInput, LedgerError, NotFound

if TYPE_CHECKING:
    from core.cli.output import Output
    from core.ledger import Ledger, RunRecord
    from core.ledger.listing import Place, RunFilter

STYLES = {"sent": "green", "refused": "red", "not_sent": "yellow", "unknown": "bold yellow"}
LOOK_SECONDS = 1.0
# A run of another process may be seen so much later than its time says, and what was called
# unknown because its process died may be known better for an hour.
LATE_SECONDS = 10.0
DOUBT_SECONDS = 3600.0
_AT_A_TIME = 500
_WATCHED = "{:<19}  {:<10}  {:<8}  {:<22}  {:<24}  {}"


def _complete_action(incomplete: str) -> list[tuple[str, str]]:
    named = [(connector.name, connector.title) for connector in options.connectors(None)]
    named += [(c.action_id(action), action.title) for c, action in options.actions()]
    return [each for each in named if each[0].startswith(incomplete)]


def _complete_outcome(incomplete: str) -> list[str]:
    from core.run_filter import OUTCOMES

    return [each for each in OUTCOMES if each.startswith(incomplete)]


def _row(entry: RunRecord) -> tuple[str, ...]:
    return (
        entry.run,
        ago(entry.at),
        _action(entry),
        entry.state.replace("_", " "),
        "" if entry.ms is None else f"{entry.ms:.0f}",
        entry.caller,
        entry.reason or entry.code or "",
    )


def runs(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Not older than 7d, 36h, 90m, or a date: 2026-11-01."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Not newer; of a date, until its end."),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option("--person", metavar="PERSON", help="Whose: a person's name, or a caller."),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(
            "--action",
            metavar="ACTION",
            autocompletion=_complete_action,
            help="Of an action, or of a service, for example notion.",
        ),
    ] = None,
    interface: Annotated[
        str | None,
        typer.Option("--interface", metavar="NAME", help="Asked for there, for example cli."),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome",
            metavar="OUTCOME",
            autocompletion=_complete_outcome,
            help="How they ended: sent, refused, not_sent or unknown; open if not yet.",
        ),
    ] = None,
    mine: Annotated[
        bool,
        typer.Option(
            "--mine", help="Your own only: of this machine's user, and of who you are linked with."
        ),
    ] = False,
    last: Annotated[
        int,
        typer.Option("--last", min=1, max=10000, metavar="N", help="How many runs (default: 20)."),
    ] = 20,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Then show each run that comes or changes, until Ctrl-C; as JSON, one on a line.",
        ),
    ] = False,
    output: options.Output = None,
) -> None:
    """List the latest runs of everybody who uses this home folder."""
    from core.run_filter import callers_here, read_filter

    session = options.reading(ctx)
    if mine and person is not None:
        raise InvalidInput([Fault("--mine", "cannot be given beside --person")])
    given = {
        "since": since, "until": until, "person": person, "action": action,
        "interface": interface, "outcome": outcome,
    }  # fmt: skip
    of, _ = read_filter(session.engine, given, option="--")
    if mine:
        of = replace(of, callers=callers_here(session.engine, session.caller.id))
    ledger, out = session.engine.ledger, session.out
    if watch:
        if session.folder != session.settings.home and not ledger.store.shared:
            raise NotFound(
                "There is nothing to watch: this home has no database yet.",
                fix=f"Start levqor-bot, or try: {options.first_send(session)}",
            )
        _watch(out, ledger, of, last)
    entries = ledger.runs(last, of)
    narrowed = mine or any(value is not None for value in given.values())
    session.answer(
        {"runs": [entry.report().body() for entry in entries]},
        lambda: out.table(
            ("run", "when", "action", "outcome", "ms", "caller", "why"),
            [_row(entry) for entry in entries],
            empty="No runs like these."
            if narrowed
            else f"No runs yet. Try: {options.first_send(session)}",
            drop=("ms", "caller", "why", "when"),
            styles=lambda number: STYLES.get(entries[number].state, ""),
        ),
    )


def why(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's ID, or its first characters.")],
    output: options.Output = None,
) -> None:
    """Explain one run: its outcome, the reason, and how to fix it."""
    from core.story import story

    session = options.reading(ctx)
    entry = session.engine.ledger.run(run)
    if entry is None:
        raise NotFound(
            "There is no run with that ID in this home.", fix="To see the IDs, run: levqor runs"
        )
    told = story(session.engine, entry)
    session.answer({**entry.report().body(), "told": told}, told)


class RunWatcher:
    """Finds the runs that are new, or have changed, since it looked last.

    It follows runs of any outcome: one that is meant later may not have it yet.
    """

    def __init__(self, ledger: Ledger, of: RunFilter) -> None:
        self._ledger = ledger
        self._of = replace(of, outcome=None)
        self._outcome = of.outcome
        self._looked = ledger.now()
        # As they were seen last: what may still change, and what a look will find again.
        self._seen: dict[str, RunRecord] = {}

    def begin(self, last: int) -> list[RunRecord]:
        """The latest runs that there are, oldest first."""
        before = [*self._ledger.runs(10_000, replace(self._of, outcome="open")), *self._recent()]
        latest = self._ledger.runs(last, replace(self._of, outcome=self._outcome))
        self._seen = {entry.run: entry for entry in (*before, *latest)}
        return latest[::-1]

    def look(self) -> list[RunRecord]:
        """What is new or has changed, oldest first; raises LedgerError, and may look again."""
        now = self._ledger.now()
        found = {entry.run: entry for entry in self._recent()}
        unseen = [
            run for run, entry in self._seen.items() if run not in found and _may_change(entry, now)
        ]
        found |= {entry.run: entry for entry in self._ledger.runs_named(unseen)}
        changed = [
            entry
            for run, entry in found.items()
            if run not in self._seen or _end(entry) != _end(self._seen[run])
        ]
        self._seen, self._looked = found, now
        return sorted(filter(self._meant, changed), key=lambda entry: entry.at)

    def _meant(self, entry: RunRecord) -> bool:
        wanted = self._outcome
        return entry.open if wanted == "open" else wanted in (None, entry.state)

    def _recent(self) -> list[RunRecord]:
        from core.ledger.listing import Place

        since = self._looked - LATE_SECONDS
        of = replace(self._of, since=max(since, self._of.since or since))
        found: list[RunRecord] = []
        before: Place | None = None
        while True:
            page = self._ledger.runs(_AT_A_TIME, of, before)
            found += page
            if len(page) < _AT_A_TIME:
                return found
            before = Place.of(page[-1])


def _end(entry: RunRecord) -> tuple[object, ...]:
    return entry.state, entry.reason, entry.settled_at


def _may_change(entry: RunRecord, now: float) -> bool:
    return entry.open or (entry.reason == "interrupted" and now - entry.at < DOUBT_SECONDS)


def _watch(out: Output, ledger: Ledger, of: RunFilter, last: int) -> None:
    """Show the latest runs, then each that comes or changes, until Ctrl-C."""
    watcher = RunWatcher(ledger, of)
    entries, lost = watcher.begin(last), False
    if not out.as_json:
        out.line(_WATCHED.format("WHEN (UTC)", "RUN", "OUTCOME", "ACTION", "CALLER", "WHY"), "bold")
    while True:
        for entry in entries:
            _show(out, entry)
        time.sleep(LOOK_SECONDS)
        was_lost, note = lost, "The database is back."
        try:
            entries, lost = watcher.look(), False
        except LedgerError as error:
            # What passes by itself is waited for, and what came meanwhile is found then.
            if error.retry_after is None:
                raise
            entries, lost = [], True
            note = f"{error.message} Watching goes on when it is back."
        if lost is not was_lost:
            out.note(note)


def _show(out: Output, entry: RunRecord) -> None:
    if out.as_json:
        out.record(entry.report().body())
        return
    state, why = entry.state.replace("_", " "), entry.reason or entry.code or ""
    when = f"{entry.report().at:%Y-%m-%d %H:%M:%S}"
    line = _WATCHED.format(when, entry.run, state, _action(entry), entry.caller, why)
    out.line(line.rstrip(), STYLES.get(entry.state, ""))


def _action(entry: RunRecord) -> str:
    return entry.action + (" (test)" if entry.test else "")
