"""What Notion may say, in plain words, and which of it an answer says.

Codes and causes: https://developers.notion.com/reference/status-codes and
https://developers.notion.com/reference/request-limits
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from core.contract import AnswerRow, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.contract import Answer
    from core.errors import UpstreamError

KEY_REFUSED = AnswerRow(
    "key_refused",
    "refused",
    "Notion does not accept the integration's secret: it is wrong or was revoked.",
    "Copy the Internal Integration Secret again and put it in NOTION_API_KEY.",
)
NOT_ALLOWED = AnswerRow(
    "not_allowed",
    "refused",
    "The integration may not write there.",
    "Open the integration's settings in Notion, choose Capabilities and switch on"
    " Read content and Insert content.",
)
BLOCKS_USED_UP = AnswerRow(
    "blocks_used_up",
    "refused",
    "The Notion workspace's free plan has used up its 1,000 blocks.",
    "Upgrade the Notion workspace, or use one that has a single member.",
)
EDGE_BLOCKED = AnswerRow(
    "edge_blocked",
    "refused",
    "Something in front of Notion turned the request away before Notion saw it.",
    "Check the network, the proxy or the VPN this computer uses.",
    "Check the network, the proxy or the VPN this computer uses; Notion's support can look up"
    " the Ray ID {ray}.",
)
NOT_SHARED = AnswerRow(
    "not_shared",
    "refused",
    "Notion has no such database for this integration: the id is wrong or it is not shared.",
    "Open the database in Notion, choose ••• > Connections and add the integration, to related"
    " databases as well; if it is there already, check the ids.",
)
SEVERAL_SOURCES = AnswerRow(
    "several_sources",
    "refused",
    "This database has several data sources, and a page belongs to one of them.",
    "Give the id of one data source as database_id (in Notion: the database's settings >"
    " Manage data sources > ••• > Copy data source ID).",
    "Give the id of one of its data sources as database_id: {sources}.",
)
BAD_ID = AnswerRow(
    "bad_id",
    "refused",
    "Notion does not take one of the ids.",
    "Give the database's address or its 32-character id; people and related pages are given"
    " by their ids too.",
)
UNKNOWN_PROPERTY = AnswerRow(
    "unknown_property",
    "refused",
    "The database has no column of that name; it may have been renamed.",
    "Use the columns' names exactly as they stand in Notion.",
    "Use one of the columns: {columns}.",
)
WRONG_TYPE = AnswerRow(
    "wrong_type",
    "refused",
    "A value does not fit its column's type.",
    "Give the value in the form its column wants: a number, a date, one of the options.",
    "The column {column} is of type {kind}; give it a value of that type.",
)
TOO_LONG = AnswerRow(
    "too_long",
    "refused",
    "A value is longer than Notion takes.",
    "Shorten it: Notion takes 2,000 characters in one piece of text and 100 items in a list.",
)
INVALID = AnswerRow(
    "invalid",
    "refused",
    "Notion did not accept one of the values.",
    "Compare the values with the columns in Notion: a status must be one of its options, and"
    " an option's name has no comma.",
)
BAD_REQUEST = AnswerRow(
    "bad_request",
    "refused",
    "Notion could not read the request; that is Levqor's mistake, not yours.",
    "Report it to whoever looks after Levqor, with the run's id.",
)
CONFLICT = AnswerRow(
    "conflict",
    "refused",
    "Someone changed the database at the same moment, twice in a row.",
    "Send it again in a moment.",
)
TOO_FAST = AnswerRow(
    "too_fast",
    "not_sent",
    "Notion is getting too many requests from this integration or its workspace.",
    "Wait a minute, then send it again.",
)
BLOCKED = AnswerRow(
    "connection_blocked",
    "refused",
    "Notion has blocked this integration's requests.",
    "Write to Notion's support; waiting does not help.",
)
OVERLOADED = AnswerRow(
    "overloaded",
    "not_sent",
    "Notion is overloaded and took nothing.",
    "Wait a few minutes, then send it again.",
)
FAILED = AnswerRow(
    "failed",
    "unknown",
    "Notion failed while it was writing: the page may be there or not.",
    "Look in the database before you send it again.",
)
DOWN = AnswerRow(
    "down",
    "not_sent",
    "Notion does not answer as it should at the moment.",
    "Wait a few minutes, then try again.",
)
UNEXPECTED = AnswerRow(
    "unexpected_answer",
    "unknown",
    "The answer was not one that Notion gives.",
    "Look in the database, and check that no proxy stands between Levqor and Notion.",
)
UNREADABLE = AnswerRow(
    "unreadable",
    "refused",
    "Levqor cannot read Notion's description of this database: it is incomplete or too long.",
    "Check that the integration may read content; a select with very many options is too"
    " long, so remove those that are not used.",
)
UNRECOGNISED = AnswerRow(
    "unrecognised",
    "refused",
    "Notion refused the page and gave a reason that Levqor does not know.",
    "Run levqor doctor to check Notion's settings, then try again.",
)

REFUSALS = (
    *(KEY_REFUSED, NOT_ALLOWED, BLOCKS_USED_UP, EDGE_BLOCKED, NOT_SHARED, SEVERAL_SOURCES, BAD_ID),
    *(UNKNOWN_PROPERTY, WRONG_TYPE, TOO_LONG, INVALID, BAD_REQUEST, CONFLICT, TOO_FAST),
    *(BLOCKED, OVERLOADED, FAILED, DOWN, UNREADABLE, UNRECOGNISED, UNEXPECTED),
)

# A validation error's code says no more than that; only its sentence tells what is wrong.
_INVALID_WORDS = (
    ("is not a property that exists", UNKNOWN_PROPERTY),
    ("is expected to be", WRONG_TYPE),
    ("valid uuid", BAD_ID),
    ("length should be", TOO_LONG),
)
# What a schema read a while ago may be the cause of.
STALE = {UNKNOWN_PROPERTY.reason, WRONG_TYPE.reason}


class Complaint(BaseModel):
    """Notion's error body."""

    code: str = ""
    message: str = ""
    additional_data: dict[str, Any] = Field(default_factory=dict)


def complaint(answer: Answer) -> Complaint:
    """Read an error body; an empty complaint where there is none (a proxy's HTML)."""
    return answer.parse(Complaint) or Complaint()


def explain(
    answer: Answer, *, columns: Mapping[str, str] | None = None, wrote: bool = True
) -> UpstreamError:
    """Say what an answer means.

    Args:
        answer: What Notion answered.
        columns: The types of the database's columns by name, where they are known.
        wrote: Whether a page was being written, or something only looked up.
    """
    said = complaint(answer)
    row = _row(answer.status, said, wrote=wrote)
    values = _values(row, answer, said, columns or {})
    # A wait would only tempt to repeat what may have been done.
    wait = _wait(answer, said) if row.outcome == "not_sent" else None
    return row.error(retry_after=wait, values=values)


def _row(status: int, said: Complaint, *, wrote: bool) -> AnswerRow:
    if status < 400:
        return UNEXPECTED if wrote else DOWN
    if status == 408 or (status >= 500 and status != 529):
        return FAILED if wrote else DOWN
    by_status = {
        400: _bad_request(said),
        401: KEY_REFUSED,
        403: _forbidden(said),
        404: NOT_SHARED,
        409: CONFLICT,
        429: _too_many(said),
        529: OVERLOADED,
    }
    return by_status.get(status, UNRECOGNISED)


def _bad_request(said: Complaint) -> AnswerRow:
    if said.code != "validation_error":
        return BAD_REQUEST if said.code else UNRECOGNISED
    if said.additional_data.get("error_type") == "multiple_data_sources_for_database":
        return SEVERAL_SOURCES
    return next((row for words, row in _INVALID_WORDS if words in said.message), INVALID)


def _forbidden(said: Complaint) -> AnswerRow:
    if not said.code:
        return EDGE_BLOCKED
    return BLOCKS_USED_UP if "block_limit" in said.additional_data else NOT_ALLOWED


def _too_many(said: Complaint) -> AnswerRow:
    blocked = said.additional_data.get("rate_limit_reason") == "public_api_request_blocked"
    return BLOCKED if blocked else TOO_FAST


def _values(
    row: AnswerRow, answer: Answer, said: Complaint, columns: Mapping[str, str]
) -> dict[str, str] | None:
    """Fill in the names a detailed fix has; never a sentence of Notion's."""
    if row is SEVERAL_SOURCES:
        found = said.additional_data.get("child_data_source_ids")
        ids = [str(one) for one in found] if isinstance(found, list) else []
        # They are shown, so they must be ids and nothing else.
        known = [one for one in ids if re.fullmatch(r"[0-9A-Fa-f-]{1,36}", one)]
        return {"sources": listed(known)} if known else None
    if row is UNKNOWN_PROPERTY and columns:
        return {"columns": listed(columns)}
    if row is WRONG_TYPE:
        name = next((n for n in columns if said.message.startswith(f"{n} is expected")), None)
        return {"column": name, "kind": columns[name]} if name else None
    if row is EDGE_BLOCKED:
        ray = answer.headers.get("cf-ray", "")
        return {"ray": ray} if re.fullmatch(r"[\w-]{1,40}", ray) else None
    return None


def _wait(answer: Answer, said: Complaint) -> float | None:
    """Seconds to wait: from the header, else from the body, which has them as text."""
    if answer.retry_after is not None:
        return answer.retry_after
    seconds = str(said.additional_data.get("retry_after", ""))
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", seconds) else None
