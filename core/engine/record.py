"""Writing down how a run ended, and telling whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.callers import Caller
    from core.engine.results import Job, Settled
    from core.errors import LevqorError
    from core.logs import RunLog


class Record:
    """One line in the log for every ending; then the observers, in the order they came.

    `observers` are called with (settled, caller), `refusals` with (action id, error,
    caller) for what was refused before it became a run; its action id may be empty.
    """

    def __init__(self, log: RunLog | None) -> None:
        self._log = log
        self.observers: list[Callable[[Settled, Caller], None]] = []
        self.refusals: list[Callable[[str, LevqorError, Caller], None]] = []

    def ended(self, job: Job, settled: Settled) -> None:
        """Record a run that is settled."""
        error = settled.error
        ours = error is not None and not isinstance(error, UpstreamError)
        if self._log:
            self._log.write(
                run=job.run,
                ip=job.ip,
                caller=job.caller,
                connector=job.connector.name,
                action=job.action_id,
                status=error.code if error and ours else settled.outcome,
                ms=settled.ms,
                attempts=settled.attempts,
                error=error.reason or error.code if error else None,
            )
        for observer in self.observers:
            observer(settled, job.caller)

    def refused(
        self, action_id: str, error: LevqorError, caller: Caller, ip: str | None, ms: float
    ) -> None:
        """Record a request that did not become a run."""
        if self._log:
            self._log.write(
                run=error.run or "-",
                ip=ip,
                caller=caller,
                connector=action_id.partition(".")[0] or "-",
                action=action_id or "-",
                status=error.code,
                ms=ms,
                attempts=0,
                error=error.reason or error.code,
            )
        for observer in self.refusals:
            observer(action_id, error, caller)
