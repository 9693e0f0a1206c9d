"""What Levqor reports of health, runs and usage: the values that every interface shows.

`body()` is a value as programs get it; HTTP's description of it is made from the fields' types.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.reports.base import Report, iso, moment, without_none
from core.reports.runs import (
    DOUBT,
    Attempt,
    Outcome,
    Receipt,
    Run,
    RunPage,
    State,
)
from core.reports.verdicts import BECAME, BROKEN, Verdict

if TYPE_CHECKING:
    from core.reports.health import (
        Bots,
        BotStatus,
        ChecksDay,
        ConnectorHealth,
        Finding,
        Health,
        HealthSummary,
        InboundHealth,
        InboundUptime,
        LastFailure,
        LastRun,
        SignInLink,
        Status,
        Uptime,
    )
    from core.reports.usage import (
        History,
        HistoryStep,
        PersonUsage,
        Quota,
        Usage,
        UsageBy,
        UsageDay,
        UsageTotal,
    )

__all__ = [
    "BECAME",
    "BROKEN",
    "DOUBT",
    "Attempt",
    "BotStatus",
    "Bots",
    "ChecksDay",
    "ConnectorHealth",
    "Finding",
    "Health",
    "HealthSummary",
    "History",
    "HistoryStep",
    "InboundHealth",
    "InboundUptime",
    "LastFailure",
    "LastRun",
    "Outcome",
    "PersonUsage",
    "Quota",
    "Receipt",
    "Report",
    "Run",
    "RunPage",
    "SignInLink",
    "State",
    "Status",
    "Uptime",
    "Usage",
    "UsageBy",
    "UsageDay",
    "UsageTotal",
    "Verdict",
    "iso",
    "moment",
    "without_none",
]


def __getattr__(name: str) -> Any:
    """Import the shapes of health and usage when one is asked for: a run needs none."""
    if name not in __all__:
        raise AttributeError(name)
    module = "usage" if name.startswith(("History", "PersonUsage", "Quota", "Usage")) else "health"
    return getattr(import_module(f"core.reports.{module}"), name)
