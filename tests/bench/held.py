"""Slack's acknowledgements while another program holds the database and HTTP callers press on.

Thirty posts a second over HTTP, a command at a time in Slack, for thirty seconds; each side is
answered "not sent" while the database is held.
"""

import tempfile
import time
from pathlib import Path

from core.ledger import Ledger
from tests.bench import table
from tests.support.bot import Program
from tests.support.holding import POSTS_A_SECOND, Callers, held
from tests.support.sandbox import Sandbox

SECONDS = 30


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
    return sorted(taken)


def main():
    """Print the table."""
    rows = []
    for name, over_http in (("Slack over HTTP", True), ("Slack over Socket Mode", False)):
        with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="levqor-bench-") as home:
            taken = commands(sandbox, Path(home), over_http=over_http)
        rows.append((name, *table.spread(taken), f"{taken[len(taken) * 99 // 100 - 1]:.0f}"))
    table.show(
        f"Acknowledged with the database held for {SECONDS} s and {POSTS_A_SECOND} HTTP posts "
        "a second (bound: p99 under 1500 ms)",
        ("way in", "median ms", "p95 ms", "p99 ms"),
        rows,
    )
