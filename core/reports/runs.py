"""Runs, as every interface shows them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from core.reports.base import Report, moment

Outcome = Literal["sent", "refused", "not_sent", "unknown"]
State = Literal["accepted", "sending", Outcome]
DOUBT = {"description": "It may have been done; absent where it was not."}


@dataclass(frozen=True, kw_only=True)
class Receipt(Report):
    """What came of a run that was sent."""

    status: str = field(metadata={"examples": ["sent", "created", "appended"]})
    id: str | None = field(default=None, metadata={"description": "The service's ID, masked."})
    updated: int | None = field(default=None, metadata={"description": "Rows."})
    run: str


@dataclass(frozen=True)
class Attempt(Report):
    """One attempt of a run: when it began, how long it took, and the reason where it failed."""

    _timespec: ClassVar[str] = "milliseconds"

    at: dt.datetime
    ms: float
    reason: str | None = None

    @classmethod
    def listed(
        cls,
        tries: Iterable[tuple[int, int, str | None]],
        ended: float | None,
        ms: float | None,
    ) -> tuple[Self, ...] | None:
        """The attempts of a run that ended then and took so long; None where none was kept."""
        begun = (ended or 0.0) - (ms or 0.0) / 1000
        return tuple(cls(moment(begun + at / 1000), took, why) for at, took, why in tries) or None


@dataclass(frozen=True, kw_only=True)
class Run(Report):
    """A run of the journal."""

    run: str
    action: str
    connector: str
    caller: str
    surface: str
    test: bool
    state: State
    in_doubt: bool | None = field(default=None, metadata=DOUBT)
    error: str | None = None
    reason: str | None = None
    receipt: Mapping[str, Any] | None = None
    attempts: int
    ms: float | None = None
    at: dt.datetime
    settled_at: dt.datetime | None = None
    tries: tuple[Attempt, ...] | None = field(
        default=None, metadata={"description": "Each attempt, where there were several."}
    )


@dataclass(frozen=True, kw_only=True)
class RunPage(Report):
    """Runs, latest first."""

    runs: tuple[Run, ...]
    next: str | None = field(
        default=None,
        metadata={"description": "Ask again with `before` this; absent where there are no more."},
    )
