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
├── UpstreamError                    upstream_error         500     1
│   ├── Refused                      the upstream said no
│   ├── NotSent                      it surely never arrived
│   └── Unknown                      it may have arrived
├── Busy                             busy                   503     6
│   └── Stopping                     busy                   503     6
├── LedgerError                      ledger_error           503     7
│   └── Unwritten                    ledger_error           503     9
└── InternalError                    internal_error         500     7

A class's docstring is the sentence a person gets when no better one was given.
Nothing in an error may hold a secret or an upstream's own words.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - HTTP's description is made from the annotations
from typing import TYPE_CHECKING, Any, ClassVar

from core import reports
from core.plain import plain_line, plain_text
from core.reports import DOUBT, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

Outcome = reports.Outcome


@dataclass(frozen=True)
class Fault(Report):
    """One broken rule of a contract: the field, and what is wrong with it."""

    field: str
    message: str

    def __post_init__(self) -> None:
        """Name a field, and say what is wrong, each on one line."""
        object.__setattr__(self, "field", plain_line(self.field))
        object.__setattr__(self, "message", plain_line(self.message))


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
    attempts: int = 0  # how many a delivery took until it gave up

    def __init__(
        self,
        message: str | None = None,
        *,
        fix: str | None = None,
        reason: str | None = None,
        run: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = plain_text(message or inspect.cleandoc(type(self).__doc__ or ""))
        self.fix = fix and plain_text(fix)
        self.reason = reason
        self.run = run
        self.retry_after = retry_after
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """Return the flat JSON body every surface that speaks JSON answers with."""
        # Whole seconds, rounded up: a caller that waits this long is not early.
        wait = None if self.retry_after is None else max(0, -int(-self.retry_after // 1))
        return ErrorBody(
            error=self.code,
            message=self.message,
            reason=self.reason,
            fix=self.fix,
            run=self.run,
            outcome=self.outcome,
            in_doubt=True if self.outcome == "unknown" else None,
            retry_after=wait,
            **self._more(),
        ).body()

    def _more(self) -> dict[str, Any]:
        return {}


class Unauthorized(LevqorError):
    """That token is not valid."""

    code, http, exit = "unauthorized", 401, 5


class Forbidden(LevqorError):
    """You may not do that here."""

    code, http, exit = "forbidden", 403, 5


class NotFound(LevqorError):
    """There is no such thing here."""

    code, http, exit = "not_found", 404, 2


class MethodNotAllowed(LevqorError):
    """That address does not take this method."""

    code, http, exit = "method_not_allowed", 405, 2


class InvalidInput(LevqorError):
    """Something in the input is not right; nothing was sent."""

    code, http, exit = "validation_error", 400, 2

    def __init__(
        self, faults: Iterable[Fault] = (), message: str | None = None, **more: Any
    ) -> None:
        super().__init__(message, **more)
        self.faults = tuple(faults)

    def _more(self) -> dict[str, Any]:
        return {"details": self.faults}


class TooLarge(InvalidInput):
    """The request is too large; nothing was sent."""

    http = 413


class WrongMediaType(InvalidInput):
    """Levqor reads application/json; nothing was sent."""

    http = 415


class InProgress(LevqorError):
    """The first run with this key is still on its way."""

    code, http, exit = "in_progress", 409, 1


class Repeated(LevqorError):
    """You sent exactly this a moment ago. Send it again?"""

    code, http, exit = "repeated", 409, 1


class IdempotencyMismatch(LevqorError):
    """This Idempotency-Key was used with other input."""

    code, http, exit = "idempotency_mismatch", 422, 1


class NotConfigured(LevqorError):
    """This connector is not set up."""

    code, http, exit = "not_configured", 503, 3

    def __init__(
        self, message: str | None = None, *, settings: Iterable[str] = (), **more: Any
    ) -> None:
        super().__init__(message, **{"reason": "not_configured", **more})
        self.settings = tuple(settings)


class QuotaSpent(LevqorError):
    """Free plan: today's call is used. Upgrade for unlimited."""

    code, http, exit = "rate_limited", 402, 4

    def __init__(
        self,
        message: str | None = None,
        *,
        upgrade: str | None = None,
        resets_at: datetime | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message, **more)
        self.upgrade = upgrade
        self.resets_at = resets_at

    def _more(self) -> dict[str, Any]:
        return {"upgrade": self.upgrade, "resets_at": self.resets_at}


class UpstreamError(LevqorError):
    """The service said no or failed."""

    code, http, exit = "upstream_error", 500, 1

    def __init__(self, reason: str, message: str | None = None, **more: Any) -> None:
        super().__init__(message, reason=reason, **more)


class Refused(UpstreamError):
    """The service refused it; nothing was done."""

    outcome: Outcome | None = "refused"


class NotSent(UpstreamError):
    """It was not sent."""

    outcome: Outcome | None = "not_sent"


class Unknown(UpstreamError):
    """It may or may not have been sent; look before you send again."""

    outcome: Outcome | None = "unknown"

    def __init__(
        self, reason: str, message: str | None = None, *, repeatable: bool = False, **more: Any
    ) -> None:
        super().__init__(reason, message, **more)
        self.repeatable = repeatable


class Busy(LevqorError):
    """Too much is waiting for this service; it was not sent."""

    code, http, exit = "busy", 503, 6
    outcome: Outcome | None = "not_sent"


class Stopping(Busy):
    """Levqor is stopping; nothing was sent."""

    def __init__(self) -> None:
        # What is out has that long to settle; the next start is not far behind.
        super().__init__(retry_after=15.0)


class LedgerError(LevqorError):
    """The ledger cannot be read or written."""

    code, http, exit = "ledger_error", 503, 7


class Unwritten(LedgerError):
    """A run has ended, and how could not be written down."""

    exit = 9


class InternalError(LevqorError):
    """Levqor made a mistake of its own; the run's id helps to find it."""

    code, http, exit = "internal_error", 500, 7
