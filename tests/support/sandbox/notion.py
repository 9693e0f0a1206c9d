"""A Notion workspace with more databases: one of two sources, one with people's odd names."""

from __future__ import annotations

from typing import Any, ClassVar

from core.sandbox.credentials import uuid
from core.sandbox.notion import Notion
from core.sandbox.notion.schema import (
    DATABASE,
    GROUPS,
    STATUS,
    TASKS,
    Database,
    Source,
    column,
    columns,
    options,
)

INCIDENTS = Source(
    uuid("incidents"), "Incidents", columns(column("Title", "title"), column("When", "date"))
)
FOLLOW_UPS = Source(
    uuid("follow-ups"),
    "Follow-ups",
    columns(column("What", "title"), column("Done", "checkbox")),
)
# Names as people give them: with blanks and signs, accents in two letters, twins.
CONTACTS = Source(
    uuid("contacts"),
    "Contacts",
    columns(
        column("Full name", "title"),
        column("Done?", "checkbox"),
        column("📅 Due", "date"),
        column("Due by", "date"),
        column("स्थिति", "rich_text"),
        column("Cost ($)", "number", format="dollar"),
        column("% done", "number", format="number"),
        column("Owner & team", "rich_text"),
        column("1st contact", "rich_text"),
        column("Pre\N{COMBINING ACUTE ACCENT}nom", "rich_text"),
        column(
            "Phase ",
            "select",
            options=options("Caf\N{LATIN SMALL LETTER E WITH ACUTE}", "On hold "),
        ),
        column("Status", "status", options=STATUS, groups=GROUPS),
        column("Labels", "multi_select", options=options("API", "api", "Web")),
        column("Team", "rich_text"),
        column("team ", "rich_text"),
    ),
)

DATABASES = (
    DATABASE,
    Database(uuid("incidents database"), "Incidents", (INCIDENTS, FOLLOW_UPS)),
    Database(uuid("contacts database"), "Contacts", (CONTACTS,)),
)


class NotionWorkspace(Notion):
    """Notion with all of them."""

    databases: ClassVar[tuple[Database, ...]] = DATABASES

    def reset(self) -> None:
        """Forget the pages and what was changed of the columns."""
        super().reset()
        self.__dict__.pop("databases", None)

    def shows(self, *listed: dict[str, Any]) -> None:
        """Give the default database these columns from now on."""
        source = Source(TASKS.id, TASKS.name, columns(*listed))
        changed = Database(DATABASE.id, DATABASE.title, (source,))
        self.__dict__["databases"] = (changed, *DATABASES[1:])
