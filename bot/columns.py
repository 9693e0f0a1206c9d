"""The columns that a form asks for, read while somebody waits."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.runtime import Bot
from core.callers import Caller
from core.contract import Columns
from core.engine.columns import columns
from core.errors import InvalidInput, LevqorError, NotSent

# A form waits no longer for what a service has: it can be filled in without.
SECONDS = 2.0
# What the way out needs to say itself that the time is over.
_LEEWAY = 0.3
WITHOUT = "Its columns cannot be shown now; write them as name=value."


@dataclass(frozen=True)
class Shown:
    """The columns of where something goes, or why there are none to be shown."""

    columns: Columns | None = None
    trouble: str = ""


async def read_columns(
    bot: Bot,
    action_id: str,
    values: Mapping[str, Any],
    caller: Caller,
    *,
    fresh: bool = False,
    seconds: float = SECONDS,
) -> Columns | None:
    """Read the columns of where these values go; raises LevqorError, also when time is over.

    What core remembers of them (Notion's for five minutes) will do, unless they are to be `fresh`.
    """
    asked = bot.ask(columns, bot.engine, action_id, values, caller, seconds=seconds, fresh=fresh)
    try:
        return await asyncio.wait_for(asked, seconds + _LEEWAY)
    except TimeoutError:
        title = bot.engine.action(action_id)[0].title
        what = f"{title} did not answer in time."
        raise NotSent("timed_out", what, fix="Try again in a moment.") from None


async def show_columns(
    bot: Bot, action_id: str, values: Mapping[str, Any], caller: Caller, *, fresh: bool = True
) -> Shown:
    """Read them for a form, which is there without them too."""
    try:
        return Shown(await read_columns(bot, action_id, values, caller, fresh=fresh))
    except LevqorError as error:
        faults = error.faults if isinstance(error, InvalidInput) else ()
        words = [error.message, *(f"{fault.words}." for fault in faults), error.fix]
        return Shown(trouble=" ".join(filter(None, [WITHOUT, *words])))


async def check_entries(
    bot: Bot,
    action_id: str,
    values: Mapping[str, Any],
    caller: Caller,
    *,
    seconds: float = SECONDS,
) -> None:
    """Raise InvalidInput where entries do not fit the columns as they are now.

    Where those cannot be read, nothing is said: the run will tell.
    """
    spec = bot.engine.action(action_id)[1].input.mapping()
    if spec is None or spec.name not in values:
        return
    until = asyncio.get_running_loop().time() + seconds
    for fresh in (False, True):
        left = until - asyncio.get_running_loop().time()
        try:
            found = await read_columns(
                bot, action_id, values, caller, fresh=fresh, seconds=max(0.1, left)
            )
        except LevqorError:
            return
        try:
            if found is not None:
                found.check(values[spec.name])
        except InvalidInput:
            # What was remembered may be old.
            if fresh:
                raise
        else:
            return
