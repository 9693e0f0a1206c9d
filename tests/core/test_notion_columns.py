"""The columns of a database: how they are read, remembered and asked for."""

import pytest

from core.errors import InvalidInput
from core.sandbox.notion import schema
from tests.support.sandbox import Answer
from tests.support.sandbox import notion as workspace

DATABASE = schema.DATABASE.id

SOURCE = schema.TASKS.id

INCIDENTS = workspace.INCIDENTS.id

TWO_SOURCES = workspace.DATABASES[1].id

PAGE = "0f9c8b7a-6d5e-4c3b-9a2f-112233445566"


def calls(sandbox):
    return [request.call for request in sandbox.notion.received]


def refused(call):
    with pytest.raises(InvalidInput) as caught:
        call()
    return [(fault.field, fault.message) for fault in caught.value.faults]


class TestColumns:
    def test_an_unknown_name_is_refused_with_the_nearest_before_anything_is_sent(
        self, notion, sandbox
    ):
        faults = refused(lambda: notion.send(database_id=INCIDENTS, props={"Wen": "2026-12-01"}))

        assert faults == [
            (
                "props.Wen",
                (
                    "is not a column of this database (did you mean 'When'?); "
                    "the columns are: Title, When"
                ),
            )
        ]
        assert calls(sandbox) == ["databases.retrieve", "data_sources.retrieve"]

    def test_all_faults_are_told_at_once(self, notion):
        faults = refused(
            lambda: notion.send(
                database_id=DATABASE, props={"Points": "many", "Overdue": True, "Done": "maybe"}
            )
        )

        assert faults == [
            ("props.Points", "is of type number: give a number such as 3 or 4.5"),
            ("props.Overdue", "is read-only in Notion (formula); leave it out"),
            ("props.Done", "is of type checkbox: give yes or no"),
        ]

    def test_remembered_ones_are_read_again_when_a_name_is_not_among_them(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "one"})
        columns = {"Name": {"id": "title", "type": "title"}, "New": {"id": "n", "type": "number"}}
        sandbox.notion.next(
            Answer(200, json={"id": SOURCE, "properties": columns}), on="data_sources.retrieve"
        )
        sandbox.notion.next(Answer(200, json={"id": PAGE}), on="pages.create")

        notion.send(database_id=DATABASE, props={"New": 3})

        assert calls(sandbox)[3:] == [
            "databases.retrieve",
            "data_sources.retrieve",
            "pages.create",
        ]

    def test_remembered_ones_are_read_again_once_when_notion_refuses_one(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "one"})
        refusal = invalid("Points is expected to be rich_text.")
        sandbox.notion.next(refusal, refusal, on="pages.create")

        error = notion.failing(database_id=DATABASE, props={"Points": 3})

        assert error.reason == "wrong_type"
        assert error.fix == ("The column Points is of type number; give it a value of that type.")
        assert calls(sandbox)[3:] == [
            "pages.create",
            "databases.retrieve",
            "data_sources.retrieve",
            "pages.create",
        ]

    def test_a_second_look_that_fails_leaves_the_first_refusal(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "one"})
        sandbox.notion.next(invalid("Points is not a property that exists."), on="pages.create")
        sandbox.notion.next(Answer(500), on="databases.retrieve")

        error = notion.failing(database_id=DATABASE, props={"Points": 3})

        assert (error.outcome, error.reason) == ("refused", "unknown_property")
        assert len(sandbox.notion.calls("pages.create")) == 2

    def test_of_a_database_with_several_sources_are_asked_for(self, notion, sandbox):
        error = notion.failing(database_id=TWO_SOURCES, props={"title": "x"})

        assert (error.outcome, error.reason) == ("refused", "several_sources")
        assert error.fix == (
            "Give the id of one of its data sources as database_id: "
            f"Incidents ({workspace.INCIDENTS.id}), Follow-ups ({workspace.FOLLOW_UPS.id})."
        )
        assert calls(sandbox) == ["databases.retrieve"]

    @pytest.mark.parametrize(
        ("call", "answer"),
        [
            ("databases", Answer(200, json={"object": "database", "data_sources": []})),
            ("databases", Answer(200, body="<html>")),
            ("data_sources", Answer(200, body="<html>")),
            ("databases", Answer(200, json={"data_sources": [{"id": SOURCE}], "x": "x" * 70_000})),
        ],
        ids=["no source", "no JSON", "no columns", "over 64 KB"],
    )
    def test_that_cannot_be_read_are_said_to_be_so(self, notion, sandbox, call, answer):
        sandbox.notion.next(answer, on=f"{call}.retrieve")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, error.reason) == ("refused", "unreadable")
        assert calls(sandbox)[-1] == f"{call}.retrieve"


def invalid(message, **more):
    body = {"object": "error", "status": 400, "code": "validation_error", "message": message}
    return Answer(400, json={**body, "additional_data": more})
