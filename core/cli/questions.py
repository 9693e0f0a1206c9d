"""The questions of `levqor init`: what is asked of a person, or taken from given answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from core.cli import options
from core.cli.prompt import ask, fits
from core.errors import LevqorError, NotConfigured
from core.plain import plain_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.cli.session import Session
    from core.contract import Connector, HttpClient, Lister, Probe, Setting
    from core.settings import Settings

T = TypeVar("T")

# What a person types to have no value; a setting has none that is a dash.
NO_VALUE = "-"
# A longer list is no help in a terminal.
MOST_CHOICES = 20


class _Skipped(Exception):
    """A person does not want to set this service up now."""


class Questions:
    """The questions, each answered by a person where one `asks`, else by what was `given`.

    With an `account` they are of that further account of each service.
    """

    def __init__(
        self, session: Session, given: dict[str, str], *, asks: bool, account: str | None = None
    ) -> None:
        self.asks, self.account = asks, account
        self._session, self._out, self._given = session, session.out, given

    def yes(self, question: str, *, flag: bool | None = None, default: bool) -> bool:
        """A yes or a no: the flag's, a person's, or no where nobody is asked."""
        if flag is not None or not self.asks:
            return bool(flag)
        words = {"y": True, "yes": True, "n": False, "no": False, "": default}
        shown = f"{question} [{'Y/n' if default else 'y/N'}]"
        while (
            typed := ask(self._out.people, shown, harmless=words.__contains__).lower()
        ) not in words:
            self._out.line("Answer y or n.", "red")
        return words[typed]

    def begin(self) -> None:
        """Say what will happen."""
        if self.asks:
            self._out.line(
                "Levqor asks for each service's settings, checks them, and writes them to:"
            )
            self._out.copyable(f"  {self._session.settings.home / '.env'}")
            self._out.line("Enter keeps what is in [brackets]. A dash (-) removes a value.")
            self._out.line("Ctrl-C stops. Services that were finished stay set up.\n")

    def chosen(self, named: Sequence[str] | None) -> Sequence[Connector]:
        """The services to set up: those named, answered for, or chosen from a list."""
        known = options.connectors(None)
        if named:
            return options.services(named)
        if not self.asks:
            return [c for c in known if self._given.keys() & {s.name for s in self._asked(c)}]
        for number, connector in enumerate(known, 1):
            ready = self._session.settings.configured(connector, self.account)
            title = connector.account_title(self.account)
            self._out.line(f"  {number}  {title}{', set up' if ready else ''}")
        numbers = {str(number): each.name for number, each in enumerate(known, 1)}

        def meant(typed: str) -> Sequence[Connector]:
            """The services that were named; raises NotFound."""
            words = [word.strip() for word in typed.split(",") if word.strip()]
            if words in ([], ["all"]):
                return known
            return options.services([numbers.get(word, word) for word in words])

        words = {*numbers, *numbers.values(), ""}
        while True:
            typed = ask(
                self._out.people,
                "Which services? Numbers or names [all]",
                harmless=lambda text: {word.strip() for word in text.split(",")} <= words,
            )
            try:
                return meant(typed)
            except LevqorError as error:
                self._out.line(f"{error.message} {error.fix or ''}", "red")

    def set_up(self, connector: Connector) -> bool | None:
        """Set a service up; whether it works, None where a person skipped it."""
        if self.asks:
            self._out.line(f"\n{connector.account_title(self.account)}", "bold")
        try:
            return self._set_up(connector)
        except _Skipped:
            return None

    def _set_up(self, connector: Connector) -> bool:
        """Ask for a service's settings until it works or is given up, and write the answers."""
        answers: dict[str, str | None] = {}
        title, declared = connector.account_title(self.account), self._asked(connector)
        needed, others = ([s for s in declared if s.required is r] for r in (True, False))
        found = self._answered(needed, connector, answers)
        if found and others:
            if self.asks:
                self._out.line(f"{self._out.mark(True)} {title} accepts this.", "green")
            # Now that the service answers, it can list what fits these.
            found = self._answered(others, connector, answers, found)
        if found:
            self._out.line(f"{self._out.mark(True)} {title} works.", "green")
            for note in filter(None, (*found.notes, found.fix)):
                self._out.line(f"    {note}")
        self._write(answers)
        return found is not None

    def _asked(self, connector: Connector) -> list[Setting]:
        """The settings to ask for: those that can be in `.env`, and are not another account's."""
        names = self._session.settings.names(connector, self.account)
        return [
            replace(each, name=names[each.name])
            for each in connector.config.settings()
            if not each.env_only and (self.account is None or names[each.name] != each.name)
        ]

    def _answered(
        self,
        asked: Sequence[Setting],
        connector: Connector,
        answers: dict[str, str | None],
        found: Probe | None = None,
    ) -> Probe | None:
        """Ask until the service works with the answers; what it says of them, None if it fails.

        What it said before counts where nothing is changed.
        """
        from core.contract import Probe

        before = dict(answers)
        while True:
            for each in asked:
                self._ask(each, connector, answers)
            if found and answers == before:
                return found
            works = self._check(connector, answers)
            if works and works.attention and found and self.asks:
                # The service works, and one of these answers does not.
                for line in filter(None, (*works.notes, works.fix)):
                    self._out.line(f"{self._out.mark(None)} {line}", "yellow")
                before, found, works = dict(answers), works, Probe()
            elif works:
                return works
            if not self.yes("Answer these questions again?", default=True):
                return works

    def _with(self, answers: dict[str, str | None]) -> Settings:
        new = {name: value for name, value in answers.items() if value is not None}
        return self._session.settings.drafted(new)

    def _ask(self, setting: Setting, connector: Connector, answers: dict[str, str | None]) -> None:
        """Ask for a setting until its value is well-formed."""
        from core.settings.source import tidy

        name, out = setting.name, self._out
        if self._session.settings.in_environment(name):
            out.line(f"  {name} is set in the environment: it is used, not the one in .env.", "dim")
            return
        choices: Sequence[tuple[str, str]] = ()
        if self.asks:
            out.line(f"\n  {setting.title}", "bold")
            out.line(f"  Where: {setting.where}.", "dim")
            choices = self._choices(connector, name, answers)
        while True:
            now = answers.get(name) or self._session.settings.value(name)
            typed = self._typed(setting, now, answers) if self.asks else self._given.get(name)
            # What was copied may have quotes round it, and the name before it.
            value = (typed or "") and (tidy(str(typed).removeprefix(f"{name}=")) or "")
            if not value and (self.asks or name not in self._given):
                value = now or ""
            numbers = {str(number): choice for number, (choice, _) in enumerate(choices, 1)}
            value = numbers.get(value, value)
            if self.asks and setting.required and not value:
                if self.yes(f"  Skip {connector.title} for now?", default=True):
                    raise _Skipped
                continue
            if value != (now or ""):
                answers[name] = None if value in ("", NO_VALUE) else value
            found = [p for p in self._with(answers).problems() if p.setting == name]
            for problem in found:
                out.line(f"  {problem.what} {problem.fix}", "red" if problem.fatal else "yellow")
            if not self.asks or not any(problem.fatal for problem in found):
                return

    def _typed(self, setting: Setting, now: str | None, answers: dict[str, str | None]) -> str:
        def harmless(text: str) -> bool:
            return fits(self._with({**answers, setting.name: text}), setting.name, text)

        shown = plain_line(now or "", 40) if not setting.secret and harmless(now or "") else "set"
        state = f" [{shown}]" if now else "" if setting.required else " [none]"
        return ask(
            self._out.people, f"  {setting.name}{state}", secret=setting.secret, harmless=harmless
        )

    def _choices(
        self, connector: Connector, name: str, answers: dict[str, str | None]
    ) -> Sequence[tuple[str, str]]:
        """Show what the service can list for a setting, numbered."""
        lister = connector.choices.get(name.partition("__")[0])
        found = self.listed(connector, lister, answers)
        for number, (_, label) in enumerate(found, 1):
            self._out.line(f"    {number}  {plain_line(label, 60)}")
        return found

    def listed(
        self, connector: Connector, lister: Lister | None, answers: dict[str, str | None]
    ) -> Sequence[tuple[str, str]]:
        """What the service lists for a setting or a field; nothing where it cannot."""
        if lister is None:
            return ()
        try:
            return self._through(connector, answers, lister)[:MOST_CHOICES]
        except LevqorError:
            return ()  # the check says why

    def text(self, question: str) -> str:
        """A person's answer in their own words."""
        return ask(self._out.people, question)

    def say(self, words: str) -> None:
        """Say what is wrong with an answer."""
        self._out.line(words, "red")

    def _check(self, connector: Connector, answers: dict[str, str | None]) -> Probe | None:
        """Check a service live, and say why where it fails."""
        from core.settings.names import in_names

        out, names = self._out, self._session.settings.names(connector, self.account)
        try:
            probe = self._through(connector, answers, connector.probe)
        except LevqorError as error:
            title, fix = connector.account_title(self.account), error.fix
            out.line(f"{out.mark(False)} {title}: {in_names(error.message, names)}", "red")
            if fix:
                out.line(f"    {in_names(fix, names)}")
            return None
        notes, fix = (in_names(note, names) for note in probe.notes), probe.fix
        return replace(probe, notes=tuple(notes), fix=fix and in_names(fix, names))

    def _through(
        self,
        connector: Connector,
        answers: dict[str, str | None],
        call: Callable[[object, HttpClient], T],
    ) -> T:
        from core.engine.validation import credential_digest
        from core.outbound import Outbound

        settings = self._with(answers)
        config = settings.config(connector, self.account)
        outbound = Outbound(redactor=settings.redactor())
        try:
            with self._out.waiting(f"asking {connector.title}"):
                return outbound.probe(
                    connector.name, credential_digest(config), lambda http: call(config, http)
                )
        finally:
            outbound.close()

    def _write(self, answers: dict[str, str | None]) -> None:
        from core.settings import env_file

        file = self._session.settings.home / ".env"
        if not answers:
            return
        try:
            env_file.write(file, answers)
        except (OSError, ValueError) as error:
            fix = "Make it a text file of yours that can be written, then run levqor init again."
            raise NotConfigured(f"{file} cannot be written: {error}.", fix=fix) from None
        self._session.read_settings_again()

    def team(self, *, flag: bool | None) -> None:
        """Ask whether people have a daily limit."""
        name = "LEVQOR_DEFAULT_PLAN"
        if self._session.settings.value(name) is None or flag is not None:
            question = "Is this for your own team (no daily limit)?"
            if self.yes(question, flag=flag, default=True):
                self._write({name: "pro"})
            elif flag is False:
                self._write({name: None})
