"""Many at once: nothing lost, nothing doubled, and as fast as the workers allow."""

import asyncio
import json
import multiprocessing
import threading
import time

import psutil
import pytest

from core.callers import Caller
from core.engine import Engine
from core.engine.queues import WORKERS
from core.settings import Settings
from tests.support.web import served

CONNECTIONS = 64
UPSTREAM_SECONDS = 0.05


async def caller(address, token, until, name):
    """Send one message after another on one connection; (message, status, run) of each."""
    reader, writer = await asyncio.open_connection(*address)
    done = []
    while time.monotonic() < until:
        text = f"{name}-{len(done)}"
        body = json.dumps({"text": text}).encode()
        writer.write(
            b"POST /actions/slack.send HTTP/1.1\r\nHost: localhost\r\n"
            b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (token, len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        done.append((text, int(head.split()[1]), answer.get("run")))
    writer.close()
    return done


def callers(address, token, seconds, results):
    """Sixty-four callers, in a process of their own as callers are."""

    async def all_of_them():
        until = time.monotonic() + seconds
        work = (caller(address, token, until, f"c{n}") for n in range(CONNECTIONS))
        return [one for done in await asyncio.gather(*work) for one in done]

    results.put(asyncio.run(all_of_them()))


def upstream(ready, results):
    """A webhook that takes 50 ms and remembers every text it was sent."""
    texts = []

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                texts.append(json.loads(await reader.readexactly(length))["text"])
                await asyncio.sleep(UPSTREAM_SECONDS)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def life():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await asyncio.to_thread(ready.join)
        server.close()
        results.put(texts)

    asyncio.run(life())


@pytest.fixture
def webhook():
    """The upstream's port, and a function that ends it and tells what it was sent."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.JoinableQueue(), context.Queue()
    process = context.Process(target=upstream, args=(ready, results))
    process.start()
    port = ready.get(timeout=20)

    def finish():
        ready.task_done()
        return results.get(timeout=20)

    yield port, finish
    process.terminate()
    process.join(10)


def without_http(engine, seconds):
    """How many runs a second the workers allow here and now, asked from as many threads."""
    caller, done = Caller("http", "direct"), []
    until = time.monotonic() + seconds

    def ask(name):
        while time.monotonic() < until:
            text = f"{name}-{time.monotonic_ns()}"
            done.append(engine.run("slack.send", {"text": text}, caller).outcome)

    threads = [threading.Thread(target=ask, args=(f"d{n}",)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(done) == {"sent"}
    return len(done) / seconds


def over_http(web, token, seconds, memory):
    """What sixty-four connections were answered in these seconds; notes the memory held."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=callers, args=(web.address, token, seconds, results))
    process.start()
    while process.is_alive() and results.empty():
        memory.append(psutil.Process().memory_info().rss)
        time.sleep(0.5)
    done = results.get(timeout=30)
    process.join(10)
    return done


def test_sixty_four_connections_lose_and_double_nothing(home, webhook, counts):
    """As fast as the workers allow in the best of three rounds: other work here slows any."""
    seconds = counts(10, 120)
    port, finish = webhook
    url = f"http://127.0.0.1:{port}/services/T00000000/B00000000/{'x' * 24}"
    settings = Settings.load(home, environ={"SLACK_WEBHOOK_URL": url})
    answers, memory, shares = [], [], []
    with Engine.open(settings) as engine, served(engine) as web:
        token = engine.ledger.token_new("ops", plan="pro").encode()
        engine.ledger.token_new("direct", plan="pro")
        while len(shares) < 3 and max(shares, default=0) < 0.8:
            done = over_http(web, token, seconds, memory)
            allowed = min(WORKERS / UPSTREAM_SECONDS, without_http(engine, counts(4, 20)))
            shares.append(len(done) / seconds / allowed)
            answers += done
        runs = engine.ledger.runs(10_000_000, "http:ops")
    assert {status for _, status, _ in answers} == {200}
    assert sorted(text for text in finish() if text[0] == "c") == sorted(t for t, _, _ in answers)
    assert sorted(entry.run for entry in runs) == sorted(run for _, _, run in answers)
    assert {entry.state for entry in runs} == {"sent"}
    assert max(shares) >= 0.8
    # What is known of a run is in the file, not in memory: half-way on it stays flat.
    half = memory[len(memory) // 2 :]
    assert max(half) - half[0] < 32 * 1024 * 1024
