"""The workflow: what runs there is pinned, and a secret is seen by one step alone."""

import re
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
    for file in FILES:
        text = file.read_text("utf-8")
        seen = [step for step in STEPS if "secrets." in str(step)]
        assert [step["id"] for step in seen] == ["smoke"]
        assert "make" not in seen[0]["run"]
        assert "pip" not in seen[0]["run"]
        assert text.count("secrets.") == str(seen).count("secrets.")


def test_everything_that_is_installed_is_locked_with_its_hashes():
    lock = (ROOT / "constraints.txt").read_text("utf-8")
    entries = re.findall(r"^([\w.-]+)==[^ ]+((?:.|\n )*)", lock, re.MULTILINE)
    assert len(entries) > 100
    assert all("--hash=sha256:" in rest for _, rest in entries)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for more in project["project"]["optional-dependencies"].values():
        wanted += more
    names = {plain(re.match(r"[\w.-]+", one).group()) for one in wanted}
    assert names <= {plain(name) for name, _ in entries}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
