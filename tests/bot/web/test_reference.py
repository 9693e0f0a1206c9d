"""The pages on HTTP and on actions: true to the code, their examples work as they stand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.connectors import CONNECTORS
from core.scopes import Scope
from docs.contract_pages import actions
from tests.support.web import served

DOCS = Path(__file__).parents[3] / "docs"
PAGES = (DOCS / "guides/http.md", DOCS / "reference/actions.md")
BASE = "http://127.0.0.1:8787"


def examples():
    text = "".join(page.read_text("utf-8") for page in PAGES)
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [
        one.strip()
        for block in blocks
        for one in re.split(r"^(?=curl )", block, flags=re.MULTILINE)
    ]


CURLS = [one for one in examples() if one]


def test_the_reference_is_what_the_contracts_say():
    assert actions(CONNECTORS) in PAGES[1].read_text("utf-8"), "behind: make docs"


def test_every_action_has_an_example():
    for connector in CONNECTORS:
        for action in connector.actions:
            assert any(f"/actions/{connector.action_id(action)} " in one for one in CURLS)


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


def found(node, name):
    """Every value of a name, however deep."""
    if isinstance(node, list):
        return [one for below in node for one in found(below, name)]
    if not isinstance(node, dict):
        return []
    here = [node[name]] if name in node else []
    return here + [one for below in node.values() for one in found(below, name)]


def test_the_description_can_be_read_by_the_tools_that_make_clients(web):
    """Each of these stopped one: spectral, redocly, openapi-python-client."""
    said = web.get("/openapi.json").json()
    patterns = found(said, "pattern")
    assert len(patterns) > 5
    assert [one for one in patterns if max(one) > "\uffff"] == []
    assert found(said["components"], "const") == []
    assert [one["url"] for one in said["servers"]] == ["/"]
    used = {tag for tags in found(said["paths"], "tags") for tag in tags}
    assert used == {one["name"] for one in said["tags"]}


def test_a_test_send_is_described_with_its_parameter(web):
    for path, item in web.get("/openapi.json").json()["paths"].items():
        if "post" in item:
            assert "test" in [one["name"] for one in item["post"]["parameters"]], path
            assert not item["post"]["requestBody"].get("required"), path


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize("command", CURLS, ids=[one.split()[1].strip("'")[21:] for one in CURLS])
def test_a_curl_example_is_answered_as_the_page_says(web, command):
    scope = Scope.of(re.search(r"token new ops .*--only '(.*?)'", PAGES[0].read_text())[1])
    token = web.bot.engine.ledger.token_new("ops", plan="pro", scope=scope)
    done = subprocess.run(
        ["sh", "-ec", command.replace("curl ", "curl -sS -w '%{http_code}' ", 1)
         .replace(BASE, web.url)],
        env={"LEVQOR_TOKEN": token, "PATH": "/usr/bin:/bin", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )  # fmt: skip
    assert done.stdout.endswith("200"), done.stdout
