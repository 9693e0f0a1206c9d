"""What Levqor reports of health, runs and usage: the values that every interface shows.

`body()` is a value as programs get it; HTTP's description of it is made from the fields' types.
"""

from core.reports.base import Report, iso, moment, without_none
from core.reports.health import (
    BROKEN,
    Bots,
    BotStatus,
    ConnectorHealth,
    Finding,
    Health,
    HealthSummary,
    InboundHealth,
    InboundUptime,
    LastFailure,
    LastRun,
    Status,
    Uptime,
    Verdict,
)
from core.reports.runs import (
    DOUBT,
    History,
    HistoryStep,
    Outcome,
    PersonUsage,
    Quota,
    Receipt,
    Run,
    RunPage,
    State,
    Usage,
    UsageDay,
)

__all__ = [
    "BROKEN",
    "DOUBT",
    "BotStatus",
    "Bots",
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
    "State",
    "Status",
    "Uptime",
    "Usage",
    "UsageDay",
    "Verdict",
    "iso",
    "moment",
    "without_none",
]
