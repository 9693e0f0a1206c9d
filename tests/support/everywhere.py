"""Every surface at work at once, as programs, over one home and one sandbox.

`Everywhere` starts one `levqor-bot` that serves Slack, Telegram and HTTP, a second one whose
console reads a script, and a process that forks a `levqor` for each command line; each is
started when it is first needed.
"""

from __future__ import annotations

import contextlib
import html
import itertools
import json
import multiprocessing
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from bot.manifest import spelling
from core.callers import Caller, os_user
from core.ledger import Ledger
from core.sandbox.telegram import GROUP
from tests.support.bot import ROOT, Program
from tests.support.telegram import free_port
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.sandbox import Received
    from tests.support.sandbox import Sandbox
    from tests.support.sandbox.telegram import Said

# The calls that do what an action does; the bots answer their people with others.
WRITES = {
    "slack": ("webhook", "chat.postMessage"),
    "notion": ("pages.create",),
    "sheets": ("values.append",),
    "telegram": ("sendMessage",),
    "email": ("emails.send",),
}


@dataclass(frozen=True)
class Told:
    """What a person was told: whether it was done, and in which words."""

    done: bool
    words: str


class Everywhere:
    """All surfaces; a context manager. `arrived` tells what has come to the services."""

    def __init__(self, home: Path, sandbox: Sandbox) -> None:
        self.home = home
        self.sandbox = sandbox
        self._open = contextlib.ExitStack()
        self._people = itertools.count(1000)
        self.forget()
        self._environ = {
            **sandbox.settings("socket"),
            "NOTION_DATABASE_ID_DEFAULT": sandbox.stand_in("notion").odd_names,
        }
        self._ledger = self._open.enter_context(Ledger.open(home))
        for surface in ("cli", "console"):
            self._ledger.set_plan(str(Caller(surface, os_user())), "pro")
        self._token = self._ledger.token_new("table", plan="pro")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    # -- what arrived ---------------------------------------------------------------------

    def arrived(self) -> list[Any]:
        """What has come to the services since `forget`, each as plain values."""
        return [
            _plain(kind, one)
            for kind, calls in WRITES.items()
            for one in self.sandbox.stand_in(kind).writes[self._seen[kind] :]
            if one.call in calls and not _to_a_person(kind, one)
        ]

    def forget(self) -> None:
        """Begin anew."""
        self._seen = {kind: len(self.sandbox.stand_in(kind).writes) for kind in WRITES}

    # -- the surfaces ---------------------------------------------------------------------

    def terminal(self, action: str, items: Sequence[str], stdin: bytes | None = None) -> Told:
        """Run `levqor run`; standard input is a pipe where it is given, else closed at once."""
        line = ["--home", str(self.home), "run", action, *items]
        status, out, err = self._terminals.run(line, stdin)
        return Told(status == 0, out + err)

    def pipe(self, action: str, text: str | bytes) -> Told:
        """Pipe a text into `levqor run ACTION -`."""
        return self.terminal(action, ["-"], text if isinstance(text, bytes) else text.encode())

    def console(self, action: str, text: str) -> Told:
        """Type a line into the console; a line break is a backslash at the line's end."""
        assert not re.search(r"\\(\n|$)|\r", text)
        return self._console.does(f"{action} {text}".replace("\n", "\\\n"))

    def slack(self, action: str, text: str) -> Told:
        """Type a slash command, which Slack passes on in its own way; each time somebody else."""
        assert self._bot
        user = f"U{next(self._people)}"
        name, passed = spelling("levqor-").action(action), as_slack_passes_on(text)
        said = self.sandbox.slack.command(name, passed, user=user)
        words = str(said.ack["text"])
        if "sending" in words:
            wait_for(lambda: any("sending" not in one["text"] for one in said.replies))
            words = next(str(o["text"]) for o in said.replies if "sending" not in o["text"])
        return Told("· run" in words, html.unescape(words))

    def telegram(self, action: str, text: str) -> Told:
        """Write a message to the bot; each time somebody else, just paired."""
        assert self._bot
        person = self.sandbox.telegram.user(next(self._people))
        code, _ = self._ledger.pair_code("telegram")
        assert self._ledger.redeem("telegram", str(person.id), code)
        person.says(f"/{action.replace('.', '_')} {text}")
        said = person.waits(1, 20, until=_over)[-1]
        return Told("· run" in said.text, said.text)

    def http(self, action: str, body: Any) -> Told:
        """Post a body; what is no bytes goes as JSON."""
        import requests

        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = requests.post(f"{self._bot}/actions/{action}", sent, headers=headers, timeout=30)
        return Told(answer.ok, json.dumps(answer.json(), ensure_ascii=False))

    @cached_property
    def _bot(self) -> str:
        """Where the bot listens for HTTP; starts it."""
        address = f"127.0.0.1:{free_port()}"
        program = self._open.enter_context(Program(self.home, self._environ, "--http", address))
        self.sandbox.slack.waits_for_sockets(1, 30)
        with Ledger.open(self.home) as ledger:
            wait_for(
                lambda: {"slack", "telegram"} <= {w.surface for w in ledger.inbounds() if w.ok}
            )
        assert program.running
        return f"http://{address}"

    @cached_property
    def _console(self) -> Console:
        return self._open.enter_context(Console(self.home, self._environ))

    @cached_property
    def _terminals(self) -> Terminals:
        return self._open.enter_context(Terminals(self._environ))


def as_slack_passes_on(text: str) -> str:
    """A typed text as Slack hands it to an app: entities, and links in angle brackets."""
    return re.sub(r"https?://[^\s\"<>|]+", r"<\g<0>>", html.escape(text, quote=False))


def _over(said: Said) -> bool:
    return "sending" not in said.text


def _to_a_person(kind: str, received: Received) -> bool:
    chat = (received.json or received.form).get("chat_id")
    return kind == "telegram" and str(chat) != str(GROUP)


def _plain(kind: str, received: Received) -> Any:
    body = received.json
    if kind == "slack":
        return {**body, "text": html.unescape(body["text"])}
    if kind == "notion":
        return {name: _property(one) for name, one in body["properties"].items()}
    if kind == "sheets":
        place = unquote(received.path.rpartition("/values/")[2].removesuffix(":append"))
        return {"range": place, "values": body["values"]}
    if kind == "email":
        return {key: body[key] for key in ("to", "subject", "text")}
    return {"text": body["text"]}


def _property(given: dict[str, Any]) -> Any:
    """A Notion property as its plain value."""
    ((_, inner),) = ((key, one) for key, one in given.items() if key not in ("id", "type"))
    if isinstance(inner, list):
        pieces = [one.get("text", {}).get("content", one.get("name")) for one in inner]
        return pieces if inner and "name" in inner[0] else "".join(pieces)
    if isinstance(inner, dict):
        return inner.get("name", inner.get("start"))
    return inner


class Console:
    """A console that reads a script, kept open; a context manager."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self._bot = subprocess.Popen(
            [sys.executable, "-m", "bot.app", "--home", str(home), "--console", "--no-http"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, **environ, "LEVQOR_TELEGRAM": "off"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._bot.communicate(timeout=30)
        self._bot.kill()

    def does(self, line: str) -> Told:
        """Type a line, and read what is said until the next one is answered."""
        stdin, stdout = self._bot.stdin, self._bot.stdout
        assert stdin
        assert stdout
        stdin.write(f"{line}\nwhoami\n".encode())
        stdin.flush()
        said: list[str] = []
        while not (said and said[-1].startswith("You are console:")):
            got = stdout.readline()
            assert got, said
            said.append(got.decode().rstrip("\n"))
        words = "\n".join(said[:-1])
        return Told("· run" in words, words)


class Terminals:
    """Runs `levqor`, each in a child of a process that has it loaded; a context manager."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.support.everywhere", "core.cli", *_LOADED])
        self._environ = environ

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running: each child was waited for."""

    def run(self, line: Sequence[str], stdin: bytes | None) -> tuple[int, str, str]:
        """Run a command line to its end: exit status, standard output, standard error."""
        ours, theirs = self._context.Pipe()
        child = self._context.Process(
            target=_levqor, args=(theirs, list(line), stdin or b"", self._environ)
        )
        child.start()
        theirs.close()
        assert ours.poll(60), "levqor did not end"
        out, err, status = ours.recv()
        child.join(30)
        return status, out, err


# What a run imports on its way, so that a child need not.
_LOADED = ["core.engine", "core.connectors", "core.grammar", "core.outbound", "google.auth"]


def _levqor(answer: Any, line: list[str], stdin: bytes, environ: dict[str, str]) -> None:
    """In the child: standard streams as a shell sets them up, then `levqor`."""
    import tempfile

    from core.cli import main

    os.environ.update(environ)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    if os.fork() == 0:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(stdin)
        os._exit(0)
    os.close(writing)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        status = main(line)
        sys.stdout.flush()
        sys.stderr.flush()
        words = []
        for stream in (out, err):
            stream.seek(0)
            words.append(stream.read().decode())
        answer.send((*words, status))
