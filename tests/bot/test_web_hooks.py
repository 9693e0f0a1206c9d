"""The paths where chat platforms post: signed, and open where nothing else is."""

from bot.app.frame import Hook, HookAnswer
from tests.support.web import served

MAIL = {"to": "ann@example.com", "subject": "Hello", "text": "All is well."}


def test_a_platforms_hook_is_reached_through_a_tunnel_and_nothing_else_is(engine):
    heard = []

    async def answer(request):
        heard.append((request.body, request.headers["x-signature"], request.query))
        return HookAnswer(202, b"taken", {"content-type": "text/plain"})

    tunnel = {"Host": "levqor.example.com", "X-Forwarded-For": "203.0.113.9"}
    signed = {**tunnel, "X-Signature": "abc"}
    with served(engine, [Hook("/chat/events", answer)]) as web:
        reply = web.post("/chat/events?a=1", b"{}", headers=signed)
        assert (reply.status, reply.body) == (202, b"taken")
        assert heard == [(b"{}", "abc", "a=1")]
        assert web.post("/chat/events/", b"{}", headers=signed).status == 401
        assert web.get("/chat/events", headers=signed).headers["allow"] == "POST"
        assert web.post("/chat/events", b"x" * 300_000, headers=signed).status == 413
        assert web.post("/actions/email.send", MAIL, headers=tunnel).status == 401
    assert len(heard) == 1


def test_a_hook_that_fails_is_answered_500_without_its_words(engine):
    async def answer(request):
        raise ZeroDivisionError("canary-7f3a")

    with served(engine, [Hook("/chat/events", answer)]) as web:
        reply = web.post("/chat/events", b"{}")
        assert reply.status == 500
        assert reply.json()["error"] == "internal_error"
        assert b"canary" not in reply.body
