"""What a person chose, kept in one small file of their own configuration folder.

Not in the ledger: a choice must hold while the home cannot be written.
"""

import json
import math
from pathlib import Path

from core.home import write_private
from tray.state import Notify, Preferences

# Only the newest run of an action is ever asked for.
_RUNS_KEPT = 50


def load(file: Path) -> Preferences:
    """Read the preferences; a file that is missing or broken means the defaults."""
    try:
        kept = json.loads(file.read_text("utf-8"))
        preferences = Preferences(
            Notify(kept.get("telling", Notify.CHANGES)),
            dict(kept.get("muted", {})),
            kept.get("paused_until"),
            tuple(kept.get("looked", ())),
        )
        # JSON as Python reads it has an Infinity, which no row can say.
        times = (*preferences.muted.values(), preferences.paused_until or 0.0)
        return preferences if all(map(math.isfinite, times)) else Preferences()
    except (OSError, ValueError, TypeError, AttributeError):
        return Preferences()


def save(file: Path, preferences: Preferences) -> None:
    """Write the preferences whole or not at all; raises OSError."""
    kept = {
        "telling": preferences.notify,
        "muted": dict(preferences.muted),
        "paused_until": preferences.paused_until,
        "looked": preferences.acknowledged_runs[-_RUNS_KEPT:],
    }
    write_private(file, json.dumps(kept).encode())
