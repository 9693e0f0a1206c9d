"""Many at once: nothing lost, nothing doubled, nothing kept in memory."""

import psutil

from core.engine import Engine
from core.ledger.listing import RunFilter
from core.settings import Settings
from tests.support.load import over_http, slow_webhook
from tests.support.web import served


def test_sixty_four_connections_lose_and_double_nothing(home, counts):
    memory = []

    def watch():
        memory.append(psutil.Process().memory_info().rss)

    with slow_webhook() as (url, finish):
        settings = Settings(home, environ={"SLACK_WEBHOOK_URL": url})
        with Engine.open(settings) as engine, served(engine) as web:
            token = engine.ledger.token_new("ops", plan="pro")
            done = over_http(web.address, "/actions/slack.send", token, counts(10, 120), watch)
            runs = engine.ledger.runs(10_000_000, RunFilter(callers=("http:ops",)))
        received = finish()
    assert {one.status for one in done} == {200}
    assert sorted(received) == sorted(one.text for one in done)
    assert sorted(entry.run for entry in runs) == sorted(one.run for one in done)
    assert {entry.state for entry in runs} == {"sent"}
    # What is known of a run is in the file, not in memory: half-way on it stays flat.
    half = memory[len(memory) // 2 :]
    assert max(half) - half[0] < 32 * 1024 * 1024
