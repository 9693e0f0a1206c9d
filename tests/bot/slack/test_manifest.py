"""The Slack app's manifest: what Slack would take, made from the actions."""

import json
from urllib.parse import unquote

import pytest

from bot.app import main
from bot.slack import manifest as package
from bot.slack.manifest import RESERVED, check_names, manifest, name_faults
from bot.slack.surface import Slack
from core.connectors import CONNECTORS
from core.errors import NotConfigured
from core.grammar import usage
from core.settings import Settings


def settings(home, **environ):
    return Settings(home, environ=environ)


def commands(made):
    return {one["command"]: one for one in made["features"]["slash_commands"]}


def test_every_action_is_a_command_with_its_title_and_usage(home):
    found = commands(manifest(settings(home), CONNECTORS))
    for connector in CONNECTORS:
        for action in connector.actions:
            name = f"/levqor-{connector.action_id(action).replace('.', '-').replace('_', '-')}"
            assert found[name]["description"] == action.title
            assert found[name]["usage_hint"] == usage("", action.input).strip()
    assert len(found) == 1 + sum(len(connector.actions) for connector in CONNECTORS)
    assert found["/levqor"]["usage_hint"].startswith(
        "health [live] | usage | runs [N] | why RUN | link [CODE] | open [end] | whoami"
    )


def test_only_a_command_that_takes_a_channel_is_escaped(home):
    found = commands(manifest(settings(home), CONNECTORS))
    assert [name for name, one in found.items() if one["should_escape"]] == ["/levqor-slack-send"]


def test_all_of_slacks_bounds_are_kept(home):
    made = manifest(settings(home, LEVQOR_SLACK_PREFIX="a23456789012345678"), CONNECTORS)
    for one in made["features"]["slash_commands"]:
        assert len(one["command"]) <= 32
        assert 1 <= len(one["description"]) <= 2000
        assert 1 <= len(one["usage_hint"]) <= 1000
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140


def test_the_prefix_names_every_command(home):
    found = commands(manifest(settings(home, LEVQOR_SLACK_PREFIX="ops_"), CONNECTORS))
    assert list(found)[:2] == ["/ops", "/ops_slack-send"]


@pytest.mark.parametrize("name", ["status", "me", "topic", "who"])
def test_a_name_of_slacks_own_is_refused_with_what_to_do(home, name):
    with pytest.raises(NotConfigured) as refused:
        manifest(settings(home, LEVQOR_SLACK_PREFIX=f"{name}-"), CONNECTORS)
    assert refused.value.message == f"/{name} is a command of Slack's own."
    assert refused.value.fix == "Choose another LEVQOR_SLACK_PREFIX."


def test_nineteen_names_are_slacks_own():
    assert len(RESERVED) == 19
    assert {f"/{name} is a command of Slack's own." for name in RESERVED} == set(
        name_faults([f"/{name}" for name in RESERVED])
    )


def test_names_that_are_too_long_or_too_many_are_refused():
    with pytest.raises(NotConfigured, match="is longer than 32 characters"):
        check_names(["/" + "x" * 32])
    check_names(["/" + "x" * 31] * 50)
    with pytest.raises(NotConfigured, match="There are 51 commands"):
        check_names(["/x"] * 51)


def test_with_socket_mode_no_address_is_needed(home):
    made = manifest(settings(home), CONNECTORS)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(made)
    assert made["settings"]["interactivity"] == {"is_enabled": True}
    assert made["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"]}


def test_over_http_every_address_is_named(home):
    made = manifest(settings(home, SLACK_SIGNING_SECRET="0" * 32), CONNECTORS)
    address = "https://YOUR-ADDRESS/slack/events"
    assert made["settings"]["socket_mode_enabled"] is False
    assert {one["url"] for one in made["features"]["slash_commands"]} == {address}
    assert made["settings"]["interactivity"]["request_url"] == address
    assert made["settings"]["event_subscriptions"]["request_url"] == address


def test_an_app_token_goes_before_a_signing_secret(home):
    both = settings(home, SLACK_SIGNING_SECRET="0" * 32, SLACK_APP_TOKEN="xapp-1-2-3")
    assert manifest(both, CONNECTORS)["settings"]["socket_mode_enabled"] is True
    assert Slack(both).hooks() == []


def test_the_program_prints_json_alone_and_the_link_beside_it(home, capsys):
    assert main(["--home", str(home), "slack-manifest"]) == 0
    said = capsys.readouterr()
    made = json.loads(said.out)
    link = said.err.splitlines()[1]
    assert link.startswith("https://api.slack.com/apps?new_app=1&manifest_json=")
    assert json.loads(unquote(link.partition("manifest_json=")[2])) == made
    then = said.err.partition(link)[2]
    assert f"write it into {home}/.env:\n   SLACK_APP_TOKEN=xapp-…" in then
    assert ["levqor init slack" in then, "levqor-bot check" in then] == [True, True]


def test_the_program_refuses_a_bad_prefix_with_status_3(home, capsys):
    (home / ".env").write_text("LEVQOR_SLACK_PREFIX=status-\n")
    (home / ".env").chmod(0o600)
    assert main(["--home", str(home), "slack-manifest"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "/status is a command of Slack's own." in said.err


def test_the_scopes_are_what_the_surface_and_the_connector_use(home):
    scopes = manifest(settings(home), CONNECTORS)["oauth_config"]["scopes"]["bot"]
    assert scopes == list(package.SCOPES)
    assert {"commands", "chat:write", "incoming-webhook"} <= set(scopes)
