"""What a command is handed: its home, the way to the engine, and where to print."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

from core.callers import Caller, Local, os_user
from core.errors import LevqorError
from core.home import DATABASE, temporary

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from core.cli.output import Output
    from core.engine import Engine
    from core.health import HealthChecker
    from core.ledger import Ledger
    from core.sandbox import Sandbox
    from core.settings import Settings


# Somebody else's write is over by then, or not soon.
LAST_WAIT = 5.0


class Interrupted(LevqorError, code="interrupted", exit=130):
    """Interrupted."""


class Session:
    """One command's way to everything, each part opened when first asked for.

    With `sandbox`, the sandbox runs in this process and real credentials are ignored; the
    home is then a temporary folder unless one was named. `tolerant` reads broken settings too,
    for the doctor. `reads` is set by a command that only looks: it makes nothing in the home.
    """

    def __init__(self, out: Output) -> None:
        self.out = out
        self.home_given: Path | None = None
        self.in_sandbox = False
        self.surface = Local.CLI
        self.tolerant = False
        self.reads = False
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def caller(self) -> Caller:
        """Who types: the operating system's user, on the surface that started this command."""
        return Caller(self.surface, os_user())

    @property
    def temporary(self) -> bool:
        """Whether the home ends with the command."""
        return self.in_sandbox and self.home_given is None

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox, started."""
        return self._started[0]

    @cached_property
    def _started(self) -> tuple[Sandbox, Settings]:
        self.prepare()
        from core.sandbox import start

        return start(self._open, self.home_given, tolerant=self.tolerant)

    @cached_property
    def settings(self) -> Settings:
        """The home's settings, or the sandbox's."""
        self.prepare()
        from core.logs import quiet_libraries
        from core.settings import Settings

        if self.in_sandbox:
            settings = self._started[1]
        else:
            settings = Settings.load(self.home_given, tolerant=self.tolerant)
        quiet_libraries(settings.redactor(), settings.loggers())
        return settings

    @cached_property
    def folder(self) -> Path:
        """Where the ledger is: the home, or for who only looks at one without, an empty folder."""
        home = self.settings.home
        if not self.reads or (home / DATABASE).exists():
            return home
        return temporary(self._open)

    @cached_property
    def engine(self) -> Engine:
        """The engine on this home's ledger."""
        from core.engine import Engine

        engine = Engine.open(self.settings, folder=self.folder if self.reads else None)
        self._open.callback(engine.close)
        return engine

    @cached_property
    def ledger(self) -> Ledger:
        """This home's ledger, for commands that send nothing."""
        from core.ledger import Ledger

        ledger = self._open.enter_context(Ledger.open(self.folder))
        ledger.default_plan = self.settings.app.default_plan
        return ledger

    @cached_property
    def health(self) -> HealthChecker:
        """What is known of every connector."""
        from core.health import HealthChecker

        return HealthChecker(self.engine)

    def written(self) -> None:
        """Wait a while for the ledger to take how runs ended; raises Unwritten."""
        engine = self.__dict__.get("engine")
        if engine is None or engine.unwritten() is None:
            return
        self.out.note(f"waiting {LAST_WAIT:.0f} seconds for the ledger to take how it ended")
        if (problem := engine.unwritten(LAST_WAIT)) is not None:
            raise problem

    def prepare(self) -> None:
        """Make the environment fit for TLS; before anything is imported that uses it at once."""
        from core.settings import ready_for_tls

        if said := ready_for_tls():
            self.out.note(said)

    def say_home(self) -> None:
        """Print which home a changing command used, beside the answer."""
        ends = " (temporary: gone when this command ends)" if self.temporary else ""
        self.out.note(f"home: {self.settings.home}{ends}")
