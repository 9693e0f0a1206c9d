"""Days and moments as Notion takes them; a time without a zone is read in one that is named."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Notion answers with thousandths of a second: what is finer would be lost.
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_LONGEST_ZONE = 64  # the longest there is has 32; each part of a name is looked for apart
_HOW = "write days as 2026-12-01 and times as 2026-12-01T09:30"


def known_zone(name: str | None) -> str | None:
    """Accept the name of a time zone; raises ValueError."""
    try:
        if name is None or (len(name) <= _LONGEST_ZONE and ZoneInfo(name)):
            return name
    except (KeyError, ValueError, OSError):
        pass
    raise ValueError("must be the name of a time zone, such as Europe/Berlin")


class Zone:
    """A time zone: the one that is named, else this machine's."""

    def __init__(self, name: str | None = None) -> None:
        self._info = ZoneInfo(name) if name else None
        self._name = name or "this machine's time zone"

    def __str__(self) -> str:
        return self._name

    @property
    def hint(self) -> str:
        """How a receipt says that another one can be set."""
        return "" if self._info else " (LEVQOR_TIME_ZONE sets another)"

    def moment(self, clock: dt.datetime) -> dt.datetime:
        """Give a time without a zone its offset; raises ValueError where that is not one."""
        try:
            first, second = self._at(clock, 0), self._at(clock, 1)
        except (OverflowError, OSError, ValueError):
            raise ValueError("there is no such day or time") from None
        text = _written(clock)
        if first.utcoffset() == second.utcoffset():
            return first
        if {first.replace(tzinfo=None), second.replace(tzinfo=None)} == {clock}:
            raise ValueError(
                f"{text} happens twice in {self}: "
                f"write {_written(first)} or {_written(second)}, whichever you mean"
            )
        raise ValueError(
            f"{text} does not happen in {self}, where the clocks skip it: write a time that "
            f"does, or its offset with it, such as {_written(first)}"
        )

    def _at(self, clock: dt.datetime, fold: int) -> dt.datetime:
        """Read a clock's time, the first or the second of two; a skipped one is moved."""
        if self._info is None:
            return clock.replace(fold=fold).astimezone()
        there = clock.replace(tzinfo=self._info, fold=fold)
        return there.astimezone(dt.UTC).astimezone(self._info)


def date(value: Any, zone: Zone, say: Callable[[str], None]) -> dict[str, Any]:
    """Turn a day, a moment, a range or Notion's own parts into a date's object.

    `say` is told of each time that was given without a zone. Raises ValueError.
    """
    parts = _parts(value)
    named = parts.get("time_zone")  # Notion reads both ends in it
    ends = {key: _read(parts[key]) for key in ("start", "end") if parts.get(key) is not None}
    made: dict[str, Any] = {}
    for key, end in ends.items():
        moment = end
        if named is None and isinstance(end, dt.datetime) and end.tzinfo is None:
            moment = zone.moment(end)
            say(f"{_written(end)} is taken as {_written(moment)}, the time in {zone}{zone.hint}")
        ends[key], made[key] = moment, _written(moment)
    if _after(ends["start"], ends.get("end")):
        raise ValueError("the range ends before it begins")
    return made if named is None else {**made, "time_zone": named}


def _parts(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        start, slash, end = value.partition("/")
        value = {"start": start, "end": end if slash else None}
    parts = dict(value) if isinstance(value, Mapping) else {}
    if not parts.get("start") or parts.keys() - {"start", "end", "time_zone"}:
        raise ValueError("give a day such as 2026-12-01, or a range such as 2026-12-01/2026-12-05")
    return parts


def _read(value: Any) -> dt.date:
    """Read a day or a moment; a moment is a datetime, which is a date too."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
        if _MOMENT.fullmatch(text):
            return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day or time") from None
    raise ValueError(_HOW)


def _written(moment: dt.date) -> str:
    if not isinstance(moment, dt.datetime):
        return moment.isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _after(start: dt.date, end: dt.date | None) -> bool:
    if end is None or type(start) is not type(end):
        return False
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        return (start.tzinfo is None) == (end.tzinfo is None) and start > end
    return start > end
