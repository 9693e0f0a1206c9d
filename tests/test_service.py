"""Service files under a real service manager: the user's unit, the server's, the tray's."""

import json
import plistlib
import re
import subprocess

import pytest

from core.cli.service import _launchd
from core.connectors import CONNECTORS
from core.interfaces import declared
from core.settings.names import sections
from tests.support.cli import levqor
from tests.support.machine import BOT_URL as URL
from tests.support.machine import DEPLOY, Machine, lacking, program
from tests.support.waiting import wait_for

LEVQOR = program("levqor")

pytestmark = pytest.mark.xdist_group("machine")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if why := lacking():
        pytest.skip(why)
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture(scope="module")
def ann(machine):
    """A function that runs a command in a session of Ann's."""
    machine.done(
        "useradd", "--create-home", "--home-dir", "/srv/ann", "--shell", "/bin/bash", "ann"
    )
    return lambda *command: machine.as_user("ann", *command)


def pid(machine, *scope):
    return machine.done("systemctl", *scope, "show", "-P", "MainPID", "levqor-bot").strip()


def test_a_user_s_bot_outlives_the_session_a_crash_and_a_restart_on_the_home_of_every_command(
    machine, ann
):
    before = ann(LEVQOR, "service", "status")
    assert before.stdout.startswith("levqor-bot is not a service of this user yet.")

    unit = "/srv/ann/.config/systemd/user/levqor-bot.service"
    machine.write(f"{unit}.d/soon.conf", "[Service]\nRestartSec=0.1\n")
    machine.done("chown", "-R", "ann:", "/srv/ann/.config")
    made = ann(LEVQOR, "service", "install")
    assert made.returncode == 0, made.stderr
    assert "levqor-bot runs; it starts " in made.stdout
    assert f"http: listening on {URL}" in made.stdout
    assert "home: /srv/ann/.local/share/levqor" in made.stderr
    # Where the machine has no polkit, lingering is root's to allow.
    machine.done("loginctl", "enable-linger", "ann")

    told = json.loads(ann(LEVQOR, "service", "status", "--output", "json").stdout)
    assert told["running"] is True
    assert told["starts"] == "with this machine"
    assert told["inbound"] == {"http": f"listening on {URL}"}
    token = ann(LEVQOR, "token", "new", "ci").stdout.strip()
    _, usage, _ = machine.curl(f"{URL}/api/usage/summary", "-H", f"Authorization: Bearer {token}")
    assert json.loads(usage)["caller"] == "http:ci"

    scope = ("--user", "--machine=ann@")
    crashed = pid(machine, *scope)
    machine.done("kill", "-9", crashed)
    wait_for(lambda: pid(machine, *scope) not in ("0", crashed) and machine.up(), 60)

    uid = machine.done("id", "-u", "ann").strip()
    machine.done("systemctl", "restart", f"user@{uid}")
    wait_for(machine.up, 60)

    gone = ann(LEVQOR, "service", "remove")
    assert gone.stdout == "levqor-bot is not a service any more.\n"
    assert not machine.up()
    assert told["file"] == unit
    assert machine.run("test", "-e", unit).returncode == 1
    assert ann(LEVQOR, "token", "list").stdout.count("ci") == 1


def test_a_home_with_an_odd_name_reaches_the_bot_as_it_is(machine, ann):
    home = '/srv/ann/my "odd" $HOME %h \\ home'
    shell = ("env", "RESEND_API_KEY=re_secret", "LEVQOR_KEY_FILE=")
    made = ann(*shell, LEVQOR, "--home", home, "service", "install")
    assert made.returncode == 0, made.stderr
    assert "does not see what is set in this shell: RESEND_API_KEY." in made.stderr
    assert "re_secret" not in made.stderr
    assert machine.run("test", "-s", f"{home}/levqor.db").returncode == 0
    other = ann(LEVQOR, "service", "status")
    assert "It was installed for another home or program" in other.stdout
    assert ann(LEVQOR, "--home", home, "service", "remove").returncode == 0


def test_a_bot_that_cannot_start_is_said_with_where_to_look(machine, ann):
    home = "/srv/ann/broken"
    machine.done("install", "-d", "-m", "700", "-o", "ann", home)
    machine.write(f"{home}/.env", "LEVQOR_HTTP=nowhere.invalid:80\n", "644")
    made = ann(LEVQOR, "--home", home, "service", "install")
    assert made.returncode == 3
    assert "it does not work" in made.stderr
    assert "journalctl --user -u levqor-bot" in made.stderr
    ann(LEVQOR, "--home", home, "service", "remove")


def test_a_user_without_a_session_is_told_to_log_in(machine, ann):
    made = machine.run("runuser", "-u", "ann", "--", LEVQOR, "service", "install")
    assert made.returncode == 3
    assert "Log in to this machine as ann itself" in made.stderr
    assert not machine.up()


def test_a_sandbox_is_no_service():
    ran = levqor("--sandbox", "service", "install")
    assert ran.status == 2
    assert "sandbox cannot be a service" in ran.err


def test_the_server_s_unit_sends_with_a_credential_on_the_home_of_every_command(machine):
    secret = machine.sandbox()["SLACK_WEBHOOK_URL"]
    machine.server({}, {"SLACK_WEBHOOK_URL": secret})
    machine.done("systemd-analyze", "verify", "/etc/systemd/system/levqor-bot.service")

    status = machine.done("cat", f"/proc/{pid(machine)}/status")
    assert "CapBnd:\t0000000000000000" in status
    assert "Seccomp:\t2" in status
    token = machine.as_levqor("token", "new", "ci", "--plan", "pro").strip()
    given = ("-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json")
    _, sent, _ = machine.curl(f"{URL}/actions/slack.send", *given, "-d", '{"text": "Hello"}')
    assert json.loads(sent)["status"] == "sent", sent
    assert json.loads(sent)["run"] in machine.as_levqor("runs")
    _, health, _ = machine.curl(f"{URL}/actions/health", *given)
    assert json.loads(health)["connectors"]["email"] is False
    modes = machine.done("stat", "-c", "%a %U", "/var/lib/levqor")
    assert modes == "700 levqor\n"
    machine.done("systemctl", "stop", "levqor-bot")
    assert machine.done("systemctl", "show", "-P", "Result", "levqor-bot") == "success\n"


def test_the_tray_s_unit_is_valid(machine, ann):
    ann("mkdir", "-p", "/srv/ann/.local/bin", "/srv/ann/.config/systemd/user")
    ann("ln", "-s", program("levqor-tray"), "/srv/ann/.local/bin/levqor-tray")
    unit = "/srv/ann/.config/systemd/user/levqor-tray.service"
    machine.write(unit, (DEPLOY / "levqor-tray.service").read_text("utf-8"))
    verified = ann("systemd-analyze", "--user", "verify", unit)
    assert verified.returncode == 0, verified.stderr
    assert "levqor-tray" not in verified.stderr


def test_the_server_s_unit_may_do_next_to_nothing():
    analysed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
         DEPLOY / "levqor-bot.service"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert analysed.returncode == 0, analysed.stdout
    assert "Overall exposure level" in analysed.stdout


def test_every_secret_can_be_a_credential_of_the_server_s_unit():
    unit = (DEPLOY / "levqor-bot.service").read_text("utf-8")
    secrets = {
        setting.name
        for _, settings in sections(CONNECTORS, declared())
        for setting in settings
        # The tray's own, for a Levqor elsewhere.
        if setting.secret and setting.name != "LEVQOR_REMOTE_TOKEN"
    }
    assert len(secrets) > 7
    assert secrets <= set(re.findall(r"(?m)^LoadCredential=(\w+):levqor\.\1$", unit))


def test_a_launchd_agent_starts_the_same_command_and_again_after_a_failure(tmp_path):
    home = tmp_path / "a home"
    manager = _launchd(["/opt/levqor-bot", "--home", str(home)], home)
    agent = plistlib.loads(manager.text.encode())
    assert agent["ProgramArguments"] == ["/opt/levqor-bot", "--home", str(home)]
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert manager.start[-1].endswith("Library/LaunchAgents/levqor-bot.plist")
    assert "state = running" in manager.running
