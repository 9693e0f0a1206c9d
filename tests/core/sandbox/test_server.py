"""The sandbox as other processes and people see it."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiohttp import web

from core.sandbox import SandboxService, exports
from core.sandbox.service import Card, Refusal
from tests.support.asking import ADA
from tests.support.sandbox import Answer, DropAfter, Sandbox
from tests.support.waiting import wait_for

SENT = {
    "slack.send": {"text": "All tests\npass."},
    "notion.create": {"props": {"title": "Fix login", "Due": "2026-12-01/2026-12-05"}},
    "sheets.append": {"values": [["Ada", 42]]},
    "telegram.send": {"text": "Deployed"},
    "email.send": {"to": "delivered@resend.dev", "subject": "Report", "text": "All is <well>."},
}
SEEN = [
    ("#general", "<pre>All tests\npass.</pre>"),
    ("<h2>Fix login", "<td>Due</td><td>2026-12-01 → 2026-12-05</td>"),
    ("Sheet1!A1:B1", "<td>Ada</td><td>42</td>"),
    ("Levqor sandbox", "<pre>Deployed</pre>"),
    ("<h2>Report", "→ delivered@resend.dev", "All is &lt;well&gt;."),
]


@pytest.fixture
def hook(sandbox):
    return sandbox.settings()["SLACK_WEBHOOK_URL"]


def post(url, text="hello", timeout=5.0):
    return requests.post(url, json={"text": text}, timeout=timeout)


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_page_from_elsewhere_cannot_read_the_sandbox(sandbox, header):
    assert requests.get(f"{sandbox.url}/", headers=header).status_code == 403


def test_the_front_page_shows_the_newest_first_and_escapes_everything(sandbox, hook):
    post(hook, "earlier")
    post(hook, "<script>alert(1)</script>")
    answer = requests.get(f"{sandbox.url}/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script" not in answer.text
    assert answer.text.index("alert(1)") < answer.text.index("earlier")


def test_the_front_page_tells_a_poll_that_waits_from_one_that_got_no_answer(sandbox):
    settings = sandbox.settings()
    url = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}/getUpdates"
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(requests.post, url, json={"timeout": 30})
        wait_for(lambda: sandbox.telegram.received)
        assert ">waiting<" in requests.get(f"{sandbox.url}/?checks=1").text
        sandbox.telegram.user(1).says("hello")
        assert poll.result().status_code == 200
    sandbox.telegram.next(DropAfter())
    with pytest.raises(requests.ConnectionError):
        requests.post(url, json={"timeout": 0})
    wait_for(lambda: sandbox.telegram.received[-1].over)
    page = requests.get(f"{sandbox.url}/?checks=1").text
    assert page.index(">no answer<") < page.index(">200<")
    assert ">waiting<" not in page


def test_the_front_page_shows_what_a_person_would_see_in_each_service(engine, sandbox):
    engine.ledger.set_plan(str(ADA), "pro")
    for action_id, values in SENT.items():
        assert engine.run(action_id, values, ADA).outcome == "sent"
    page = requests.get(f"{sandbox.url}/").text
    articles = re.findall(r'<article class="(\w+)">(.*?)</article>', page, re.DOTALL)
    assert [name for name, _ in articles] == ["resend", "telegram", "sheets", "notion", "slack"]
    for words, (_, article) in zip(reversed(SEEN), articles, strict=True):
        for word in words:
            assert word in article


def test_the_front_page_hides_checks_until_it_is_asked(sandbox, hook):
    post(hook, "")
    page = requests.get(f"{sandbox.url}/").text
    assert "1 check (nothing sent)" in page
    assert "<article" not in page
    assert ">400<" in requests.get(f"{sandbox.url}/?checks=1").text


def test_the_front_page_shows_no_credential(sandbox, hook):
    settings = sandbox.settings()
    base = f"{settings['TELEGRAM_API_URL']}/bot{settings['TELEGRAM_BOT_TOKEN']}"
    requests.post(f"{base}/sendMessage", json={"chat_id": "1", "text": "hi"})
    post(hook)
    page = requests.get(f"{sandbox.url}/").text
    for name in ("TELEGRAM_BOT_TOKEN", "SLACK_BOT_TOKEN"):
        assert settings[name] not in page
    assert sandbox.slack.hook not in page


def test_a_made_up_connector_brings_its_own_service():
    class Pager(SandboxService):
        name = "pager"
        connector = "pager"
        title = "Pager"

        def settings(self):
            return {"PAGER_URL": self.url}

        def routes(self):
            return [("POST", "/pager/page", "page", self._page)]

        async def _page(self, request, received):
            received.card = Card("Pager", "", received.text)
            return await Answer(202).play(request, None)

        def not_found(self):
            return Refusal(web.Response(status=404))

    with Sandbox(extra=[Pager]) as sandbox:
        assert requests.post(f"{sandbox.settings()['PAGER_URL']}/page").status_code == 202
        assert [one.call for one in sandbox.service("pager").writes] == ["page"]


def test_a_service_that_is_not_whole_is_said_at_once():
    class Pager(SandboxService):
        name = "pager"

    with pytest.raises(TypeError, match="abstract"), Sandbox(extra=[Pager]):
        pass


def test_a_port_that_is_taken_is_said(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), Sandbox(port):
        pass


def test_credentials_have_the_vendors_shapes(sandbox):
    settings = sandbox.settings()
    assert settings["SLACK_WEBHOOK_URL"].startswith(f"{sandbox.url}/slack/services/T")
    assert settings["SLACK_BOT_TOKEN"].startswith("xoxb-")
    assert settings["TELEGRAM_BOT_TOKEN"].partition(":")[0].isdecimal()
    assert settings["RESEND_API_KEY"].startswith("re_")
    assert settings["NOTION_API_KEY"].startswith("ntn_")
    assert len(settings["NOTION_DATABASE_ID_DEFAULT"]) == 32


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_prints_settings_to_export_and_ends_on_a_signal(number):
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "core.cli", "sandbox"],
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    ) as process:
        url = process.stdout.readline().split()[5]
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[2].startswith(f"export SLACK_WEBHOOK_URL={url}slack/services/")
        assert requests.get(url, timeout=5).status_code == 200
        process.send_signal(number)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_exported_settings_survive_a_shell():
    line = exports({"A": 'it\'s {"json": 1}'})
    said = subprocess.run(
        ["sh", "-c", f'{line}; printf %s "$A"'], capture_output=True, text=True, check=True
    )
    assert said.stdout == 'it\'s {"json": 1}'
