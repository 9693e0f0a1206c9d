"""Calling a service of the sandbox from another thread."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from core.sandbox.service import SandboxService

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="SandboxService")

_SECONDS = 60.0  # no call may take longer; each has a shorter bound of its own


def threadsafe_call(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], R]:
    """Make a coroutine method a plain one for every thread but the sandbox's own."""

    @functools.wraps(method)
    def call(service: S, /, *args: P.args, **named: P.kwargs) -> R:
        coroutine = method(service, *args, **named)
        return asyncio.run_coroutine_threadsafe(coroutine, service.loop).result(_SECONDS)

    return call
