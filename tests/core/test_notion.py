"""Creating pages in Notion: what is asked, in which order, and what comes back."""

import json

import pytest
from openapi_core.exceptions import OpenAPIError
from pydantic import SecretStr, ValidationError

from core.callers import Caller
from core.connectors.notion import CONNECTOR
from core.errors import InvalidInput, NotConfigured
from core.sandbox import Answer, Drip, DropAfter, Hang
from core.sandbox.notion import schema
from tests.support.direct import Direct
from tests.support.vendor import checked_request

DATABASE = schema.DATABASES[0].id
SOURCE = schema.TASKS.id
INCIDENTS = schema.INCIDENTS.id
TWO_SOURCES = schema.DATABASES[1].id
PAGE = "0f9c8b7a-6d5e-4c3b-9a2f-112233445566"
ADA = Caller("cli", "ada")


@pytest.fixture
def notion(settings):
    direct = Direct(CONNECTOR, settings)
    yield direct
    direct.close()


def calls(sandbox):
    return [request.call for request in sandbox.notion.received]


def refused(call):
    with pytest.raises(InvalidInput) as caught:
        call()
    return [(fault.field, fault.message) for fault in caught.value.faults]


class TestAPage:
    def test_is_made_in_the_database_s_only_source_after_reading_its_columns(self, notion, sandbox):
        receipt = notion.send(database_id=DATABASE, props={"title": "Fix login", "Points": "3"})

        [page] = sandbox.notion.writes
        assert receipt.status == "created"
        assert receipt.id == page.result
        assert receipt.link == f"https://www.notion.so/{page.result.replace('-', '')}"
        assert calls(sandbox) == ["databases.retrieve", "data_sources.retrieve", "pages.create"]
        assert page.json == {
            "parent": {"type": "data_source_id", "data_source_id": SOURCE},
            "properties": {
                "Name": {"title": [{"text": {"content": "Fix login"}}]},
                "Points": {"number": 3},
            },
        }

    def test_every_call_names_the_version_and_carries_the_secret(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "Fix login"})

        for request in sandbox.notion.received:
            assert request.headers["notion-version"] == "2026-03-11"
            assert request.headers["authorization"] == f"Bearer {sandbox.notion.api_key}"

    def test_a_second_one_uses_the_columns_read_for_the_first(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "one"})
        notion.send(database_id=DATABASE, props={"title": "two"})

        assert calls(sandbox)[3:] == ["pages.create"]

    def test_a_data_source_s_id_does_as_well(self, notion, sandbox):
        notion.send(database_id=INCIDENTS, props={"Title": "Disk full"})

        [page] = sandbox.notion.writes
        assert page.json["parent"]["data_source_id"] == schema.INCIDENTS.id

    def test_is_what_the_official_client_sends(self, notion, sandbox, specs):
        golden = json.loads((specs / "golden/notion.pages_create.data_source.json").read_text())
        asked = golden["requests"][0]["body_json"]
        kinds = {"Name": "title", "Tags": "multi_select", "Done": "checkbox", "N": "number"}
        columns = {name: {"id": name, "type": kind} for name, kind in kinds.items()}
        columns["When"] = {"id": "when", "type": "date"}
        source = asked["parent"]["data_source_id"]
        sandbox.notion.next(Answer(404), on="databases.retrieve")
        sandbox.notion.next(
            Answer(200, json={"id": source, "properties": columns}), on="data_sources.retrieve"
        )
        sandbox.notion.next(Answer(200, json={"id": PAGE}), on="pages.create")

        notion.send(
            database_id=source,
            props={
                "Name": 'Héllo *world* <@U1> & "quotes" 🚀\nline 2',
                "Tags": "a",
                "Done": "yes",
                "N": "3.5",
                "When": "2026-11-22",
            },
        )

        [sent] = sandbox.notion.calls("pages.create")
        assert sent.json == asked
        assert sent.method == golden["requests"][0]["method"]
        assert sent.path == golden["requests"][0]["path"]
        assert sent.headers["content-type"].startswith("application/json")

    def test_with_every_type_fits_notion_s_own_description(self, notion, sandbox, specs):
        notion.send(
            database_id=DATABASE,
            props={
                "title": "Fix login",
                "Notes": "x" * 2001,
                "Points": 4.5,
                "Priority": "High",
                "Status": "Open",
                "Tags": ["bug", "idea"],
                "Due": "2026-12-01/2026-12-05",
                "Done": True,
                "Link": "https://example.com/a",
                "Mail": "ada@example.com",
                "Phone": "+49 30 1234",
                "Owner": schema.PERSON,
                "Related": schema.TASK,
                "Files": "https://example.com/report.pdf",
            },
        )

        description = specs / "notion.openapi.json"
        for request in sandbox.notion.received:
            checked_request(description, "https://api.notion.com", request)
        request.body = request.body.replace(b'"checkbox": true', b'"checkbox": "true"')
        with pytest.raises(OpenAPIError):
            checked_request(description, "https://api.notion.com", request)

    def test_without_a_value_leaves_the_column_empty(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "x", "Points": "", "Due": None})

        [page] = sandbox.notion.writes
        assert page.json["properties"]["Points"] == {"number": None}
        assert page.json["properties"]["Due"] == {"date": None}


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
            f"Incidents ({schema.INCIDENTS.id}), Follow-ups ({schema.FOLLOW_UPS.id})."
        )
        assert calls(sandbox) == ["databases.retrieve"]

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, json={"object": "database", "data_sources": []}),
            Answer(200, body="<html>"),
            Answer(200, json={"data_sources": [{"id": SOURCE}], "padding": "x" * 70_000}),
        ],
        ids=["no source", "no JSON", "over 64 KB"],
    )
    def test_that_cannot_be_read_are_said_to_be_so(self, notion, sandbox, answer):
        sandbox.notion.next(answer, on="databases.retrieve")

        error = notion.failing(database_id=DATABASE, props={"title": "x"})

        assert (error.outcome, error.reason) == ("refused", "unreadable")
        assert len(sandbox.notion.received) == 1


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
    def test_an_answer_that_does_not_end_in_time_is_unknown(self, settings, sandbox, fault):
        sandbox.notion.next(fault, on="pages.create")

        error = Direct(CONNECTOR, settings, attempt_seconds=0.5).failing(
            database_id=DATABASE, props={"title": "x"}
        )

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


class TestInput:
    @pytest.mark.parametrize(
        "given",
        [
            "d9824bdc84454327be8b5b47500af6ce",
            "D9824BDC84454327BE8B5B47500AF6CE",
            "d9824bdc-8445-4327-be8b-5b47500af6ce",
            " d9824bdc84454327be8b5b47500af6ce ",
            "https://www.notion.so/d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/team/Tasks-d9824bdc84454327be8b5b47500af6ce?v=0123456789abcdef0123456789abcdef&pvs=4",
            "https://www.notion.so/Cafe-d9824bdc84454327be8b5b47500af6ce#0123456789abcdef0123456789abcdef",
            "https://team.notion.site/d9824bdc-8445-4327-be8b-5b47500af6ce/",
            "notion.so/d9824bdc84454327be8b5b47500af6ce?v=",
        ],
    )
    def test_a_database_is_named_by_id_or_address(self, given):
        request = CONNECTOR.actions[0].input(database_id=given, props={"title": "x"})

        assert request.database_id == "d9824bdc-8445-4327-be8b-5b47500af6ce"

    @pytest.mark.parametrize(
        "given",
        [
            "Tasks",
            "d9824bdc84454327be8b5b47500af6c",
            "d9824bdc84454327be8b5b47500af6ce0",
            "x-d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/?v=d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/d9824bdc84454327be8b5b47500af6ce/settings",
            "d9824bdc84454327be8b5b47500af6ce/../users",
            "",
        ],
    )
    def test_what_holds_no_id_is_refused(self, given):
        with pytest.raises(ValidationError, match="32-character id, or an address"):
            CONNECTOR.actions[0].input(database_id=given, props={"title": "x"})

    @pytest.mark.parametrize(
        ("props", "message"),
        [
            ({}, "at least 1"),
            ({f"c{n}": "x" for n in range(101)}, "at most 100"),
            ({"Name": "x" * 500_000}, "at most 500,000 bytes in all"),
            ({"Name": float("nan")}, "nothing but JSON"),
            ({"Name": {1, 2}}, "nothing but JSON"),
            ({"Name": "a\x00b"}, "control character"),
            ({" ": "x"}, "has a value without a name"),
            ({"Name": "x", " Name": "y"}, "names a column twice"),
        ],
        ids=["none", "101", "500 KB", "NaN", "a set", "NUL", "no name", "twice"],
    )
    def test_properties_are_bounded(self, props, message):
        with pytest.raises(ValidationError, match=message):
            CONNECTOR.actions[0].input(database_id=DATABASE, props=props)

    def test_a_page_without_a_database_says_what_to_give_or_set(self, settings):
        action, config = CONNECTOR.actions[0], settings.config(CONNECTOR)
        request = action.input(props={"title": "x"})

        assert refused(lambda: action.check(request, config, False)) == [
            ("database_id", "is missing; give it, or set NOTION_DATABASE_ID_DEFAULT")
        ]

    def test_a_test_page_without_a_default_is_not_configured(self, settings):
        action, config = CONNECTOR.actions[0], settings.config(CONNECTOR)

        with pytest.raises(NotConfigured) as caught:
            action.check(action.input(**action.sample), config, True)

        assert caught.value.settings == ("NOTION_DATABASE_ID_DEFAULT",)
        assert caught.value.fix == "Set NOTION_DATABASE_ID_DEFAULT to a database's address."


class TestConfig:
    def test_the_default_database_may_be_an_address(self):
        config = CONNECTOR.config(
            NOTION_API_KEY=SecretStr("ntn_x"),
            NOTION_DATABASE_ID_DEFAULT="https://www.notion.so/d9824bdc84454327be8b5b47500af6ce?v=1",
        )

        assert config.database == "d9824bdc-8445-4327-be8b-5b47500af6ce"
        assert config.api_url == "https://api.notion.com"

    def test_a_malformed_default_is_refused_without_being_shown(self):
        with pytest.raises(ValidationError) as caught:
            CONNECTOR.config(
                NOTION_API_KEY=SecretStr("ntn_x"), NOTION_DATABASE_ID_DEFAULT="my-private-name"
            )

        assert "32-character id" in str(caught.value)
        assert "my-private-name" not in str(caught.value)


class TestProbe:
    def test_reads_who_we_are_and_the_default_database_and_writes_nothing(self, notion, sandbox):
        found = notion.probe()

        assert (found.attention, len(found.notes)) == (False, 1)
        assert "shows only when a page is made" in found.notes[0]
        assert calls(sandbox) == ["users.me", "databases.retrieve", "data_sources.retrieve"]
        assert sandbox.notion.writes == []

    def test_without_a_default_asks_only_who_we_are(self, settings, sandbox):
        direct = Direct(CONNECTOR, Without(settings, "database"))

        assert direct.probe().notes == (
            "NOTION_DATABASE_ID_DEFAULT is not set: a database must be named each time.",
        )
        assert calls(sandbox) == ["users.me"]

    @pytest.mark.parametrize(
        ("call", "answer", "reason", "requests"),
        [
            ("users.me", Answer(401, json={"code": "unauthorized"}), "key_refused", 1),
            ("users.me", Answer(502), "down", 1),
            ("databases.retrieve", Answer(503), "down", 2),
            ("data_sources.retrieve", Answer(403, json={"code": "restricted_resource"}),
             "not_allowed", 3),
        ],
    )  # fmt: skip
    def test_fails_once_with_the_reason(self, notion, sandbox, call, answer, reason, requests):
        sandbox.notion.next(answer, on=call)

        assert notion.failing_probe().reason == reason
        assert len(sandbox.notion.received) == requests


def test_a_column_refused_here_settles_the_run_as_refused(engine, sandbox):
    settled = engine.run("notion.create", {"props": {"Nam": "x"}}, ADA)

    assert (settled.outcome, settled.error.code) == ("refused", "validation_error")
    assert sandbox.notion.writes == []
    assert engine.run("notion.create", {"props": {"title": "x"}}, ADA).outcome == "sent"


def test_the_secret_is_nowhere_in_what_is_said(notion, sandbox):
    sandbox.notion.next(Answer(401, json={"message": sandbox.notion.api_key}))

    error = notion.failing(database_id=DATABASE, props={"title": "x"})

    assert sandbox.notion.api_key not in f"{error!r} {error.body()}"


class Without:
    """Settings with one value of the connector's left out."""

    def __init__(self, settings, name):
        self._settings, self._name = settings, name

    def config(self, connector):
        return self._settings.config(connector).model_copy(update={self._name: None})


def invalid(message, **more):
    body = {"object": "error", "status": 400, "code": "validation_error", "message": message}
    return Answer(400, json={**body, "additional_data": more})


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
