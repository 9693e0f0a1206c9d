"""Creating pages in Notion: what is asked, in which order, and what comes back."""

import json

import pytest

from core.callers import Caller
from core.connectors.notion import CONNECTOR
from core.sandbox.notion import schema
from tests.support.sandbox import Answer
from tests.support.sandbox import notion as workspace
from tests.support.sending import probe

DATABASE = schema.DATABASE.id
SOURCE = schema.TASKS.id
INCIDENTS = workspace.INCIDENTS.id
PAGE = "0f9c8b7a-6d5e-4c3b-9a2f-112233445566"
ADA = Caller("cli", "ada")


def calls(sandbox):
    return [request.call for request in sandbox.notion.received]


class TestAPage:
    def test_is_made_in_the_database_s_only_source_after_reading_its_columns(self, notion, sandbox):
        receipt = notion.send(database_id=DATABASE, props={"title": "Fix login", "Points": "3"})

        [page] = sandbox.notion.writes
        assert receipt.status == "created"
        [page_id] = sandbox.notion.pages
        assert receipt.id == page_id
        assert receipt.link == f"https://www.notion.so/{page_id.replace('-', '')}"
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
        assert page.json["parent"]["data_source_id"] == workspace.INCIDENTS.id

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

    def test_an_empty_value_is_sent_as_empty_and_null_is_not_sent(self, notion, sandbox):
        notion.send(database_id=DATABASE, props={"title": "x", "Points": "", "Due": None})

        [page] = sandbox.notion.writes
        assert set(page.json["properties"]) == {"Name", "Points"}
        assert page.json["properties"]["Points"] == {"number": None}


class TestProbe:
    def test_reads_who_we_are_and_the_default_database_and_writes_nothing(self, notion, sandbox):
        found = notion.probe()

        assert (found.attention, len(found.notes)) == (False, 1)
        assert "Write permission can't be checked" in found.notes[0]
        assert calls(sandbox) == ["users.me", "databases.retrieve", "data_sources.retrieve"]
        assert sandbox.notion.writes == []

    def test_without_a_default_asks_only_who_we_are(self, sandbox):
        found = probe(CONNECTOR, sandbox, NOTION_DATABASE_ID_DEFAULT=None)

        assert found.notes == (
            "NOTION_DATABASE_ID_DEFAULT is not set: each page must name its database_id.",
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
