"""This system's service manager: the user's systemd, or launchd."""

import getpass
import os
import plistlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from core.errors import NotConfigured
from core.plain import plain_line

NAME = "levqor-bot"
UNIT = """\
# Written by: levqor service install
[Unit]
Description=Levqor bot
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
# What must come from the environment: a proxy, for example.
EnvironmentFile=-{environment}
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
    """The file it reads, and the commands it takes.

    A command that begins with "-" may fail. `reach` fails where nobody can ask the manager, and
    has it read its files; `state` prints `running` of a service that runs, `lingers` yes where
    the service starts without a login, `sees` the variables it has.
    """

    file: Path
    text: str
    reach: str
    start: Sequence[str]
    stop: Sequence[str]
    state: str
    running: str
    log: str
    lingers: str | None = None
    sees: Sequence[str] = ()

    @property
    def traces(self) -> list[Path]:
        """What there is of the service."""
        links = self.file.parent.glob(f"*.wants/{self.file.name}")
        return [*links, *([self.file] if self.file.exists() else [])]

    @property
    def runs(self) -> bool | None:
        """Whether the service runs; None where nobody can ask."""
        try:
            return self.running in run(self.state)
        except NotConfigured:
            return None

    @property
    def begins(self) -> str:
        """When it starts by itself."""
        if self.lingers is None:
            return "when you log in"
        if run(self.lingers) == "yes":
            return "with this machine"
        return f"when you log in (with this machine: sudo loginctl enable-linger {user()})"

    @property
    def variables(self) -> set[str]:
        """The names of the environment variables that the service has."""
        printed = "\n".join(map(run, self.sees))
        return {*_environment(), *re.findall(r"(?:^|\s)\"?(\w+)=", printed)}

    def begin(self) -> None:
        """Install and start the service, or leave nothing of it; raises NotConfigured."""
        with _writable(self.file):
            before = self.file.read_text("utf-8") if self.file.exists() else None
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(self.text, "utf-8")
        try:
            for command in self.start:
                run(command)
        except NotConfigured as error:
            if before is None:
                self.end()
            else:
                self.file.write_text(before, "utf-8")
            raise error.replace(fix=f"See why: {self.log}") from None

    def end(self) -> NotConfigured | None:
        """Take the service away, also where nobody can ask its manager to stop it; then why."""
        trouble = None
        for command in self.stop:
            try:
                run(command)
            except NotConfigured as error:
                trouble = error
        with _writable(self.file):
            for path in self.traces:
                path.unlink(missing_ok=True)
        run(f"-{self.reach}")
        return trouble


def manager(home: Path) -> Manager:
    """The manager of this system, for a bot on a home; raises NotConfigured where it has none."""
    command = [*_program(), "--home", str(home)]
    if sys.platform == "darwin":  # pragma: no cover - only macOS runs it
        return launchd(command, home)
    if sys.platform == "linux":  # pragma: no branch - elsewhere it is refused
        return systemd(command)
    raise NotConfigured(  # pragma: no cover - only Windows gets here
        "On this system Levqor installs no service.",
        fix=f"Let its own task scheduler start: {' '.join(command)}",
    )


def _program() -> list[str]:
    script = Path(sys.executable).with_name(NAME)
    return [str(script)] if script.exists() else [sys.executable, "-P", "-m", "bot.app"]


def systemd(command: Sequence[str]) -> Manager:
    """The systemd of this user, which su and sudo do not lead to by themselves."""
    folder = Path(f"/run/user/{os.getuid()}")
    call = f"env XDG_RUNTIME_DIR={folder} systemctl --user" if folder.exists() else (
        "systemctl --user"
    )  # fmt: skip
    environment = str(environment_file()).replace("%", "%%")
    return Manager(
        file=platformdirs.user_config_path() / f"systemd/user/{NAME}.service",
        text=UNIT.format(command=" ".join(map(_quoted, command)), environment=environment),
        reach=f"{call} daemon-reload",
        start=(f"{call} daemon-reload", f"{call} enable --quiet {NAME}", f"{call} restart {NAME}",
               "-loginctl enable-linger"),
        stop=(f"{call} disable --quiet --now {NAME}",),
        state=f"{call} show --property=ActiveState {NAME}",
        running="ActiveState=active",
        log=f"journalctl --user -u {NAME}",
        lingers=f"-loginctl show-user --property=Linger --value {user()}",
        sees=(f"-{call} show-environment", f"-{call} show --property=Environment --value {NAME}"),
    )  # fmt: skip


def launchd(command: Sequence[str], home: Path) -> Manager:
    """The launchd of this user."""
    log, domain = home / f"logs/{NAME}.log", f"gui/{os.getuid()}"
    agent = {
        "Label": NAME,
        "ProgramArguments": list(command),
        "EnvironmentVariables": _environment(),
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
        reach=f"launchctl print {domain}",
        start=(f"-launchctl bootout {domain}/{NAME}", bootstrap),
        stop=(f"launchctl bootout {domain}/{NAME}",),
        state=f"launchctl print {domain}/{NAME}",
        running="state = running",
        log=f"tail {shlex.quote(str(log))}",
    )


def environment_file() -> Path:
    """The file with the variables of the service: not in the home, which may be anybody's work."""
    return platformdirs.user_config_path("levqor") / "service.env"


def _environment() -> dict[str, str]:
    from dotenv import dotenv_values

    read = dotenv_values(environment_file(), interpolate=False)
    return {name: value or "" for name, value in read.items()}


@contextmanager
def _writable(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise NotConfigured(
            f"{file} cannot be written: {problem.strerror}.",
            fix=f"Make {file.parent} a folder that you can write to.",
        ) from None


def _quoted(word: str) -> str:
    """Quote a word as systemd.syntax(7) and systemd.service(5) want it."""
    for char in '\\"':
        word = word.replace(char, f"\\{char}")
    return f'"{word.replace("%", "%%").replace("$", "$$")}"'


def user() -> str:
    """The name of who runs this."""
    return getpass.getuser()


def run(command: str) -> str:
    """Run a command of the service manager; what it prints. Raises NotConfigured."""
    may_fail, words = command.startswith("-"), shlex.split(command.removeprefix("-"))
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True)  # noqa: S603
        status, why = done.returncode, plain_line(done.stderr.strip().partition("\n")[0], 200)
    except FileNotFoundError:
        done, status, why = None, 127, ""
    if done is not None and (not status or may_fail):
        return done.stdout.strip()
    if may_fail:
        return ""
    program = next(word for word in words if word != "env" and "=" not in word)
    # sd_booted(3): in a container there is often the program, and nothing that it could ask.
    if status == 127 or not (sys.platform == "darwin" or Path("/run/systemd/system").exists()):
        raise NotConfigured(
            f"On this machine there is no {program} to ask, so it keeps no service running.",
            fix="Let what starts programs there start this one, for example cron with the line:"
            f" @reboot {shlex.join(_program())} (and --home DIR, if you name one here)",
        )
    raise NotConfigured(
        f"`{shlex.join(words[words.index(program) :])}` did not work: {why or status}.",
        fix=f"Log in to this machine as {user()} itself, with ssh for example, then run it again.",
    )
