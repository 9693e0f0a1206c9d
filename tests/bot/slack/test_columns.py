"""A destination's columns in the open form: shown, filled in, refused beside their fields."""

import json
import time

import pytest

from bot.columns import Shown
from bot.slack import views
from core.callers import Caller
from core.connectors.notion import CONNECTOR, Entry
from core.engine import targets
from core.sandbox.notion.schema import column, options
from tests.support.sandbox import Answer, Delay, Hang
from tests.support.sandbox import notion as workspace
from tests.support.sandbox.slack_rules import view_faults
from tests.support.sending import Direct
from tests.support.slack import ME, at_work
from tests.support.waiting import wait_for

COMMAND = "/levqor-notion-create"
KINDS = {
    "props.title": "plain_text_input",
    "props.Notes": "plain_text_input",
    "props.Points": "number_input",
    "props.Priority": "static_select",
    "props.Status": "static_select",
    "props.Tags": "multi_static_select",
    "props.Due": "datepicker",
    "props.Done": "checkboxes",
    "props.Link": "plain_text_input",
    "props.Mail": "plain_text_input",
    "props.Phone": "plain_text_input",
}
FILLED = {
    "props.title": "Fix a=b",
    "props.Points": "4.5",
    "props.Status": "Open",
    "props.Tags": ["bug", "idea"],
    "props.Due": "2026-12-01",
    "props.Done": ["yes"],
}


def opened(slack, wanted="props.title"):
    """Open the form; once it shows a column, the view."""
    slack.people.command(COMMAND, " ")
    return shows(slack, wanted)


def shows(slack, wanted):
    wait_for(lambda: slack.people.views.last and wanted in blocks(slack.people.views.last))
    return slack.people.views.last


def blocks(view):
    return {block["block_id"]: block for block in view["blocks"]}


def kinds(view):
    return {
        name: block["element"]["type"]
        for name, block in blocks(view).items()
        if name.startswith("props.")
    }


def test_the_default_s_columns_come_into_the_open_form_and_are_sent_as_they_are(slack, sandbox):
    view = opened(slack)
    assert kinds(view) == KINDS
    others = blocks(view)["props"]
    assert (others["label"]["text"], others["optional"]) == ("Other columns (props)", True)
    assert "Owner (people), Related (relation), Files (files)" in others["hint"]["text"]
    taken = slack.people.submit_view({**FILLED, "props": "Priority=Brand new"})
    assert taken.ack["response_action"] == "update"
    wait_for(lambda: sandbox.notion.writes)
    made = sandbox.notion.writes[0].json["properties"]
    ids = {option["name"]: option["id"] for option in options("Open", "bug", "idea")}
    assert made == {
        "Name": {"title": [{"text": {"content": "Fix a=b"}}]},
        "Points": {"number": 4.5},
        "Status": {"status": {"id": ids["Open"]}},
        "Tags": {"multi_select": [{"id": ids["bug"]}, {"id": ids["idea"]}]},
        "Due": {"date": {"start": "2026-12-01"}},
        "Done": {"checkbox": True},
        "Priority": {"select": {"name": "Brand new"}},
    }


def test_a_chosen_target_and_a_typed_database_show_their_own_columns(home, sandbox):
    with at_work(home, sandbox, NOTION_DATABASE_ID_DEFAULT=None) as slack:
        where = {"database_id": workspace.CONTACTS.id}
        by = Caller("cli", "root")
        targets.add(slack.engine, "people", "notion.create", where, None, by=by)
        slack.engine.ledger.set_plan(ME, "pro")
        slack.people.command(COMMAND, " ")
        first = shows(slack, "target")
        # Nothing says yet where it leads.
        assert kinds(first) == {}
        slack.people.click(first, "target", chosen="people")
        people = shows(slack, "props.Done?")
        assert "target" in blocks(people)
        typed = {"database_id": workspace.FOLLOW_UPS.id}
        slack.people.click(people, "Read its columns again", values=typed)
        assert set(kinds(shows(slack, "props.Done"))) == {"props.title", "props.Done"}
        slack.people.submit_view({"target": "people", "props.title": "Ada"})
        wait_for(lambda: sandbox.notion.writes)


def test_what_does_not_fit_stands_beside_its_column_and_what_has_gone_is_named(slack, sandbox):
    opened(slack)
    taken = slack.people.submit_view({})
    assert taken.ack["errors"] == {"props.title": "fill in this or another column"}
    left = options("Low", "Urgent")
    sandbox.notion.shows(
        column("Name", "title"),
        column("Priority", "select", options=left),
        column("Points", "date"),
    )
    gone = {"props.title": "one", "props.Points": "3", "props.Status": "Open"}
    # By what is remembered these fit; Notion says that they do not, and is asked for what does.
    slack.people.submit_view(gone)
    wait_for(lambda: slack.engine.ledger.runs(1)[0].state == "refused")
    assert sandbox.notion.pages == {}
    before = slack.people.views.last
    slack.people.command(COMMAND, " ")
    wait_for(lambda: slack.people.views.last != before)
    view = shows(slack, "props.Priority")
    assert [o["value"] for o in blocks(view)["props.Priority"]["element"]["options"]] == [
        "Low", "Urgent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Answer(401, json={"code": "unauthorized"}), "Copy the Internal Integration Secret"),
        (Hang(), "did not answer in time"),
    ],
    ids=["refused", "silent"],
)
def test_without_columns_the_form_says_why_and_sends_what_is_written(home, sandbox, answer, word):
    with at_work(home, sandbox) as slack:
        sandbox.notion.always(answer, on="databases.retrieve")
        slack.people.command(COMMAND, " ")
        wait_for(lambda: slack.people.views.last and word in json.dumps(slack.people.views.last))
        view = slack.people.views.last
        assert kinds(view) == {}
        sandbox.notion.always(None, on="databases.retrieve")
        slack.people.submit_view({"props": "title=by hand"})
        wait_for(lambda: sandbox.notion.writes)


def test_a_slow_notion_holds_up_no_acknowledgement_and_an_older_answer_is_not_shown(home, sandbox):
    with at_work(home, sandbox) as slack:
        sandbox.notion.next(Delay(1.0), on="databases.retrieve")
        began = time.monotonic()
        done = slack.people.command(COMMAND, " ")
        assert done.latency < 1.0 or time.monotonic() - began < 3.0
        wait_for(lambda: slack.people.views.last)
        typed = {"database_id": workspace.CONTACTS.id}
        asked = slack.people.click(slack.people.views.last, "Show its columns", values=typed)
        assert asked.acked
        shows(slack, "props.Done?")
        wait_for(lambda: len(sandbox.notion.calls("databases.retrieve")) == 2)
        wait_for(lambda: len(sandbox.notion.calls("data_sources.retrieve")) == 2)
        assert "props.Done?" in blocks(slack.people.views.last)


HUGE = [
    column("Name", "title"),
    *(column(f"Choice {n}", "select", options=[
        {"id": f"{n}-{o}", "name": f"{o} " + "x" * 60} for o in range(5)]) for n in range(60)),
    *(column(f"Text {n}", "rich_text") for n in range(60)),
]  # fmt: skip
LONG = [
    column("Long", "select", options=options("L" * 2000, "M" * 2000)),
    column("Alike", "select", options=options("a" * 80 + "1", "a" * 80 + "2")),
    column("Cut", "select", options=options("a" * 80, "b" * 150)),
    column("Many", "select", options=[{"id": str(n), "name": f"o{n}"} for n in range(101)]),
]
EXPECTED = {
    "props.Long": "plain_text_input",
    "props.Alike": "plain_text_input",
    "props.Cut": "static_select",
    "props.Many": "plain_text_input",
}


@pytest.mark.parametrize("listed", [HUGE, LONG, HUGE[:1]], ids=["wide", "long", "one"])
def test_a_form_stays_within_slacks_bounds_however_much_notion_has(sandbox, listed):
    sandbox.notion.shows(*listed)
    with Direct(CONNECTOR, sandbox) as direct:
        request = Entry(database_id=workspace.DATABASE.id, props={"title": "x"})
        ask = CONNECTOR.actions[0].columns
        columns = direct.ask(lambda config, http: ask(request, config, http, True))
    trouble = "T" * 5000
    made = views.inputs(Entry, {}.get, ["ops"], Shown(columns, trouble))
    view = views.form("notion.create", "Create a Notion page", made, {})
    assert view_faults(view, "modal") == []
    assert len(json.dumps(view)) < 250_000
    fields = {b["block_id"]: b["element"]["type"] for b in made if b.get("type") == "input"}
    assert fields.items() >= (EXPECTED if listed is LONG else {}).items()
    if listed is HUGE:
        assert 80 < len(fields) <= 100
        assert "Text" in made[-1]["hint"]["text"]
