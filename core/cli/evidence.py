"""What a smoke run leaves behind: run ids, outcomes and times; no secret, no payload."""

from __future__ import annotations

import datetime as dt
import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import __version__
from core.errors import InvalidInput
from core.reports import known

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
    results = [_sent(action_id, settled) for action_id, settled in sent]
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "levqor": __version__,
        "python": platform.python_version(),
        "sandbox": sandbox,
        "sent": sum(settled.error is None for _, settled in sent),
        "failed": sum(settled.error is not None for _, settled in sent),
        "skipped": len(skipped),
        "results": [*results, *(_skipped(action_id, error) for action_id, error in skipped)],
        "health": {
            name: known({key: detail.body()[key] for key in ("verdict", "latency_ms", "since")})
            for name, detail in health.detail.items()
        },
    }


def _sent(action_id: str, settled: Settled) -> dict[str, Any]:
    error = settled.error
    said = {"reason": error.reason, "message": error.message} if error else settled.body()
    return known(
        {
            "action": action_id,
            "outcome": settled.outcome,
            **said,
            "run": settled.run,
            "ms": round(settled.ms, 1),
            "attempts": settled.attempts,
        }
    )


def _skipped(action_id: str, error: LevqorError) -> dict[str, Any]:
    return known(
        {
            "action": action_id,
            "outcome": "skipped",
            "error": error.code,
            "reason": error.reason,
            "message": error.message,
        }
    )


def write(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write today's file, in one step; an earlier one of the same day gives way."""
    day = document["at"][:10].replace("-", "")
    file = folder / f"connectors_smoke_{day}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, suffix=".tmp") as made:
            json.dump(document, made, indent=2)
            made.write("\n")
        Path(made.name).replace(file)
    except OSError as error:
        raise InvalidInput(
            message=f"{file} cannot be written: {error.strerror}.",
            fix="Choose a folder you may write to: --evidence DIR",
        ) from None
    return file
