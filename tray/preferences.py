"""What a person chose, kept in one small file of their own configuration folder.

Not in the ledger: a choice must hold while the home cannot be written.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tray.state import Notify, Preferences

if TYPE_CHECKING:
    from collections.abc import Mapping

# Runs a person has looked after; only the newest of an action is ever asked for.
_LOOKED = 50


def load(file: Path) -> Preferences:
    """Read the choices; a file that is missing or broken means the defaults."""
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return Preferences()
    return _read(said) if isinstance(said, dict) else Preferences()


def save(file: Path, preferences: Preferences) -> None:
    """Write the choices whole or not at all; raises OSError."""
    body = {
        "telling": preferences.notify,
        "muted": dict(preferences.muted),
        "paused_until": preferences.paused_until,
        "looked": list(preferences.acknowledged_runs[-_LOOKED:]),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(body, out)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _read(said: Mapping[str, Any]) -> Preferences:
    telling, muted, looked = said.get("telling"), said.get("muted"), said.get("looked")
    return Preferences(
        notify=Notify(telling) if telling in list(Notify) else Notify.CHANGES,
        muted={str(name): until for name, until in muted.items() if _is_time(until)}
        if isinstance(muted, dict)
        else {},
        paused_until=said.get("paused_until") if _is_time(said.get("paused_until")) else None,
        acknowledged_runs=tuple(str(run) for run in looked) if isinstance(looked, list) else (),
    )


def _is_time(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # JSON as Python reads it has an Infinity, which no row can say.
    return number and math.isfinite(value)
