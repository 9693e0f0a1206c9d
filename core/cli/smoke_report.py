"""What a smoke run leaves behind: run IDs, outcomes and times; no secret, no payload."""

from __future__ import annotations

import datetime as dt
import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import __version__
from core.errors import InvalidInput
from core.reports import without_none

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.engine import Settled
    from core.errors import LevqorError
    from core.reports import Health


def body(
    sent: Sequence[tuple[str, Settled]],
    skipped: Sequence[tuple[str, LevqorError]],
    health: Health,
    *,
    sandbox: bool,
) -> dict[str, Any]:
    """Put a smoke run into one document; ids are masked already."""
    failed = sum(settled.error is not None for _, settled in sent)
    results = [
        {
            "action": action_id,
            "outcome": settled.outcome,
            **(
                {"reason": settled.error.reason, "message": settled.error.message}
                if settled.error
                else settled.body()
            ),
            "run": settled.run,
            "ms": round(settled.ms, 1),
            "attempts": settled.attempts,
        }
        for action_id, settled in sent
    ]
    results += [
        {
            "action": action_id,
            "outcome": "skipped",
            "error": error.code,
            "reason": error.reason,
            "message": error.message,
        }
        for action_id, error in skipped
    ]
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "levqor": __version__,
        "python": platform.python_version(),
        "sandbox": sandbox,
        "sent": len(sent) - failed,
        "failed": failed,
        "skipped": len(skipped),
        "results": [without_none(result) for result in results],
        "health": {
            name: without_none(
                {key: detail.body()[key] for key in ("verdict", "latency_ms", "since")}
            )
            for name, detail in health.detail.items()
        },
    }


def write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write today's file, in one step; an earlier one of the same day gives way."""
    day = document["at"][:10].replace("-", "")
    file = folder / f"connectors_smoke_{day}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, suffix=".tmp") as draft:
            json.dump(document, draft, indent=2)
            draft.write("\n")
        Path(draft.name).replace(file)
    except OSError as error:
        raise InvalidInput(
            message=f"{file} cannot be written: {error.strerror}.",
            fix="Choose a folder you may write to: --evidence DIR",
        ) from None
    return file
