"""Writing down how a run ended, and telling whoever watches."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from core.callers import Caller
from core.engine.results import Job, Settled
from core.errors import LevqorError, UpstreamError
from core.logs import RunLog, mistake

_log = logging.getLogger(__name__)


class RunLogger:
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
        self._write(
            job.action_id,
            error,
            status=error.code if error and ours else settled.outcome,
            run=job.run,
            ip=job.ip,
            caller=job.caller,
            ms=settled.ms,
            attempts=settled.attempts,
        )
        _tell(self.observers, settled, job.caller)

    def refused(
        self, action_id: str, error: LevqorError, caller: Caller, ip: str | None, ms: float
    ) -> None:
        """Record a request that did not become a run."""
        run = error.run or "-"
        self._write(
            action_id, error, status=error.code, run=run, ip=ip, caller=caller, ms=ms, attempts=0
        )
        _tell(self.refusals, action_id, error, caller)

    def _write(self, action_id: str, error: LevqorError | None, **line: Any) -> None:
        if self._log:
            self._log.write(
                connector=action_id.partition(".")[0] or "-",
                action=action_id or "-",
                error=error.reason or error.code if error else None,
                **line,
            )


def _tell(observers: Iterable[Callable[..., None]], *what: Any) -> None:
    for observer in observers:
        try:
            observer(*what)
        except Exception as error:  # noqa: BLE001 - who looks on changes nothing
            _log.error("an observer failed: %s", mistake(error))
