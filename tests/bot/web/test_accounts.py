"""Further accounts over HTTP: entries beside the five services, which stay as they were."""

from core.connectors import CONNECTORS
from core.engine import Engine
from core.scopes import Scope
from core.settings import Settings
from tests.support.web import served

NAMES = [connector.name for connector in CONNECTORS]


def test_health_and_metrics_have_an_entry_more_for_each_account(home, environ):
    values = {
        **environ,
        "SLACK_WEBHOOK_URL__ACME": environ["SLACK_WEBHOOK_URL"],
        "NOTION_API_KEY__NORTH": "ntn_4711",
        "NOTION_API_URL__NORTH": "http://127.0.0.1:9",
    }
    with Engine.open(Settings(home, environ=values)) as engine, served(engine) as web:
        summary = web.get("/actions/health").json()
        live = web.get("/actions/health?live=1").json()
        token = engine.ledger.token_new("prometheus", scope=Scope.of("metrics"))
        lines = web.get("/metrics", token=token).body.decode().splitlines()
        described = web.get("/openapi.json").json()["components"]["schemas"]["Health"]
    assert summary == {
        "status": "ok",
        "connectors": dict.fromkeys(NAMES, True),
        "configured": 5,
        "total": 5,
    }
    assert {name: live[name] for name in summary} == summary
    further = set(live["detail"]) - set(NAMES)
    assert further == {"slack/acme", "notion/north"}
    assert live["detail"]["slack/acme"]["verdict"] == "ok"
    assert live["detail"]["notion/north"]["verdict"] == "unreachable"
    verdicts = [line for line in lines if line.startswith("levqor_probe_verdict{")]
    assert 'levqor_probe_verdict{connector="slack/acme",verdict="ok"} 1.0' in verdicts
    assert len(verdicts) == len(NAMES) + len(further)
    # Whoever reads the description knows of them, and of their shape.
    assert "service/account" in described["properties"]["detail"]["description"]
