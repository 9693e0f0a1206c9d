"""The engine: accepts runs, has them sent, settles and records every one."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from core.callers import Caller
from core.connectors import CONNECTORS
from core.contract import Action, Connector, Receipt
from core.engine import concealing, reasons
from core.engine.authorization import Authorization, Gate, find_action, spent
from core.engine.checking import CheckedRequest
from core.engine.dispatcher import Dispatcher
from core.engine.queues import WAIT_SECONDS
from core.engine.results import Accepted, Job, Settled
from core.engine.run_log import RunLogger
from core.engine.validation import fingerprint
from core.errors import InProgress, LedgerError, LevqorError, QuotaSpent, Stopping, Unwritten
from core.home_key import home_key, key_check
from core.ledger import Ledger, RunRecord, RunRequest, random_code
from core.logs import RunLog
from core.outbound import Outbound
from core.settings import Settings

RUN_LETTERS = 10
TEST_GAP = 60.0


class Engine:
    """Accepts runs, sends them on their connectors' own workers, settles every one.

    Safe to use from any thread; `accept` and `run` block on the ledger. `observers` are
    called with (settled, caller) after a run was settled, `refusals` with
    (action id, error, caller) for what was refused before it became a run.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        outbound: Outbound,
        *,
        connectors: Sequence[Connector] = CONNECTORS,
        log: RunLog | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.outbound = outbound
        self.connectors = tuple(connectors)
        self.log = log
        self._actions = {c.action_id(a): (c, a) for c in self.connectors for a in c.actions}
        self.authorization = Authorization(lambda: self.settings, ledger, self._actions)
        self._run_log = RunLogger(log)
        self.observers, self.refusals = self._run_log.observers, self._run_log.refusals
        ledger.default_plan = settings.app.default_plan
        self._dispatcher = Dispatcher(
            ledger, outbound, self.connectors, restore=self.settled, ended=self._run_log.ended,
            wait_seconds=wait_seconds,
        )  # fmt: skip

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        folder: Path | None = None,
        ledger: Ledger | None = None,
        **more: Any,
    ) -> Self:
        """Open a home's ledger and settle what dead processes left; raises LedgerError.

        Who only looks names the ledger's `folder`; the home's key is not made for that. A
        `ledger` that is open already is closed with the engine.
        """
        ledger = ledger or Ledger.open(folder or settings.home, settings.database_url)
        try:
            ledger.recover()
            outbound = Outbound(redactor=settings.redactor())
            log = RunLog(folder or settings.home, settings.app.key_file)
            engine = cls(settings, ledger, outbound, log=log, **more)
            # A damaged or a wrong one is said now and not with the first run.
            engine._check_key(make=folder is None)
        except BaseException:
            ledger.close()
            raise
        return engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def _key(self) -> bytes:
        return home_key(self.settings.home, self.settings.app.key_file)

    def _check_key(self, *, make: bool) -> None:
        """Compare the home's key with the database's; it is not made where that has another."""
        home, named = self.settings.home, self.settings.app.key_file
        if (check := key_check(home, named, make=False)) is None:
            self.ledger.check_key(None)
            check = key_check(home, named) if make else None
        if check is not None:
            self.ledger.check_key(check)

    def announce(self) -> None:
        """Say that this process is a bot, and with which settings."""
        self.ledger.announce(self.settings.digests(self._key))

    def action_ids(self) -> tuple[str, ...]:
        """Every action, in menu order."""
        return tuple(self._actions)

    def action(self, action_id: str) -> tuple[Connector, Action]:
        """Look an action up; raises NotFound with the nearest name."""
        return find_action(self._actions, action_id)

    def accept(
        self,
        action_id: str,
        values: Mapping[str, Any],
        caller: Caller,
        *,
        key: str | None = None,
        rebind: bool = False,
        reply_to: str | None = None,
        test: bool = False,
        unmetered: bool = False,
        guard: bool = False,
        account: str | None = None,
        ip: str | None = None,
        patience: float = 10.0,
        stopping: bool = False,
    ) -> Accepted:
        """Check a request and journal it; nothing is sent yet. Raises LevqorError.

        Args:
            action_id: Which action.
            values: The contract's fields; none for a test send.
            caller: Who asks.
            key: The request's own key; the first run with it is the only one.
            rebind: The key is free again when the run was not sent.
            reply_to: Where to answer, kept until `ledger.mark_notified`.
            test: A test send: the sample, marked, no quota, one a minute per action.
            unmetered: Levqor's own message: counted as a test send, with values of its own.
            guard: Raise Repeated for the same input by the same caller within a minute.
            account: One of the service's further accounts.
            ip: The peer's address, for the log's tag only.
            patience: Seconds to wait for another process that holds the ledger.
            stopping: Begin nothing, and give no run but the key's own.
        """
        gate = self.authorization.gate(action_id, values, caller)
        with self._refusals(gate, key, ip):
            if (stopping := stopping or self._dispatcher.stopping) and key is None:
                raise Stopping
            checked = self.authorization.admit(gate, test=test, keyed=bool(key), account=account)
            request = RunRequest(
                run=random_code(RUN_LETTERS),
                action=action_id,
                connector=checked.connector.name,
                caller=str(caller),
                surface=caller.asks_on,
                fingerprint=fingerprint(self._key, action_id, checked.given, checked.account),
                account=checked.account or "",
                test=test or unmetered,
                key=key,
                rebind=rebind,
                reply_to=reply_to,
                guard=guard,
                refuse=Stopping() if stopping else checked.refuse,
                test_gap=0.0 if self.settings.sandbox or unmetered else TEST_GAP,
                authorize=gate,
                target=checked.target,
            )
            record, first = self._journal(request, checked.connector, caller, patience)
        if not first:
            ended = None if record.open else self.settled(record)
            return Accepted(record.run, record.action, False, ended, conceal=gate.conceals)
        job = self._job(record.run, checked, gate, ip, test=test or unmetered)
        return Accepted(record.run, action_id, first=True, job=job)

    def start(self, accepted: Accepted) -> Future[Settled]:
        """Send an accepted run, or await the first one's end; never fails, nor is cancelled."""
        if accepted.job is not None:
            return self._dispatcher.start(accepted.job)
        return self._again(accepted)

    def run(
        self, action_id: str, values: Mapping[str, Any], caller: Caller, **more: Any
    ) -> Settled:
        """Accept, start and wait. Raises what `accept` raises."""
        return self.start(self.accept(action_id, values, caller, **more)).result()

    def settled(self, record: RunRecord) -> Settled:
        """How a journaled run ended, in words; its link and notes were not kept."""
        connector = next((c for c in self.connectors if c.name == record.connector), None)
        receipt = Receipt(**record.receipt) if record.receipt else None
        error = None if record.state == "sent" else reasons.restore_error(record, connector)
        return Settled(
            record.run, record.action, record.state, receipt, error,  # type: ignore[arg-type]
            record.ms or 0.0, record.attempts, record.test,
        )  # fmt: skip

    def queues(self) -> dict[str, tuple[int, int]]:
        """Connector name to (runs being sent, runs waiting)."""
        return self._dispatcher.load()

    def refresh(self) -> bool:
        """Read the settings anew where one of their files changed; tell whether they did.

        Raises NotConfigured where they are broken now; the old ones then stay in force.
        """
        if not self.settings.stale():
            return False
        self.settings = self.settings.again()
        self.ledger.default_plan = self.settings.app.default_plan
        self.outbound.redactor = self.settings.redactor()
        self.ledger.store.use(self.settings.database_url)
        return True

    def log_rejection(self, error: LevqorError, caller: Caller, ip: str | None) -> None:
        """Write down a request that was refused before it said what it wants."""
        self._run_log.refused("", error, caller, ip, 0.0)

    def unwritten(self, seconds: float = 0.0) -> Unwritten | None:
        """Give the ledger so long to take how runs ended; what to say where it does not."""
        return self._dispatcher.unwritten(seconds)

    def drain(self, timeout: float = 15.0) -> None:
        """Take nothing new; what had not begun is `not_sent`, what then is out `unknown`."""
        self._dispatcher.close(timeout)

    def close(self, timeout: float = 15.0) -> None:
        """Drain, then close the connections and the ledger."""
        self.drain(timeout)
        self.outbound.close()
        self.ledger.close()

    @contextlib.contextmanager
    def _refusals(self, gate: Gate, key: str | None, ip: str | None) -> Iterator[None]:
        action_id, caller = gate.action_id, gate.caller
        began = time.perf_counter()
        try:
            yield
        except LevqorError as error:
            if isinstance(error, LedgerError):
                self._dispatcher.offer_later()
                error = self.ledger.unaccepted(error, key)
            # What was asked for may be anything; only names that exist are recorded.
            known = action_id if action_id in self.action_ids() else ""
            self._run_log.refused(known, error, caller, ip, 1000 * (time.perf_counter() - began))
            raise gate.told(error) from None

    def _job(
        self, run: str, checked: CheckedRequest, gate: Gate, ip: str | None, *, test: bool
    ) -> Job:
        assert checked.config is not None  # noqa: S101 - its refusal was raised otherwise
        future: Future[Settled] = Future()
        # A future that runs cannot be cancelled: whoever waits may go, the run does not.
        future.set_running_or_notify_cancel()
        who, page = gate.caller, self.settings.app.sandbox_page
        return Job(run, who, ip, test, checked, checked.config, future, page, gate.conceals)

    def _journal(
        self, request: RunRequest, connector: Connector, caller: Caller, patience: float
    ) -> tuple[RunRecord, bool]:
        until = time.monotonic() + patience
        try:
            # A run that was refused meanwhile has given its quota back.
            self._dispatcher.catch_up(patience)
            return self.ledger.accept(request, patience=until - time.monotonic())
        except QuotaSpent as error:
            raise spent(self.settings, connector, caller, error.resets_at) from None

    def _again(self, accepted: Accepted) -> Future[Settled]:
        if (out := self._dispatcher.out(accepted.run)) is not None:
            return out
        future: Future[Settled] = Future()
        settled = accepted.settled
        if settled is None and (record := self.ledger.run(accepted.run)) and not record.open:
            settled = self.settled(record)
        if settled is None:
            # Another process is at it, or died at it and the next look will say so.
            still_out = InProgress(run=accepted.run, fix="Ask again in a moment.")
            settled = Settled(accepted.run, accepted.action_id, "unknown", error=still_out)
        if accepted.conceal:
            settled = concealing.settled(settled, self._actions[accepted.action_id][0])
        future.set_result(settled)
        return future
