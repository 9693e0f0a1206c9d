"""What the engine hands back: a run that was accepted, and a run that is settled."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from core import reports
from core.callers import Caller
from core.contract import Config, Connector, HttpClient, Receipt
from core.engine.checking import CheckedRequest
from core.errors import InProgress, LevqorError, Outcome
from core.masking import mask
from core.outbound import Try


@dataclass(frozen=True)
class Settled:
    """How a run ended: a receipt or an error. `ms` is the time from leaving the queue."""

    run: str
    action_id: str
    outcome: Outcome
    receipt: Receipt | None = None
    error: LevqorError | None = None
    ms: float = 0.0
    attempts: int = 0
    test: bool = False
    tries: Sequence[Try] = field(default=(), repr=False)
    target: str | None = None  # told, and never kept

    @property
    def known_outcome(self) -> Outcome | None:
        """The outcome; None while another process may still be at it."""
        return None if isinstance(self.error, InProgress) else self.outcome

    @property
    def http(self) -> int:
        """The HTTP status of this ending."""
        return self.error.http if self.error else 200

    @property
    def exit(self) -> int:
        """The exit status of this ending."""
        return self.error.exit if self.error else 0

    def body(self) -> dict[str, Any]:
        """The JSON of this ending, as every surface that speaks JSON answers it."""
        if self.error is not None:
            return self.error.body(run=self.run, outcome=self.known_outcome)
        return reports.Receipt(**kept(self.receipt), run=self.run).body()


def kept(receipt: Receipt | None) -> dict[str, Any]:
    """The part of a receipt that may be written down: status, masked id, count of rows."""
    if receipt is None:
        return {}
    parts = {
        "status": receipt.status,
        "id": mask(receipt.id) if receipt.id else None,
        "updated": receipt.updated,
    }
    return {name: value for name, value in parts.items() if value is not None}


@dataclass(frozen=True)
class Accepted:
    """A run in the journal. `first` is False for a redelivery of a run accepted before.

    `settled` is then how that run ended, None while it is still out. With `conceal` its asker
    must not learn where its target leads.
    """

    run: str
    action_id: str
    first: bool
    settled: Settled | None = None
    job: Job | None = field(default=None, repr=False)
    conceal: bool = False


@dataclass(frozen=True)
class Job:
    """What a worker needs; the payload lives here, in memory, and nowhere else."""

    run: str
    caller: Caller
    ip: str | None
    test: bool
    request: CheckedRequest = field(repr=False)
    config: Config = field(repr=False)
    future: Future[Settled] = field(repr=False)
    sandbox_page: str | None = None
    conceal: bool = False  # where its target leads

    @property
    def connector(self) -> Connector:
        """Whose queue it is in."""
        return self.request.connector

    @property
    def action_id(self) -> str:
        """E.g. `name.action`."""
        return self.connector.action_id(self.request.action)

    def send(self, http: HttpClient) -> Receipt:
        """Make the connector's call."""
        return self.request.action.send(self.request.given, self.config, http)
