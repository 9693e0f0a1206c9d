"""A destination's columns, question by question."""

import pytest

from core.callers import Caller
from core.engine import targets
from core.sandbox.notion.schema import column, options
from tests.support.sandbox import Answer, Hang
from tests.support.sandbox import notion as workspace
from tests.support.telegram import Asked, sent

# What is answered, and what the next question begins with.
ANSWERS = [
    ("/notion_create", "/notion_create, 1 of 2: Database (database_id)"),
    ("/skip", "/notion_create, 2 of 13: Name\n"),
    ('Fix "login": a=b', "/notion_create, 3 of 13: Notes\n"),
    ("one\ntwo = 2", "/notion_create, 4 of 13: Points\nA number"),
    ("many", "Points: is of type number: give a number such as 3 or 4.5\n\n"),
    ("4.5", "/notion_create, 5 of 13: Priority\nOne of: Low, Medium, High\n"),
    ("Hihg", "Priority: is none of them; did you mean High?\n\n"),
    ("high", "/notion_create, 6 of 13: Status\n"),
    ("/skip", "/notion_create, 7 of 13: Tags\nAny of, with commas between them: bug, idea\n"),
    ("bug, other", "Tags: is none of them; "),
    ("idea, bug", "/notion_create, 8 of 13: Due\n"),
    ("2026-12-01", "/notion_create, 9 of 13: Done\n"),
    ("yes", "/notion_create, 10 of 13: Link\n"),
    ("/skip", "/notion_create, 11 of 13: Mail\n"),
    ("/skip", "/notion_create, 12 of 13: Phone\n"),
    ("/skip", "/notion_create, 13 of 13: Other columns (props)\n"),
    ("Points=3", "Points: is given already\n\n"),
]


def test_each_column_is_asked_for_by_its_kind_and_sent_as_it_was_answered(sandbox, ada):
    asks = Asked(ada)
    for answer, begins in ANSWERS:
        told = asks(answer)
        assert told.text.startswith(begins), told.text
    assert "For a column without a field, as name=value: Owner (people)" in told.text
    preview = asks("/skip")
    assert 'props: Name=Fix "login": a=b\nNotes=one\ntwo = 2\nPoints=4.5\n' in preview.text
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    ids = {each["name"]: each["id"] for each in options("High", "idea", "bug")}
    assert sandbox.notion.writes[0].json["properties"] == {
        "Name": {"title": [{"text": {"content": 'Fix "login": a=b'}}]},
        "Notes": {"rich_text": [{"text": {"content": "one\ntwo = 2"}}]},
        "Points": {"number": 4.5},
        "Priority": {"select": {"id": ids["High"]}},
        "Tags": {"multi_select": [{"id": ids["idea"]}, {"id": ids["bug"]}]},
        "Due": {"date": {"start": "2026-12-01"}},
        "Done": {"checkbox": True},
    }


def test_done_leaves_out_the_rest_and_nothing_at_all_is_not_sent(bot, sandbox, ada):
    where = {"database_id": workspace.FOLLOW_UPS.id}
    targets.add(bot.engine, "later", "notion.create", where, None, by=Caller("cli", "root"))
    asks = Asked(ada)
    asks("/notion_create")
    first = asks("later")
    # Both columns have a question of their own: there are no others.
    assert first.text.startswith("/notion_create, 2 of 3: What\n")
    refused = asks("/done")
    assert refused.text.startswith("props: at least one column is required\n\n")
    assert "3 of 3: Done\n" in refused.text
    preview = asks("yes")
    assert "target: later\nprops: Done=yes\nSend it?" in preview.text
    asks("/notion_create")
    asks("later")
    asks("Write it down")
    ada.presses(asks("/done"), "Send")
    ada.waits(until=sent)
    assert sandbox.notion.writes[0].json["properties"] == {
        "What": {"title": [{"text": {"content": "Write it down"}}]}
    }


def test_an_option_that_went_after_its_question_is_refused_with_those_there_are(sandbox, ada):
    asks = Asked(ada)
    for answer in ("/notion_create", "/skip", "one", "/skip", "/skip"):
        asks(answer)
    asks("High")
    left = options("Low", "Urgent")
    sandbox.notion.shows(column("Name", "title"), column("Priority", "select", options=left))
    ada.presses(asks("/done"), "Send")
    refused = ada.waits(until=lambda said: "Refused" in said.text)[-1]
    assert "'High' is no option; the options are: Low, Urgent" in refused.text
    assert sandbox.notion.pages == {}


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Answer(404, json={"code": "object_not_found"}), "choose ••• > Connections"),
        (Hang(), "did not answer in time"),
    ],
    ids=["refused", "silent"],
)
def test_without_columns_the_question_says_why_and_takes_them_all(sandbox, ada, answer, word):
    sandbox.notion.always(answer)
    asks = Asked(ada)
    asks("/notion_create")
    question = asks("/skip")
    assert question.text.startswith("/notion_create, 2 of 2: Properties (props)\n")
    assert word in question.text
    sandbox.notion.always(None)
    ada.presses(asks("title=By hand"), "Send")
    ada.waits(until=sent)
    assert len(sandbox.notion.writes) == 1


def test_no_more_is_asked_than_somebody_answers(sandbox, ada):
    wide = [column(f"Column {number}", "rich_text") for number in range(120)]
    long = column("Long", "select", options=options("L" * 2000, "M" * 2000))
    sandbox.notion.shows(column("Name", "title"), long, *wide)
    asks = Asked(ada)
    asks("/notion_create")
    assert asks("/skip").text.startswith("/notion_create, 2 of 27: Name\n")
    choice = asks("x")
    assert len(choice.text) < 1000
    asks("M" * 2000)
    for _ in range(23):
        others = asks("/skip")
    assert "27 of 27: Other columns (props)\n" in others.text
    assert "Column 23" in others.text
    assert "and 77 more" in others.text
