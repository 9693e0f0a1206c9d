"""From an accepted run to a settled one: the only caller of a connector's send."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from typing import Any

from core.contract import Connector
from core.engine import concealing, reasons
from core.engine.queues import WAIT_SECONDS, Queue
from core.engine.results import Job, Settled, kept
from core.engine.validation import credential_digest, naming_settings
from core.errors import Busy, InternalError, LedgerError, Outcome, Unwritten
from core.ledger import Ledger, RunRecord
from core.ledger.store import PATIENCE
from core.logs import mistake
from core.outbound import Outbound, retry
from core.timers import at, uptime

_log = logging.getLogger(__name__)

# A connector's queue that is full empties at about this pace at worst.
BUSY_RETRY = 30.0
# A run's line in the log waits at most two seconds for other processes.
_LAST_LINES_SECONDS = 3.0
# How often a ledger that could not take an ending is offered it again.
_AGAIN_SECONDS = 5.0
# The same, while somebody waits for it.
_OFFER_SECONDS = 0.5


class Dispatcher:
    """Every connector's queue, and what its workers do with a run."""

    def __init__(
        self,
        ledger: Ledger,
        outbound: Outbound,
        connectors: Sequence[Connector],
        *,
        restore: Callable[[RunRecord], Settled],
        ended: Callable[[Job, Settled], None],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """`restore` makes a `Settled` of a record; `ended` is called for every run that ends."""
        self._ledger = ledger
        self._outbound = outbound
        self._restore = restore
        self._ended = ended
        self._queue_of = partial(
            Queue, work=self._work, expired=self._expired, wait_seconds=wait_seconds
        )
        self._queues = {c.name: self._queue_of(c.name) for c in connectors}
        # Others call a run of ours unknown only when it can no longer begin.
        grace = ledger.store.grace
        self._seconds = min(retry.SECONDS, grace * 2 / 3) if grace else retry.SECONDS
        self._out: dict[str, Job] = {}
        self._ending: set[str] = set()
        # Runs whose ending the ledger could not take; it is offered it with the next, and later.
        self._unwritten: dict[str, Future[Settled]] = {}
        self._offering = False
        self._lock = threading.Condition()
        self.stopping = False

    def start(self, job: Job) -> Future[Settled]:
        """Queue a run, once; a full queue settles it as busy."""
        with self._lock:
            if job.run in self._out or job.future.done():
                return job.future
            self._out[job.run] = job
            queue = None if self.stopping else self._queue(job)
        if queue is None:
            self._finish(job, _interrupted(job, "interrupted_before"))
        elif not queue.offer(job):
            self._finish(job, _busy(job))
        return job.future

    def out(self, run: str) -> Future[Settled] | None:
        """The future of a run that is queued or being sent by this process."""
        with self._lock:
            job = self._out.get(run)
            unwritten = self._unwritten.get(run)
        return job.future if job is not None else unwritten

    def catch_up(self, patience: float) -> None:
        """Offer the ledger what it could not take; raises LedgerError where it still cannot."""
        if not (self._unwritten or self._ledger.kept()):
            return
        self._ledger.catch_up(patience=patience)
        still = set(self._ledger.kept())
        with self._lock:
            for run in set(self._unwritten) - still:
                del self._unwritten[run]

    def unwritten(self, seconds: float) -> Unwritten | None:
        """Offer it again and again, for so long; what to say where it has not taken it."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.catch_up(_OFFER_SECONDS)
            except LedgerError as error:
                if time.monotonic() < until:
                    time.sleep(_OFFER_SECONDS)
                    continue
                with self._lock:
                    ended = [future.result() for future in self._unwritten.values()]
                # What never went out was refused because of the ledger, and said so.
                lost = [run for run in ended if not isinstance(run.error, LedgerError)]
                safe = not self._ledger.kept(safe=False)
                return reasons.unwritten(lost, error, safe=safe) if lost else None
            return None

    def load(self) -> dict[str, tuple[int, int]]:
        """Connector to (runs being sent, runs waiting); further accounts that were used too."""
        with self._lock:
            queues = dict(self._queues)
        return {name: queue.load() for name, queue in queues.items()}

    def _queue(self, job: Job) -> Queue:
        """The queue of a run's account: a hanging one delays no other."""
        name = job.connector.account_id(job.request.account)
        if name not in self._queues:
            self._queues[name] = self._queue_of(name)
        return self._queues[name]

    def close(self, timeout: float) -> None:
        """Begin nothing new; what is still out after `timeout` seconds becomes unknown.

        Returns when all that ended is recorded as well: the workers are daemons, and a
        process that goes takes along what they had still to write.
        """
        with self._lock:
            self.stopping = True
        for queue in self._queues.values():
            for job in queue.drain():
                self._finish(job, _interrupted(job, "interrupted_before"))
        with self._lock:
            remaining = list(self._out.values())
        wait([job.future for job in remaining], timeout=timeout)
        for job in remaining:
            self._finish(job, _interrupted(job, "interrupted"))
        with self._lock:
            self._lock.wait_for(lambda: not self._out, timeout=_LAST_LINES_SECONDS)
        with contextlib.suppress(LedgerError):
            self.catch_up(_OFFER_SECONDS)

    def _work(self, job: Job, sent: Callable[[], None]) -> None:
        began, asked = time.perf_counter(), uptime()
        try:
            begun = self._ledger.sending(job.run)
            record = None if begun else self._ledger.run(job.run)
        except LedgerError as error:
            # Without `sending` in the journal nothing may go out.
            self._finish(job, _settled(job, "not_sent", began, error=error))
            return
        if begun:
            settled = self._send(job, began, asked)
            sent()
            self._finish(job, settled)
        elif record is not None and not record.open and record.reason != "interrupted":
            self._finish(job, self._restore(record), journal=False)
        else:
            # Others count this process as dead, or will: it may not begin to send. Nobody else
            # could, and who called it unknown is corrected.
            self._finish(job, _interrupted(job, "interrupted_before"))

    def _send(self, job: Job, began: float, asked: float) -> Settled:
        try:
            credential = credential_digest(job.config)
            delivery = self._outbound.deliver(
                job.connector.name,
                credential,
                job.run,
                job.send,
                seconds=self._seconds,
                began=asked,
            )
        except Exception as fault:  # noqa: BLE001 - our own, and the run still ends
            _log.error("run %s: %s", job.run, mistake(fault))
            ours = InternalError(reason="internal", fix=reasons.row("internal").fix)
            return _settled(job, "unknown", began, error=ours)
        receipt, error = delivery.result, delivery.error
        made = {"attempts": delivery.attempts, "tries": delivery.tries}
        if error is not None:
            # A connector refuses by itself what only it can see: a column, a tab.
            error = naming_settings(error, job.request.origin, job.request.names)
            # `deliver` chose the error, and the error's class says the run's outcome.
            outcome = error.outcome or "refused"
            return _settled(job, outcome, began, error=error, **made)
        if job.sandbox_page is not None and receipt is not None and receipt.link is not None:
            # There is nothing at the real address.
            note = "\n".join(filter(None, (f"{job.sandbox_page}/", receipt.note)))
            receipt = replace(receipt, link=None, note=note)
        return _settled(job, "sent", began, receipt=receipt, **made)

    def _expired(self, job: Job) -> None:
        _apart(self._finish, job, _busy(job))

    def _finish(self, job: Job, settled: Settled, *, journal: bool = True) -> None:
        with self._lock:
            # A stop and a worker may both know how it ended; the first one is believed.
            if job.run in self._ending or job.future.done():
                return
            self._ending.add(job.run)
        if journal:
            self._write(job, settled)
        # Not under the lock: what is called back may start the next run.
        given = job.request.given
        told = concealing.settled(settled, job.connector, given) if job.conceal else settled
        job.future.set_result(told)
        try:
            self._ended(job, settled)
        finally:
            with self._lock:
                self._out.pop(job.run, None)
                self._ending.discard(job.run)
                self._lock.notify_all()

    def _write(self, job: Job, settled: Settled) -> None:
        error = settled.error
        ending = {
            "attempts": settled.attempts,
            "ms": settled.ms,
            "code": error.code if error else None,
            "reason": error.reason if error else None,
            "receipt": kept(settled.receipt) or None,
            # One alone says no more than the run itself.
            "tries": settled.tries if settled.attempts > 1 else (),
        }
        # One who stops does not wait, run after run, for a ledger that somebody holds.
        if self.stopping and self._unwritten:
            self._ledger.keep(job.run, state=settled.outcome, at=time.time(), **ending)
        else:
            try:
                self._ledger.settle(job.run, settled.outcome, **ending)
            except LedgerError:
                pass
            else:
                with contextlib.suppress(LedgerError):
                    self.catch_up(PATIENCE)
                return
        with self._lock:
            self._unwritten[job.run] = job.future
        self.offer_later()

    def offer_later(self) -> None:
        """Offer the ledger what it could not take, until it has, though nobody asks for more."""
        with self._lock:
            if self._offering or self.stopping:
                return
            self._offering = True
        at(time.monotonic() + _AGAIN_SECONDS, lambda: _apart(self._offer))

    def _offer(self) -> None:
        with self._lock:
            self._offering = False
        try:
            self.catch_up(PATIENCE)
        except LedgerError:
            self.offer_later()


def _apart(work: Callable[..., None], *what: Any) -> None:
    # The watchdog's thread must not wait for the ledger.
    threading.Thread(target=work, args=what, name="levqor-late", daemon=True).start()


def _settled(job: Job, outcome: Outcome, began: float | None = None, **more: Any) -> Settled:
    ms = 0.0 if began is None else (time.perf_counter() - began) * 1000
    target = job.request.target
    name = target.name if target else None
    return Settled(job.run, job.action_id, outcome, ms=ms, test=job.test, target=name, **more)


def _busy(job: Job) -> Settled:
    error = Busy(
        f"Too much is waiting for {job.connector.title}; it was not sent.",
        fix="Send it again in a moment.",
        reason="busy",
        retry_after=BUSY_RETRY,
    )
    return _settled(job, "not_sent", error=error)


def _interrupted(job: Job, reason: str) -> Settled:
    row = reasons.row(reason)
    return _settled(job, row.outcome, error=row.error())
