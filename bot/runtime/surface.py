"""What a surface of the bot is: a class with five members, and the HTTP addresses it wants."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.runtime.bot import Bot


@dataclass(frozen=True)
class HookRequest:
    """A platform's POST, its body read and bounded; header names in lower case."""

    body: bytes
    headers: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True)
class HookAnswer:
    """What a hook answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hook:
    """An address of the HTTP surface that a chat platform posts to.

    It is exempt from tokens and from the rule on hosts.
    """

    path: str  # exact: `/chat/events`
    authentic: Callable[[HookRequest], bool]  # whether the platform sent a post
    answer: Callable[[HookRequest], Awaitable[HookAnswer]]
    refused: int = 401  # the status of what it did not send, which goes no further


class Surface(Protocol):
    """An interface's code. Made before the bot, started and stopped by it."""

    name: str

    def hooks(self) -> Sequence[Hook]:
        """Where the platform posts; asked before `start`."""
        return ()

    async def start(self, bot: Bot) -> None:
        """Reach the platform and begin to take requests; returns once that is so.

        An unreachable platform is waited for here, without end: surfaces start side by
        side. A refused token raises NotConfigured, which ends the process with status 3;
        after any other exception come `stop` and, a while later, another `start`.
        """

    async def pause(self) -> None:
        """Take nothing new; requests already taken may still be answered. May come early."""

    async def stop(self) -> None:
        """Let go of connections: once every run has settled, or after a start that failed."""
