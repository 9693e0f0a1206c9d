"""Counting runs by connector and day."""

import datetime as dt

from core.ledger.store import Connection
from core.reports import UsageDay

# One pass, sorted once: the percentile of n values is the ceil(n * p)-th of them. What was
# never tried (busy, interrupted) took no time that would tell anything of the service.
_SQL = """
WITH tried AS (
    SELECT connector, day, state, CASE WHEN attempts > 0 THEN ms END AS ms
    FROM runs WHERE at >= :first AND settled_at IS NOT NULL AND test = 0
), done AS (
    SELECT connector, day, state, ms,
           row_number() OVER (PARTITION BY connector, day ORDER BY ms IS NULL, ms) AS place,
           count(ms) OVER (PARTITION BY connector, day) AS timed
    FROM tried
)
SELECT connector, day,
       count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'refused'),
       count(*) FILTER (WHERE state = 'not_sent'), count(*) FILTER (WHERE state = 'unknown'),
       min(ms) FILTER (WHERE place >= timed * 0.50), min(ms) FILTER (WHERE place >= timed * 0.95)
FROM done GROUP BY connector, day ORDER BY day DESC, connector
"""


def days(db: Connection, count: int, now: float) -> list[UsageDay]:
    """Count the last `count` UTC days, today included, latest first; test sends left out."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    first = today - dt.timedelta(days=count - 1)
    return [
        UsageDay(*row[:6], *(ms and round(ms, 2) for ms in row[6:]))
        for row in db.execute(_SQL, {"first": first.timestamp()})
    ]
