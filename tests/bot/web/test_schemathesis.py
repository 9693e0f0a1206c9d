"""Schemathesis against the live server: every check, on every address, with no failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.connectors import CONNECTORS
from tests.support.sandbox import Answer
from tests.support.web import served

ROOT = Path(__file__).parents[3]
# What the upstreams may refuse is no fault of the API: here they take everything.
GENEROUS = [
    ("slack", "chat.postMessage", {"ok": True}),
    ("telegram", "sendMessage", {"ok": True, "result": {"message_id": 1, "chat": {"id": 1}}}),
    ("sheets", "values.append", {"updates": {"updatedRows": 1}}),
    ("notion", "databases.retrieve", {"data_sources": [{"id": "x", "name": "x"}]}),
    (
        "notion",
        "data_sources.retrieve",
        {"id": "x", "properties": {"Name": {"id": "title", "type": "title"}}},
    ),
    ("notion", "pages.create", {"id": "a1b2c3d4e5f6a7b8"}),
]


@pytest.mark.timeout(900)
def test_the_api_is_what_it_says_it_is(engine, sandbox, counts, tmp_path):
    for name, call, body in GENEROUS:
        getattr(sandbox, name).always(Answer(json=body), on=call)
    token = engine.ledger.token_new("ops", plan="pro", admin=True)
    with served(engine) as web:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "--config-file",
                ROOT / "tests" / "support" / "schemathesis.toml",
                "run",
                f"{web.url}/openapi.json",
                "--header",
                f"Authorization: Bearer {token}",
                "--max-time",
                str(counts(60, 600)),
                "--no-color",
                # How many values of its own the generator throws away says nothing of the API.
                "--suppress-health-check=filter_too_much",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    # Each action, and health, usage, runs, a run, uptime, metrics, a link, ready and live.
    every = sum(len(connector.actions) for connector in CONNECTORS) + 9
    assert f"{every} selected / {every} total" in done.stdout
