"""What a command is handed: its home, the way to the engine, and where to print."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.callers import Caller, Local, os_user
from core.errors import LevqorError
from core.home import DATABASE, SHARED, temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from core.cli.output import Output
    from core.contract import Connector
    from core.engine import Engine
    from core.ledger import Ledger
    from core.sandbox import Sandbox
    from core.settings import Settings


# Somebody else's write is over by then, or not soon.
LAST_WAIT = 5.0


class Interrupted(LevqorError, code="interrupted", exit=130):
    """Interrupted."""


class Session(ExitStack):
    """One command's way to everything, each part opened when first asked for.

    With `in_sandbox`, the sandbox services run in this process and real credentials are ignored;
    the home is then a temporary folder unless one was named. `tolerant` reads broken settings too,
    for the doctor. `reads` is set by a command that only looks: it makes nothing in the home.
    `test` is a --test given before the command, `connectors` what a command is narrowed to.
    """

    def __init__(self, out: Output) -> None:
        super().__init__()
        self.out = out
        self.home_given: Path | None = None
        self.in_sandbox = False
        self.surface = Local.CLI
        self.tolerant = False
        self.reads = False
        self.test = False
        self.connectors: Sequence[Connector] | None = None

    @property
    def caller(self) -> Caller:
        """Who types: the operating system's user, on the surface that started this command."""
        return Caller(self.surface, os_user())

    @property
    def temporary(self) -> bool:
        """Whether the home ends with the command."""
        return self.in_sandbox and self.home_given is None

    @cached_property
    def sandbox(self) -> Sandbox:
        """The sandbox, started."""
        self.prepare()
        from core.sandbox import Sandbox

        return self.enter_context(Sandbox())

    @cached_property
    def settings(self) -> Settings:
        """The home's settings, or the sandbox's."""
        self.prepare()
        from core.logs import quiet_libraries
        from core.settings import Settings

        home, urls = self.home_given, None
        if self.in_sandbox:
            urls = self.sandbox.settings()
            home = home or temporary(self)
        settings = Settings(home, sandbox_urls=urls, tolerant=self.tolerant)
        quiet_libraries(settings.redactor(), settings.loggers())
        return settings

    @cached_property
    def folder(self) -> Path:
        """Where the ledger is: the home, or for who only looks at one without, an empty folder."""
        home = self.settings.home
        if not self.reads or any((home / name).exists() for name in (DATABASE, SHARED)):
            return home
        return temporary(self)

    @cached_property
    def engine(self) -> Engine:
        """The engine on this home's ledger."""
        from core.engine import Engine

        more: dict[str, Any] = {} if self.connectors is None else {"connectors": self.connectors}
        folder = self.folder if self.reads else None
        engine = Engine.open(self.settings, folder=folder, **more)
        self.callback(engine.close)
        return engine

    @cached_property
    def ledger(self) -> Ledger:
        """This home's ledger, for commands that send nothing."""
        from core.ledger import Ledger

        ledger = self.enter_context(Ledger.open(self.folder, self.settings.database_url))
        ledger.default_plan = self.settings.app.default_plan
        return ledger

    def read_settings_again(self) -> None:
        """Use what was just written to `.env`."""
        self.__dict__.pop("settings", None)

    def written(self) -> None:
        """Wait a while until the ledger has recorded the outcomes; raises Unwritten."""
        engine = self.__dict__.get("engine")
        if engine is None or engine.unwritten() is None:
            return
        self.out.note(f"waiting {LAST_WAIT:.0f} seconds for the database to record the outcome")
        if (problem := engine.unwritten(LAST_WAIT)) is not None:
            raise problem

    def prepare(self) -> None:
        """Make the environment fit for TLS; before anything is imported that uses it at once."""
        from core.settings import ready_for_tls

        if problem := ready_for_tls():
            self.out.note(problem)

    def answer(self, body: Mapping[str, Any], shown: str | Callable[[], None]) -> None:
        """Give the answer, and after a command that changes something the home it used."""
        self.out.answer(body, shown)
        if not self.reads:
            self.print_home()

    def print_home(self) -> None:
        """Print which home a changing command used, beside the answer."""
        ends = " (temporary: deleted when this command ends)" if self.temporary else ""
        self.out.note(f"home: {self.settings.home}{ends}")
