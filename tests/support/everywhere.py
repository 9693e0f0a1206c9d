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
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from bot.slack.manifest import spelling
from core.callers import Caller, os_user
from core.ledger import Ledger
from core.sandbox.telegram import GROUP
from tests.support.bot import Program
from tests.support.programs import Console, Terminals, Told
from tests.support.sandbox import Answer
from tests.support.sandbox import notion as workspace
from tests.support.telegram import free_port
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from core.sandbox import Received
    from tests.support.sandbox import Sandbox
    from tests.support.sandbox.telegram import Person
    from tests.support.sandbox.telegram_messages import ChatMessage

# The calls that do what an action does; the bots answer their people with others.
WRITES = {
    "slack": ("webhook", "chat.postMessage"),
    "notion": ("pages.create",),
    "sheets": ("values.append",),
    "telegram": ("sendMessage",),
    "email": ("emails.send",),
}


# A busy machine starts a program slowly; every row would fail that comes too early.
START_SECONDS = 90.0


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
            "NOTION_DATABASE_ID_DEFAULT": workspace.DATABASES[2].id,
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
            for one in self.sandbox.service(kind).writes[self._seen[kind] :]
            if one.call in calls and not _to_a_person(kind, one)
        ]

    def forget(self) -> None:
        """Begin anew."""
        self._seen = {kind: len(self.sandbox.service(kind).writes) for kind in WRITES}

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
        name, passed = spelling("levqor-").action(action), as_slack_passes_on(text)
        said = self.sandbox.slack.command(name, passed, user=f"U{next(self._people)}")
        if not said.acked:
            # A busy machine was late, and Slack shows a time-out: what is a run is told later.
            with contextlib.suppress(TimeoutError):
                said.waits(1, 60)
            if not said.replies:
                return self.slack(action, text)
        words = str((said.ack or {"text": "sending"})["text"])
        if "sending" in words:
            wait_for(lambda: any("sending" not in one["text"] for one in said.replies))
            words = next(str(o["text"]) for o in said.replies if "sending" not in o["text"])
        return Told("· run" in words, html.unescape(words))

    def telegram(self, action: str, text: str) -> Told:
        """Write a message to the bot; each time somebody else, just paired."""
        assert self._bot
        person = self._paired()
        person.says(f"/{action.replace('.', '_')} {text}")
        said = person.waits(1, 20, until=_over)[-1]
        return Told("· run" in said.text, said.text)

    def slack_form(self, action: str, filled: Mapping[str, str]) -> Told:
        """Open a form in Slack, and fill it in."""
        assert self._bot
        user, before = f"U{next(self._people)}", self.sandbox.slack.views.last
        name = spelling("levqor-").action(action)
        said = self.sandbox.slack.command(name, "", user=user)
        wait_for(lambda: self.sandbox.slack.views.last != before)
        ack = self.sandbox.slack.submit_view(dict(filled), user=user).ack
        if ack["response_action"] == "errors":
            return Told(done=False, words="\n".join(ack["errors"].values()))
        words = str(ack["view"]["blocks"][0]["text"]["text"])
        if "sending" in words:
            words = html.unescape(str(said.waits(1, 60)[-1]["text"]))
        return Told("· run" in words, words)

    def telegram_form(self, action: str, filled: Mapping[str, str]) -> Told:
        """Answer a form's questions in Telegram, one by one, and press its first button.

        Notion's columns cannot be read meanwhile: they would be asked for one by one.
        """
        assert self._bot
        person, count = self._paired(), 1
        self.sandbox.notion.always(Answer(404, json={"code": "object_not_found"}))
        try:
            person.says(f"/{action.replace('.', '_')}")
            asked = person.waits(count)[-1]
            while not asked.buttons:
                match = re.search(r"(\d of \d): .* \((\w+)\)$", asked.text, re.MULTILINE)
                assert match, asked.text
                person.says(filled.get(match[2], "/skip"), reply_to=asked)
                count += 1
                last, asked = asked, person.waits(count)[-1]
                if match[1] in asked.text and match[1] in last.text:
                    return Told(done=False, words=asked.text)
        finally:
            self.sandbox.notion.always(None)
        person.presses(asked, next(iter(asked.buttons)))
        said = person.waits(count, 20, until=lambda one: _over(one) and not one.buttons)[-1]
        return Told("· run" in said.text, said.text)

    def http(self, action: str, body: Any) -> Told:
        """Post a body; what is no bytes goes as JSON."""
        import requests

        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        answer = requests.post(f"{self._bot}/actions/{action}", sent, headers=headers, timeout=120)
        return Told(answer.ok, json.dumps(answer.json(), ensure_ascii=False))

    def _paired(self) -> Person:
        person = self.sandbox.telegram.user(next(self._people))
        code, _ = self._ledger.pair_code("telegram")
        assert self._ledger.redeem("telegram", str(person.id), code)
        return person

    @cached_property
    def _bot(self) -> str:
        """Where the bot listens for HTTP; starts it."""
        address = f"127.0.0.1:{free_port()}"
        program = self._open.enter_context(Program(self.home, self._environ, "--http", address))
        self.sandbox.slack.waits_for_sockets(1, START_SECONDS)
        with Ledger.open(self.home) as ledger:
            wait_for(
                lambda: {"slack", "telegram"} <= {w.surface for w in ledger.inbounds() if w.ok},
                START_SECONDS,
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


def _over(said: ChatMessage) -> bool:
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
