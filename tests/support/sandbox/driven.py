"""Driving a service of the sandbox from another thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from core.sandbox.standin import StandIn

P = ParamSpec("P")
R = TypeVar("R")

_SECONDS = 60.0  # no drive may take longer; each has a shorter bound of its own


class Driven(Generic[P, R]):
    """A stand-in's coroutine method that any thread may call as if it were a plain one.

    Called on the stand-in's own loop it would wait for itself; `drive` is for that.
    """

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self.drive = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Driven[P, R]: ...
    @overload
    def __get__(self, owner: StandIn, kind: type) -> Callable[P, R]: ...
    def __get__(self, owner: StandIn | None, kind: type) -> Driven[P, R] | Callable[P, R]:
        """Bind to a stand-in."""
        if owner is None:
            return self
        stand_in = owner

        def call(*args: P.args, **named: P.kwargs) -> R:
            coroutine = self.drive(stand_in, *args, **named)
            return asyncio.run_coroutine_threadsafe(coroutine, stand_in.loop).result(_SECONDS)

        return call
