"""The form of a destination's columns, as its service has them now."""

import asyncio
import json
import re
import shutil
import threading
import time

import pytest

from core.callers import Caller
from core.engine import targets
from core.sandbox.notion.schema import column, options
from core.scopes import Scope
from tests.bot.web.pages.conftest import nonce, words
from tests.bot.web.pages.test_token_session import visit
from tests.bot.web.pages.test_walk import AXE, FOCUS, WIDER
from tests.support.console import walking
from tests.support.engines import both
from tests.support.npm import package
from tests.support.sandbox import Answer, Hang
from tests.support.sandbox import notion as workspace

PAGE = "/send/notion.create"
ANN = Caller("cli", "ann")
# What is typed into a column's own field, and what Notion gets.
SENT = [
    ("title", 'Fix "login": a=b, {c}', {"title": [{"text": {"content": 'Fix "login": a=b, {c}'}}]}),
    ("Notes", "one\r\ntwo = 2", {"rich_text": [{"text": {"content": "one\ntwo = 2"}}]}),
    ("Points", "4.5", {"number": 4.5}),
    ("Due", "2026-12-01", {"date": {"start": "2026-12-01"}}),
    ("Done", "yes", {"checkbox": True}),
    ("Link", "example.com/?a=b", {"url": "example.com/?a=b"}),
    ("Mail", "ann@example.com", {"email": "ann@example.com"}),
    ("Phone", "+49 30 1", {"phone_number": "+49 30 1"}),
]
# Each column's field, as the page draws it.
DRAWN = [
    r'<input name="props\.title" value=""',
    r'<textarea name="props\.Notes"',
    r'<input name="props\.Points" value="" inputmode="decimal"',
    r'<select name="props\.Priority"',
    r'<select name="props\.Status"',
    r'<input type="checkbox" name="props\.Tags" value="bug"',
    r'<input name="props\.Due" value="" type="date"',
    r'<input type="checkbox" name="props\.Done" value="yes"',
    r'<input name="props\.Link" value="" inputmode="url"',
    r'<input name="props\.Mail" value="" inputmode="email"',
    r'<input name="props\.Phone" value="" inputmode="tel"',
    r'<textarea name="props"',
]
# What Notion says, and what the form says of it.
TROUBLE = [
    (Answer(401, json={"code": "unauthorized", "message": ""}), "Copy the Internal Integration"),
    (Answer(429, headers={"retry-after": "1"}, json={"code": "rate_limited"}), "Wait a minute"),
    (Answer(200, body="<html>"), "cannot read Notion's description"),
    (Hang(), "did not answer in time"),
]


@pytest.fixture
def pro(web):
    web.bot.engine.ledger.set_plan("cli:ann", "pro")


def asked(ann, step="columns", **fields):
    form = {"nonce": "n", "step": step, **fields}
    return ann.post(PAGE, form if step == "columns" else {"columns": "yes", **form})


def option_names(page, name):
    drawn = re.search(rf'<select name="props\.{name}".*?</select>', page, re.DOTALL)[0]
    return re.findall(r'<option value="([^"]*)"', drawn)


def properties(sandbox):
    return [write.json["properties"] for write in sandbox.notion.writes]


def test_each_column_has_its_own_kind_of_field_and_what_was_typed_stays(ann, sandbox):
    assert "Show its columns" in ann.read(PAGE)
    assert sandbox.notion.received == []
    page = asked(ann, props="Notes=kept").body.decode()
    places = [re.search(drawn, page).start() for drawn in DRAWN]
    assert places == sorted(places)
    assert option_names(page, "Status") == ["", "Not started", "Open", "In progress", "Done"]
    assert "Notes=kept" in page
    assert "Owner (people), Related (relation), Files (files)" in page
    typed = {"props.title": "kept too", "props.Status": "Open", "props.Tags": "idea"}
    again = asked(ann, several="props.Tags", **typed).body.decode()
    assert 'value="kept too"' in again
    assert '<option value="Open" selected>' in again
    assert 'value="idea" checked' in again
    assert 'value="bug" checked' not in again


@both
def test_what_is_typed_for_a_column_is_what_notion_gets(ann, sandbox, pro):
    form = {f"props.{name}": text for name, text, _ in SENT}
    form |= {"props.Status": "Done", "props.Tags": "bug", "several": "props.Tags"}
    form["props"] = "Priority=Brand new"
    shown = asked(ann, "preview", **form)
    assert "Name: " not in words(shown).split("This will be sent")[0]
    assert "Tags: bug" in words(shown)
    assert sandbox.notion.writes == []
    assert "✓" in words(asked(ann, "send", **{**form, "nonce": nonce(shown)}))
    (made,) = properties(sandbox)
    expected = {("Name" if name == "title" else name): value for name, _, value in SENT}
    assert {name: made[name] for name in expected} == expected
    names = {option["id"]: option["name"] for option in options("Done", "bug")}
    assert names[made["Status"]["status"]["id"]] == "Done"
    assert [names[each["id"]] for each in made["Tags"]["multi_select"]] == ["bug"]
    assert made["Priority"] == {"select": {"name": "Brand new"}}


def test_an_option_that_has_gone_is_refused_with_those_there_are_and_is_not_made(ann, sandbox, pro):
    asked(ann)
    left = options("Low", "Urgent")
    sandbox.notion.shows(column("Name", "title"), column("Priority", "select", options=left))
    gone = {"props.title": "one", "props.Priority": "High"}
    for step in ("send", "preview"):
        reply = asked(ann, step, **gone)
        assert "'High' is no option; the options are: Low, Urgent" in words(reply)
    page = reply.body.decode()
    assert option_names(page, "Priority") == ["", "Low", "Urgent", "High"]
    assert '<option value="High" selected>' in page
    # The first was sent by what was remembered: Notion was asked for that option and no new one.
    assert list(sandbox.notion.pages) == []
    assert "Tags" not in page
    kept = words(asked(ann, "preview", **gone, **{"props.Tags": "bug"}))
    assert "is not a column of this database; the columns are: Name, Priority" in kept


def test_faults_stand_beside_their_columns_and_an_empty_form_says_what_to_fill_in(ann, sandbox):
    reply = asked(ann, "send", **{"props.Points": "many", "props.title": "one"})
    page = reply.body.decode()
    assert re.search(r'name="props\.Points" value="many"[^>]*aria-invalid="true"', page)
    assert page.count("aria-invalid") == 1
    assert "fill in this or another column" in words(asked(ann, "send"))
    twice = asked(ann, "preview", **{"props.Points": "1", "props": "Points=2"})
    assert "names Points, which has a field of its own: keep one" in words(twice)
    assert sandbox.notion.writes == []


@pytest.mark.parametrize(("answer", "fix"), TROUBLE, ids=lambda each: str(each)[:20])
def test_where_the_columns_cannot_be_read_the_form_says_why_and_is_there(
    ann, sandbox, pro, answer, fix
):
    sandbox.notion.always(answer, on="databases.retrieve")
    sandbox.notion.always(answer, on="data_sources.retrieve")
    began, shown = time.monotonic(), []
    asking = threading.Thread(target=lambda: shown.append(asked(ann, props="title=one")))
    asking.start()
    # Whoever else looks at the console waits for nobody.
    assert ann.get("/send/slack.send").status == 200
    asking.join()
    took = time.monotonic() - began
    assert fix in words(shown[0])
    assert "write them as name=value" in words(shown[0])
    assert "Show its columns" in words(shown[0])
    assert "title=one" in shown[0].body.decode()
    if isinstance(answer, Hang):
        assert 1.5 < took < 15
    sandbox.notion.clear()
    assert "✓" in words(ann.post(PAGE, {"nonce": "n", "step": "send", "props": "title=one"}))


def test_what_was_typed_for_columns_survives_a_service_that_stops_answering(ann, sandbox):
    sandbox.notion.always(Answer(401, json={"code": "unauthorized"}))
    typed = {"props.Points": "4", "props.Tags": "bug", "several": "props.Tags"}
    page = asked(ann, "preview", **typed).body.decode()
    assert re.search(r'name="props\.Points" value="4"', page)
    assert 'value="bug" checked' in page
    assert 'name="several" value="props.Tags"' in page


@both
def test_a_target_shows_its_own_columns_but_not_to_whoever_may_use_targets_alone(web, ann, sandbox):
    engine = web.bot.engine
    where = {"database_id": workspace.CONTACTS.id}
    targets.add(engine, "people", "notion.create", where, None, by=ANN)
    page = asked(ann, target="people").body.decode()
    assert 'name="props.Done?"' in page
    # Names that look alike are told apart by what is written for them.
    assert page.count(">Team\n") == page.count(">team\n") == 1
    assert option_names(page, "Phase") == ["", "Café", "On hold "]
    before = len(sandbox.notion.received)
    tray = visit(web, engine.ledger.token_new("tray", scope=Scope.of("notion.create@people,open")))
    shown = tray.post(PAGE, {"nonce": "n", "step": "columns", "target": "people"})
    assert "columns" not in words(shown).replace("Columns and their values", "")
    assert "Done?" not in words(shown)
    assert len(sandbox.notion.received) == before


def test_a_form_whose_action_has_no_columns_shows_none(ann, sandbox):
    shown = ann.post("/send/slack.send", {"nonce": "n", "step": "columns", "text": "hello"})
    assert shown.status == 200
    assert "hello" in shown.body.decode()
    assert "columns" not in words(shown)
    assert sandbox.slack.received == []


WIDE = [
    column("Name", "title"),
    *(column(f"Column {number}", "rich_text") for number in range(120)),
    column("Long", "select", options=options("L" * 2000, "M" * 2000)),
]


def test_more_columns_than_a_page_takes_are_named_and_long_options_are_whole(ann, sandbox, pro):
    sandbox.notion.shows(WIDE[0], WIDE[-1], *WIDE[1:-1])
    page = asked(ann).body.decode()
    assert page.count('name="props.Column') == 98
    assert "Column 98 (rich_text)" in page
    assert option_names(page, "Long") == ["", "L" * 2000, "M" * 2000]
    filled = {f"props.Column {number}": "x" for number in range(98)}
    told = asked(ann, "send", **filled, **{"props.Long": "M" * 2000, "props.title": "t"})
    assert "✓" in words(told)
    (made,) = properties(sandbox)
    assert len(made) == 100
    assert made["Long"] == {"select": {"id": options("L" * 2000, "M" * 2000)[1]["id"]}}


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: make system")
def test_axe_finds_nothing_in_columns_and_the_keyboard_fills_them_in(web, sandbox, tmp_path):
    sandbox.notion.shows(*WIDE[:3], WIDE[-1], column("Tags", "multi_select", options=options("a")))

    async def walk():
        async with walking(web, tmp_path / "profile") as ann:
            await ann.look(width=390)
            await ann.sign_in("cli:ann")
            await ann.visit(PAGE)
            await ann.click("button[value='columns']")
            await ann.page.value((package("axe-core") / "axe.min.js").read_text())
            faults = json.loads(await ann.page.value(AXE))
            wider = await ann.page.value(WIDER)
            await ann.write("props.title", "By hand")
            reached = []
            for _ in range(6):
                await ann.press("Tab")
                name = await ann.page.value("document.activeElement.name")
                reached.append((name, (await ann.page.value(FOCUS))[1]))
            await ann.page.value("document.getElementsByName('props.title')[0].focus()")
            enter = {"type": "keyDown", "key": "Enter", "text": "\r"}
            await ann.page.call("Input.dispatchKeyEvent", **enter)
            await ann.page.loaded()
            return faults, wider, reached, await ann.words()

    faults, wider, reached, shown = asyncio.run(walk())
    assert faults == []
    assert wider <= 0
    assert [name for name, _ in reached] == [
        "props.Column 0", "props.Column 1", "props.Long", "props.Tags", "props", "step",
    ]  # fmt: skip
    assert [name for name, seen in reached if not seen] == []
    # Enter in a field is the preview, not the columns' button above it.
    assert "This will be sent" in shown
    assert "Name: By hand" in shown
