"""The paths where chat platforms post: signed, and open where nothing else is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.runtime import Hook, HookAnswer
from bot.web.server import Limits
from tests.support.sandbox import Delay
from tests.support.waiting import wait_for
from tests.support.web import served


def signed(_):
    return True


MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}


def test_a_platforms_hook_is_reached_through_a_tunnel_and_nothing_else_is(engine):
    heard = []

    async def answer(request):
        heard.append((request.body, request.headers["x-signature"], request.query))
        return HookAnswer(202, b"taken", {"content-type": "text/plain"})

    tunnel = {"Host": "levqor.example.com", "X-Forwarded-For": "203.0.113.9"}
    platform = {**tunnel, "X-Signature": "abc"}
    with served(engine, [Hook("/chat/events", signed, answer)]) as web:
        reply = web.post("/chat/events?a=1", b"{}", headers=platform)
        assert (reply.status, reply.body) == (202, b"taken")
        assert heard == [(b"{}", "abc", "a=1")]
        assert web.post("/chat/events/", b"{}", headers=platform).status == 401
        assert web.get("/chat/events", headers=platform).headers["allow"] == "POST"
        assert web.post("/chat/events", b"x" * 300_000, headers=platform).status == 413
        assert web.post("/actions/email.send", MAIL, headers=tunnel).status == 401
    assert len(heard) == 1


def test_a_hook_that_fails_is_answered_500_without_its_words(engine):
    async def answer(request):
        raise ZeroDivisionError("canary-7f3a")

    with served(engine, [Hook("/chat/events", signed, answer)]) as web:
        reply = web.post("/chat/events", b"{}")
        assert reply.status == 500
        assert reply.json()["error"] == "internal_error"
        assert b"canary" not in reply.body


def test_callers_who_wait_for_their_runs_leave_room_for_a_platform(engine, sandbox):
    async def answer(request):
        return HookAnswer(200, b"taken")

    sandbox.slack.always(Delay(3.0))
    places = Limits(connections=8)
    with served(engine, [Hook("/chat/events", signed, answer)], places) as web:
        token = engine.ledger.token_new("ops", plan="pro")
        with ThreadPoolExecutor(places.runs) as pool:
            waiting = [
                pool.submit(web.post, "/actions/slack.send", {"text": str(number)}, token=token)
                for number in range(places.runs)
            ]
            wait_for(lambda: len(sandbox.slack.received) == places.runs)
            late = web.post("/actions/slack.send", {"text": "late"}, token=token)
            assert (late.status, late.json()["error"], late.json()["reason"]) == (
                503,
                "busy",
                "busy",
            )
            assert late.json()["outcome"] == "not_sent"
            assert int(late.headers["retry-after"]) > 0
            assert web.post("/chat/events", b"{}").body == b"taken"
            assert web.get("/actions/health", token=token).status == 200
            assert {one.result().status for one in waiting} == {200}
        assert web.post("/actions/slack.send", {"text": "later"}, token=token).status == 200
        assert "late" not in [run.json["text"] for run in sandbox.slack.received]


@pytest.mark.parametrize("status", [401, 403])
def test_a_post_that_no_platform_signed_is_counted(engine, status):
    async def answer(request):
        raise AssertionError("nothing unsigned goes any further")

    hook = Hook("/chat/events", lambda _: False, answer, refused=status)
    with served(engine, [hook]) as web:
        token = engine.ledger.token_new("ops", admin=True)
        for _ in range(3):
            assert web.post("/chat/events", b"{}").status == status
        page = web.get("/metrics", token=token).body.decode()
    assert 'levqor_unsigned_posts_total{surface="chat"} 3.0' in page
