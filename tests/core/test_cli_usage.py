"""`levqor usage`: by day, person, action or service, of a month, for a spreadsheet."""

import csv
import io
import time

import pytest

from core.ledger.records import start_of
from tests.support.engines import both
from tests.support.journal import finish

NOVEMBER = start_of("2025-11-01")
DAY = 86400
BOB, CI = "slack:T1:UBOB", "http:ci"


@pytest.fixture
def november(ledger, cli):
    """Runs of three callers, of which two are one person's, about a month's edges."""
    for caller in ("cli:ada", BOB, CI):
        ledger.set_plan(caller, "pro")
    for at in (NOVEMBER - 1, NOVEMBER, NOVEMBER + 29.9 * DAY, NOVEMBER + 30 * DAY):
        finish(ledger, "sent", at=at)
    finish(ledger, "unknown", at=NOVEMBER + DAY, caller=BOB, action="other.do", connector="other")
    finish(ledger, "not_sent", at=NOVEMBER + DAY, caller=CI, action="sample.more")
    ledger.person_add("ada", ["cli:ada", BOB], by="cli:me", title='=Ada, of "Ops"', plan="pro")
    return cli


def rows(printed):
    assert (printed.status, printed.err) == (0, "")
    return list(csv.DictReader(io.StringIO(printed.out)))


@both
@pytest.mark.parametrize("rolled", [False, True], ids=["runs", "history"])
def test_a_month_is_added_up_by_person_action_or_service(november, ledger, rolled):
    if rolled:
        # Counted hour by hour before, and the runs themselves are gone.
        ledger.prune(1)
        assert ledger.runs() == []

    def told(by):
        body = november("usage", "--month", "2025-11", "--by", by, "--output", "json").json
        assert (body["by"], body["first"], body["last"]) == (by, "2025-11-01", "2025-11-30")
        counts = ("sent", "refused", "not_sent", "unknown")
        return {row["name"]: [row[each] for each in counts] for row in body["usage"]}

    assert told("person") == {"ada": [2, 0, 0, 1], CI: [0, 0, 1, 0]}
    assert told("service") == {"sample": [2, 0, 1, 0], "other": [0, 0, 0, 1]}
    assert told("action") == {
        "sample.do": [2, 0, 0, 0], "sample.more": [0, 0, 1, 0], "other.do": [0, 0, 0, 1],
    }  # fmt: skip


@both
def test_a_month_by_day_is_what_its_days_were(november):
    body = november("usage", "--month", "2025-11", "--output", "json").json
    days = [(row["day"], row["connector"], row["sent"]) for row in body["usage"]]
    assert days == [
        ("2025-11-30", "sample", 1), ("2025-11-02", "other", 0), ("2025-11-02", "sample", 0),
        ("2025-11-01", "sample", 1),
    ]  # fmt: skip
    assert body["days"] == 30


def test_a_spreadsheet_takes_no_name_for_a_formula(november):
    by_person = rows(november("usage", "--month=2025-11", "--by", "person", "--output", "csv"))
    ada, ci = by_person
    assert ada["name"] == '\'=Ada, of "Ops"'
    assert (ada["person"], ada["sent"], ada["unknown"]) == ("ada", "2", "1")
    assert (ci["person"], ci["name"], ci["not_sent"]) == (CI, "", "1")


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1d1", "\uff201"])
def test_whatever_a_formula_begins_with_is_quoted(cli, ledger, title):
    ledger.person_add("eve", ["cli:eve"], by="cli:me", title=title, plan="pro")
    finish(ledger, "sent", caller="cli:eve")
    (eve,) = rows(cli("usage", "--by", "person", "--output", "csv"))
    assert eve["name"] == f"'{title.strip()}"


def test_usage_by_day_is_rows_too(november, ledger):
    finish(ledger, "sent")
    (row,) = rows(november("usage", "--output", "csv"))
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert (row["day"], row["service"], row["sent"], row["p50_ms"]) == (
        today,
        "sample",
        "1",
        "12.5",
    )


def test_usage_by_person_in_text_names_people(november):
    told = november("usage", "--month", "2025-11", "--by", "person").out.splitlines()
    assert told[0].split() == ["PERSON", "NAME", "SENT", "REFUSED", "NOT", "SENT", "UNKNOWN"]
    assert told[1].split() == ["ada", "=Ada,", "of", '"Ops"', "2", "0", "0", "1"]
    assert november("usage", "--month", "2024-01").out == "No runs in 2024-01.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--month", "2025-13"), "--month: must be a month, written 2026-11"),
        (("--month", "November"), "--month: must be a month, written 2026-11"),
        (("--month", "2025-11", "--days", "3"), "--month: goes without --days"),
        (("--by", "caller"), "--by must be person, action or service."),
        (("--output", "xls"), "--output must be text, json or csv."),
    ],
)
def test_what_is_wrong_is_refused_with_how_to_write_it(cli, options, words):
    printed = cli("usage", *options)
    assert (printed.status, printed.out) == (2, "")
    assert words in printed.err
