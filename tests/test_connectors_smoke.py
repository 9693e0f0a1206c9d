"""The samples against the real services, where the environment has credentials for them.

One `levqor smoke` in a process of its own (this one may only reach loopback); a connector
without settings is skipped, saying what it lacks. Nothing is sent that uses quota, and
e-mail goes to Resend's own test inbox.
"""

import pytest

from core.connectors import CONNECTORS
from tests.support.cli import levqor

ACTIONS = [connector.action_id(action) for connector in CONNECTORS for action in connector.actions]

pytestmark = [pytest.mark.online, pytest.mark.xdist_group("online")]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """What one smoke run found, by action; its evidence is kept beside the test's home."""
    home = tmp_path_factory.mktemp("online")
    ran = levqor("--home", home, "smoke", "--evidence", home, "--output", "json")
    return ran.json


@pytest.mark.parametrize("action_id", ACTIONS)
def test_the_sample_is_sent_by_the_real_service(smoke, action_id):
    (result,) = [one for one in smoke["results"] if one["action"] == action_id]
    if result["outcome"] == "skipped":
        pytest.skip(result["message"])
    assert result["outcome"] == "sent", result
    assert len(result["run"]) == 10


@pytest.mark.parametrize("name", [connector.name for connector in CONNECTORS])
def test_the_probe_finds_the_real_service_working(smoke, name):
    verdict = smoke["health"][name]["verdict"]
    if verdict == "not_configured":
        pytest.skip(f"{name} is not set up in the environment")
    assert verdict in ("ok", "attention")
