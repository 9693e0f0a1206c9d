"""The closed list of what Levqor can reach, in menu order."""

from core.connectors import email, notion, sheets, slack, telegram
from core.contract import Connector

CONNECTORS: tuple[Connector, ...] = (
    slack.CONNECTOR,
    notion.CONNECTOR,
    sheets.CONNECTOR,
    telegram.CONNECTOR,
    email.CONNECTOR,
)
