"""Slack's acknowledgement while another program holds the database and HTTP callers press on.

Thirty posts a second over HTTP and a command at a time in Slack, five seconds in each repeat; each
side is answered "not sent" while the database is held.
"""

import tempfile
import time
from pathlib import Path

from core.ledger import Ledger
from tests.bench.measured import REPEATS, Measured, median, percentile
from tests.support.bot import Program
from tests.support.holding import Callers, held
from tests.support.sandbox import Sandbox

SECONDS = 5


def commands(sandbox, home, *, over_http):
    """Milliseconds until each of Slack's commands was acknowledged."""
    chosen = sandbox.slack.http_settings() if over_http else sandbox.slack.socket_settings()
    environ = {**sandbox.settings(), **chosen, "LEVQOR_TELEGRAM": "off"}
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        bot.until("slack: waiting for Slack" if over_http else "slack: connected")
        if over_http:
            sandbox.slack.listens_at(f"http://{bot.address}/slack/events")
        with Ledger.open(home) as ledger:
            token = ledger.token_new("bench", plan="pro")
        taken = []
        with held(home), Callers(bot.address, token):
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                done = sandbox.slack.command("/levqor-slack-send", "x", user=f"U{len(taken):010d}")
                if not done.acked:
                    raise SystemExit("one was not acknowledged in time")
                taken.append(done.latency * 1000)
    return taken


def measure():
    """Measure both ways in, in turns."""
    taken = {"Slack over HTTP": [], "Slack over Socket Mode": []}
    for _ in range(REPEATS):
        for name, each in taken.items():
            with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="levqor-bench-") as home:
                each.append(commands(sandbox, Path(home), over_http=name == "Slack over HTTP"))
    for name, repeats in taken.items():
        yield Measured(f"{name}, p50", "ms", [median(each) for each in repeats])
        p99 = [percentile(each, 0.99) for each in repeats]
        yield Measured(f"{name}, p99", "ms", p99, "under 1500")
