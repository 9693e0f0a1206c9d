"""One new file and its name in the list: a sixth connector is everywhere."""

import shutil
import subprocess
import sys

import pytest

from tests.bench.server import running
from tests.support.cli import ROOT, Ran, environment

PAGER = '''
"""Ring somebody's pager."""

from pydantic import SecretStr

from core.contract import (
    Action, AnswerTable, Config, Connector, Contract, Probe, Receipt, field, refused, setting,
)

ANSWERS = AnswerTable(
    service="Pager",
    what="the page",
    look="Look at the pager",
    by_status={410: refused("pager_gone", "That pager is gone.", "Buy another pager.")},
)


class Page(Contract):
    """A page."""

    text: str = field("Text", "What to ring.", example="Fire!", takes_text=True, max_length=80)
    urgency: str = field("Urgency", "How loud.", example="high", default="low", max_length=9)


class PagerConfig(Config):
    """What the pager needs."""

    key: SecretStr = setting(
        "PAGER_KEY", "The pager's key", "on its back", required=True, example="pk_…"
    )
    url: str = setting(
        "PAGER_API_URL", "Where pagers live", "ask the vendor", env_only=True,
        default="https://pager.example.com",
    )


def send(request, config, http):
    answer = http.post(f"{config.url}/ring", json=request.model_dump())
    if answer.status != 200:
        raise ANSWERS.error(answer)
    return Receipt("rung")


def probe(config, http):
    answer = http.post(f"{config.url}/ping", effect="none")
    if answer.status != 200:
        raise ANSWERS.error(answer, wrote=False)
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


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the program with a sixth connector."""
    copy = tmp_path_factory.mktemp("sixth")
    for folder in ("core", "bot", "docs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("README.md", ".env.example"):
        shutil.copy(ROOT / file, copy / file)
    (copy / "core/connectors/pager.py").write_text(PAGER)
    listing = copy / "core/connectors/__init__.py"
    listing.write_text(
        listing.read_text()
        .replace("core.connectors import ", "core.connectors import pager, ")
        .replace("\n)\n", "\n    pager.CONNECTOR,\n)\n")
    )
    return copy


@pytest.fixture
def levqor(tree, home):
    with running() as url:

        def run(*args, **more):
            settings = {"PAGER_KEY": "pk_1234567890", "PAGER_API_URL": url, **more}
            ran = subprocess.run(
                [sys.executable, "-m", "core.cli", "--home", str(home), *args],
                check=False, capture_output=True, text=True, timeout=30, cwd=tree,
                env={**environment(**settings), "PYTHONPATH": str(tree)},
            )  # fmt: skip
            return Ran(ran.returncode, ran.stdout, ran.stderr)

        yield run


def test_help_shows_its_usage_and_its_fields(levqor):
    assert "levqor run pager.ring [urgency=…] text" in levqor("run", "--help").out
    assert "urgency: How loud." in levqor("run", "pager.ring", "--help").out


def test_it_runs(levqor):
    printed = levqor("run", "pager.ring", "Fire!", "--output", "json")
    assert printed.json == {"status": "rung", "run": printed.json["run"]}


def test_usage_counts_it_and_its_quota(levqor):
    levqor("run", "pager.ring", "Fire!")
    told = levqor("usage", "--output", "json").json
    assert [(row["connector"], row["sent"]) for row in told["usage"]] == [("pager", 1)]
    assert told["quota"][-1]["action"] == "pager.ring"
    assert told["quota"][-1]["used"] == 1


def test_health_probes_it(levqor):
    told = levqor("health", "--live", "--output", "json").json
    assert told["connectors"]["pager"] is True
    assert (told["configured"], told["total"]) == (1, 6)
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
    written = {"README.md written", "docs/CONFIGURATION.md written", ".env.example written"}
    assert written <= set(ran.stdout.splitlines())
    assert "| Pager | `pager.ring` | `PAGER_KEY` |" in (tree / "README.md").read_text()
    assert "pager.ring" in (tree / "docs/CONNECTORS.md").read_text()
    assert "`PAGER_KEY`" in (tree / "docs/CONFIGURATION.md").read_text()
    assert "\nPAGER_KEY=\n" in (tree / ".env.example").read_text()
