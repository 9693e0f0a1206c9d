"""What an interface declares: the last statement of its folder's `__init__.py`.

The list of them is `bot/surfaces.py`. A declaration is read before anything is set up: what is
heavy to import waits until one of its functions is called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.contract import Interface

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from bot.runtime import Surface
    from core.reports import Finding
    from core.settings import Address, Settings


def imported(name: str) -> Callable[..., Any]:
    """Return a function, written `module:function`, that is imported only when it is called."""

    def late(*args: Any) -> Any:
        from pkgutil import resolve_name

        return resolve_name(name)(*args)

    return late


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line; `http` is None where the setting decides."""

    home: Path | None = None
    sandbox: bool = False
    console: bool = False
    http: Address | None = None
    no_http: bool = False
    command: str | None = None


@dataclass(frozen=True)
class Startup:
    """What a surface is made from; `before` are those made before it, in the list's order."""

    settings: Settings
    options: Options = field(default_factory=Options)
    before: Sequence[Surface] = ()


@dataclass(frozen=True)
class Subcommand:
    """A subcommand of an interface's own, `levqor-bot NAME`; `run` gives the exit status."""

    name: str
    help: str
    run: Callable[[Settings], int]


@dataclass(frozen=True, kw_only=True)
class SurfaceSpec(Interface):
    """An interface: where people or programs ask.

    `build` makes it, or None where it is not set up; it raises NotConfigured for what cannot
    work. `check` looks at it for `levqor-bot check`; nothing is sent, nothing changed. `guide`
    is the command that begins setting it up: a chat has one.
    """

    build: Callable[[Startup], Surface | None]
    check: Callable[[Settings], Awaitable[list[Finding]]] | None = None
    guide: str | None = None
    commands: tuple[Subcommand, ...] = ()
