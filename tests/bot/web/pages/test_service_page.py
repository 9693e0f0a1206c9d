"""A service's page: its checks, its runs and their times, as pictures and as numbers."""

import re
import time
from datetime import UTC, datetime

import pytest

from bot.web.pages import charts
from core.connectors import CONNECTORS
from core.engine import Engine
from core.reports import ChecksDay, HistoryStep, UsageDay, Verdict
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor, words
from tests.support.journal import finish
from tests.support.web import served

SPANS = ("1d", "7d", "30d", "90d")
DONE = {"sent": 3, "refused": 2, "not_sent": 1, "unknown": 4}


def runs(ledger, at):
    for outcome, count in DONE.items():
        for number in range(count):
            finish(
                ledger, outcome, caller=f"cli:{outcome}{number}{at}", at=at,
                action="slack.send", connector="slack",
            )  # fmt: skip


def rows(page):
    found = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    return [re.sub(r"<[^>]*>", " ", row).split() for row in found]


@pytest.mark.parametrize("span", SPANS)
def test_every_run_of_the_time_is_counted_in_numbers(web, ann, span):
    now = time.time()
    runs(web.bot.engine.ledger, now - 60)
    reply = ann.get(f"/services/slack?span={span}")
    assert reply.status == 200
    counted = [[int(cell) for cell in row[2:6]] for row in rows(reply.body.decode())]
    # All at one time: the others are not listed, but drawn.
    assert counted == [[*DONE.values()]]
    assert "no runs in the times that are not listed" in words(reply)
    assert "<rect" in reply.body.decode()
    assert "<polyline" in reply.body.decode()


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda each: each.name)
def test_each_service_has_a_page_also_before_anything_was_sent(ann, connector):
    told = ann.read(f"/services/{connector.name}")
    assert connector.title in told
    assert "No runs in this time." in told


def test_a_service_is_checked_from_its_page_which_says_once_that_nobody_has(ann):
    before = ann.read("/services/notion")
    assert before.count("Not checked yet") == 1
    assert "Check now" in before
    reply = ann.post("/check/notion", {"here": ""})
    assert (reply.status, reply.headers["location"]) == (303, "/services/notion")
    after = ann.read("/services/notion")
    assert "Check again" in after
    assert "Not checked yet" not in after
    # What the check found that nobody keeps.
    assert "Write permission can't be checked" in after


def test_a_service_that_is_not_set_up_is_not_checked_from_its_page(home, environ):
    del environ["NOTION_API_KEY"]
    settings = Settings(home, environ=environ)
    with Engine.open(settings) as engine, served(engine) as web:
        assert "/check/" not in Visitor(web).sign_in().get("/services/notion").body.decode()


@pytest.mark.parametrize(
    "path", ["/services/fax", "/services/", "/services/slack?span=2y", "/services/slack/x"]
)
def test_another_service_or_time_is_no_page(ann, path):
    assert ann.get(path).status == 404


def test_counts_of_everybody_are_for_who_may_see_everybody(web):
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    reply = ben.get("/services/slack")
    assert reply.status == 403
    assert "may not see everybody's runs" in words(reply)
    assert "/services/" not in ben.get("/").body.decode()


def step(**more):
    counts = {"sent": 0, "refused": 0, "not_sent": 0, "unknown": 0}
    return HistoryStep(start=datetime(2026, 11, 1, tzinfo=UTC), **{**counts, **more})


def test_bars_are_stacked_within_the_picture_and_as_tall_as_their_share():
    chart = charts.outcomes([step(), step(sent=6, refused=2), step(unknown=4)])
    assert chart.most == 8
    sent, refused, unknown = chart.bars
    high = charts.HEIGHT - charts.ROOM
    shares = [each.height / high for each in (sent, refused, unknown)]
    assert shares == pytest.approx([6 / 8, 2 / 8, 4 / 8])
    bottoms = [each.y + each.height for each in (sent, refused, unknown)]
    assert bottoms == pytest.approx([charts.HEIGHT, sent.y, charts.HEIGHT])
    assert refused.y == pytest.approx(charts.ROOM)
    assert sent.x == refused.x < unknown.x
    assert all(bar.x >= 0 and bar.x + bar.width <= charts.WIDTH for bar in chart.bars)


def test_lines_leave_out_what_nobody_timed():
    chart = charts.times([step(p50_ms=10.0, p95_ms=40.0), step(), step(p50_ms=20.0, p95_ms=80.0)])
    lines = dict(chart.lines)
    assert len(lines["median"].split()) == len(lines["p95"].split()) == 2 * 2
    assert chart.most == 80.0


@pytest.mark.parametrize("draw", [charts.outcomes, charts.times])
def test_nothing_is_drawn_of_nothing(draw):
    assert draw([]).most == draw([step()]).most == 0


def day(**more):
    counts = {"sent": 0, "refused": 0, "not_sent": 0, "unknown": 0}
    return UsageDay(connector="slack", day="2026-11-01", **{**counts, **more})


STRIP = [
    ((), None, "dim", "no check"),
    (("ok",), None, "ok", "working"),
    (("ok", "failing"), None, "bad", "not working"),
    # What a check found is the service's; what was refused may be a person's.
    (("ok",), day(sent=2, refused=1), "ok", "working; 2 sent, 1 refused"),
    ((), day(sent=3), "ok", "no check; 3 sent"),
    ((), day(sent=3, not_sent=1), "bad", "no check; 3 sent, 1 not sent"),
    ((), day(sent=3, not_sent=1, unknown=1), "doubt", "no check; 3 sent, 1 not sent, 1 unknown"),
]


@pytest.mark.parametrize(("found", "runs", "tone", "words"), STRIP)
def test_a_day_is_coloured_by_its_worst_check_or_else_by_its_runs(found, runs, tone, words):
    checked = ChecksDay(day="2026-11-01", seconds=dict.fromkeys(map(Verdict, found), 60.0))
    [bar] = charts.strip([checked], {runs.day: runs} if runs else {}, None)
    assert (bar.tone, bar.words) == (tone, f"2026-11-01: {words}")


def test_what_a_check_has_just_found_is_in_the_last_day_s_bar():
    days = [ChecksDay(day=f"2026-11-0{n}", seconds={}) for n in (1, 2)]
    bars = charts.strip(days, {"2026-11-02": day(unknown=1)}, Verdict.FAILING)
    assert [(bar.tone, bar.words) for bar in bars] == [
        ("dim", "2026-11-01: no check"),
        ("bad", "2026-11-02: not working; 1 unknown"),
    ]


def test_a_day_s_runs_are_in_the_strip_of_the_overview(web, ann):
    runs(web.bot.engine.ledger, time.time())
    assert "3 sent, 2 refused, 1 not sent, 4 unknown</title>" in ann.get("/").body.decode()
