"""The closed list of what Levqor can reach, in menu order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.connectors import email, notion, sheets, slack, telegram

if TYPE_CHECKING:
    from core.contract import Connector

CONNECTORS: tuple[Connector, ...] = (
    slack.CONNECTOR,
    notion.CONNECTOR,
    sheets.CONNECTOR,
    telegram.CONNECTOR,
    email.CONNECTOR,
)
