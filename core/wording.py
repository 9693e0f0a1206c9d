"""Receipts, refusals, health and usage in plain words, the same on every surface.

Plain text only: a surface that reads markup escapes it. Titles come from the connectors.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from typing import TYPE_CHECKING, NamedTuple

from core.errors import InvalidInput, QuotaSpent
from core.plain import agreeing, counted
from core.reports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.contract import Action, Connector
    from core.engine import Settled
    from core.errors import LevqorError
    from core.ledger import RunRecord
    from core.reports import Bots, ConnectorHealth, Health, Quota, Usage


class VerdictWords(NamedTuple):
    """A verdict in words: as a sentence, in a table, and in a summary of one and of several."""

    sentence: str
    cell: str
    one: str
    several: str


VERDICTS = {
    Verdict.OK: VerdictWords("working", "working", "works", "work"),
    Verdict.ATTENTION: VerdictWords(
        "working, but look at this", "needs attention", "needs attention", "need attention"
    ),
    Verdict.FAILING: VerdictWords("not working", "not working", "does not work", "do not work"),
    Verdict.UNREACHABLE: VerdictWords(
        "cannot be reached", "unreachable", "cannot be reached", "cannot be reached"
    ),
    Verdict.NOT_CONFIGURED: VerdictWords(
        "not set up", "not set up", "is not set up", "are not set up"
    ),
    Verdict.UNCHECKED: VerdictWords(
        "set up, not checked yet", "not checked yet", "is not checked yet", "are not checked yet"
    ),
}
# A run's states, as every surface calls them.
STATES = {
    "accepted": "waiting",
    "sending": "sending",
    "sent": "sent",
    "refused": "refused",
    "not_sent": "not sent",
    "unknown": "may or may not have been sent",
}
_SENTENCES = {
    "refused": "Refused.",
    "not_sent": "Not sent.",
    "unknown": f"Unknown: it {STATES['unknown']}.",
}
NO_BOT = "No bot runs. Start one with: levqor-bot"
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def ago(seconds: float) -> str:
    """Say how long ago something was: `just now`, `3 minutes ago`."""
    if seconds < -60:
        # Another clock wrote it, or this one has been set back since.
        return "in the future"
    return "just now" if seconds < 5 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """Say how long, in whole units rounded down: `3 minutes`."""
    size, unit = next(each for each in _UNITS if seconds >= each[0] or each[0] == 1)
    return counted(int(seconds // size), unit)


def wait(seconds: float) -> str:
    """Say how long to wait, rounded up: whoever waits this long is not early."""
    size, unit = next(each for each in _UNITS if seconds > 2 * each[0] or each[0] == 1)
    return counted(max(1, math.ceil(seconds / size)), unit)


def titled(title: str, words: str) -> str:
    """Put a service's title before words of it, unless they begin with that anyway."""
    return words if words.startswith(f"{title} ") else f"{title}: {words}"


def settled(settled: Settled, connectors: Sequence[Connector] | None = None) -> str:
    """Say how a run ended: where, what, its id, the link and the note; or why not, what to do."""
    if settled.error is not None:
        return refusal(settled.error, run=settled.run, outcome=settled.known_outcome)
    if connectors is None:
        from core.connectors import CONNECTORS

        connectors = CONNECTORS
    connector, _ = _find(settled.action_id, connectors)
    given = settled.receipt
    done = _done(given.status, given.updated) if given else "sent"
    test = " (test send)" if settled.test else ""
    test += f" (target {settled.target})" if settled.target else ""
    where = connector.title if connector else settled.action_id
    more = (given.link, given.note) if given else ()
    return "\n".join([f"{where}: {done}{test} · run {settled.run}", *filter(None, more)])


def refusal(error: LevqorError, *, run: str | None = None, outcome: str | None = None) -> str:
    """Say why something was not done, or may not have been, and what to do now."""
    run, outcome = run or error.run, outcome or error.outcome
    lines = [_what(error, outcome)]
    if isinstance(error, InvalidInput):
        lines += [fault.words for fault in error.faults]
    lines += _next_steps(error, outcome)
    if run:
        lines.append(f"Run {run}")
    return "\n".join(lines)


def in_one_line(error: LevqorError) -> str:
    """Say the same on a line, for a program that ends because of it."""
    return " ".join(refusal(error).splitlines())


def why(entry: RunRecord, connectors: Sequence[Connector], *, now: float | None = None) -> str:
    """Tell one run's story, its words found again by the reason that was kept."""
    from core.engine import reasons

    now, moment = now or time.time(), dt.datetime.fromtimestamp(entry.at, dt.UTC)
    connector, action = _find(entry.action, connectors)
    title = f"{action.title} ({entry.action})" if action else entry.action
    lines = [
        f"Run {entry.run}: {title}{' as a test send' if entry.test else ''}",
        f"Asked by {entry.caller} at {moment:%Y-%m-%d %H:%M:%S} UTC, {ago(now - entry.at)}",
    ]
    if entry.open:
        lines.append("Waiting to be sent." if entry.state == "accepted" else "Being sent now.")
        return "\n".join(lines)
    took = "" if entry.ms is None else f", {entry.ms:.0f} ms"
    lines.append(counted(entry.attempts, "attempt") + took)
    tries = reasons.attempts(entry, connector)
    lines += [f"  {each.at:%H:%M:%S}, {each.ms:.0f} ms: {words}" for each, words in tries]
    if entry.state == "sent":
        kept = entry.receipt or {}
        lines.append(f"{_done(kept.get('status', 'sent'), kept.get('updated')).capitalize()}.")
        if kept.get("id"):
            lines.append(f"Its id there: {kept['id']}")
        return "\n".join(lines)
    error = reasons.restore_error(entry, connector)
    lines += [_what(error, entry.state), *_next_steps(error, entry.state)]
    if entry.reason or entry.code:
        lines.append(f"Reason kept: {entry.reason or entry.code}")
    return "\n".join(lines)


def health_lines(report: Health, check: str = "", *, now: float | None = None) -> list[str]:
    """Say a health report in lines: services, what to do, the bot's interfaces, how to check."""
    now = time.time() if now is None else now
    lines = [summary(report)]
    for detail in report.detail.values():
        lines += _connector_lines(detail, now)
    return [*lines, *closing_lines(report, check)]


def summary(report: Health) -> str:
    """Say in a line which services work, and which do not; then the same of further accounts."""
    services, accounts = ({verdict: list[str]() for verdict in VERDICTS} for _ in range(2))
    for name, detail in report.detail.items():
        (accounts if "/" in name else services)[detail.verdict].append(detail.title)
    some, total, parts = report.configured, report.total, []
    if total > 1:
        works = len(services[Verdict.OK]) + len(services[Verdict.ATTENTION])
        services[Verdict.OK] = []
        if not some:
            parts, services = [f"None of the {total} services is set up"], {}
        elif len(services[Verdict.UNCHECKED]) == some:
            parts = [f"{some} of {total} services {agreeing(some)} set up", "none is checked yet"]
            services[Verdict.UNCHECKED] = []
        else:
            how_many = f"All {total}" if works == total else f"{works} of {total}"
            parts = [f"{how_many} services {agreeing(works, 'works', 'work')}"]
    sentences = ([*parts, *_by_verdict(services)], [*_by_verdict(accounts)])
    return " ".join(f"{'; '.join(each)}." for each in sentences if each)


def _by_verdict(titles: Mapping[Verdict, Sequence[str]]) -> Iterator[str]:
    for verdict, names in titles.items():
        if names:
            listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            words = VERDICTS[verdict]
            yield f"{listed} {agreeing(len(names), words.one, words.several)}"


def closing_lines(report: Health, check: str = "") -> Iterator[str]:
    """Say how the bot's interfaces are doing, and what is wrong with Levqor's own files.

    Where a service was not checked yet, the last line names the command `check`, if it is given.
    """
    from core.interfaces import called

    for surface, words in report.inbound.items():
        yield f"Interface {called(surface)}: {words}"
    if report.bots is not None:
        reads = [(bot.bot, ", ".join(map(called, bot.reads))) for bot in report.bots.bots]
        names = ", ".join(f"{bot} (reads {of})" if of else bot for bot, of in reads)
        yield f"Bots: {names}" if names else NO_BOT
        yield from bots_differ(report.bots)
    for problem in report.problems:
        yield f"{problem} Runs go on without it."
        yield "  What to do: ask whoever runs Levqor to look with levqor doctor."
    if check and report.unchecked:
        yield f"To check now: {check}"


def bots_differ(report: Bots) -> Iterator[str]:
    """Say in what the bots differ that should not, and what to do."""
    if len({bot.version for bot in report.bots}) > 1:
        yield "Versions differ: " + ", ".join(f"{bot.bot} {bot.version}" for bot in report.bots)
        yield "  What to do: install the same on each; one release apart is fine for a while."
    if names := report.settings_that_differ:
        yield f"Settings differ between the bots: {', '.join(names)}"
        yield "  What to do: give each bot the same, then start it again."


def usage_lines(report: Usage, *, now: float | None = None) -> list[str]:
    """Say a usage report in lines: what is left today, what was done."""
    now = time.time() if now is None else now
    lines = [f"You are {report.caller}, on the {report.plan} plan. Today:"]
    lines += [_quota_line(quota, now) for quota in report.quota]
    span = counted(report.days, "day")
    lines.append(f"Everybody, last {span}:" if report.usage else f"No runs in {span}.")
    for day in report.usage:
        counts = ((getattr(day, state), state) for state in ("sent", *_SENTENCES))
        words = ", ".join(f"{n} {state.replace('_', ' ')}" for n, state in counts if n)
        lines.append(f"{day.day} {day.connector}: {words or 'nothing'}")
    return lines


def _find(
    action_id: str, connectors: Sequence[Connector]
) -> tuple[Connector | None, Action | None]:
    pairs = ((c, action) for c in connectors for action in c.actions)
    return next((pair for pair in pairs if pair[0].action_id(pair[1]) == action_id), (None, None))


def _done(status: str, updated: int | None) -> str:
    word = status.replace("_", " ")
    return word if updated is None else f"{word} {counted(updated, 'row')}"


def _what(error: LevqorError, outcome: str | None) -> str:
    message = error.message.lower()
    if "not sent" in message or "may or may not" in message:
        return error.message
    return f"{_SENTENCES.get(outcome or '', '')} {error.message}".strip()


def _next_steps(error: LevqorError, outcome: str | None) -> Iterator[str]:
    again = error.retry_after if outcome != "unknown" else None
    # The moment is said below.
    if error.fix and not (again and error.fix.startswith("Try again in ")):
        yield error.fix if error.fix.endswith("?") else f"What to do: {error.fix}"
    if again:
        yield f"Try again in {wait(again)}."
    if isinstance(error, QuotaSpent):
        if error.resets_at:
            yield f"Free again at {error.resets_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC."
        if error.upgrade and "://" in error.upgrade:
            # A path leads a browser on, but in a chat or a terminal it leads nowhere.
            yield f"Plans: {error.upgrade}"


def _connector_lines(detail: ConnectorHealth, now: float) -> Iterator[str]:
    extras = []
    if detail.latency_ms is not None:
        extras.append(f"{detail.latency_ms:.0f} ms")
    if detail.since and (lasted := now - detail.since.timestamp()) >= 5:
        extras.append(f"for {span(lasted)}")
    yield titled(detail.title, detail.words) + (f" ({', '.join(extras)})" if extras else "")
    if detail.fix:
        yield f"  What to do: {detail.fix}"
    yield from (f"  Note: {note}" for note in detail.notes)
    if detail.last_success:
        yield f"  Last success: {ago(now - detail.last_success.at.timestamp())}"
    if failed := detail.last_failure:
        yield f"  Last failure: {ago(now - failed.at.timestamp())}: {failed.message}"


def _quota_line(quota: Quota, now: float) -> str:
    if quota.limit is None:
        return f"{quota.action}: {quota.used} used, no limit"
    line = f"{quota.action}: {quota.used} of {quota.limit} used"
    if quota.used >= quota.limit:
        line += f", free again in {wait(quota.resets_at.timestamp() - now)}"
    return line
