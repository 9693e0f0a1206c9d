"""`/ops/live` and `/ops/ready`: what restarts a bot, and what sends it requests, ask them."""

import pytest

from core.engine import Engine
from tests.support.engines import both, shared
from tests.support.waiting import wait_for
from tests.support.web import served

FROM_AFAR = {"X-Forwarded-For": "203.0.113.9", "Host": "levqor.example.com"}
WRONG = {"Authorization": "Bearer lvq_ops_wrong"}


@pytest.fixture
def web(settings):
    with Engine.open(settings) as engine:
        engine.announce()
        with served(engine) as web:
            yield web


@both
@pytest.mark.parametrize("headers", [{}, FROM_AFAR, WRONG], ids=["here", "afar", "wrong token"])
@pytest.mark.parametrize("word", ["live", "ready"])
def test_anybody_may_ask_and_learns_one_word(web, database, word, headers):
    reply = web.get(f"/ops/{word}", headers=headers)
    assert (reply.status, reply.json()) == (200, {"status": word})
    assert web.call("HEAD", f"/ops/{word}", headers=headers).status == 200
    assert web.post(f"/ops/{word}", {}, headers=headers).status == 405


def test_a_page_of_another_site_may_not_ask(web):
    assert web.get("/ops/live", headers={"Origin": "https://evil.example"}).status == 403


@shared
def test_without_its_database_a_bot_lives_and_is_not_ready_until_that_is_back(
    web, cluster, database
):
    name = database.rpartition("/")[2]
    cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    cluster.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    reply = web.get("/ops/ready", headers=FROM_AFAR)
    assert (reply.status, reply.json()["error"]) == (503, "ledger_error")
    assert name not in reply.body.decode()
    for headers in ({}, FROM_AFAR, WRONG):
        assert web.get("/ops/live", headers=headers).status == 200
    cluster.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    wait_for(lambda: web.get("/ops/ready").status == 200)


@shared
@pytest.mark.parametrize("change", ["dead = 1", "until = 0"])
def test_a_bot_that_was_taken_for_dead_is_not_ready(web, database, change):
    ledger = web.bot.engine.ledger
    ledger.store.write(lambda db: db.execute(f"UPDATE bots SET {change}"))
    reply = web.get("/ops/ready")
    assert (reply.status, reply.json()["reason"]) == (503, "ledger_lease")
    # It goes on by itself.
    wait_for(lambda: web.get("/ops/ready").status == 200)


def test_a_bot_that_stops_is_not_ready(web):
    web.bot.end()
    reply = web.get("/ops/ready")
    assert (reply.status, reply.json()["error"]) == (503, "busy")
    assert web.get("/ops/live").status == 200


def test_the_description_asks_for_no_token_there(web):
    paths = web.get("/openapi.json").json()["paths"]
    assert {path for path in paths if paths[path].get("get", {}).get("security") == []} == {
        "/ops/live",
        "/ops/ready",
    }
