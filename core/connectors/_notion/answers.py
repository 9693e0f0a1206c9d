"""What Notion may say, in plain words, and which of it an answer says.

Codes and causes: https://developers.notion.com/reference/status-codes and
https://developers.notion.com/reference/request-limits
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from core.contract import Answer, AnswerModel, AnswerTable, listed, not_sent, refused
from core.errors import UpstreamError

EDGE_BLOCKED = refused(
    "edge_blocked",
    "Something in front of Notion turned the request away before Notion saw it.",
    "Check the network, the proxy or the VPN this computer uses.",
    "Check the network, the proxy or the VPN this computer uses; Notion's support can look up"
    " the Ray ID {ray}.",
)
SEVERAL_SOURCES = refused(
    "several_sources",
    "This database has several data sources, and a page belongs to one of them.",
    "Give the id of one data source as database_id (in Notion: the database's settings >"
    " Manage data sources > ••• > Copy data source ID).",
    "Give the id of one of its data sources as database_id: {sources}.",
)
UNKNOWN_PROPERTY = refused(
    "unknown_property",
    "The database has no column of that name; it may have been renamed.",
    "Use the columns' names exactly as they are in Notion.",
    "Use one of the columns: {columns}.",
)
WRONG_TYPE = refused(
    "wrong_type",
    "A value does not fit its column's type.",
    "Give the value in the form its column wants: a number, a date, one of the options.",
    "The column {column} is of type {kind}; give it a value of that type.",
)
UNREADABLE = refused(
    "unreadable",
    "Levqor cannot read Notion's description of this database: it is incomplete or too long.",
    "Check that the integration may read content; a select with very many options is too"
    " long, so remove those that are not used.",
)
INVALID = refused(
    "invalid",
    "Notion did not accept one of the values.",
    "Compare the values with the columns in Notion: a status must be one of its options,"
    " and an option's name has no comma.",
)
# What a schema read a while ago may be the cause of.
STALE = {UNKNOWN_PROPERTY.reason, WRONG_TYPE.reason, INVALID.reason}

ANSWERS = AnswerTable(
    service="Notion",
    what="the page",
    look="Look in the database",
    while_failing="while it was writing: the page may be there or not",
    # Its codes say no more than its statuses do; these stand beside them.
    by_code={
        "multiple_data_sources_for_database": SEVERAL_SOURCES,
        "block_limit": refused(
            "blocks_used_up",
            "The Notion workspace's free plan has used up its 1,000 blocks.",
            "Upgrade the Notion workspace, or use one that has a single member.",
        ),
        "public_api_request_blocked": refused(
            "connection_blocked",
            "Notion has blocked this integration's requests.",
            "Write to Notion's support; waiting does not help.",
        ),
    },
    by_text={
        "is not a property that exists": UNKNOWN_PROPERTY,
        "is expected to be": WRONG_TYPE,
        "valid uuid": refused(
            "bad_id",
            "Notion does not take one of the ids.",
            "Give the database's address or its 32-character id; people and related pages are"
            " given by their ids too.",
        ),
        "length should be": refused(
            "too_long",
            "A value is longer than Notion takes.",
            "Shorten it: Notion takes 2,000 characters in one piece of text and 100 items in a"
            " list.",
        ),
        "validation_error": INVALID,
    },
    by_status={
        400: refused(
            "bad_request",
            "Notion could not read the request; that is Levqor's mistake, not yours.",
            "Report it to whoever looks after Levqor, with the run's id.",
        ),
        401: refused(
            "key_refused",
            "Notion does not accept the integration's secret: it is wrong or was revoked.",
            "Copy the Internal Integration Secret again and put it in NOTION_API_KEY.",
        ),
        403: refused(
            "not_allowed",
            "The integration may not write there.",
            "Open the integration's settings in Notion, choose Capabilities and switch on"
            " Read content and Insert content.",
        ),
        404: refused(
            "not_shared",
            "Notion has no such database for this integration: the id is wrong or it is not"
            " shared.",
            "Open the database in Notion, choose ••• > Connections and add the integration, to"
            " related databases as well; if it is there already, check the ids.",
        ),
        409: refused(
            "conflict",
            "Someone changed the database at the same moment, twice in a row.",
            "Send it again in a moment.",
        ),
        429: not_sent(
            "too_fast",
            "Notion is getting too many requests from this integration or its workspace.",
            "Wait a minute, then send it again.",
        ),
        529: not_sent(
            "overloaded",
            "Notion is overloaded and took nothing.",
            "Wait a few minutes, then send it again.",
        ),
    },
    also=(EDGE_BLOCKED, UNREADABLE),
)
# For an answer without Notion's body, which something in front of it gave.
EDGE = replace(
    ANSWERS, by_status={**ANSWERS.by_status, 400: ANSWERS.unrecognised, 403: EDGE_BLOCKED}
)


class Complaint(AnswerModel):
    """Notion's error body."""

    code: str = ""
    message: str = ""
    additional_data: dict[str, Any] = Field(default_factory=dict)


def complaint(answer: Answer) -> Complaint:
    """Read an error body; an empty complaint where there is none (a proxy's HTML)."""
    return answer.parse(Complaint) or Complaint()


def explain(answer: Answer, columns: Mapping[str, str] | None = None) -> UpstreamError:
    """Say what an answer means; `columns` are the database's types by name, where known."""
    body = complaint(answer)
    more = body.additional_data
    codes = {
        400: more.get("error_type"),
        403: "block_limit" if "block_limit" in more else None,
        429: more.get("rate_limit_reason"),
    }
    invalid = answer.status == 400 and body.code == "validation_error"
    return (ANSWERS if body.code else EDGE).error(
        answer,
        code=str(codes.get(answer.status) or ""),
        text=f"{body.message} {body.code}" if invalid else "",
        wait=_wait(answer, body),
        values=_values(answer, body, columns or {}),
    )


def _values(answer: Answer, body: Complaint, columns: Mapping[str, str]) -> dict[str, str | None]:
    """The names a detailed fix may have; never a sentence of Notion's."""
    sources = body.additional_data.get("child_data_source_ids")
    ids = [str(source) for source in sources] if isinstance(sources, list) else []
    column = next((name for name in columns if body.message.startswith(f"{name} is expected")), "")
    ray = answer.headers.get("cf-ray", "")
    return {
        # They are shown, so they must be ids and nothing else.
        "sources": listed(ident for ident in ids if re.fullmatch(r"[0-9A-Fa-f-]{1,36}", ident)),
        "columns": listed(columns),
        "column": column,
        "kind": columns.get(column),
        "ray": ray if re.fullmatch(r"[\w-]{1,40}", ray) else None,
    }


def _wait(answer: Answer, body: Complaint) -> float | None:
    """Seconds to wait: from the header, else from the body, which has them as text."""
    if answer.retry_after is not None:
        return answer.retry_after
    seconds = str(body.additional_data.get("retry_after", ""))
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", seconds) else None
