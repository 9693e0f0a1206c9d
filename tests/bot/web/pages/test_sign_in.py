"""Who gets into the web console, from where, and for how long."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.commands import Spelling
from core.callers import Caller
from core.errors import Forbidden, NotConfigured
from core.signing_in import sign_in_link
from tests.bot.web.pages.conftest import Visitor, words

PAGES = (
    "/",
    "/services/slack",
    "/runs",
    "/runs/abcdefghjk",
    "/send",
    "/send/slack.send",
    "/sessions",
)
POSTS = ("/check", "/sign-out", "/sessions", "/send/slack.send")


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_sees_how_to_and_nothing_else(visitor, path):
    reply = visitor.get(path)
    assert reply.status == 401
    assert "levqor open" in words(reply)
    assert "Runs" not in words(reply)


@pytest.mark.parametrize("path", POSTS)
def test_who_is_not_signed_in_can_do_nothing(visitor, sandbox, path):
    assert visitor.post(path, {"nonce": "n", "step": "send", "text": "hello"}).status == 401
    assert sandbox.slack.received == []


def test_a_link_signs_in_once_and_looking_at_it_uses_nothing_up(web, visitor):
    code, _ = web.bot.engine.ledger.sign_in_code("cli:ann")
    for _ in range(3):
        assert "Sign in as cli:ann?" in words(visitor.get(f"/sign-in/{code}"))
    assert visitor.post(f"/sign-in/{code}").status == 303
    assert visitor.get("/").status == 200
    other = Visitor(web)
    for method in (other.get, other.post):
        reply = method(f"/sign-in/{code}")
        assert reply.status == 404
        assert "This link does not work any more" in words(reply)
        assert "levqor open" in words(reply)
    assert other.get("/").status == 401


def test_a_chat_gives_a_link_in_private_alone(web):
    bot = web.bot

    async def ask(private):
        spelling = Spelling(str, str)
        return await bot.commands.ask(
            "open", "", Caller("slack", "T1:UBEN"), spelling, private=private
        )

    told = asyncio.run(ask(private=True))
    link = re.search(r"http://\S+", told)[0]
    assert link.startswith(f"{web.url}/sign-in/")
    assert Visitor(web).post(f"/sign-in/{link.rpartition('/')[2]}").status == 303
    with pytest.raises(Forbidden):
        asyncio.run(ask(private=False))


def test_where_no_bot_shows_pages_no_link_is_made(engine):
    with pytest.raises(NotConfigured, match="No bot shows the web console"):
        sign_in_link(engine.settings, engine.ledger, Caller("cli", "ann"))


def test_a_newer_link_voids_the_older_and_only_its_callers(web, visitor):
    ledger = web.bot.engine.ledger
    old, _ = ledger.sign_in_code("cli:ann")
    bens, _ = ledger.sign_in_code("slack:T1:UBEN")
    new, _ = ledger.sign_in_code("cli:ann")
    assert visitor.post(f"/sign-in/{old}").status == 404
    assert visitor.post(f"/sign-in/{new}").status == 303
    assert Visitor(web).post(f"/sign-in/{bens}").status == 303


def test_of_many_who_use_a_link_at_once_one_gets_in(web):
    code, _ = web.bot.engine.ledger.sign_in_code("cli:ann")
    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(Visitor(web).post, f"/sign-in/{code}") for _ in range(16)]
        assert sorted(post.result().status for post in posts) == [303, *[404] * 15]


def test_links_and_sessions_are_kept_as_hashes_and_end(web, ann, home):
    ledger = web.bot.engine.ledger
    code, expires = ledger.sign_in_code("cli:ann")
    assert 590 < expires - time.time() <= 600
    secret = ann.cookie.partition("=")[2]
    kept = b"".join(file.read_bytes() for file in home.glob("levqor.db*"))
    assert code.encode() not in kept
    assert secret.encode() not in kept
    (session,) = ledger.sessions()
    assert 3500 < session.expires_at - time.time() <= 3600
    for table in ("sign_ins", "sessions"):
        ledger.store.write(lambda db, table=table: db.execute(f"UPDATE {table} SET expires_at = 1"))
    assert ann.get("/").status == 401
    assert ann.post(f"/sign-in/{code}").status == 404
    ledger.prune(1)
    rows = "SELECT count(*) FROM sign_ins UNION ALL SELECT count(*) FROM sessions"
    assert ledger.store.read(lambda db: db.execute(rows).fetchall()) == [(0,), (0,)]


# Cookies are not told apart by port: what other programs on this computer keep comes too.
OTHERS = [
    'prefs={"a": 1, "b": [2]}',
    "a>b=1",
    "x y=1",
    "Path=/",
    "=",
    "alone",
    'q="',
    "ü=日本",
    "a=b=c",
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_cookie_of_another_program_signs_nobody_out(ann, web, other):
    mine = ann.cookie
    for cookie in (f"{other}; {mine}", f"{mine}; {other}"):
        assert ann.get("/", Cookie=cookie.encode()).status == 200, cookie
    assert Visitor(web).get("/", Cookie=other.encode()).status == 401


def test_signing_out_ends_the_session_itself(web, ann):
    stolen = Visitor(web)
    stolen.cookie = ann.cookie
    assert stolen.get("/").status == 200
    assert ann.post("/sign-out").status == 303
    assert ann.cookie is None
    assert stolen.get("/").status == 401


def test_sessions_are_ended_by_their_own_person_and_by_admins(serve):
    web = serve()
    ledger = web.bot.engine.ledger
    mac = {"User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) <b> Firefox/130.0"}
    ann, ben = Visitor(web).sign_in(), Visitor(web, mac).sign_in("slack:T1:UBEN")
    (mine,) = [each.session for each in ledger.sessions() if each.caller == "cli:ann"]
    assert "cli:ann" not in ben.read("/sessions")
    assert ben.post("/sessions", {"session": mine}).status == 404
    assert "slack:T1:UBEN Firefox on a Mac" in ann.read("/sessions")
    assert "cli:ann an unknown browser (this one)" in ann.read("/sessions")
    (bens,) = [each.session for each in ledger.sessions() if each.caller != "cli:ann"]
    assert ann.post("/sessions", {"session": bens}).status == 303
    assert ben.get("/").status == 401


@pytest.mark.parametrize(("role", "runs", "send"), [
    ("none", 403, 403), ("viewer", 200, 403), ("sender", 200, 200), ("admin", 200, 200),
])  # fmt: skip
def test_the_role_is_read_at_every_request(web, role, runs, send):
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    assert ben.get("/send/slack.send").status == 200
    web.bot.engine.ledger.person_set("slack:T1:UBEN", by="cli:root", role=role)
    assert ben.get("/runs").status == runs
    assert ben.get("/send/slack.send").status == send
    posted = ben.post("/send/slack.send", {"nonce": "n", "step": "send", "text": "hello"})
    assert posted.status == send


def test_removing_a_person_signs_them_out(web):
    ledger = web.bot.engine.ledger
    ledger.person_add("ben", ["slack:T1:UBEN"], by="cli:root")
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    code, _ = ledger.sign_in_code("slack:T1:UBEN")
    ledger.person_remove("ben", by="cli:root")
    assert ben.get("/").status == 401
    assert ben.post(f"/sign-in/{code}").status == 404


def test_a_viewer_sees_their_own_runs_and_nobody_elses(web):
    engine = web.bot.engine
    anns = engine.run("slack.send", {"text": "hello"}, Caller("cli", "ann")).run
    bens = engine.run("slack.send", {"text": "hello"}, Caller("slack", "T1:UBEN")).run
    ben, ann = Visitor(web).sign_in("slack:T1:UBEN"), Visitor(web).sign_in()
    assert bens in ben.read("/runs")
    assert anns not in ben.read("/runs")
    assert ben.get(f"/runs/{anns}").status == 404
    assert {anns, bens} <= set(ann.read("/runs").split())


# An Origin that a browser sends, and whether the form is one of ours.
ORIGINS = [
    "null",
    "",
    "https://evil.example",
    "http://127.0.0.1:1",
    "http://localhost.evil.example",
]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("path", POSTS)
def test_a_form_of_another_page_does_nothing(web, ann, sandbox, origin, path):
    form = {"nonce": "n", "step": "send", "text": "hello", "session": "x"}
    reply = ann.post(path, form, Origin=origin)
    assert reply.status == 403
    assert sandbox.slack.received == []
    assert ann.get("/").status == 200


def test_a_link_cannot_be_redeemed_from_another_page(web, visitor):
    code, _ = web.bot.engine.ledger.sign_in_code("cli:ann")
    assert visitor.post(f"/sign-in/{code}", Origin="null").status == 403
    assert visitor.post(f"/sign-in/{code}").status == 303


def test_a_get_changes_nothing(web, ann):
    before = web.bot.engine.ledger.sessions()
    for path in (*PAGES[:2], *POSTS[:1], "/sign-out", "/sessions?session=x"):
        ann.get(path)
    assert web.bot.engine.ledger.sessions() == before


HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/send", "/sessions", "/sign-in/none", "/console.css"]
)
def test_every_page_says_how_it_may_be_used(ann, path):
    reply = ann.get(path)
    assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    assert "access-control-allow-origin" not in reply.headers


def test_pages_hold_no_script_no_style_and_no_address_elsewhere(ann):
    for path in ("/", "/runs", "/send", "/send/notion.create", "/sessions"):
        page = ann.get(path).body.decode()
        assert not re.search(r"<script|<style|style=|\son[a-z]+=|javascript:", page)
        assert not re.search(r"(src|action)=\"(?!/)", page)


def test_a_token_of_the_api_opens_no_page_and_a_session_no_api(web, ann):
    token = web.bot.engine.ledger.token_new("ci")
    assert Visitor(web).get("/", Authorization=f"Bearer {token}").status == 401
    assert ann.post("/actions/slack.send", {"text": "hello"}).status in (400, 403, 415)
