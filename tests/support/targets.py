"""Targets, and where what was sent to them went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.callers import Caller
from core.engine import targets

if TYPE_CHECKING:
    from core.engine import Engine
    from core.ledger.records import Target
    from tests.support.sandbox import Sandbox

ADMIN = Caller("cli", "root")


def add(
    engine: Engine, name: str, action: str, account: str | None = None, **values: Any
) -> Target:
    """Make a target as an admin."""
    return targets.add(engine, name, action, values, account, by=ADMIN)


def went_to(sandbox: Sandbox, service: str) -> Any:
    """Where the last write of a service went."""
    request = getattr(sandbox, service).writes[-1]
    if service == "notion":
        return request.json["parent"]["data_source_id"]
    if service == "sheets":
        return request.path
    return request.json.get({"slack": "channel", "telegram": "chat_id", "resend": "to"}[service])
