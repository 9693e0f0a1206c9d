"""A second account, `acme`, of some services: its settings, leading to a sandbox of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.sandbox import Sandbox

SLACK = ("SLACK_WEBHOOK_URL", "SLACK_BOT_TOKEN", "SLACK_API_URL")
NOTION = ("NOTION_API_KEY", "NOTION_DATABASE_ID_DEFAULT", "NOTION_API_URL")


def of_acme(sandbox: Sandbox, *names: str) -> dict[str, str]:
    """Some settings of the account."""
    values = sandbox.settings()
    return {f"{name}__ACME": values[name] for name in names}
