"""Answers while Notion is only looked at: nothing was sent, whatever they say."""

import pytest

from core.sandbox.notion import schema
from tests.support.notion_answers import NOW, html, invalid, said
from tests.support.sandbox import Answer
from tests.support.sending import REQUESTS

DATABASE = schema.DATABASE.id
IN_A_WHILE = "Wait a few minutes, then try again."


@pytest.mark.parametrize("call", ["databases.retrieve", "data_sources.retrieve"])
@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (said(401, "unauthorized"), "refused", "key_refused"),
        (said(403, "restricted_resource"), "refused", "not_allowed"),
        (html(403), "refused", "edge_blocked"),
        (invalid("path.database_id should be a valid uuid"), "refused", "bad_id"),
        (said(429, "rate_limited", "", NOW), "not_sent", "too_fast"),
        (said(529, "service_overload", "", NOW), "not_sent", "overloaded"),
    ],
    ids=["401", "403", "edge", "400", "429", "529"],
)
def test_an_answer_to_a_look_at_the_columns_is_explained_too(
    notion, sandbox, call, answer, outcome, reason
):
    sandbox.notion.always(answer, on=call)

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert (error.outcome, error.reason) == (outcome, reason)
    assert len(sandbox.notion.calls(call)) == REQUESTS[outcome]
    assert sandbox.notion.calls("pages.create") == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_while_only_looking_is_not_sent(notion, sandbox, status):
    sandbox.notion.next(Answer(status), on="databases.retrieve")
    sandbox.notion.next(Answer(status), on="data_sources.retrieve")
    sandbox.notion.next(Answer(status), on="databases.retrieve")

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert (error.outcome, error.reason, error.fix) == ("not_sent", "down", IN_A_WHILE)
    assert sandbox.notion.calls("pages.create") == []


def test_a_database_that_neither_kind_of_id_finds_is_not_shared(notion, sandbox):
    error = notion.failing(database_id="0" * 32, props={"title": "x"})

    assert (error.outcome, error.reason) == ("refused", "not_shared")
    assert [request.call for request in sandbox.notion.received] == [
        "databases.retrieve",
        "data_sources.retrieve",
    ]
