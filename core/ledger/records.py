"""What goes into the ledger and what comes out, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OPEN = ("accepted", "sending")


@dataclass(frozen=True)
class RunRequest:
    """A run to be accepted. `refuse` is raised after the key was looked up, if given."""

    run: str
    at: float
    action: str
    connector: str
    caller: str
    surface: str
    fingerprint: bytes = field(repr=False)
    test: bool = False
    key: str | None = field(default=None, repr=False)
    rebind: bool = False
    reply_to: str | None = field(default=None, repr=False)
    guard: bool = False
    test_gap: float = 0.0
    refuse: Exception | None = None


@dataclass(frozen=True)
class RunRecord:
    """A run as the journal holds it; times in seconds since 1970, UTC."""

    run: str
    at: float
    action: str
    connector: str
    caller: str
    surface: str
    test: bool
    state: str
    attempts: int
    ms: float | None
    code: str | None
    reason: str | None
    receipt: dict[str, Any] | None
    settled_at: float | None
    reply_to: str | None = field(default=None, repr=False)
    fingerprint: bytes = field(default=b"", repr=False)

    @property
    def open(self) -> bool:
        """Still accepted or sending."""
        return self.state in OPEN


@dataclass(frozen=True)
class Owed:
    """An answer that is no run's, and that somebody still has to be given."""

    key: str
    kind: str
    reply_to: str = field(repr=False)


@dataclass(frozen=True)
class Quota:
    """Where a caller stands with one action today. `limit` is None on the pro plan."""

    action: str
    used: int
    limit: int | None


@dataclass(frozen=True)
class Token:
    """An HTTP token, without the token."""

    label: str
    plan: str
    admin: bool
    created_at: float
    revoked_at: float | None


@dataclass(frozen=True)
class Person:
    """A caller the ledger knows."""

    caller: str
    plan: str
    first_seen: float
    last_seen: float
    paired_at: float | None


@dataclass(frozen=True)
class ProbeStreak:
    """A connector's verdict, and since when it has been the same."""

    connector: str
    verdict: str
    reason: str | None
    since: float
    at: float
    latency_ms: float | None


@dataclass(frozen=True)
class Inbound:
    """How a way in is doing; `alive` is False once the bot that said so is gone."""

    surface: str
    ok: bool
    verdict: str
    fix: str | None
    since: float
    at: float
    alive: bool
