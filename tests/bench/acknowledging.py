"""Slack's acknowledgement: two hundred people type, sixteen at once, while the webhook takes 8 s.

They are the members of the workspace, whom `levqor-bot` has read as it started. Beside it, which
journals each run before it acknowledges it, stands slack-bolt with a listener that acknowledges
and does nothing else. Both over Socket Mode, in processes of their own that take turns.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measured import REPEATS, Measured, median, percentile
from tests.support.bot import ROOT, Program
from tests.support.sandbox import Delay, Sandbox

MEMBERS = [f"U{number:010d}" for number in range(200)]
AT_ONCE = 16


@contextmanager
def levqor(environ):
    """`levqor-bot` with Slack alone."""
    with (
        tempfile.TemporaryDirectory(prefix="levqor-bench-") as home,
        Program(Path(home), {**environ, "LEVQOR_TELEGRAM": "off"}, "--no-http") as bot,
    ):
        bot.until("slack: connected")
        yield


@contextmanager
def bolt(environ):
    """slack-bolt with one listener."""
    line = [sys.executable, "-m", "tests.bench.acknowledging"]
    with subprocess.Popen(
        line,
        env={**os.environ, **environ},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        try:
            child.stdout.readline()
            yield
        finally:
            child.kill()


async def listen():
    """Serve the peer until it is killed."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    client = AsyncWebClient(
        token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]
    )
    app = AsyncApp(client=client)

    @app.command("/levqor-slack-send")
    async def send(ack):
        await ack("sending")

    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=client)
    await handler.connect_async()
    print("connected", flush=True)
    await asyncio.Event().wait()


def type_at_once(sandbox):
    """Milliseconds until each was acknowledged."""

    def one(user):
        done = sandbox.slack.command("/levqor-slack-send", user, user=user)
        if not done.acked:
            raise SystemExit("one was not acknowledged in time")
        return done.latency * 1000

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, MEMBERS))


def acknowledged(start):
    """Milliseconds of each, on a start of its own."""
    with Sandbox() as sandbox:
        sandbox.slack.always(Delay(8.0), on="webhook")
        sandbox.slack.members = MEMBERS
        with start({**sandbox.settings(), **sandbox.slack.socket_settings()}):
            sandbox.slack.waits_for_sockets(1)
            return type_at_once(sandbox)


def measure():
    """Measure both in turns."""
    programs = {"slack-bolt, ack alone": bolt, "levqor-bot": levqor}
    taken = {name: [] for name in programs}
    for _ in range(REPEATS):
        for name, start in programs.items():
            taken[name].append(acknowledged(start))
    for name, repeats in taken.items():
        aim = "at most bolt's" if name == "levqor-bot" else ""
        yield Measured(f"{name}, p50", "ms", [median(each) for each in repeats])
        yield Measured(f"{name}, p99", "ms", [percentile(each, 0.99) for each in repeats], aim)


if __name__ == "__main__":
    asyncio.run(listen())
