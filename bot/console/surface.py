"""Reading commands, doing them one after another, saying what became of each."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from bot.commands import Spelling
from bot.conversation import NOT_SENT, Conversation
from bot.messages import Command, Confirm, Decision, OpenForm, Reply, Response, Started, Submission
from bot.runtime import Bot, Surface
from core import streams
from core.callers import Caller, os_user
from core.contract import utf8
from core.errors import Fault, InvalidInput, LevqorError

if TYPE_CHECKING:
    from bot.console.terminal import Terminal

BARE = Spelling(action=str, question=str)
LEAVE = ("quit", "exit")
HELP = "help"
# `run ACTION …` is how a terminal has it, and people copy.
TERMINAL_WORDS = ("levqor", "run")
MORE_HELP = """
Only in this console
  exit - leave (or press Ctrl-C twice)
  ? - the same as help
  You may write run before an action."""
_NOTHING: Mapping[str, Any] = {}
_FIRST_BLANK = re.compile(r"\s")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*(?![^\s=])")


class Console(Surface):
    """One person at a terminal, or one script on standard input."""

    name = "console"

    def __init__(self, *, interactive: bool) -> None:
        self._interactive = interactive
        self._terminal: Terminal | None = None
        self._caller = Caller("console", os_user())
        self._paused = asyncio.Event()

    async def start(self, bot: Bot) -> None:
        """Begin to read."""
        if bot.settings.sandbox:
            # Nobody is charged for what the sandbox takes.
            await bot.call(bot.engine.ledger.set_plan, str(self._caller), "pro")
        self._conversation = Conversation(bot, self.name, BARE, interactive=self._interactive)
        if self._interactive:
            from bot.console.terminal import Terminal

            self._terminal = Terminal(bot, self._caller)
            bot.spawn(self._talk(bot, self._converse(bot, self._terminal)), name="console")
        else:
            bot.spawn(self._talk(bot, self._play(bot)), name="console")

    async def pause(self) -> None:
        """Read no further."""
        self._paused.set()
        if self._terminal:
            self._terminal.leave()

    async def stop(self) -> None:
        """Nothing to let go of: the terminal was given back by `pause`."""

    async def _talk(self, bot: Bot, until_it_ends: Coroutine[Any, Any, None]) -> None:
        try:
            await until_it_ends
        except Exception as error:  # noqa: BLE001 - or it would sit there and answer nobody
            bot.fail(error)

    async def _converse(self, bot: Bot, terminal: Terminal) -> None:
        terminal.welcome()
        while not self._paused.is_set():
            line = await terminal.read()
            if line is None or line.strip().lower() in LEAVE:
                break
            await self._do(bot, line)
        bot.end(0)

    async def _play(self, bot: Bot) -> None:
        failed = False
        async for line in _script():
            if self._paused.is_set() or line.strip().lower() in LEAVE:
                break
            failed |= not await self._do(bot, line)
        bot.end(int(failed))

    async def _do(self, bot: Bot, line: str) -> bool:
        """Do one command and say what became of it; whether it ended well."""
        sent = None
        try:
            line = line if self._terminal else _checked(line)
            if not line.strip() or line.lstrip().startswith("#"):
                return True
            word, text = _parsed(bot, line)
            response = await self._respond(bot, word, text)
            helped = isinstance(response, Reply) and response.error is None
            if word == HELP and not text.strip() and helped:
                response = Reply(response.text + MORE_HELP)
            while isinstance(response, Started):
                sent, ended = await self._finish(bot, response)
                response = await self._asked(ended)
        except streams.NotPrinted:
            raise
        except LevqorError as error:
            response = Reply.refusing(error)
        refused = isinstance(response, Reply) and response.error is not None
        self._say(response.text, "bad" if refused else "good", sent)
        return not refused

    async def _respond(self, bot: Bot, word: str, text: str) -> Response:
        """Handle a command; where a person sits there, also what it asks of them."""
        conversation = self._conversation
        response = await conversation.handle(Command(caller=self._caller, word=word, text=text))
        if self._terminal is None:
            return response
        given: dict[str, Any] = {}
        if isinstance(response, Reply) and _is_unfinished(response.error):
            given = bot.commands.read(word, text)
            response = await conversation.handle(Command(caller=self._caller, word=word))
        return await self._asked(response, given)

    async def _asked(self, response: Response, given: Mapping[str, Any] = _NOTHING) -> Response:
        """Ask what a response asks, until one asks nothing more."""
        while self._terminal and isinstance(response, OpenForm | Confirm):
            request = await self._ask(self._terminal, response, given)
            handle = self._conversation.handle
            response = await handle(request) if request else Reply(NOT_SENT)
        return response

    async def _ask(
        self, terminal: Terminal, response: OpenForm | Confirm, given: Mapping[str, Any]
    ) -> Submission | Decision | None:
        if isinstance(response, Confirm):
            question = response.text
            if response.no is None:
                terminal.say(question, "bad")
                question = f"{response.yes}?"
            yes = await terminal.agree(question)
            return Decision(caller=self._caller, id=response.nonce, yes=yes)
        values = await terminal.form(response, given)
        if values is None:
            return None
        return Submission(caller=self._caller, action_id=response.action_id, values=values)

    async def _finish(self, bot: Bot, started: Started) -> tuple[str | None, Response]:
        """The run's ID where it was sent, and how it ended."""
        if self._interactive:
            self._say(started.text, "dim")
        settled = await bot.settle(started.accepted)
        return None if settled.error else settled.run, self._conversation.ended(settled)

    def _say(self, text: str, style: str, run: str | None = None) -> None:
        if self._terminal:
            self._terminal.say(text, style)
        else:
            streams.print_answer(text, run)


def _checked(line: str) -> str:
    try:
        return utf8(line.encode("utf-8", "surrogateescape"))
    except ValueError as problem:
        raise InvalidInput([Fault("this line", str(problem))]) from None


def _parsed(bot: Bot, line: str) -> tuple[str, str]:
    """Split a line into the command's word and the text after it; raises InvalidInput."""
    word, text = _split(line)
    copied = word in TERMINAL_WORDS
    while word in TERMINAL_WORDS:
        word, text = _split(text)
    if copied and not word:
        raise InvalidInput(message="Write an action after run. To see the actions, type: help")
    if copied and (option := _OPTION.search(text)):
        fault = Fault(
            option[0],
            "is an option of the levqor command, not of this console;"
            " to send it as text, do not write run before the action",
        )
        raise InvalidInput([fault])
    # `email_send` and `email-send` are how chats spell it, and people copy.
    ids = bot.engine.action_ids()
    spellings = {i.replace(".", mark): i for i in ids for mark in "_-"} | {"?": HELP}
    return spellings.get(word, word), text


def _split(line: str) -> tuple[str, str]:
    # One blank ends the command's word; a tab after it is the first of pasted rows.
    word, _, text = _FIRST_BLANK.sub("\0", line.lstrip(), count=1).partition("\0")
    return word.lstrip("/").lower(), text


def _is_unfinished(error: LevqorError | None) -> bool:
    """Whether nothing is wrong but fields that were left out."""
    faults = error.faults if isinstance(error, InvalidInput) else ()
    return bool(faults) and all(fault.message == "is required" for fault in faults)


async def _script() -> AsyncIterator[str]:
    """Standard input's commands; a line that ends with a backslash goes on in the next.

    Whatever the locale says, they are UTF-8; what is not stays in a line as lone surrogates.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape", newline=None)
    kept = ""
    while line := await _line():
        text = kept + line.rstrip("\r\n")
        if text.endswith("\\"):
            kept = text[:-1] + "\n"
            continue
        kept = ""
        yield text
    if kept:
        yield kept


async def _line() -> str:
    """Read a line, empty at the end of input.

    In a daemon thread of its own: the pool's threads are waited for at exit, and who holds
    the other end of standard input may never write again.
    """
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def work() -> None:
        try:
            line = sys.stdin.readline()
        except OSError:  # closed: there is nothing to do
            line = ""
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens
            loop.call_soon_threadsafe(lambda: None if read.done() else read.set_result(line))

    threading.Thread(target=work, name="levqor-stdin", daemon=True).start()
    return await read
