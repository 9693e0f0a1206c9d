"""Sixty-four connections for ten seconds, beside a plain FastAPI route that forwards a post.

Each server is a process of its own and has as many workers; the webhook behind both takes
50 ms, so the workers alone allow 320 answers a second. The route keeps no journal, checks
no contract and counts no quota: it is what the same two libraries do with nothing of ours.
"""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from core.engine.queues import WORKERS
from core.ledger import Ledger
from tests.bench import table
from tests.support.bot import Program
from tests.support.load import CONNECTIONS, UPSTREAM_SECONDS, over_http, slow_webhook

SECONDS, ROUNDS = 10, 3
PATH = "/actions/slack.send"


@contextmanager
def levqor(url):
    """`levqor-bot` with one webhook and one caller on the pro plan: its address and token."""
    with tempfile.TemporaryDirectory(prefix="levqor-bench-") as folder:
        home = Path(folder)
        with Ledger.open(home) as ledger:
            token = ledger.token_new("ops", plan="pro")
        with Program(home, {"SLACK_WEBHOOK_URL": url}, "--http", "127.0.0.1:0") as bot:
            bot.until("listening on http://")
            where = bot.said.partition("listening on http://")[2].split()[0]
            yield ("127.0.0.1", int(where.rpartition(":")[2])), token
            bot.terminate()


@contextmanager
def plain(url):
    """The peer, in a process of its own: its address and any token."""
    line = [sys.executable, "-m", "tests.bench.load", url]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield ("127.0.0.1", int(child.stdout.readline())), "none"
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


def main():
    """Print the table."""
    rates = {"FastAPI + requests": [], "levqor-bot": []}
    for _ in range(ROUNDS):
        for name, serve in zip(rates, (plain, levqor), strict=True):
            with slow_webhook() as (url, finish), serve(url) as (address, token):
                done = over_http(address, PATH, token, SECONDS)
                sent = finish()
            if {one.status for one in done} != {200} or len(sent) != len(done):
                raise SystemExit(f"{name} lost or refused some")
            rates[name].append(len(done) / SECONDS)
    allowed = WORKERS / UPSTREAM_SECONDS
    rows = [
        (name, *(f"{rate:.0f}" for rate in found), f"{max(found) / allowed:.0%}")
        for name, found in rates.items()
    ]
    table.show(
        f"{CONNECTIONS} connections, {SECONDS} s; {allowed:.0f}/s allowed (bound: 80 %)",
        ("server", *(f"round {n + 1}, 1/s" for n in range(ROUNDS)), "best, of what is allowed"),
        rows,
    )


if __name__ == "__main__":
    forward(sys.argv[1])
