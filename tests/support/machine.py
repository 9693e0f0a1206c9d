"""A machine of its own for service files: systemd, booted over this one's files.

What runs in it sees this machine's files through an overlay that ends with it, no network but
its own loopback, and none of this machine's processes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.bot import ROOT
from tests.support.measured import measured
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

# What levqor is made of here: the checkout, its environment, its Python.
PARTS = [str(ROOT), sys.prefix, sys.base_prefix]
DEPLOY = ROOT / "deploy"
BOT_URL = "http://127.0.0.1:8787"
SYSTEMD = Path("/usr/lib/systemd/systemd")
_OWN = ("--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup")
_TRY = """
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mount -t cgroup2 cgroup2 /mnt/root
"""
_BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir="$1"/upper,workdir="$1"/work overlay root
cd root
[ -z "$MEASURES" ] || mount --bind "$MEASURES" ".$MEASURES"
# Of this machine's own services none: only what the tests start.
rm -rf etc/systemd/system/*.wants etc/rc?.d/S*
for unit in getty.target systemd-udevd.service systemd-timesyncd.service; do
    ln -sf /dev/null etc/systemd/system/$unit
done
# What the programs are made of may be in a folder that others may not enter, or on another disk.
for folder in "${@:2}"; do
    mkdir -p ".$folder"
    [ "$(stat -c %d "$folder")" = "$(stat -c %d /)" ] || mount --bind "$folder" ".$folder"
    while [ "$folder" != / ]; do chmod a+x ".$folder"; folder=$(dirname "$folder"); done
done
for folder in run dev; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
pivot_root . mnt
umount -l mnt
# As at a real boot; credentials are mounted by one process for another.
mount --make-rshared /
exec env -i container=levqor-tests PATH=/usr/bin:/bin:/usr/sbin:/sbin \
    /usr/lib/systemd/systemd --system --unit=multi-user.target --show-status=false
"""


def lacking() -> str | None:
    """What keeps such a machine from being made here; None where nothing does."""
    if not SYSTEMD.exists():
        return "systemd is not installed"
    made = subprocess.run(
        ["unshare", *_OWN, "--fork", "sh", "-ec", _TRY],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return None if made.returncode == 0 else f"namespaces are not to be had: {made.stderr.strip()}"


class Machine:
    """The booted machine; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        # It ends with the test, however that ends.
        boot = ["setpriv", "--pdeathsig", "KILL", "unshare", *_OWN, "--fork", "--kill-child"]
        self._outer = subprocess.Popen(
            [*boot, "bash", "-c", _BOOT, "boot", str(self._folder), *PARTS],
            env={**os.environ, "MEASURES": os.environ.get("COVERAGE_FILE", "").rpartition("/")[0]},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(lambda: self._outer.poll() is not None or self._init() is not None, 60)
            wait_for(self._booted)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._outer.kill()
        self._outer.communicate(timeout=60)

    def _booted(self) -> bool:
        state = self.run("systemctl", "is-system-running").stdout.strip()
        return state in ("running", "degraded")

    def _init(self) -> str | None:
        """The number of its first process, as this machine counts."""
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text()
        for child in children.split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return None

    def run(self, *command: object, env: Mapping[str, str] | None = None, stdin: str = ""):
        """Run a command in it as root, to its end."""
        given = [f"{name}={value}" for name, value in {**measured(), **(env or {})}.items()]
        inside = ["nsenter", "-t", self._init() or "0", "-m", "-p", "-n", "-i", "-u", "-C"]
        return subprocess.run(
            [*inside, "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", *given,
             *map(str, command)],
            check=False, capture_output=True, text=True, input=stdin, cwd="/", timeout=120,
        )  # fmt: skip

    def done(self, *command: object, **more: object) -> str:
        """The same of a command that must not fail; what it printed."""
        ran = self.run(*command, **more)
        assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def as_user(self, user: str, *command: object):
        """Run a command in a login session of a user's own."""
        login = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", "-p", "PAMName=login")
        told = [f"--setenv={name}={value}" for name, value in measured().items()]
        return self.run(*login, *told, "-p", f"User={user}", "-p", "WorkingDirectory=~", *command)

    def write(self, target: str, text: str, mode: str = "644") -> None:
        """Write a file."""
        self.done("install", "-D", "-m", mode, "/dev/stdin", target, stdin=text)

    def curl(self, url: str, *more: str):
        """Ask an address; the status, the body, and the headers by lower-case name."""
        ran = self.run("curl", "--silent", "--insecure", "--max-time", "60", "--include",
                       "--http1.1", *more, url)  # fmt: skip
        head, _, body = ran.stdout.partition("\n\n")
        status, *lines = head.splitlines() or ["HTTP/1.1 000"]
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(status.split()[1]), body, headers

    def up(self) -> bool:
        """Whether a bot answers, with or without a token."""
        return self.curl(f"{BOT_URL}/ops/uptime")[0] in (200, 401)

    def sandbox(self) -> dict[str, str]:
        """Start the sandbox services, once; the settings that lead to them."""
        out = "/run/sandbox.json"
        if self.run("test", "-e", out).returncode:
            self._start_sandbox(out)
        wait_for(lambda: "settings" in self.run("cat", out).stdout)
        settings: dict[str, str] = json.loads(self.done("cat", out))["settings"]
        return settings

    def _start_sandbox(self, out: str) -> None:
        self.done("systemd-run", "--quiet", "--unit=sandbox", "-p", f"StandardOutput=file:{out}",
                  "-p", "DynamicUser=yes", "-p", "Environment=HOME=/tmp",
                  program("levqor"), "sandbox", "--output", "json")  # fmt: skip

    def server(self, environment: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Set the bot up as docs/running/install.md does for a server, and start it."""
        self.write("/etc/sysusers.d/levqor.conf", (DEPLOY / "levqor.sysusers").read_text())
        self.done("systemd-sysusers")
        for name in ("levqor", "levqor-bot"):
            self.done("ln", "-s", program(name), f"/usr/local/bin/{name}")
        for name, secret in secrets.items():
            self.write(f"/etc/credstore/levqor.{name}", secret, "600")
        lines = [f"{name}='{value}'\n" for name, value in environment.items()]
        self.write("/etc/default/levqor", "".join(lines))
        unit = "/etc/systemd/system/levqor-bot.service"
        self.write(unit, (DEPLOY / "levqor-bot.service").read_text())
        # A server's programs are in none of the folders that the unit hides; a developer's may be.
        hidden = [part for part in PARTS if Path(part).parts[1] in ("root", "home", "tmp")]
        bind = f"[Service]\nProtectHome=tmpfs\nBindReadOnlyPaths={' '.join(hidden)}\n"
        self.write(f"{unit}.d/here.conf", bind)
        self.done("systemctl", "daemon-reload")
        self.done("systemctl", "start", "levqor-bot")
        wait_for(self.up, 60)

    def as_levqor(self, *command: object) -> str:
        """Run `levqor` as docs/running/install.md says; sudo may not be here."""
        return self.done("runuser", "-u", "levqor", "--", "levqor", *command)


def program(name: str) -> Path:
    """One of this environment's programs."""
    found = Path(sys.executable).with_name(name)
    return found if found.exists() else Path(shutil.which(name) or name)
