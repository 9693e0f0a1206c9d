"""What core must know of an interface, a place where people or programs ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.contract.settings import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.callers import CallerShape
    from core.contract.settings import Problem


@dataclass(frozen=True)
class Pairing:
    """How somebody is authorized by a one-time code, where a platform vouches for nobody.

    `message` is what a person sends the bot, with `{code}` in it. `link(config, code)` gives an
    address that does the same, from the interface's own settings; None where there is none, or
    the platform does not answer at once.
    """

    message: str
    link: Callable[[Any, str], str | None]


@dataclass(frozen=True, kw_only=True)
class Interface:
    """An interface as core sees it.

    `settings` are its own, and `problems` finds what is wrong with them together. `caller` says
    how its callers are written. `loggers` are its libraries' that print tokens or whole
    messages: they are silenced. `token_shapes` are regular expressions of what must be shown
    nowhere, whether it is set or not.
    """

    name: str
    title: str
    settings: type[Config] = Config
    problems: Callable[[Any], Iterable[Problem]] | None = None
    caller: CallerShape | None = None
    pairing: Pairing | None = None
    loggers: tuple[str, ...] = ()
    token_shapes: tuple[str, ...] = ()
