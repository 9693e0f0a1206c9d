"""Every answer of Notion's: what it means, what to do, and how often it was asked."""

import pytest

from core.connectors.notion import CONNECTOR
from core.sandbox.notion import schema
from tests.support.notion_answers import NOW, html, invalid, said
from tests.support.sandbox import Answer
from tests.support.sending import REQUESTS, check_told

DATABASE = schema.DATABASE.id
COLUMNS = (
    "Name, Notes, Points, Priority, Status, Tags, Due, Done, Link, Mail, Phone, Owner, Related, "
    "Files, Overdue, Related points, Created, Created by, Edited, Edited by and 2 more"
)
LOOK = "Look in the database before you send it again."
NETWORK = "Check the network, the proxy or the VPN this computer uses."
ONE_SOURCE = (
    "Give the id of one data source as database_id (in Notion: the database's settings >"
    " Manage data sources > ••• > Copy data source ID)."
)
COMPARE = (
    "Compare the values with the columns in Notion: a status must be one of its options, and"
    " an option's name has no comma."
)
NO_PROXY = "Look in the database, and check that no proxy is between Levqor and Notion."


ON_CREATE = {
    "secret": (
        said(401, "unauthorized", "API token is invalid."),
        "refused",
        "key_refused",
        "Copy the Internal Integration Secret again and put it in NOTION_API_KEY.",
    ),
    "capability": (
        said(403, "restricted_resource", "Insufficient permissions for this endpoint."),
        "refused",
        "not_allowed",
        ("Open the integration's settings in Notion, choose Capabilities and switch on"
        " Read content and Insert content."),
    ),
    "blocks used up": (
        said(403, "restricted_resource", "Block limit reached.", block_limit="1000"),
        "refused",
        "blocks_used_up",
        "Upgrade the Notion workspace, or use one that has a single member.",
    ),
    "edge with a ray": (
        html(403, **{"cf-ray": "8a1b2c3d4e5f-FRA"}),
        "refused",
        "edge_blocked",
        ("Check the network, the proxy or the VPN this computer uses; Notion's support can look up"
        " the Ray ID 8a1b2c3d4e5f-FRA."),
    ),
    "edge without one": (
        html(403),
        "refused",
        "edge_blocked",
        NETWORK,
    ),
    "edge with a strange ray": (
        html(403, **{"cf-ray": "<b>call 555</b>"}),
        "refused",
        "edge_blocked",
        NETWORK,
    ),
    "not shared": (
        said(404, "object_not_found", "Could not find data source with ID: …"),
        "refused",
        "not_shared",
        ("Open the database in Notion, choose ••• > Connections and add the integration, to related"
            " databases as well; if it is there already, check the ids."),
    ),
    "several sources": (
        invalid(
            "Databases with multiple data sources are not supported in this API version.",
            error_type="multiple_data_sources_for_database",
            child_data_source_ids=["11111111-aaaa", "22222222-bbbb"],
        ),
        "refused",
        "several_sources",
        "Give the id of one of its data sources as database_id: 11111111-aaaa, 22222222-bbbb.",
    ),
    "several sources, named by sentences": (
        invalid(
            "…",
            error_type="multiple_data_sources_for_database",
            child_data_source_ids=["Call +1 555", {"id": "x"}, None],
        ),
        "refused",
        "several_sources",
        ONE_SOURCE,
    ),
    "several sources, not named": (
        invalid("…", error_type="multiple_data_sources_for_database"),
        "refused",
        "several_sources",
        ONE_SOURCE,
    ),
    "no uuid": (
        invalid("body failed validation: body.parent.data_source_id should be a valid uuid, …"),
        "refused",
        "bad_id",
        ("Give the database's address or its 32-character id; people and related pages are given"
        " by their ids too."),
    ),
    "no such property": (
        invalid("Name is not a property that exists."),
        "refused",
        "unknown_property",
        f"Use one of the columns: {COLUMNS}.",
    ),
    "wrong type": (
        invalid("Name is expected to be rich_text."),
        "refused",
        "wrong_type",
        "The column Name is of type title; give it a value of that type.",
    ),
    "wrong type of an unknown column": (
        invalid("Elsewhere is expected to be rich_text."),
        "refused",
        "wrong_type",
        "Give the value in the form its column wants: a number, a date, one of the options.",
    ),
    "too long": (
        invalid(
            "body failed validation: body.properties.Name.title[0].text.content.length should be"
            " ≤ `2000`, instead was `2001`."
        ),
        "refused",
        "too_long",
        "Shorten it: Notion takes 2,000 characters in one piece of text and 100 items in a list.",
    ),
    "unknown status": (
        invalid('Invalid status option. Status option "Later" does not exist".'),
        "refused",
        "invalid",
        COMPARE,
    ),
    "comma in an option": (
        invalid("Invalid select option, commas not allowed: a, b"),
        "refused",
        "invalid",
        COMPARE,
    ),
    **{
        code: (
            said(400, code),
            "refused",
            "bad_request",
            "Report it to whoever looks after Levqor, with the run's id.",
        )
        for code in (
            *("missing_version", "invalid_request_url", "invalid_json", "invalid_beta"),
            "invalid_request",
        )
    },
    "400 without a code": (
        html(400),
        "refused",
        "unrecognised",
        "Run levqor doctor to check Notion's settings, then try again.",
    ),
    "rate": (
        said(
            *(429, "rate_limited", "You have been rate limited.", NOW),
            rate_limit_reason="public_api_request_rate_limit",
        ),
        "not_sent",
        "too_fast",
        "Wait a minute, then send it again.",
    ),
    "rate of the workspace": (
        said(
            *(429, "rate_limited", "You have been rate limited."),
            rate_limit_reason="public_api_space_request_rate_limit",
            retry_after="0",
        ),
        "not_sent",
        "too_fast",
        "Wait a minute, then send it again.",
    ),
    "blocked": (
        said(
            *(429, "rate_limited", "Blocked.", NOW),
            rate_limit_reason="public_api_request_blocked",
        ),
        "refused",
        "connection_blocked",
        "Write to Notion's support; waiting does not help.",
    ),
    "overload": (
        said(529, "service_overload", "Notion is overloaded.", NOW),
        "not_sent",
        "overloaded",
        "Wait a few minutes, then send it again.",
    ),
    "500": (said(500, "internal_server_error"), "unknown", "failed", LOOK),
    "502": (html(502), "unknown", "failed", LOOK),
    "503": (said(503, "service_unavailable", "", NOW), "unknown", "failed", LOOK),
    "database connection": (
        said(503, "database_connection_unavailable"),
        "unknown",
        "failed",
        LOOK,
    ),
    "504": (said(504, "gateway_timeout"), "unknown", "failed", LOOK),
    "408": (html(408), "unknown", "failed", LOOK),
    "a login page": (
        Answer(200, "<html>Log in to the network</html>"),
        "unknown",
        "unexpected_answer",
        NO_PROXY,
    ),
    "redirect": (
        Answer(302, headers={"Location": "https://login.example"}),
        "unknown",
        "unexpected_answer",
        NO_PROXY,
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ON_CREATE.values(), ids=ON_CREATE)
def test_an_answer_to_the_page_is_explained_and_repeated_only_if_it_was_not_sent(sandbox, row):
    answer, *told = row
    values = {"database_id": DATABASE, "props": {"title": "Fix login"}}
    error = check_told(CONNECTOR, sandbox, values, answer, told, on="pages.create")
    assert error.fix == told[-1]
    assert len(sandbox.notion.received) == 2 + REQUESTS[error.outcome]


def test_a_second_conflict_is_refused(notion, sandbox):
    sandbox.notion.always(said(409, "conflict_error"), on="pages.create")

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert (error.outcome, error.reason) == ("refused", "conflict")
    assert error.fix == "Send it again in a moment."
    assert len(sandbox.notion.calls("pages.create")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        said(429, "rate_limited", "", {"Retry-After": "3600"}),
        said(429, "rate_limited", "", retry_after="3600"),
        said(529, "service_overload", "", {"Retry-After": "3600"}, retry_after="1"),
    ],
    ids=["header", "body", "header before body"],
)
def test_a_wait_longer_than_the_run_is_told_and_not_slept(notion, sandbox, answer):
    sandbox.notion.always(answer, on="pages.create")

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert error.outcome == "not_sent"
    assert error.body()["retry_after"] == 3600
    assert len(sandbox.notion.calls("pages.create")) == 1


def test_what_may_have_been_done_comes_with_no_invitation_to_repeat(notion, sandbox):
    sandbox.notion.always(said(503, "service_unavailable", "", NOW), on="pages.create")

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert error.body()["in_doubt"] is True
    assert "retry_after" not in error.body()


def test_notion_s_own_words_are_never_passed_on(notion, sandbox):
    sandbox.notion.always(invalid("Canary is expected to be a canary"), on="pages.create")

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert "anary" not in f"{error!r} {error.body()}"
