"""The places that make a connector, and no other: one more than there are is everywhere."""

import json
import subprocess
import sys

import pytest

from core.connectors import CONNECTORS
from tests.support.cli import Ran, checkout, environment

PAGER = '''
"""Ring somebody's pager."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from core.contract import (
    Action, AnswerTable, BaseUrl, Config, Connector, Contract, HttpClient, Probe, Receipt, Secret,
    bearer, field, message_field, refused, setting, upstream_url,
)

ANSWERS = AnswerTable(
    service="Pager",
    what="the page",
    look="Look at the pager",
    by_status={
        401: refused("key_refused", "Pager does not accept the key.", "Set a new PAGER_KEY."),
        410: refused("pager_gone", "That pager is gone.", "Buy another pager."),
    },
)


class Rung(BaseModel):
    id: str


def _urgency(value: str) -> str:
    if value not in ("low", "high"):
        raise ValueError("must be low or high")
    return value


class Page(Contract):
    """A page."""

    text: str = message_field("Fire!", max_length=80)  # https://pager.example.com/limits
    urgency: Annotated[str, AfterValidator(_urgency)] = field(
        "Urgency", "How loud: low or high.", example="high", default="low", shape=["^(low|high)$"]
    )


class PagerConfig(Config):
    """What the pager needs."""

    key: Secret = setting(
        "PAGER_KEY", "The pager's key", "on its back", required=True, example="pk_…"
    )
    api_url: BaseUrl = upstream_url("PAGER_API_URL", "Pager", "https://pager.example.com")


def send(request: Page, config: PagerConfig, http: HttpClient) -> Receipt:
    """Ring once."""
    answer = http.post(
        f"{config.api_url}/rings", json=request.model_dump(), headers=bearer(config.key)
    )
    rung = answer.parse(Rung)
    if answer.status != 201 or rung is None:
        raise ANSWERS.error(answer)
    return Receipt("sent", id=rung.id)


def probe(config: PagerConfig, http: HttpClient) -> Probe:
    """Ask whose key it is."""
    answer = http.get(f"{config.api_url}/me", headers=bearer(config.key))
    if answer.status != 200:
        raise ANSWERS.error(answer)
    return Probe()


CONNECTOR = Connector(
    name="pager",
    title="Pager",
    config=PagerConfig,
    actions=(
        Action(
            name="ring", title="Ring a pager", input=Page, sample={"text": "A test."}, send=send
        ),
    ),
    probe=probe,
    answers=ANSWERS,
)
'''
SERVICE = '''
"""Pager on loopback: ringing, and whose key it is."""

from aiohttp import web

from core.sandbox.credentials import letters
from core.sandbox.service import Card, Handler, Received, Refusal, SandboxService


class Pager(SandboxService):
    """Pager's two calls."""

    name = "pager"
    connector = "pager"
    title = "Pager"
    key = "pk_" + letters("pager", 20)

    def settings(self) -> dict[str, str]:
        return {"PAGER_KEY": self.key, "PAGER_API_URL": self.url}

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        return [
            ("POST", "/pager/rings", "rings.create", self._ring),
            ("GET", "/pager/me", "me", self._me),
        ]

    def not_found(self) -> Refusal:
        return Refusal(web.Response(status=404))

    async def _ring(self, request: web.Request, received: Received) -> web.Response:
        self._check_key(request)
        given = received.json
        if not isinstance(given, dict) or given.keys() != {"text", "urgency"}:
            raise Refusal(web.Response(status=422))
        received.card = Card("Pager", given["urgency"], given["text"])
        return web.json_response({"id": letters("ring", 12)}, status=201)

    async def _me(self, request: web.Request, received: Received) -> web.Response:
        self._check_key(request)
        return web.json_response({"name": "Levqor"})

    def _check_key(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            raise Refusal(web.Response(status=401))
'''
# The service alone, for as long as standard input is open.
ALONE = """
import json, sys
from core.sandbox.pager import Pager
from core.sandbox.server import Sandbox
Sandbox.kinds = (Pager,)
with Sandbox() as sandbox:
    print(json.dumps(sandbox.services[0].settings()), flush=True)
    sys.stdin.read()
"""


def change(file, *replaced):
    text = file.read_text()
    for old, new in replaced:
        assert text.count(old) == 1
        text = text.replace(old, new)
    file.write_text(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the program with one more connector: two files, and a line in two lists."""
    copy = checkout(tmp_path_factory.mktemp("further"))
    (copy / "core/connectors/pager.py").write_text(PAGER)
    (copy / "core/sandbox/pager.py").write_text(SERVICE)
    change(
        copy / "core/connectors/__init__.py",
        ("from core.contract", "from core.connectors import pager\nfrom core.contract"),
        ("\n)\n", "\n    pager.CONNECTOR,\n)\n"),
    )
    change(
        copy / "core/sandbox/server.py",
        (
            "from core.sandbox import page\n",
            "from core.sandbox import page\nfrom core.sandbox.pager import Pager\n",
        ),
        ("SERVICES: tuple[type[SandboxService], ...] = (", "SERVICES = (Pager, "),
    )
    return copy


@pytest.fixture
def pager(tree):
    """The settings that lead to the one service, which runs."""
    with subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=tree, env=environment(PYTHONPATH=str(tree)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        yield json.loads(child.stdout.readline())
        child.stdin.close()


@pytest.fixture
def levqor(tree, home, pager):
    def run(*args, **more):
        ran = subprocess.run(
            [sys.executable, "-m", "core.cli", "--home", str(home), *args],
            check=False, capture_output=True, text=True, timeout=30, cwd=tree,
            env={**environment(**{**pager, **more}), "PYTHONPATH": str(tree)},
        )  # fmt: skip
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


def test_help_shows_its_usage_and_its_fields(levqor):
    assert "levqor run pager.ring [urgency=…] text" in levqor("run", "--help").out
    assert "urgency: How loud: low or high." in levqor("run", "pager.ring", "--help").out


def test_it_runs(levqor):
    printed = levqor("run", "pager.ring", "Fire!", "--output", "json")
    assert (printed.status, printed.json["status"]) == (0, "sent")
    assert printed.json["id"].count("*") == 4


def test_its_own_row_says_why_it_was_refused(levqor):
    printed = levqor("run", "pager.ring", "Fire!", "--output", "json", PAGER_KEY="pk_wrong")
    assert (printed.status, printed.json["reason"]) == (1, "key_refused")
    assert printed.json["fix"] == "Set a new PAGER_KEY."


def test_usage_counts_it_and_its_quota(levqor):
    levqor("run", "pager.ring", "Fire!")
    told = levqor("usage", "--output", "json").json
    assert [(row["connector"], row["sent"]) for row in told["usage"]] == [("pager", 1)]
    assert told["quota"][-1]["action"] == "pager.ring"
    assert told["quota"][-1]["used"] == 1


def test_health_probes_it(levqor):
    told = levqor("health", "--live", "--output", "json").json
    assert told["connectors"]["pager"] is True
    assert (told["configured"], told["total"]) == (1, len(CONNECTORS) + 1)
    assert told["detail"]["pager"]["verdict"] == "ok"


def test_it_runs_without_an_account(levqor):
    told = levqor("--sandbox", "health", "--live", "--output", "json").json
    assert told["configured"] == told["total"] == len(CONNECTORS) + 1
    assert told["detail"]["pager"]["verdict"] == "ok"


def test_the_smoke_run_fires_its_sample(levqor):
    printed = levqor("smoke", "--output", "json")
    assert printed.status == 0
    sent = [one["action"] for one in printed.json["results"] if one["outcome"] == "sent"]
    assert sent == ["pager.ring"]


def test_the_doctor_says_what_it_lacks_and_where_to_get_it(levqor):
    told = levqor("doctor", "--output", "json", PAGER_KEY="").json["findings"]
    (finding,) = [one for one in told if one.get("setting") == "PAGER_KEY"]
    assert "the pager's key" in finding["what"]
    assert "on its back" in finding["fix"]
    assert finding["line"] == "PAGER_KEY=pk_…"


def test_the_shell_completes_it(levqor):
    offered = levqor(_LEVQOR_COMPLETE="complete_bash", COMP_WORDS="levqor run pa", COMP_CWORD="2")
    assert offered.out.split() == ["pager.ring"]


def test_the_generated_pages_describe_it(tree):
    ran = subprocess.run(
        [sys.executable, "docs/generate.py"], check=True, capture_output=True, text=True, cwd=tree
    )
    pages = ("docs/index.md", "docs/reference/settings.md", ".env.example")
    assert {f"{page} written" for page in pages} <= set(ran.stdout.splitlines())
    assert "| Pager | `pager.ring` | `PAGER_KEY` |" in (tree / "docs/index.md").read_text()
    assert "pager.ring" in (tree / "docs/reference/actions.md").read_text()
    assert "`PAGER_KEY`" in (tree / "docs/reference/settings.md").read_text()
    assert "\nPAGER_KEY=\n" in (tree / ".env.example").read_text()
