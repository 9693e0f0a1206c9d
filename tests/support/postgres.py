"""A throwaway PostgreSQL, and pgbouncer in front of it, on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "levqor"


def binaries() -> Path | None:
    """Where PostgreSQL's programs are: the newest of Debian's, else whatever is on the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    if versions:
        return versions[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def needed() -> None:
    """Skip a test where there is no PostgreSQL; where everything is installed, fail."""
    if binaries() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "PostgreSQL is not installed: make system"
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres() -> dict[str, Any]:
    """PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    who = pwd.getpwnam("postgres")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


class Cluster:
    """A server of its own in a folder of its own; `durable` flushes as a real one does."""

    def __init__(self, *, durable: bool = False, settings: dict[str, str] | None = None) -> None:
        programs = binaries()
        assert programs is not None, "PostgreSQL is not installed: make system"
        self.programs = programs
        # Not in pytest's folder, which only its user may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="levqor-pg-"))
        self._as = _as_postgres()
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        self.port = free_port()
        self.settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "120",
            "fsync": "on" if durable else "off",
            **(settings or {}),
        }
        self._run(
            "initdb", "-D", self.data, "-A", "trust", "-U", USER, "-E", "UTF8",
            "--no-sync", "--no-instructions", "--locale=C",
        )  # fmt: skip
        self.start()
        self._templated = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`fast`, or `immediate`: as if the power went."""
        self._run("pg_ctl", "-D", self.data, "-w", "-s", "-m", mode, "stop")

    def url(self, name: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{name}"

    def execute(self, sql: str, name: str = "postgres") -> list[Any]:
        """Run SQL from outside; its rows, where it has any."""
        with psycopg.connect(self.url(name), autocommit=True) as db:
            done = db.execute(sql)
            return done.fetchall() if done.description else []

    def dump(self, url: str) -> str:
        """All that a database's tables hold."""
        name = url.rsplit("/", 1)[1]
        tables = self.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", name
        )
        return "".join(f"{self.execute(f'SELECT * FROM {table}', name)}" for (table,) in tables)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """An empty database, gone afterwards; its name."""
        name = f"t{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *args: object) -> None:
        subprocess.run(
            [self.programs / program, *map(str, args)],
            cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=60, **self._as,
        )  # fmt: skip


class Bouncer:
    """pgbouncer in transaction mode before a cluster; at most `size` connections of its own."""

    def __init__(self, cluster: Cluster, *, size: int = 20) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None, "pgbouncer is not installed: make system"
        self._cluster, self.port = cluster, free_port()
        file = cluster.folder / f"pgbouncer-{self.port}.ini"
        file.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port} user={USER}\n"
            f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={self.port}\nunix_socket_dir=\n"
            f"auth_type=any\npool_mode=transaction\ndefault_pool_size={size}\n"
            f"max_client_conn=500\nlogfile={file.with_suffix('.log')}\nlog_connections=0\n"
            "log_disconnections=0\nserver_login_retry=1\n"
        )
        file.chmod(0o644)
        self._command = [program, "-q", str(file)]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_postgres()
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise TimeoutError("pgbouncer did not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def url(self, name: str) -> str:
        return self._cluster.url(name, self.port)
