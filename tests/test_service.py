"""Service files under a real service manager: the user's unit, the server's, the tray's."""

import json
import re
import subprocess

import pytest

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


@pytest.fixture(scope="module")
def write(machine, ann):
    """A function that writes a file of Ann's; the folders on the way are hers too."""

    def write(file, text):
        machine.write(file, text)
        machine.done("chown", "-R", "ann:", "/srv/ann/.config")

    return write


def pid(machine, *scope):
    return machine.done("systemctl", *scope, "show", "-P", "MainPID", "levqor-bot").strip()


def test_a_user_s_bot_outlives_the_session_a_crash_and_a_restart_on_the_home_of_every_command(
    machine, ann, write
):
    before = ann(LEVQOR, "service", "status")
    assert before.stdout.startswith("levqor-bot is not a service of this user yet.")

    unit = "/srv/ann/.config/systemd/user/levqor-bot.service"
    write(f"{unit}.d/soon.conf", "[Service]\nRestartSec=0.1\n")
    made = ann(LEVQOR, "service", "install")
    assert made.returncode == 0, made.stderr
    assert "levqor-bot runs; it starts " in made.stdout
    assert f"HTTP: listening on {URL}" in made.stdout
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
    made = ann("env", "LEVQOR_KEY_FILE=", LEVQOR, "--home", home, "service", "install")
    assert made.returncode == 0, made.stderr
    assert "does not see" not in made.stderr
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


@pytest.fixture(scope="module")
def bob(machine):
    """Somebody for whom no service manager runs; a function that runs a command as him."""
    machine.done("useradd", "--create-home", "--home-dir", "/srv/bob", "bob")
    command = ("runuser", "-u", "bob", "--", "env", "HOME=/srv/bob", "XDG_CONFIG_HOME=")
    return lambda *words: machine.run(*command, *words)


UNREACHABLE = {
    "no manager": ((), "`systemctl --user daemon-reload` did not work", "Log in to this machine"),
    "no systemd": (("PATH=/nonexistent",), "there is no systemctl to ask", "@reboot /"),
}


@pytest.mark.parametrize(("env", "what", "fix"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_where_the_service_manager_cannot_be_asked_nothing_is_left_behind(
    machine, bob, env, what, fix
):
    made = bob(*env, LEVQOR, "service", "install")
    assert made.returncode == 3
    assert what in " ".join(made.stderr.split())
    assert fix in " ".join(made.stderr.split())
    assert machine.run("test", "-e", "/srv/bob/.config").returncode == 1

    unit = "/srv/bob/.config/systemd/user/levqor-bot.service"
    link = "/srv/bob/.config/systemd/user/default.target.wants/levqor-bot.service"
    machine.write(unit, "")
    machine.write(f"{link}.other", "")
    machine.done("ln", "-s", unit, link)
    machine.done("chown", "-R", "bob:", "/srv/bob/.config")
    machine.write("/srv/bob/.local/share/levqor/.env", "LEVQOR_HTTP=nowhere\n", "600")
    machine.done("chown", "-R", "bob:", "/srv/bob/.local")
    there = bob(*env, LEVQOR, "service", "status")
    assert "levqor-bot cannot be asked about from here" in there.stdout, there.stderr
    gone = bob(*env, LEVQOR, "service", "remove")
    assert gone.returncode == 0, gone.stderr
    words = " ".join(gone.stdout.split())
    assert words.startswith("levqor-bot is not a service any more. If it runs now, it goes on")
    assert "pkill -u bob" in words
    left = machine.done("find", "/srv/bob/.config", "-type", "f", "-o", "-type", "l").split()
    assert left == [f"{link}.other"]
    assert bob(*env, LEVQOR, "service", "remove").stdout == "levqor-bot was not a service.\n"
    machine.done("rm", "-r", "/srv/bob/.config", "/srv/bob/.local")


def test_su_leads_to_the_manager_of_who_lingers(machine, ann):
    machine.done("loginctl", "enable-linger", "ann")
    su = ("runuser", "-u", "ann", "--", "env", "HOME=/srv/ann")
    made = machine.run(*su, LEVQOR, "service", "install")
    assert made.returncode == 0, made.stderr
    assert "it starts with this machine" in made.stdout
    assert machine.run(*su, LEVQOR, "service", "remove").returncode == 0
    assert not machine.up()


def test_a_service_that_cannot_be_started_leaves_nothing_behind(machine, ann, write):
    more = "/srv/ann/.config/systemd/user/levqor-bot.service.d/more.conf"
    write(more, "[Service]\nExecStartPre=/bin/false\n")
    made = ann(LEVQOR, "service", "install")
    assert made.returncode == 3
    said = " ".join(made.stderr.split())
    assert "`systemctl --user restart levqor-bot` did not work" in said
    assert "See why: journalctl --user -u levqor-bot" in said
    assert machine.done("find", "/srv/ann/.config/systemd", "-name", "*.service") == ""
    machine.done("rm", more)


def test_what_this_shell_alone_has_is_named_with_the_file_that_can_hold_it(machine, ann):
    home = "/srv/ann/alone"
    install = (LEVQOR, "--home", home, "service", "install")
    alone = ("RESEND_API_KEY=re_secret", "SLACK_API_URL=https://slack.test")
    made = ann("env", *alone, "https_proxy=http://secret.test:1", *install)
    assert made.returncode == 0, made.stderr
    said, own = " ".join(made.stderr.split()), "/srv/ann/.config/levqor/service.env"
    unseen = "The service does not see what is set in this shell"
    assert f"{unseen}: RESEND_API_KEY. Write it into {home}/.env too" in said
    assert f"{unseen}: SLACK_API_URL, https_proxy. Write it into {own} too" in said
    assert "secret" not in said
    assert ann(LEVQOR, "--home", home, "service", "remove").returncode == 0

    url = "LEVQOR_DATABASE_URL=postgresql://levqor:secret@/levqor?host=/run/none"
    made = ann("env", url, *install)
    said = " ".join(made.stderr.split())
    assert made.returncode == 3
    assert f"{unseen}: LEVQOR_DATABASE_URL. It would use another database than you." in said
    assert f"Write it into {own} too" in said
    assert "secret" not in said
    assert "is not a service" in ann(LEVQOR, "service", "status").stdout


def test_what_the_service_s_own_file_has_is_there_for_the_bot(machine, ann, write):
    file, home = "/srv/ann/.config/levqor/service.env", "/srv/ann/own file"
    write(file, "SLACK_API_URL=https://slack.test\nhttps_proxy='http://proxy.test:1'\n")
    made = ann(
        "env", "SLACK_API_URL=https://slack.test", "https_proxy=http://proxy.test:1",
        LEVQOR, "--home", home, "service", "install",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "does not see" not in made.stderr
    bot = pid(machine, "--user", "--machine=ann@")
    assert "SLACK_API_URL=https://slack.test" in machine.done("cat", f"/proc/{bot}/environ")
    ann(LEVQOR, "--home", home, "service", "remove")
    machine.done("rm", file)


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

    # What the unit alone may read, a command has only through levqor-server.
    machine.done("install", "-m", "755", DEPLOY / "levqor-server", "/usr/local/sbin/")
    server = "/usr/local/sbin/levqor-server"
    alone = machine.run("runuser", "-u", "levqor", "--", "levqor", "run", "slack.send", "Hello")
    assert (alone.returncode, "SLACK_WEBHOOK_URL is missing" in alone.stderr) == (3, True)
    assert "sent" in machine.done(server, "run", "slack.send", "Hello", "there")
    assert machine.done(server, "runs").count("slack.send") == 2
    assert machine.run(server, "run", "slack.send").returncode == 2
    address = "postgresql://levqor@/levqor?host=/run/nowhere"
    machine.write("/etc/credstore/levqor.LEVQOR_DATABASE_URL", address, "600")
    asked = machine.run(server, "bots")
    assert "The PostgreSQL database levqor" in asked.stderr
    machine.done("rm", "/etc/credstore/levqor.LEVQOR_DATABASE_URL")
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
