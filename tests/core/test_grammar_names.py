"""Where an action takes any name, what looks like one is one, or is refused."""

from __future__ import annotations

import re

import pytest

from core.errors import Fault
from core.grammar import parse_chat, parse_items, value
from tests.support.contracts import Page, faults

# What was typed, and the properties that are meant: in a chat, and as a line of a form.
NAMED = [
    ("Done?=yes", {"Done?": "yes"}),
    ("स्थिति=खुला", {"स्थिति": "खुला"}),
    ("Pre\u0301nom=Anna", {"Pre\u0301nom": "Anna"}),
    ("Status\uff1dOpen", {"Status": "Open"}),
    ("Status = Open", {"Status": "Open"}),
    ("Status =Open", {"Status": "Open"}),
    ("Status\t\uff1d Open", {"Status": "Open"}),
    ('"Due by"=2026-12-01', {"Due by": "2026-12-01"}),
    ('"Due by" = 2026-12-01', {"Due by": "2026-12-01"}),
    ('"Cost ($)"=5', {"Cost ($)": "5"}),
    ("Cost($)=5", {"Cost($)": "5"}),
    ('"% done"=5', {"% done": "5"}),
    ("%done=5", {"%done": "5"}),
    ('"📅 Due"=2026-12-01', {"📅 Due": "2026-12-01"}),
    ("📅=2026-12-01", {"📅": "2026-12-01"}),
    ('"Owner & team"=Ann', {"Owner & team": "Ann"}),
    ("1st=x", {"1st": "x"}),
    ("#/§€-_.,;:=x", {"#/§€-_.,;:": "x"}),
    ("don't=x", {"don't": "x"}),
    ('Status="In progress"', {"Status": "In progress"}),
    ("Status=“In progress”", {"Status": "In progress"}),
    ("Formula=a==b", {"Formula": "a==b"}),
    ("Link=https://x.test/?a=b", {"Link": "https://x.test/?a=b"}),
    ("Link = https://x.test/?a=b", {"Link": "https://x.test/?a=b"}),
    ("Key=abc==", {"Key": "abc=="}),
    ("Note=", {"Note": ""}),
]
# These are only text.
TITLES = [
    "Fix login",
    "Fix the login: see https://x.test/?a=b&c=d",
    "https://x.test/?a=b is down",
    "x==y, x!=y, x<=y and x>=y",
    "x == y",
    "x <= y",
    "“quoted”, don't and 5\"",
]


@pytest.mark.parametrize(("typed", "props"), NAMED)
def test_where_names_are_free_whatever_looks_like_a_name_is_one(typed, props):
    assert parse_chat(typed, Page) == {"props": props}
    assert parse_chat(f"database_id=x {typed}\nFix it", Page)["props"] == {
        **props,
        "title": "Fix it",
    }
    assert value(Page.fields()[1], f"{typed}\nFix it") == {**props, "title": "Fix it"}


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("Status=Open Due=2026-12-01", "write each name=value on a line of its own"),
        ('Status="In progress', 'Status has an opening " and no closing one'),
        ("Fix\n=SUM(A1)", 'title="…" if all of it is text'),
        ("Status=a\nstatus=b", "names status twice, as Status and as status"),
        ("Fix\nit", "names title twice"),
    ],
)
def test_a_line_of_a_form_that_could_be_meant_in_two_ways_is_refused(typed, what):
    with pytest.raises(ValueError, match=re.escape(what)):
        value(Page.fields()[1], typed)


@pytest.mark.parametrize("typed", TITLES)
def test_where_names_are_free_an_address_and_a_comparison_are_text(typed):
    assert parse_chat(typed, Page) == {"props": {"title": typed}}
    assert parse_items(typed.split(), Page) == {"props": {"title": typed}}
    assert parse_items([typed], Page) == {"props": {"title": typed}}
    assert value(Page.fields()[1], typed) == {"title": typed}


@pytest.mark.parametrize(
    ("items", "props"),
    [
        (["Due by=2026-12-01", "Fix", "it"], {"Due by": "2026-12-01", "title": "Fix it"}),
        (["📅 Due=x"], {"📅 Due": "x"}),
        (["Cost ($)=5", "% done=5"], {"Cost ($)": "5", "% done": "5"}),
        (["1st contact= a = b "], {"1st contact": " a = b "}),
        (['"Due by"=x'], {"Due by": "x"}),
        (["Status", "=", "In progress", "Fix"], {"Status": "In progress", "title": "Fix"}),
        (["Fix", "Due by", "\uff1d", "x"], {"Due by": "x", "title": "Fix"}),
        (["Status", "=Open"], {"Status": "Open"}),
        (["Status\uff1dOpen"], {"Status": "Open"}),
        (["title==SUM(A1)"], {"title": "=SUM(A1)"}),
        (["title=a\nb = c"], {"title": "a\nb = c"}),
    ],
)
def test_in_a_terminal_a_free_name_is_what_stands_before_the_first_equals(items, props):
    assert parse_items(items, Page) == {"props": props}


@pytest.mark.parametrize(
    ("typed", "shows"),
    [
        ("Due by=2026-12-01 Fix", '"Due by"=… or by=…'),
        ("Due by = 2026-12-01 Fix", '"Due by"=…'),
        ("Fix login Done=yes", '"Fix login Done"=… or Done=…'),
        ("title=Fix Due by=2026-12-01", '"Due by"=…'),
        ("Fix\nDone=yes", "write Done=… before"),
        ("=SUM(A1)", "write name=… before"),
        ('"Due by=2026-12-01', '"…"'),
    ],
)
def test_where_names_are_free_a_text_that_holds_a_name_is_refused(typed, shows):
    (fault,) = faults(parse_chat, typed, Page)
    assert fault.field == "title"
    assert shows in fault.message
    assert 'title="…"' in fault.message
    assert "twice" not in fault.message


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        (
            "Status= Open",
            Fault("Status", 'has a blank after its =: write Status=… without it, or Status="" for'
                  " nothing"),
        ),
        (
            "title==x",
            Fault("title", 'has == after it: write title="=…" if its value begins with ='),
        ),
        ("Status =", Fault("Status", 'has no value after its =: write Status="…"')),
        ("Status = Done=yes", Fault("Status", 'has no value after its =: write Status="…"')),
        ('Due="x', Fault("Due", 'has an opening " and no closing one before a blank: write'
                         ' Due="…"')),
        ("Status=a status=b",
         Fault("status", "is given twice, as Status and as status: which is meant?")),
        ("Status=a Status=b", Fault("Status", "is given twice")),
        ("Title=a b", Fault("Title", 'is given twice, as Title=… and as other words: write'
                            ' Title="…" for all of it')),
        ("props=Fix", Fault("props", "must be lines of name=value, or a JSON object")),
    ],
)  # fmt: skip
def test_what_could_be_meant_in_two_ways_is_asked_about(typed, fault):
    assert faults(parse_chat, typed, Page) == [fault]


def test_a_text_that_holds_a_name_may_stand_after_two_dashes():
    assert parse_items(["Status=Open"], Page, text=["a=b"]) == {
        "props": {"Status": "Open", "title": "a=b"}
    }
    (fault,) = faults(parse_items, ["=x"], Page)
    assert fault.message.endswith("(-- before the text does the same)")
