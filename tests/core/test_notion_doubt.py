"""A page that may have been made: what is done to find out, and what is said."""

import pytest

from core.connectors.notion import CONNECTOR
from core.sandbox.notion import schema
from tests.support.sandbox import Answer, Drip, DropAfter, Hang
from tests.support.sending import Direct

DATABASE = schema.DATABASE.id
PAGE = "0f9c8b7a-6d5e-4c3b-9a2f-112233445566"


def calls(sandbox):
    return [request.call for request in sandbox.notion.received]


class TestInDoubt:
    def test_a_page_that_a_503_says_was_saved_is_read_back(self, notion, sandbox):
        sandbox.notion.next(committed(PAGE), on="pages.create")
        found = {"object": "page", "id": PAGE, "url": "https://www.notion.so/there"}
        sandbox.notion.next(Answer(200, json=found), on="pages.retrieve")

        receipt = notion.send(database_id=DATABASE, props={"title": "x"})

        assert (receipt.status, receipt.id) == ("created", PAGE)
        assert receipt.link == "https://www.notion.so/there"
        assert calls(sandbox)[2:] == ["pages.create", "pages.retrieve"]
        assert sandbox.notion.received[-1].path == f"/v1/pages/{PAGE}"

    @pytest.mark.parametrize(
        ("resource", "looks"),
        [(PAGE, 1), ("../../users", 0), (7, 0)],
        ids=["nothing there", "no id", "a number"],
    )
    def test_a_503_whose_page_is_not_seen_is_unknown_and_never_repeated(
        self, notion, sandbox, resource, looks
    ):
        sandbox.notion.next(committed(resource), on="pages.create")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, error.reason) == ("unknown", "failed")
        assert len(sandbox.notion.calls("pages.create")) == 1
        assert len(sandbox.notion.calls("pages.retrieve")) == looks

    def test_a_read_back_that_breaks_is_unknown(self, notion, sandbox):
        sandbox.notion.next(committed(PAGE), on="pages.create")
        sandbox.notion.next(DropAfter(), on="pages.retrieve")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, error.reason) == ("unknown", "failed")
        assert len(sandbox.notion.calls("pages.create")) == 1

    def test_a_connection_lost_after_the_page_was_made_is_unknown(self, notion, sandbox):
        sandbox.notion.next(DropAfter(), on="pages.create")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, len(sandbox.notion.writes)) == ("unknown", 1)

    @pytest.mark.parametrize("fault", [Hang(), Drip(headers=True), Drip()])
    def test_an_answer_that_does_not_end_in_time_is_unknown(self, sandbox, fault):
        sandbox.notion.next(fault, on="pages.create")

        with Direct(CONNECTOR, sandbox, attempt_seconds=3) as notion:
            error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, len(sandbox.notion.writes)) == ("unknown", 1)
        assert len(sandbox.notion.calls("pages.create")) == 1

    def test_a_success_without_a_page_is_unknown(self, notion, sandbox):
        sandbox.notion.next(Answer(200, body="ok"), on="pages.create")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, error.reason) == ("unknown", "unexpected_answer")
        assert len(sandbox.notion.calls("pages.create")) == 1

    def test_a_conflict_is_tried_once_more(self, notion, sandbox):
        conflict = {"code": "conflict_error", "message": "Conflict occurred while saving."}
        sandbox.notion.next(Answer(409, json=conflict), on="pages.create")

        notion.send(database_id=DATABASE, props={"title": "x"})

        assert len(sandbox.notion.calls("pages.create")) == 2
        assert len(sandbox.notion.writes) == 1

    def test_columns_that_cannot_be_read_mean_nothing_was_sent(self, notion, sandbox):
        sandbox.notion.next(DropAfter(), on="databases.retrieve")

        notion.send(database_id=DATABASE, props={"title": "x"})

        assert (notion.attempts, len(sandbox.notion.writes)) == (2, 1)


def committed(resource):
    body = {
        "object": "error",
        "status": 503,
        "code": "service_unavailable",
        "message": "Notion is unavailable.",
        "additional_data": {
            "retry_guidance": ["Read the object again.", "Do not repeat the write."],
            "committed_resource_id": resource,
        },
    }
    return Answer(503, json=body)
