"""Sixty-four HTTP connections at once, beside a plain FastAPI route that forwards a post.

Each server is a process of its own and has as many workers, and they take turns; the webhook
behind both takes 50 ms, so the workers alone allow 320 answers a second. The route keeps no
journal, checks no contract and counts no quota: it is what the same two libraries do with nothing
of ours. Callers and webhook need processor time too, so where there are few cores it is that, and
not the workers, that ends the rate.
"""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psutil

from core.engine.queues import WORKERS
from core.ledger import Ledger
from tests.bench.measured import REPEATS, Measured
from tests.support.bot import Program
from tests.support.load import CONNECTIONS, UPSTREAM_SECONDS, over_http, slow_webhook

SECONDS = 8
PATH = "/actions/slack.send"


@contextmanager
def levqor(url):
    """`levqor-bot`, one webhook, one caller on the pro plan: its address, token and process."""
    with tempfile.TemporaryDirectory(prefix="levqor-bench-") as folder:
        home = Path(folder)
        with Ledger.open(home) as ledger:
            token = ledger.token_new("ops", plan="pro")
        with Program(home, {"SLACK_WEBHOOK_URL": url}, "--http", "127.0.0.1:0") as bot:
            yield ("127.0.0.1", int(bot.address.rpartition(":")[2])), token, bot.pid
            bot.terminate()


@contextmanager
def plain(url):
    """The peer, in a process of its own: its address, any token and its id."""
    line = [sys.executable, "-m", "tests.bench.load", url]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield ("127.0.0.1", int(child.stdout.readline())), "none", child.pid
        finally:
            child.terminate()


def forward(url):
    """Serve FastAPI with one route that posts what it gets to a webhook and waits for it."""
    import asyncio
    import socket
    from contextlib import asynccontextmanager
    from typing import Annotated

    import anyio.to_thread
    import requests
    import uvicorn
    from fastapi import Body, FastAPI

    @asynccontextmanager
    async def life(app):
        anyio.to_thread.current_default_thread_limiter().total_tokens = WORKERS
        yield

    app, session = FastAPI(lifespan=life), requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))

    @app.post(PATH)
    def send(text: Annotated[str, Body(embed=True)]) -> dict[str, str]:
        return {"status": session.post(url, json={"text": text}, timeout=10).text}

    ear = socket.create_server(("127.0.0.1", 0))
    print(ear.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    asyncio.run(server.serve(sockets=[ear]))


def rate(serve, name):
    """Answers a second, and milliseconds on a processor for each."""
    with slow_webhook() as (url, finish), serve(url) as (address, token, pid):
        over_http(address, PATH, token, 1)  # every thread and connection is there
        busy = sum(psutil.Process(pid).cpu_times()[:2])
        done = over_http(address, PATH, token, SECONDS)
        busy = sum(psutil.Process(pid).cpu_times()[:2]) - busy
        sent = finish()
    if {one.status for one in done} != {200} or len(sent) < len(done):
        raise SystemExit(f"{name} lost or refused some")
    return len(done) / SECONDS, busy / len(done) * 1000


def measure():
    """Measure both in turns."""
    taken = {"FastAPI + requests": [], "levqor-bot": []}
    for _ in range(REPEATS):
        for name, serve in zip(taken, (plain, levqor), strict=True):
            taken[name].append(rate(serve, name))
    allowed = WORKERS / UPSTREAM_SECONDS
    peer, ours = taken.values()
    for name, each in taken.items():
        yield Measured(f"{name}, {CONNECTIONS} connections", "1/s", [one for one, _ in each])
        share = [100 * one / allowed for one, _ in each]
        aim = "at least the peer's" if each is ours else ""
        yield Measured(f"{name}, of what the workers allow", "%", share, aim)
        yield Measured(f"{name}, on a processor for each", "ms", [busy for _, busy in each])
    paired = [our[0] / their[0] for our, their in zip(ours, peer, strict=True)]
    yield Measured("levqor-bot, of the peer's rate just before", "times", paired, "at least 1")


if __name__ == "__main__":
    forward(sys.argv[1])
