"""Every way a run can fail.

LevqorError                          code                  HTTP  exit
├── Unauthorized                     unauthorized           401     5
├── Forbidden                        forbidden              403     5
├── NotFound                         not_found              404     2
├── MethodNotAllowed                 method_not_allowed     405     2
├── InvalidInput                     validation_error       400     2
│   ├── TooLarge                     validation_error       413     2
│   └── WrongMediaType               validation_error       415     2
├── InProgress                       in_progress            409     1
├── Repeated                         repeated               409     1
├── IdempotencyMismatch              idempotency_mismatch   422     1
├── NotConfigured                    not_configured         503     3
├── QuotaSpent                       rate_limited           402     4
├── Throttled                        throttled              429     6
├── UpstreamError                    upstream_error         500     1
│   ├── Refused                      the service said no
│   ├── NotSent                      it surely never arrived
│   └── Unknown                      it may have arrived
├── Busy                             busy                   503     6
│   └── Stopping                     busy                   503     6
├── LedgerError                      ledger_error           503     7
│   └── Unwritten                    ledger_error           503     9
└── InternalError                    internal_error         500     7

A class's docstring is the sentence a person gets when no better one was given. An error is a
value: it is never changed after it was made, and never holds a secret or a service's own words.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Self

from core import reports
from core.plain import plain_line, plain_text
from core.reports import DOUBT, Report

Outcome = reports.Outcome


class Certainty(IntEnum):
    """What is known of an attempt's writes; of several the highest counts."""

    NOTHING_BEGUN = 0
    NOT_DONE = 1  # one was begun and never left, or the service said no
    REPEATABLE = 2  # one may be done, and the service knows a repeat by its key
    MAYBE_DONE = 3  # one may be done, and a repeat could do it twice


@dataclass(frozen=True)
class Fault(Report):
    """One broken rule of a contract: the field, and what is wrong with it."""

    field: str
    message: str

    def __post_init__(self) -> None:
        """Name a field, and say what is wrong, each on one line."""
        object.__setattr__(self, "field", plain_line(self.field))
        object.__setattr__(self, "message", plain_line(self.message))

    @property
    def words(self) -> str:
        """The fault for people, who write a mapping's `NAME=value` where JSON has `props.NAME`."""
        _, _, key = self.field.partition(".")
        place = key if key and not re.fullmatch(r"[\d.]+", key) else self.field
        return f"{place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class ErrorBody(Report):
    """Why something was not done, or may not have been."""

    error: str
    message: str
    reason: str | None = field(
        default=None, metadata={"description": "What exactly, as one word that does not change."}
    )
    fix: str | None = field(default=None, metadata={"description": "What a person must do now."})
    details: tuple[Fault, ...] | None = None
    upgrade: str | None = field(
        default=None, metadata={"description": "Where to get the pro plan."}
    )
    resets_at: datetime | None = field(
        default=None, metadata={"description": "When the quota is given anew."}
    )
    run: str | None = None
    outcome: Outcome | None = None
    in_doubt: bool | None = field(default=None, metadata=DOUBT)
    retry_after: int | None = field(default=None, metadata={"description": "Seconds."})


class LevqorError(Exception):
    """Something went wrong inside Levqor."""

    code: ClassVar[str] = "internal_error"
    http: ClassVar[int] = 500
    exit: ClassVar[int] = 7
    outcome: Outcome | None = None

    message: str = ""
    fix: str | None = None
    reason: str | None = None
    run: str | None = None
    retry_after: float | None = None

    def __init_subclass__(cls, **header: Any) -> None:
        """Take what tells a class apart from its header."""
        for name in {"code", "http", "exit", "outcome"} & header.keys():
            setattr(cls, name, header.pop(name))
        super().__init_subclass__(**header)

    def __init__(
        self,
        message: str | None = None,
        *,
        fix: str | None = None,
        reason: str | None = None,
        run: str | None = None,
        retry_after: float | None = None,
        **fields: Any,
    ) -> None:
        message = plain_text(message or inspect.cleandoc(type(self).__doc__ or ""))
        super().__init__(message)
        known = {"message": message, "fix": fix and plain_text(fix), "reason": reason, "run": run}
        self.__dict__.update(_fields(self, {**known, "retry_after": retry_after, **fields}))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: only what Python itself notes of a raise is written down later."""
        if not name.startswith("__"):
            raise AttributeError(f"an error is a value: make another with replace({name}=...)")
        super().__setattr__(name, value)

    def replace(self, **changes: Any) -> Self:
        """Make the same error anew, with these values in place of its own."""
        made = type(self).__new__(type(self))
        made.__dict__.update({**self.__dict__, **_fields(self, changes)})
        Exception.__init__(made, made.message)
        return made

    def body(self, *, run: str | None = None, outcome: Outcome | None = None) -> dict[str, Any]:
        """The flat JSON every surface that speaks JSON answers with; `outcome` is a run's."""
        outcome = outcome or self.outcome
        # Whole seconds, rounded up: a caller that waits this long is not early.
        wait = None if self.retry_after is None else max(0, -int(-self.retry_after // 1))
        return ErrorBody(
            error=self.code,
            message=self.message,
            reason=self.reason,
            fix=self.fix,
            run=run or self.run,
            outcome=outcome,
            in_doubt=True if outcome == "unknown" else None,
            retry_after=wait,
            details=getattr(self, "faults", None),
            upgrade=getattr(self, "upgrade", None),
            resets_at=getattr(self, "resets_at", None),
        ).body()


def _fields(error: LevqorError, values: dict[str, Any]) -> dict[str, Any]:
    if unknown := [name for name in values if not hasattr(type(error), name)]:
        raise TypeError(f"{type(error).__name__} has no {' or '.join(unknown)}")
    return values


class Unauthorized(LevqorError, code="unauthorized", http=401, exit=5):
    """That token is not valid."""


class Forbidden(LevqorError, code="forbidden", http=403, exit=5):
    """You may not do that here."""


class NotFound(LevqorError, code="not_found", http=404, exit=2):
    """There is no such thing here."""


class MethodNotAllowed(LevqorError, code="method_not_allowed", http=405, exit=2):
    """That address does not take this method."""


class InvalidInput(LevqorError, code="validation_error", http=400, exit=2):
    """Something in the input is not right; nothing was sent."""

    faults: tuple[Fault, ...] = ()

    def __init__(
        self, faults: Iterable[Fault] = (), message: str | None = None, **more: Any
    ) -> None:
        super().__init__(message, faults=tuple(faults), **more)


class TooLarge(InvalidInput, http=413):
    """The request is too large; nothing was sent."""


class WrongMediaType(InvalidInput, http=415):
    """Levqor reads application/json; nothing was sent."""


class InProgress(LevqorError, code="in_progress", http=409, exit=1):
    """The first run with this key is still on its way."""


class Repeated(LevqorError, code="repeated", http=409, exit=1):
    """You sent exactly this a moment ago. Send it again?"""


class IdempotencyMismatch(LevqorError, code="idempotency_mismatch", http=422, exit=1):
    """This Idempotency-Key was used with other input."""


class NotConfigured(LevqorError, code="not_configured", http=503, exit=3):
    """This connector is not set up."""

    settings: tuple[str, ...] = ()

    def __init__(
        self, message: str | None = None, *, settings: Iterable[str] = (), **more: Any
    ) -> None:
        super().__init__(
            message, **{"reason": "not_configured", "settings": tuple(settings), **more}
        )


class QuotaSpent(LevqorError, code="rate_limited", http=402, exit=4):
    """Free plan: today's call is used. Upgrade for unlimited."""

    upgrade: str | None = None
    resets_at: datetime | None = None


class Throttled(LevqorError, code="throttled", http=429, exit=6, outcome="not_sent"):
    """This token's runs of the hour are used up; it was not sent."""


class UpstreamError(LevqorError, code="upstream_error", http=500, exit=1):
    """The service said no or failed."""

    def __init__(self, reason: str, message: str | None = None, **more: Any) -> None:
        super().__init__(message, reason=reason, **more)


class Refused(UpstreamError, outcome="refused"):
    """The service refused it; nothing was done."""


class NotSent(UpstreamError, outcome="not_sent"):
    """It was not sent."""


class Unknown(UpstreamError, outcome="unknown"):
    """It may or may not have been sent; look before you send again."""

    certainty = Certainty.MAYBE_DONE


class Busy(LevqorError, code="busy", http=503, exit=6, outcome="not_sent"):
    """Too much is waiting for this service; it was not sent."""


class Stopping(Busy):
    """Levqor is stopping; nothing was sent."""

    def __init__(self) -> None:
        # What is out has that long to settle; the next start is not far behind.
        super().__init__(retry_after=15.0)


class LedgerError(LevqorError, code="ledger_error", http=503, exit=7):
    """The database cannot be read or written."""


class Unwritten(LedgerError, exit=9):
    """A run has ended, and how could not be written down."""


class InternalError(LevqorError, code="internal_error", http=500, exit=7):
    """Levqor made a mistake of its own; the run's id helps to find it."""
