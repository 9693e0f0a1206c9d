"""What several surfaces show alike: findings of a check, and the ledger's answers as JSON.

Times are ISO 8601 in UTC; what is not known is left out.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.ledger import Ledger, RunRecord


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `good` is None where it is only worth knowing.

    `line` is what to write, and `place` the file to write it to.
    """

    good: bool | None
    what: str
    fix: str | None = None
    group: str = ""
    setting: str | None = None
    line: str | None = None
    place: str | None = None

    def __post_init__(self) -> None:
        """A workspace's, a bot's or a folder's name may hold anything."""
        object.__setattr__(self, "what", plain_line(self.what))


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    if at is None:
        return None
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="seconds")


def known(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known."""
    return {name: value for name, value in body.items() if value is not None}


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()}


def run(entry: RunRecord) -> dict[str, Any]:
    """One run of the journal; `state` is `accepted`, `sending` or the outcome."""
    return known(
        {
            "run": entry.run,
            "action": entry.action,
            "connector": entry.connector,
            "caller": entry.caller,
            "surface": entry.surface,
            "test": entry.test,
            "state": entry.state,
            "in_doubt": True if entry.state == "unknown" else None,
            "error": entry.code,
            "reason": entry.reason,
            "receipt": entry.receipt,
            "attempts": entry.attempts,
            "ms": entry.ms and round(entry.ms, 2),
            "at": iso(entry.at),
            "settled_at": iso(entry.settled_at),
        }
    )


def usage(ledger: Ledger, days: int, caller: str, actions: Sequence[str]) -> dict[str, Any]:
    """Runs by connector and UTC day, latest first, and where a caller stands today.

    `limit` is absent on the pro plan.
    """
    resets_at = _midnight()
    return {
        "days": days,
        "usage": [known(_rounded(asdict(row))) for row in ledger.usage(days)],
        "caller": caller,
        "plan": ledger.plan(caller),
        "quota": [
            known(
                {
                    "action": quota.action,
                    "used": quota.used,
                    "limit": quota.limit,
                    "resets_at": resets_at,
                }
            )
            for quota in ledger.quota(caller, actions)
        ],
    }


def _midnight() -> str | None:
    # UTC days have 86400 seconds in every clock Python reads.
    return iso((time.time() // 86400 + 1) * 86400)
