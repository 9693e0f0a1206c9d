"""Usage by service, person, action and day; it and the audit as CSV, for admins alone."""

import csv
import io
import re

import pytest

from tests.bot.web.pages.conftest import Visitor
from tests.support.engines import both
from tests.support.journal import finish

ADA = "telegram:42"
OLD = 86_400.0 * 100


def table(reply):
    assert (reply.status, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.reader(io.StringIO(reply.body.decode())))


@both
def test_usage_goes_back_as_far_as_is_asked_and_downloads_as_it_is_shown(web):
    ledger = web.bot.engine.ledger
    ledger.person_add("ada", [ADA], by="cli:root", title="=1+1")
    for at in (ledger.now(), ledger.now() - OLD):
        finish(ledger, "sent", caller=ADA, action="notion.create", connector="notion", at=at)
    ann = Visitor(web).sign_in()
    assert "Median p95 Notion 1 0 0 0 12 ms 12 ms" in ann.read("/usage")
    # What a narrow screen puts before a number.
    assert re.findall('data-label="([^"]+)', ann.get("/usage").body.decode()) == [
        "sent", "refused", "not sent", "unknown", "median", "p95",
    ]  # fmt: skip
    assert "Notion 2 0 0 0 12 ms 12 ms" in ann.read("/usage?days=200")
    reply = ann.get("/usage?by=person&days=200&output=csv")
    named = 'attachment; filename="levqor-usage-person-200-days.csv"'
    assert reply.headers["content-disposition"] == named
    assert table(reply) == [
        ["person", "name", "sent", "refused", "not_sent", "unknown"],
        ["ada", "'=1+1", "2", "0", "0", "0"],
    ]
    days = table(ann.get("/usage?by=day&days=200&output=csv"))
    assert [row[1:3] for row in days] == [["service", "sent"], ["notion", "1"], ["notion", "1"]]
    month = days[-1][0][:7]
    rows = table(ann.get(f"/usage?by=action&month={month}&output=csv"))
    assert rows[1][:2] == ["notion.create", "1"]
    assert "No runs in this time." in ann.read("/usage?month=2001-01")


@pytest.mark.parametrize(("query", "words"), [
    ("days=0", "a whole number from 1"), ("days=x", "a whole number"), ("by=caller", "one of"),
    ("month=2026-13", "written 2026-11"), ("month=2026-11&days=3", "goes without days"),
    ("days=%C2%B2", "a whole number"), ("days=99999999999", "a whole number"),
])  # fmt: skip
def test_what_makes_no_sense_is_said_beside_the_form(ann, query, words):
    for more in ("", "&output=csv"):
        assert words in ann.read(f"/usage?{query}{more}")


def test_the_audit_downloads_whole_and_no_text_is_a_formula(web, ann):
    ledger = web.bot.engine.ledger
    for number in range(60):
        ledger.person_add(f"p{number}", [f"telegram:{number}"], by="@SUM(A1)")
    reply = ann.get("/audit?output=csv")
    assert reply.headers["content-disposition"] == 'attachment; filename="levqor-audit.csv"'
    heads, *rows = table(reply)
    assert heads == ["time", "who", "what", "of", "change"]
    assert [(row[1], row[3]) for row in rows] == [
        ("'@SUM(A1)", f"p{number}") for number in reversed(range(60))
    ]
    assert len(table(ann.get("/audit?since=2999-01-01&output=csv"))) == 1
    assert "/audit?output=csv" in ann.get("/audit").body.decode()


@pytest.mark.parametrize("path", ["/usage", "/audit"])
def test_nobody_but_an_admin_gets_a_file(web, path):
    for visitor, status in ((Visitor(web), 401), (Visitor(web).sign_in(ADA), 403)):
        reply = visitor.get(f"{path}?output=csv")
        assert (reply.status, reply.headers["content-type"][:9]) == (status, "text/html")
