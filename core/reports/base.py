"""What every report is: a value whose `body()` is JSON."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Report:
    """A value that is shown as JSON, its moments as ISO 8601 in UTC.

    A field that has a default is left out where it is None.
    """

    _timespec: ClassVar[str] = "seconds"

    def body(self) -> dict[str, Any]:
        """Return the value as JSON's types, in the order of the fields."""
        return {
            each.name: self._plain(value)
            for each in fields(self)
            if (value := getattr(self, each.name)) is not None or each.default is MISSING
        }

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Report):
            return value.body()
        if isinstance(value, dt.datetime):
            return value.isoformat(timespec=self._timespec)
        if isinstance(value, Mapping):
            return {name: self._plain(each) for name, each in value.items()}
        return [*map(self._plain, value)] if isinstance(value, tuple) else value


def moment(at: float) -> dt.datetime:
    """Seconds since 1970 as a moment in UTC."""
    return dt.datetime.fromtimestamp(at, dt.UTC)


def iso(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return None if at is None else moment(at).isoformat(timespec="seconds")


def without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in body.items() if value is not None}
