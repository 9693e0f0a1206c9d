"""`GET /api/runs`: whose runs are listed, page after page, and what is refused."""

import pytest

from core.ledger.listing import EVERY_RUN
from tests.support.engines import both
from tests.support.sandbox import Answer
from tests.support.web import served


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


@pytest.fixture
def tokens(engine):
    """Tokens of two programs and of an admin, the programs having sent three messages each."""
    made = {label: engine.ledger.token_new(label, plan="pro") for label in ("ops", "ci")}
    return {**made, "boss": engine.ledger.token_new("boss", admin=True)}


def listed(web, token, query=""):
    reply = web.get(f"/api/runs{query}", token=token)
    assert reply.status == 200, reply.body
    return reply.json()


def send(web, token, *texts):
    return [
        web.post("/actions/slack.send", {"text": text}, token=token).json()["run"] for text in texts
    ]


@both
def test_everybody_lists_their_own_runs_and_an_admin_those_of_all(web, tokens):
    ops, ci = send(web, tokens["ops"], "a", "b"), send(web, tokens["ci"], "c")
    of_ops = listed(web, tokens["ops"])
    assert [run["run"] for run in of_ops["runs"]] == ops[::-1]
    assert {run["caller"] for run in of_ops["runs"]} == {"http:ops"}
    assert listed(web, tokens["ops"], "?person=http:ops") == of_ops
    assert [run["run"] for run in listed(web, tokens["boss"])["runs"]] == [*ci, *ops[::-1]]
    assert listed(web, tokens["boss"], "?person=http:ops") == of_ops
    assert listed(web, None) == {"runs": []}
    refused = web.get("/api/runs?person=http:ci", token=tokens["ops"])
    assert (refused.status, refused.json()["error"]) == (403, "forbidden")


@both
def test_a_person_s_runs_are_those_of_all_their_callers_and_a_token_sees_its_own(
    web, tokens, engine
):
    before = send(web, tokens["ops"], "before the linking")
    after = send(web, tokens["ci"], "of ci")
    engine.ledger.person_add("ann", ["http:ops"], by="cli:me", plan="pro")
    engine.ledger.person_link("ann", "http:ci", by="cli:me")
    runs = [run["run"] for run in listed(web, tokens["boss"], "?person=ann")["runs"]]
    assert runs == [*after, *before]
    for label, own, others in (("ops", before, after), ("ci", after, before)):
        token = tokens[label]
        for query in ("", f"?person=http:{label}", "?person=ann"):
            assert [run["run"] for run in listed(web, token, query)["runs"]] == own
        assert web.get(f"/api/runs/{own[0]}", token=token).status == 200
        assert web.get(f"/api/runs/{others[0]}", token=token).status == 404
    assert web.get("/api/runs?person=http:ops", token=tokens["ci"]).status == 403
    assert web.get("/api/runs?person=ann").status == 403


@both
def test_who_may_nothing_sees_no_runs(web, tokens, engine):
    send(web, tokens["ops"], "a")
    engine.ledger.person_set("http:ops", by="cli:me", role="none")
    assert web.get("/api/runs", token=tokens["ops"]).status == 403


@both
def test_a_place_in_somebody_else_s_list_shows_nothing_of_theirs(web, tokens):
    mine = send(web, tokens["ops"], "mine")
    send(web, tokens["ci"], "a", "b")
    place = listed(web, tokens["boss"], "?last=1")["next"]
    found = listed(web, tokens["ops"], f"?before={place}")
    assert [run["run"] for run in found["runs"]] == mine
    found = listed(web, tokens["ci"], f"?before={place}&last=1")
    assert [run["caller"] for run in found["runs"]] == ["http:ci"]


@both
def test_next_leads_through_all_runs_though_new_ones_come(web, tokens):
    there = send(web, tokens["ops"], *"abcde")
    found, query = [], "?last=2"
    while query:
        page = listed(web, tokens["ops"], query)
        found += [run["run"] for run in page["runs"]]
        assert len(page["runs"]) == 2 or "next" not in page
        query = f"?last=2&before={page['next']}" if "next" in page else ""
        send(web, tokens["ops"], f"meanwhile {len(found)}")
    assert found == there[::-1]


def test_runs_are_picked_by_outcome_action_and_time(web, tokens, sandbox):
    sandbox.slack.next(Answer(404, "no_service"))
    for _ in range(2):
        web.post("/actions/slack.send", {"text": "x"}, token=tokens["ops"])
    web.post("/actions/telegram.send", {"text": "x"}, token=tokens["ops"])

    def states(query):
        runs = listed(web, tokens["ops"], query)["runs"]
        return [(run["action"], run["state"]) for run in runs]

    sent, refused = ("slack.send", "sent"), ("slack.send", "refused")
    assert states("?action=slack") == states("?action=slack.send") == [sent, refused]
    assert states("?outcome=refused") == [refused]
    assert states("?outcome=open") == []
    assert states("?outcome=sent&action=telegram&since=1h") == [("telegram.send", "sent")]
    assert states("?since=2999-01-01") == states("?since=0m") == []
    assert len(states("?since=2001-01-01")) == len(states("?since=2001-01-01T12:00:00Z")) == 3


WRONG = [
    ("since=yesterday", "since", "must be a time such as 7d, 36h or 90m"),
    ("since=", "since", "must be a time such as"),
    ("since=2026-13-01", "since", "must be a time such as"),
    ("action=slck", "action", "is no action and no service; did you mean slack?"),
    ("action=zzzzzzz", "action", "is no action and no service"),
    ("outcome=lost", "outcome", "must be sent, refused, not_sent, unknown or open"),
    ("last=0", "last", "must be a whole number from 1 to 200"),
    ("last=201", "last", "must be a whole number from 1 to 200"),
    ("before=k7m2q9xw4t", "before", "must be what the page before has as next"),
    ("person=http:opsy", "person", "is nobody whom Levqor knows; did you mean http:ops?"),
    ("outcom=sent", "query", "holds a name that is not known here; did you mean outcome?"),
    ("q=1", "query", "it may hold since, until, person, action, interface, outcome, last, before"),
    ("last=2&last=3", "last", "may be given once"),
]


@pytest.mark.parametrize(("query", "field", "words"), WRONG, ids=[each[0] for each in WRONG])
def test_what_is_wrong_is_refused_with_how_to_write_it(web, tokens, query, field, words):
    reply = web.get(f"/api/runs?{query}", token=tokens["boss"])
    assert reply.status == 400
    (fault,) = reply.json()["details"]
    assert fault["field"] == field
    assert words in fault["message"]


def test_all_that_is_wrong_is_said_at_once(web, tokens):
    reply = web.get("/api/runs?since=x&outcome=y&action=z", token=tokens["boss"])
    assert [each["field"] for each in reply.json()["details"]] == ["since", "action", "outcome"]


def test_a_list_is_what_the_description_says(web, tokens, engine):
    send(web, tokens["ops"], "a", "b")
    described = web.get("/openapi.json", token=tokens["boss"]).json()
    page = described["components"]["schemas"]["RunPage"]
    assert set(listed(web, tokens["ops"], "?last=1")) == set(page["properties"]) == {"runs", "next"}
    assert page["required"] == ["runs"]
    operation = described["paths"]["/api/runs"]["get"]
    named = {each["name"]: each["schema"] for each in operation["parameters"]}
    assert set(engine.action_ids()) < set(named["action"]["enum"])
    assert len(engine.ledger.runs(5, EVERY_RUN)) == 2
