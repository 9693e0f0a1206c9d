"""The audit in words: what differs between two states of somebody or something."""

from collections.abc import Mapping
from typing import Any

from core.reports import iso

# What has a default where nobody has chosen.
_DEFAULTED = ("role", "plan")


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """Say what differs between two states."""
    was, now = before or {}, after or {}
    differs = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return "; ".join(
        f"{name}: {_value(name, was.get(name))} → {_value(name, now.get(name))}"
        if before and after
        else f"{name}: {_value(name, {**was, **now}[name])}"
        for name in differs
    )


def _value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{each}={inner}" for each, inner in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and name.endswith(("_at", "_until")):
        return str(iso(value))
    if value is None:
        return "default" if name in _DEFAULTED else "none"
    return str(value)
