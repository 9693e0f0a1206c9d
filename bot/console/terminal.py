"""The interactive side: prompt, completion, colours, questions field by field."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from bot import form, form_fields
from bot.commands import questions
from bot.messages import OpenForm
from bot.runtime import Bot
from core.callers import Caller
from core.cli.output import wrapped
from core.contract import TARGET, Contract, FieldSpec
from core.engine import Access
from core.errors import LevqorError

STYLE = Style.from_dict(
    {
        "good": "ansigreen",
        "bad": "ansired",
        "dim": "ansibrightblack",
        "plain": "",
        "prompt": "bold ansicyan",
    }
)
REQUIRED = "This field is required."


class Terminal:
    """A person's terminal. History stays in memory: what was typed is never written down."""

    def __init__(self, bot: Bot, caller: Caller) -> None:
        self._bot = bot
        self._caller = caller
        self._words = Words(bot)
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(),
            completer=self._words,
            complete_while_typing=True,
            style=STYLE,
        )
        self._asking: PromptSession[str] = PromptSession(style=STYLE)

    def welcome(self) -> None:
        """Say what this is."""
        self.say("Levqor console. Type help for the commands, exit to leave. Tab completes.", "dim")
        self.say(f"You are {self._caller}.", "dim")

    async def read(self) -> str | None:
        """The next command; None at the end of input, or where Ctrl-C is pressed twice."""
        warned = False
        with contextlib.suppress(LevqorError):  # the ledger's trouble is told elsewhere
            access = self._bot.engine.authorization.access
            self._words.who = await self._bot.read(access, self._caller)
        self._words.targets = await self._bot.commands.targets(self._caller)
        while True:
            try:
                return await self._prompt(self._session, "levqor> ")
            except EOFError:
                return None
            except KeyboardInterrupt:
                begun = self._session.default_buffer.text
                if warned and not begun:
                    return None
                warned = True
                cleared = "The line is cleared. " if begun else ""
                self.say(f"{cleared}Press Ctrl-C again to leave.", "dim")

    async def form(self, opened: OpenForm, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Ask for each field not given; None where the person leaves with Ctrl-C or Ctrl-D."""
        self.say("Press Enter to leave out an optional field, Ctrl-C to send nothing.", "dim")
        asked = form.Form(opened, self._bot.settings.default, dict(given))
        if given:
            self.say(f"Already given: {', '.join(given)}.", "dim")
        while not asked.done:
            if asked.spec.name in given:
                asked.at += 1
                continue
            await asked.look(self._bot, self._caller)
            spec = asked.spec
            if asked.trouble:
                self.say(asked.trouble, "bad")
            listed = f"{form.choices(spec)}." if spec.choices else ""
            said = " ".join(filter(None, [spec.help, listed]))
            self.say(f"{form_fields.asks(spec)}: {said}".removesuffix(": "), "dim")
            name = spec.title if form_fields.is_column(spec.name) else spec.name
            wrong: str | None = ""
            while wrong is not None:
                typed = await self._ask(f"{name}{self._instead(spec)}: ")
                if typed is None:
                    return None
                wrong = asked.answer(typed) if typed.strip() else asked.skip() and REQUIRED
                for line in (wrong or "").splitlines():
                    self.say(line, "bad")
        return asked.values

    def _instead(self, spec: FieldSpec) -> str:
        default = self._bot.settings.default
        given = spec.default or (default(spec.setting) if spec.setting else None)
        if given is not None:
            return f" [{given}]"
        return "" if form_fields.is_required(spec, default) else " (optional)"

    async def agree(self, question: str) -> bool:
        """Ask yes or no; no is the default."""
        self.say(question, "plain")
        typed = await self._ask("[y/N] ")
        return (typed or "").strip().lower() in ("y", "yes")

    def say(self, text: str, style: str) -> None:
        """Print a text, its first line in its style."""
        width = self._session.output.get_size().columns
        head, line, rest = wrapped(text, width).partition("\n")
        parts = [(f"class:{style}", head), ("", line + rest)]
        print_formatted_text(FormattedText(parts), style=STYLE)

    def leave(self) -> None:
        """End the prompt that is open."""
        for session in (self._session, self._asking):
            if session.app.is_running:
                session.app.exit(exception=EOFError)

    async def _ask(self, text: str) -> str | None:
        try:
            return await self._prompt(self._asking, text)
        except (EOFError, KeyboardInterrupt):
            return None

    async def _prompt(self, session: PromptSession[str], text: str) -> str:
        # What the bot says meanwhile stands above the prompt, not in it.
        with patch_stdout():
            return await session.prompt_async(
                FormattedText([("class:prompt", text)]), handle_sigint=True
            )


class Words(Completer):
    """Completes what `who` may use: actions and questions, then fields and `targets`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.who: Access | None = None  # once that was asked
        self.targets: list[tuple[str, str]] = []

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Offer what may stand at the cursor."""
        del complete_event
        word = document.get_word_before_cursor(WORD=True)
        for text, told in self._offered(document.text_before_cursor.lstrip()):
            if text.startswith(word):
                yield Completion(text, start_position=-len(word), display_meta=told)

    def _offered(self, before: str) -> Iterable[tuple[str, str]]:
        command, blank, _ = before.partition(" ")
        if (who := self.who) is None:
            return
        offered = self._bot.engine.authorization.offered(who)
        actions = {i: action for i, _, action in self._bot.commands.actions() if i in offered}
        if not blank:
            yield from ((f"{action_id} ", action.title) for action_id, action in actions.items())
            yield from ((f"{q.word} " if q.takes else q.word, q.tells) for q in questions(who))
            yield "exit", "leave the console"
        elif command == "help":
            yield from ((action_id, action.title) for action_id, action in actions.items())
        elif command == "health":
            yield "live", "check every service now"
        elif command in actions:
            yield from self._fields(actions[command].input, before)
            if f"{TARGET}=" not in before or before.rpartition(" ")[2].startswith(f"{TARGET}="):
                of_it = (name for name, action_id in self.targets if action_id == command)
                yield from ((f"{TARGET}={name}", "where it goes") for name in of_it)

    def _fields(self, contract: type[Contract], before: str) -> Iterable[tuple[str, str]]:
        for spec in contract.fields():
            if f"{spec.name}=" not in before and spec.kind != "mapping":
                example = f" e.g. {spec.example}" if spec.kind == "text" else ""
                yield f"{spec.name}=", f"{spec.title}{example}"
