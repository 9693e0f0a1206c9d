"""Health, uptime and metrics over HTTP."""

import threading

import pytest

from core.connectors import CONNECTORS
from tests.support.cli import levqor
from tests.support.sandbox import Delay
from tests.support.web import MAIL, served


def test_health_has_the_old_services_shape(web):
    assert web.get("/actions/health").json() == {
        "status": "ok",
        "connectors": {connector.name: True for connector in CONNECTORS},
        "configured": len(CONNECTORS),
        "total": len(CONNECTORS),
    }


@pytest.mark.parametrize("path", ["/actions/health", "/ops/uptime", "/metrics", "/openapi.json"])
def test_a_health_checkers_head_is_answered_as_a_get_without_a_body(web, path, prometheus):
    got, head = web.get(path, token=prometheus), web.call("HEAD", path, token=prometheus)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_live_health_probes_once_however_many_ask(web, sandbox):
    sandbox.resend.next(Delay(0.3))
    replies = []
    threads = [
        threading.Thread(target=lambda: replies.append(web.get("/actions/health?live=1")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later = web.get("/actions/health?live=1").json()
    assert [reply.status for reply in replies] == [200] * 8
    assert later["detail"]["email"]["verdict"] == "ok"
    assert set(later["inbound"]) == {"http"}
    assert len(sandbox.resend.calls("domains.list")) == 1


def test_uptime_tells_version_and_ways_in(web):
    said = web.get("/ops/uptime").json()
    assert said["status"] == "ok"
    assert said["version"] == "0.1.0"
    assert said["uptime_seconds"] >= 0
    assert said["inbound"]["http"]["ok"] is True


def test_metrics_count_runs_refusals_queues_and_verdicts(web, prometheus):
    web.post("/actions/email.send", MAIL)
    web.post("/actions/email.send", MAIL)
    web.get("/actions/health?live=1")
    reply = web.get("/metrics", token=prometheus)
    lines = reply.body.decode().splitlines()
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    sent = 'levqor_runs_total{action="email.send",outcome="sent",surface="http"} 1.0'
    assert sent in lines
    assert 'levqor_quota_refusals_total{action="email.send",surface="http"} 1.0' in lines
    assert 'levqor_run_seconds_count{action="email.send"} 1.0' in lines
    assert 'levqor_queue_depth{connector="email"} 0.0' in lines
    assert 'levqor_probe_verdict{connector="email",verdict="ok"} 1.0' in lines
    assert 'levqor_inbound_up{surface="http"} 1.0' in lines
    assert 'levqor_http_answers_total{status="200"} 2.0' in lines
    assert 'levqor_http_answers_total{status="402"} 1.0' in lines


def test_metrics_count_the_terminal_s_runs_too_and_survive_a_restart(
    engine, home, sandbox, prometheus
):
    with served(engine) as web:
        web.post("/actions/email.send", MAIL)
    sent = levqor("--home", home, "run", "slack.send", "hi", env=sandbox.settings())
    assert sent.status == 0, sent.err
    with served(engine) as web:
        lines = web.get("/metrics", token=prometheus).body.decode().splitlines()
    assert 'levqor_runs_total{action="email.send",outcome="sent",surface="http"} 1.0' in lines
    assert 'levqor_runs_total{action="slack.send",outcome="sent",surface="cli"} 1.0' in lines


def test_metrics_speak_openmetrics_where_it_is_asked_for(web, prometheus):
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    reply = web.get("/metrics", headers=accept, token=prometheus)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")
