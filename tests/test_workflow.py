"""The workflows: what runs there is pinned, and a secret is seen by one step alone."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STEPS = [
    step
    for file in FILES
    for job in yaml.safe_load(file.read_text("utf-8"))["jobs"].values()
    for step in job["steps"]
]


@pytest.mark.parametrize("uses", [step["uses"] for step in STEPS if "uses" in step])
def test_an_action_is_pinned_by_its_commit(uses):
    assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", uses)


def test_no_checkout_leaves_its_token_behind():
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_secrets_are_given_to_the_step_that_sends_and_to_no_other():
    text = "".join(file.read_text("utf-8") for file in FILES)
    seen = [step for step in STEPS if "secrets." in str(step)]
    assert [step["id"] for step in seen] == ["smoke"]
    assert "make" not in seen[0]["run"]
    assert "pip" not in seen[0]["run"]
    assert text.count("secrets.") == str(seen).count("secrets.")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_workflow_has_the_shape_that_its_schema_gives(file):
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    command = [*program, "vendor.github-workflows", str(file)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_only_the_job_that_publishes_and_the_one_that_attests_may_sign():
    may = {}
    for file in FILES:
        workflow = yaml.safe_load(file.read_text("utf-8"))
        assert set(workflow["permissions"].values()) <= {"read"}
        for name, job in workflow["jobs"].items():
            may[name] = {k for k, v in job.get("permissions", {}).items() if v == "write"}
            # What may sign runs nothing of a checkout.
            assert not may[name] or not any("run" in step for step in job["steps"])
    assert {name: rights for name, rights in may.items() if rights} == {
        "attest": {"id-token", "attestations"},
        "publish": {"id-token"},
    }


@pytest.mark.parametrize(
    ("file", "least", "extras"), [("constraints.txt", 100, True), ("requirements.txt", 50, False)]
)
def test_everything_that_is_installed_is_locked_with_its_hashes(file, least, extras):
    entries = locked(file)
    assert len(entries) > least
    assert all("--hash=sha256:" in rest for rest in entries.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for more in project["project"]["optional-dependencies"].values() if extras else ():
        wanted += more
    names = {plain(re.match(r"[\w.-]+", one).group()) for one in wanted}
    assert names <= {plain(name) for name, _ in entries}


def test_both_locks_have_the_same_versions():
    assert locked("requirements.txt").items() <= locked("constraints.txt").items()


def test_to_run_it_the_tests_packages_are_not_installed(tmp_path):
    def made(target):
        words = ["make", "--dry-run", "--no-print-directory", target, f"VENV={tmp_path / 'none'}"]
        return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stdout

    assert "-r requirements.txt" in made("run")
    assert "-r constraints.txt" not in made("run")
    assert "-r constraints.txt" in made("test")


def locked(file):
    """Every name and version of a lock, and what stands after it."""
    text = (ROOT / file).read_text("utf-8")
    found = re.findall(r"^([\w.-]+)==([^ ]+)((?:.|\n )*)", text, re.MULTILINE)
    return {(name, version): rest for name, version, rest in found}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
