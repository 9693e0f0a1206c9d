"""`make system-check`: the Containerfile's steps, the installs and `levqor init` in bare Debian.

No container engine is needed: debootstrap makes the base, chroot runs the steps, and the result
is started as the file says, as its user, on a read-only root, in namespaces of its own.
It needs to be root, packages from the network, and some minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Outside the checkout, whose files are all looked at.
BASES = Path("/var/tmp/levqor-system-check")
SUITES = ("bookworm", "trixie")
# What keeps programs quiet and lets them reach the packages, as on this machine.
PASSED_ON = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
UV = "~/uv/bin/uv tool install -q --force"
CERTIFICATES = "/run/host-certificates.crt"


@dataclass
class Image:
    """A folder, and what a Containerfile says of how it is started."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    volume: str = ""
    check: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def say(text: str) -> None:
    print(f"-- {text}", flush=True)


def base(suite: str) -> Path:
    """A bare Debian, made once."""
    made = BASES / suite
    if not (made / "ready").exists():
        say(f"debootstrap {suite}")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        subprocess.run(["debootstrap", "--variant=minbase", suite, made], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        # Packages come the way this machine gets them.
        for conf in Path("/etc/apt/apt.conf.d").iterdir():
            if "Acquire" in conf.read_text():
                shutil.copy(conf, made / "etc/apt/apt.conf.d")
        (made / "ready").touch()
    return made


def copied(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)
    return target


def instructions(file: Path) -> list[tuple[str, str]]:
    """The file's instructions in order: the word, and what follows it."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    words = (line.split(None, 1) for line in whole.splitlines() if line.strip())
    return [(word.upper(), rest) for word, rest in words]


def within(root: Path, command: list[str], env: dict[str, str] | None = None) -> str:
    """Run a command in a folder as root; what it printed."""
    given = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    for stale in ("PIP_FIND_LINKS", "PIP_CERT"):
        given.pop(stale, None)
    if trusted := os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE"):
        shutil.copy(trusted, root / CERTIFICATES.lstrip("/"))
        given |= {"PIP_CERT": CERTIFICATES, "SSL_CERT_FILE": CERTIFICATES}
    given |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    mounts = (
        'mount --make-rprivate /; mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev";'
        'cat /etc/resolv.conf >"$0/etc/resolv.conf"; exec /usr/sbin/chroot "$0" "$@"'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", mounts, root, *command],
        check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=given | (env or {}),
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)}\n{done.stdout}\nfailed: {done.returncode}")
    return done.stdout


def replay(file: Path, context: Path, suite: str, scratch: Path) -> Image:
    """Do what a Containerfile says; the last stage."""
    stages: dict[str, Image] = {}
    image = Image(Path())
    for word, rest in instructions(file):
        say(f"{word} {rest[:90]}")
        if word == "FROM":
            name = rest.split(" AS ")[-1] if " AS " in rest else f"stage{len(stages)}"
            image = stages[name] = Image(copied(base(suite), scratch / name))
        elif word == "RUN":
            within(image.root, ["sh", "-ec", rest], image.env)
        elif word == "COPY":
            copy(rest.split(), image, stages, context)
        else:
            declare(image, word, rest)
    return image


def declare(image: Image, word: str, rest: str) -> None:
    """Note what is said of how the image is started."""
    if word == "ENV":
        image.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
    elif word == "USER":
        image.user = rest
    elif word == "VOLUME":
        image.volume = rest
    elif word == "HEALTHCHECK":
        image.check = json.loads(rest.partition("CMD ")[2])
    elif word == "CMD":
        image.command = json.loads(rest)
    elif word not in ("ARG", "EXPOSE", "WORKDIR"):
        raise SystemExit(f"{word}: this replay does not know it")


def copy(words: list[str], image: Image, stages: dict[str, Image], context: Path) -> None:
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    into = image.root / target.lstrip("/")
    if target.endswith("/"):
        into.mkdir(parents=True, exist_ok=True)
    for name in names:
        found = list(source.glob(name.lstrip("/")))
        assert found, f"nothing is called {name}"
        for each in found:
            copied(each, into / each.name if target.endswith("/") else into)


_START = r"""
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero random urandom; do
    touch dev/$device; mount --bind /dev/$device dev/$device
done
mount -t tmpfs -o mode=1777 tmpfs tmp
cp -a .$2 run/volume
mount -t tmpfs -o mode=700 tmpfs .$2
chown "$3" .$2
mount -o remount,bind,ro "$1"
ip link set lo up
exec chroot . env -i "${@:4}"
"""


class Container:
    """An image at work: its user, no rights, a read-only root, a network of its own."""

    def __init__(self, image: Image) -> None:
        self._image = image
        (image.root / "run/secrets").mkdir(exist_ok=True)
        self.started = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--ipc",
             "--fork", "--kill-child", "bash", "-ec", _START, "start", image.root, image.volume,
             image.user, *self._environment(), *self._rights(), *image.command],
        )  # fmt: skip

    def _environment(self) -> list[str]:
        return [f"{name}={value}" for name, value in self._image.env.items()]

    def _rights(self) -> list[str]:
        user, group = self._image.user.split(":")
        return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]  # fmt: skip

    def first(self) -> str:
        """The number of its first process, as this machine counts; 0 where there is none."""
        pid = self.started.pid
        return (Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or ["0"])[0]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as `podman exec` does."""
        enter = ["nsenter", "-t", self.first(), "-m", "-p", "-n", "-i", "-r", "-w", "env", "-i"]
        return subprocess.run([*enter, *self._environment(), *self._rights(), *command],
                              check=False, capture_output=True, text=True)  # fmt: skip

    def healthy(self) -> bool:
        return self.run(*self._image.check).returncode == 0

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Stop it, as `podman stop` does; its exit status."""
        # Its user is another than it began with: it outlives unshare by itself.
        if self.started.poll() is None and self.first() != "0":
            os.kill(int(self.first()), sign)
        return self.started.wait(30)


def check_container(suite: str, scratch: Path) -> None:
    """Build the image, start it, and use it."""
    from tests.support.waiting import wait_for

    image = replay(ROOT / "deploy/Containerfile", ROOT, suite, scratch)
    container = Container(image)
    try:
        wait_for(lambda: container.started.poll() is not None or container.healthy(), 60)
        assert container.started.poll() is None
        say("healthy")
        assert container.run("touch", "/new").returncode != 0, "the root can be written"
        status = container.run("cat", "/proc/1/status").stdout
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        made = container.run("levqor", "token", "new", "ci", "--only", "live")
        assert made.returncode == 0, made.stderr
        ask = f"""if True:
            import urllib.request as web
            head = {{"Authorization": "Bearer {made.stdout.strip()}"}}
            print(web.urlopen(web.Request("http://127.0.0.1:8787/ops/uptime", headers=head)).read())
        """
        assert '"status":"ok"' in container.run("python3", "-c", ask).stdout
        sandbox = container.run("levqor", "--sandbox", "smoke", "--output", "json")
        outcomes = {one["outcome"] for one in json.loads(sandbox.stdout)["results"]}
        assert outcomes == {"sent"}, sandbox.stdout
        assert container.run("python3", "-c", "import psycopg").returncode == 0
        assert container.stop() == 0, "it did not end in order"
    finally:
        container.stop(signal.SIGKILL)
    say(f"the container works on {suite}")


def as_ann(root: Path, script: str) -> str:
    """Run a script as a user of the bare machine; what it printed."""
    command = ["/usr/sbin/runuser", "-u", "ann", "--", "bash", "-ec", script]
    return within(root, command, {"HOME": "/srv/ann", "PATH": "/srv/ann/.local/bin:/usr/bin:/bin"})


def bare_machine(suite: str, scratch: Path) -> Path:
    """A bare Debian with a user, Python and the packages to be installed."""
    root = copied(base(suite), scratch / "machine")
    packages = "ca-certificates python3-venv pipx systemd util-linux"
    install = f"apt-get update -qq; apt-get install -y -qq --no-install-recommends {packages}"
    within(root, ["sh", "-ec", f"{install}; useradd --create-home --home-dir /srv/ann ann"])
    for file in (*(ROOT / "dist").iterdir(), ROOT / "requirements.txt"):
        shutil.copy(file, root / "opt")
    as_ann(root, "python3 -m venv ~/uv; ~/uv/bin/pip install -q uv")
    return root


def check_install(root: Path) -> None:
    """Install with pipx and with uv, from wheel and sdist; the server's unit, from the package."""
    for install in (
        "pipx install /opt/levqor-*.whl",
        f"{UV} /opt/levqor-*.tar.gz",
        f"{UV} --constraints /opt/requirements.txt /opt/levqor-*.whl",
    ):
        say(install)
        told = as_ann(root, f"{install}; cd /tmp; levqor --sandbox smoke; levqor-bot --version")
        assert "5 sent, 0 failed, 0 skipped." in told, told
    (deploy,) = root.glob("srv/ann/.local/share/uv/tools/levqor/share/levqor/deploy")
    unit = "/etc/systemd/system/levqor-bot.service"
    shutil.copy(deploy / "levqor-bot.service", root / unit.lstrip("/"))
    (root / "etc/sysusers.d").mkdir(exist_ok=True)
    shutil.copy(deploy / "levqor.sysusers", root / "etc/sysusers.d/levqor.conf")
    (root / "usr/local/bin/levqor-bot").symlink_to("/srv/ann/.local/bin/levqor-bot")
    within(root, ["systemd-sysusers"])
    within(root, ["systemd-analyze", "verify", unit])
    within(root, ["systemd-analyze", "security", "--offline=true", "--threshold=20", unit])


def check_init(root: Path) -> None:
    """Set a service up with `levqor init`, checked live against the sandbox services, and send."""
    say("levqor init")
    told = as_ann(root, r"""
        cd /tmp
        levqor sandbox --output json >sandbox.json &
        until [ -s sandbox.json ]; do sleep 0.1; done
        set -a
        eval "$(python3 -c 'import json
for name, value in json.load(open("sandbox.json"))["settings"].items():
    print(f"{name}={value!r}" if name.endswith("_API_URL") else f"{name}_HERE={value!r}")')"
        echo "RESEND_API_KEY=$RESEND_API_KEY_HERE" | levqor init email --answers - --test-send
        grep -c RESEND_API_KEY= ~/.local/share/levqor/.env
        levqor run email.send to=delivered@resend.dev subject=Hello All is well.
        kill %1
    """)  # fmt: skip
    assert "sent (test send)" in told, told
    assert "E-mail: sent \u00b7 run" in told, told


def check_upgrade(root: Path, revision: str) -> None:
    """Upgrade from an older Levqor, whose database was in the current folder; nothing is lost."""
    say(f"upgrade from {revision}")
    old = root / "opt/old"
    old.mkdir()
    archive = subprocess.run(["git", "archive", revision], check=True, capture_output=True,
                             cwd=ROOT)  # fmt: skip
    subprocess.run(["tar", "-x", "-C", old], check=True, input=archive.stdout)
    subprocess.run(["chown", "-R", "--reference", root / "srv/ann", old], check=True)
    runs = as_ann(root, f"""
        {UV} /opt/old >&2
        mkdir ~/work; cd ~/work
        levqor --sandbox --home . smoke >&2
        levqor --home . runs --output json
    """)  # fmt: skip
    before = {run["run"] for run in json.loads(runs[runs.index('{"runs"') :])["runs"]}
    assert len(before) >= 5
    moved = as_ann(root, f"""
        mv ~/.local/share/levqor ~/before
        {UV} /opt/levqor-*.whl
        cd ~/work
        if levqor runs; then exit 1; fi
        levqor home move
        ls
    """)  # fmt: skip
    assert "levqor home move" in moved, "it does not say what to do"
    after = as_ann(root, "cd ~/work; levqor runs --output json")
    assert {run["run"] for run in json.loads(after)["runs"]} == before
    say("all runs are still there")


def main() -> None:
    """Check every suite, or those that are named; with FROM=REVISION the upgrade from it too."""
    if os.geteuid() or not shutil.which("debootstrap"):
        raise SystemExit("system-check needs to be root, and debootstrap: make system")
    BASES.mkdir(exist_ok=True)
    for suite in sys.argv[1:] or SUITES:
        base(suite)
        with tempfile.TemporaryDirectory(dir=BASES, prefix=f"{suite}-") as scratch:
            check_container(suite, Path(scratch))
            root = bare_machine(suite, Path(scratch))
            check_install(root)
            check_init(root)
            if revision := os.environ.get("FROM"):
                check_upgrade(root, revision)
            say(f"everything works on {suite}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
