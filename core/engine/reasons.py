"""What the engine itself may have to say about a run, and finding any reason's words."""

from collections.abc import Sequence

from core.contract import AnswerRow, Connector, not_sent, unknown
from core.engine.results import Settled
from core.errors import (
    Busy,
    InternalError,
    LedgerError,
    LevqorError,
    NotSent,
    Refused,
    Unknown,
    Unwritten,
)
from core.ledger import RunRecord
from core.outbound import TRANSPORT
from core.reports import Attempt
from core.settings.names import in_force, renamed

OWN = (
    not_sent(
        "interrupted_before",
        "Levqor stopped before it was sent.",
        "Please send it again.",
    ),
    unknown(
        "interrupted",
        "Levqor stopped while it was being sent; it may or may not have been sent.",
        "Look before you send it again.",
    ),
    unknown(
        "restored",
        "It had not ended when the backup was made; it may or may not have been sent.",
        "Look before you send it again.",
    ),
    unknown(
        "internal",
        "Levqor made a mistake of its own while sending; it may or may not have been sent.",
        "Look before you send it again, and report the run's id.",
    ),
)


def find(connector: Connector | None, reason: str) -> AnswerRow | None:
    """The words of a reason that was kept."""
    known = connector.answers.find(reason) if connector else None
    return known or next((row for row in (*OWN, *TRANSPORT) if row.reason == reason), None)


def row(reason: str) -> AnswerRow:
    """One of the engine's own rows."""
    return next(each for each in OWN if each.reason == reason)


def restore_error(record: RunRecord, connector: Connector | None) -> LevqorError:
    """The error of a run that ended before, in the words its reason has now."""
    for kind in (Busy, InternalError):
        if record.code == kind.code:
            return kind()
    row = find(connector, record.reason or "")
    if row is not None:
        own = connector.config.settings() if connector and record.account else ()
        return renamed(row.error(), {s.name: in_force(s.name, record.account) for s in own})
    by_state = {"refused": Refused, "unknown": Unknown}.get(record.state, NotSent)
    return by_state(record.reason or "unexplained")


def attempts(record: RunRecord, connector: Connector | None) -> list[tuple[Attempt, str]]:
    """The attempts of a run, where there were several, and in words what came of each."""
    made = []
    for each in record.report().tries or ():
        row = find(connector, each.reason or "")
        made.append((each, row.message if row else each.reason or "done"))
    return made


def unwritten(ended: Sequence[Settled], problem: LedgerError, *, safe: bool) -> Unwritten:
    """Say that the ledger could not take how runs ended; `safe` where the next start knows."""
    how = ", ".join(f"{settled.run} is {settled.outcome.replace('_', ' ')}" for settled in ended)
    kept = (
        "Then run: levqor runs. It writes this down."
        if safe
        else "There is no room to keep this: note it, for levqor will call it unknown."
    )
    return Unwritten(
        f"{problem.message} This could not be written down: {how}.",
        fix=f"Free some space, or close what else uses this home. {kept}",
        reason=problem.reason,
        run=ended[0].run if len(ended) == 1 else None,
    )
