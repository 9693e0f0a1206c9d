"""What a service may answer, in plain words: the rows of a connector's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.errors import NotSent, Refused, Unknown
from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import UpstreamError

_BY_OUTCOME: dict[str, type[UpstreamError]] = {
    "refused": Refused,
    "not_sent": NotSent,
    "unknown": Unknown,
}


@dataclass(frozen=True)
class AnswerRow:
    """One answer a service may give, in plain words.

    `reason` is what is kept: ledger, log and metrics hold it and nothing else, and
    `levqor why` finds the words again by it. `detailed` is the fix with {names} that the
    connector fills in when it knows them; those values are shown, never kept.
    """

    reason: str
    outcome: Literal["refused", "not_sent", "unknown"]
    message: str
    fix: str
    detailed: str | None = None

    def error(
        self,
        *,
        retry_after: float | None = None,
        repeatable: bool = False,
        values: Mapping[str, str] | None = None,
    ) -> UpstreamError:
        """Make the error of this row, its fix with the person's own values if given."""
        shown = {name: plain_line(value) for name, value in (values or {}).items()}
        fix = self.detailed.format_map(shown) if self.detailed and shown else self.fix
        kind = _BY_OUTCOME[self.outcome]
        more: dict[str, Any] = {"fix": fix, "retry_after": retry_after}
        if kind is Unknown:
            more["repeatable"] = repeatable
        return kind(self.reason, self.message, **more)

    def if_in_doubt(self, error: UpstreamError) -> UpstreamError:
        """This row's error in place of one that leaves doubt: a probe did nothing to doubt."""
        if error.outcome != "unknown":
            return error
        return self.error(retry_after=error.retry_after)
