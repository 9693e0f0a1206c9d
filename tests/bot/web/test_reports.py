"""What programs read of health, runs and usage: byte for byte what it has always been."""

import contextlib
import json
import re
import sqlite3
from pathlib import Path

import pytest

from core.callers import Caller
from core.cli import main
from core.connectors import CONNECTORS
from tests.support.sandbox import Answer, DropAfter

GOLDEN = Path(__file__).with_name("reports.jsonl")
# What came into the list later has the same shape and is left out before they are compared.
KNOWN = json.loads(GOLDEN.read_text("utf-8").splitlines()[0])["connectors"]
FURTHER = {connector.name for connector in CONNECTORS} - KNOWN.keys()
OPS = Caller("http", "ops")


TEXT = r'"(?:[^"\\]|\\.)*"'
# What differs from one run to the next, or may be worded anew, and what is left of it.
VARIES = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", "MILLISECONDS"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "SECONDS"),
    (r'(?<="day": ")[\d-]+', "DAY"),
    (r"127\.0\.0\.1:\d+", "HERE"),
    (rf'("(?:words|message|fix|told|version)": ){TEXT}', r'\1"TEXT"'),
    (rf'("notes": ){TEXT}', r'\1"TEXT"'),
    (rf'("notes": )\[{TEXT}(?:, {TEXT})*\]', r'\1["TEXT"]'),
    (r'("(?:\w*_|)(?:ms|seconds)": )[\d.]+', r"\g<1>0.0"),
    (r'(?<="caller": ")cli:[^"]*', "cli:ME"),
]


def plain(text):
    """A report as programs read it, but for what varies."""
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return text


def without_further(text):
    """A report with the connectors that `reports.jsonl` knows, and no other."""
    report = json.loads(text)
    for count in {"configured", "total"} & report.keys():
        report[count] -= len(FURTHER)
    for part in {"connectors", "detail"} & report.keys():
        report[part] = {k: v for k, v in report[part].items() if k not in FURTHER}
    if "quota" in report:
        quota = report["quota"]
        report["quota"] = [q for q in quota if q["action"].partition(".")[0] not in FURTHER]
    return json.dumps(report, ensure_ascii=False)


@pytest.fixture
def answers(serve, home, sandbox, capsys, monkeypatch):
    """Every report of a home where something went well, something badly and something neither."""
    for name, value in sandbox.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RESEND_API_KEY")
    web = serve()
    engine = web.bot.engine
    token = engine.ledger.token_new("ops", plan="pro", admin=True)
    first = engine.run("slack.send", {"text": "a"}, OPS)
    sandbox.slack.next(Answer(404, body="no_service"))
    second = engine.run("slack.send", {"text": "b"}, OPS)
    third = engine.run("sheets.append", {}, OPS, test=True)
    sandbox.slack.next(DropAfter())
    fourth = engine.run("slack.send", {"text": "c"}, OPS)
    sandbox.telegram.always(Answer(401, body='{"ok":false,"error_code":401,"description":"x"}'))
    engine.ledger.inbound("parrot", ok=False, verdict="another poller", fix="Stop the other.")
    runs = dict(zip((each.run for each in (first, second, third, fourth)), "ABCD", strict=True))

    def without_runs(text):
        for run, name in runs.items():
            text = text.replace(run, name)
        return plain(without_further(text) if FURTHER else text)

    def over_http(path, *posted):
        call = web.post if posted else web.get
        body = call(path, *posted, token=token).body.decode()
        assert (
            body == json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False) + "\n"
        )
        return without_runs(json.dumps(json.loads(body), ensure_ascii=False))

    def at_a_terminal(*args):
        assert main(["--home", str(home), *args, "--output", "json"]) in (0, 1)
        return without_runs(capsys.readouterr().out.rstrip("\n"))

    return [
        *(over_http(f"/actions/health{live}") for live in ("", "?live=1")),
        *(over_http(f"/api/runs/{run}") for run in runs),
        over_http("/api/usage/summary?days=2"),
        over_http("/ops/uptime"),
        over_http("/actions/slack.send", {"text": 1, "x": 2}),
        at_a_terminal("health"),
        at_a_terminal("health", "--live"),
        at_a_terminal("runs"),
        at_a_terminal("usage"),
        at_a_terminal("why", second.run),
    ]


def test_what_programs_read_has_not_changed(answers):
    assert "\n".join([*answers, ""]) == GOLDEN.read_text("utf-8")


def test_an_interface_whose_signs_of_life_stop_is_down_wherever_one_looks(serve, home):
    web = serve()
    web.bot.engine.ledger.inbound("parrot", ok=True, verdict="takes messages")
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db, db:
        change = "UPDATE inbound SET since = since - 900, at = at - 200 WHERE surface = 'parrot'"
        db.execute(change)

    health = web.get("/actions/health?live=1").json()["inbound_detail"]["parrot"]
    uptime = web.get("/ops/uptime").json()["inbound"]["parrot"]
    token = web.bot.engine.ledger.token_new("ops", admin=True)
    metrics = web.get("/metrics", token=token).body.decode().splitlines()

    assert (health["ok"], health["verdict"]) == (False, "the bot gives no sign of life")
    assert (uptime["ok"], uptime["verdict"]) == (False, "the bot gives no sign of life")
    assert uptime["fix"] == health["fix"] == "Stop it and start it again: levqor-bot"
    assert 'levqor_inbound_up{surface="parrot"} 0.0' in metrics
    assert 'levqor_inbound_up{surface="http"} 1.0' in metrics
