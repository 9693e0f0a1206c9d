"""Further accounts in the web console's overview."""

import re

from core.engine import Engine
from core.health import HealthChecker
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor
from tests.support.web import served


def test_the_overview_has_a_card_for_each_account(home, environ):
    values = {
        **environ,
        "SLACK_WEBHOOK_URL__ACME": environ["SLACK_WEBHOOK_URL"],
        "SLACK_BOT_TOKEN__NORTH": "xoxb-north-0123456789",
    }
    with Engine.open(Settings(home, environ=values)) as engine, served(engine) as web:
        HealthChecker(engine).report(live=True)
        reply = Visitor(web).sign_in().get("/")
        page = reply.body.decode()
    cards = [card.partition("</h2>") for card in page.split('<article class="card">')[1:]]
    found = {re.findall(r">([^<>]+)<?", head)[0]: body for head, _, body in cards}
    assert list(found)[:3] == ["Slack", "Slack (acme)", "Slack (north)"]
    assert len(found) == 7
    assert "Working" in found["Slack (acme)"]
    assert "<code>SLACK_WEBHOOK_URL__NORTH</code> is missing" in found["Slack (north)"]
    assert "xoxb-north" not in page
