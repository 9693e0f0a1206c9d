"""`levqor service`: levqor-bot as a service of this user, on the home that every command uses."""

import getpass
import os
import plistlib
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import typer

from core.cli import options
from core.cli.session import Session
from core.errors import InvalidInput, NotConfigured
from core.plain import plain_line

NAME = "levqor-bot"
# How long the bot may take until an interface of it says that it works.
START_SECONDS = 30.0
UNIT = """\
# Written by: levqor service install
[Unit]
Description=Levqor bot
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
# After 2 and 3 a person has to change a setting first.
Restart=on-failure
RestartPreventExitStatus=2 3
RestartSec=5
# What is out when it is stopped has fifteen seconds to settle.
TimeoutStopSec=30
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class Manager:
    """This system's service manager: the file it reads, and the commands it takes.

    A command that begins with "-" may fail; `state` prints `running` of a service that runs,
    `lingers` prints yes where the service starts without a login.
    """

    file: Path
    text: str
    start: Sequence[str]
    stop: Sequence[str]
    state: str
    running: str
    log: str
    lingers: str | None = None

    @property
    def runs(self) -> bool:
        """Whether the service is there and runs."""
        return self.running in _run(f"-{self.state}")

    @property
    def begins(self) -> str:
        """When it starts by itself."""
        if self.lingers is None:
            return "when you log in"
        if _run(self.lingers) == "yes":
            return "with this machine"
        return f"when you log in (with this machine: sudo loginctl enable-linger {_user()})"


def _manager(session: Session) -> Manager:
    if session.in_sandbox:
        raise InvalidInput(message="A sandbox cannot be a service.", fix="Leave --sandbox out.")
    script = Path(sys.executable).with_name(NAME)
    program = [str(script)] if script.exists() else [sys.executable, "-P", "-m", "bot.app"]
    command = [*program, "--home", str(session.settings.home)]
    if sys.platform == "darwin":
        return _launchd(command, session.settings.home)
    if sys.platform == "linux":
        return _systemd(command)
    raise NotConfigured(
        "On this system Levqor installs no service.",
        fix=f"Let its own task scheduler start: {' '.join(command)}",
    )


def _systemd(command: Sequence[str]) -> Manager:
    call = "systemctl --user"
    return Manager(
        file=platformdirs.user_config_path() / f"systemd/user/{NAME}.service",
        text=UNIT.format(command=" ".join(map(_quoted, command))),
        start=(f"{call} daemon-reload", f"{call} enable --quiet {NAME}", f"{call} restart {NAME}",
               "-loginctl enable-linger"),
        stop=(f"{call} disable --quiet --now {NAME}",),
        state=f"{call} show --property=ActiveState {NAME}",
        running="ActiveState=active",
        log=f"journalctl --user -u {NAME}",
        lingers=f"-loginctl show-user --property=Linger --value {_user()}",
    )  # fmt: skip


def _launchd(command: Sequence[str], home: Path) -> Manager:
    log, domain = home / f"logs/{NAME}.log", f"gui/{os.getuid()}"
    agent = {
        "Label": NAME,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 30,
        "Umask": 0o077,
        "StandardErrorPath": str(log),
    }
    file = Path.home() / f"Library/LaunchAgents/{NAME}.plist"
    bootstrap = f"launchctl bootstrap {domain} {shlex.quote(str(file))}"
    return Manager(
        file=file,
        text=plistlib.dumps(agent).decode(),
        start=(f"-launchctl bootout {domain}/{NAME}", bootstrap),
        stop=(f"launchctl bootout {domain}/{NAME}",),
        state=f"launchctl print {domain}/{NAME}",
        running="state = running",
        log=f"tail {shlex.quote(str(log))}",
    )


def _quoted(word: str) -> str:
    """Quote a word as systemd.syntax(7) and systemd.service(5) want it."""
    for char in '\\"':
        word = word.replace(char, f"\\{char}")
    return f'"{word.replace("%", "%%").replace("$", "$$")}"'


def _user() -> str:
    return getpass.getuser()


def _run(command: str) -> str:
    """Run a command of the service manager; what it prints. Raises NotConfigured."""
    words = shlex.split(command.removeprefix("-"))
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError:
        raise NotConfigured(
            f"This machine has no {words[0]}, so no service can be installed.",
            fix="Start levqor-bot yourself, or see docs/running/install.md for a container.",
        ) from None
    if done.returncode and not command.startswith("-"):
        why = plain_line(done.stderr.strip().partition("\n")[0], 200)
        raise NotConfigured(
            f"`{command}` did not work: {why or done.returncode}.",
            fix=f"Log in to this machine as {_user()} itself (su and sudo bring no service manager"
            " along), then run it again.",
        )
    return done.stdout.strip()


def install(ctx: typer.Context, output: options.Output = None) -> None:
    """Start levqor-bot now and whenever this machine starts; run it again to restart it."""
    session = options.session(ctx)
    manager = _manager(session)
    _note_environment(session)
    manager.file.parent.mkdir(parents=True, exist_ok=True)
    manager.file.write_text(manager.text, "utf-8")
    began = time.time()
    for command in manager.start:
        _run(command)
    with session.out.waiting("starting levqor-bot"):
        _wait(session, manager, began)
    _report(session, manager)


def _note_environment(session: Session) -> None:
    """Name the settings that are in this shell alone: a service does not have them."""
    settings = session.settings
    names = (name for s in settings.described() for name in (s.name, f"{s.name}_FILE"))
    missed = [name for name in names if name != "LEVQOR_HOME" and settings.in_environment(name)]
    if missed:
        session.out.note(
            f"The service does not see what is set in this shell: {', '.join(missed)}."
            " Write it into .env; docs/running/install.md has a place for what .env cannot hold."
        )


def _wait(session: Session, manager: Manager, began: float) -> None:
    """Wait until an interface works; raises NotConfigured where the bot does not stay up."""
    from core.health import inbounds

    while time.time() < began + START_SECONDS:
        time.sleep(0.5)
        states = inbounds(session.ledger).values()
        if any(state.ok and state.since.timestamp() >= began for state in states):
            return
        if not manager.runs:
            break
    raise NotConfigured(
        "levqor-bot was installed as a service, but it does not work.",
        fix=f"See why: {manager.log}. Then fix it, and run this command again.",
    )


def status(ctx: typer.Context, output: options.Output = None) -> None:
    """Show whether levqor-bot is a service, and how its interfaces are doing."""
    session = options.reading(ctx)
    _report(session, _manager(session))


def _report(session: Session, manager: Manager) -> None:
    from core.health import inbounds

    installed, lines = manager.file.exists(), []
    runs, begins = installed and manager.runs, manager.begins if installed else None
    states = inbounds(session.ledger).items() if runs else ()
    inbound = {name: state.words for name, state in states}
    if not installed:
        lines.append(
            "levqor-bot is not a service of this user yet. To make it one: levqor service install"
        )
    else:
        lines.append(f"levqor-bot {'runs' if runs else 'is stopped'}; it starts {begins}.")
        lines += [f"    {name}: {words}" for name, words in inbound.items()]
        if manager.file.read_text("utf-8") != manager.text:
            lines.append("It was installed for another home or program: levqor service install")
        lines.append(f"log: {manager.log}")
    body = {
        "installed": installed,
        "running": runs,
        "starts": begins,
        "file": str(manager.file),
        "home": str(session.settings.home),
        "inbound": inbound,
    }
    session.answer(body, "\n".join(lines))


def remove(ctx: typer.Context, output: options.Output = None) -> None:
    """Stop levqor-bot, and do not start it again; the home folder is not changed."""
    session = options.session(ctx)
    manager = _manager(session)
    installed = manager.file.exists()
    if installed:
        for command in manager.stop:
            _run(command)
        manager.file.unlink()
    session.answer(
        {"removed": installed, "file": str(manager.file)},
        "levqor-bot is not a service any more." if installed else "levqor-bot was not a service.",
    )
