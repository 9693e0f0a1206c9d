"""The home tab: what can be done, how much is left, what became of it, what works."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.slack import views
from core import wording

if TYPE_CHECKING:
    from bot.runtime import Bot
    from core.callers import Caller
    from core.ledger import RunRecord

LAST = 5


async def home(bot: Bot, caller: Caller) -> views.Json:
    """Draw a caller's home tab."""
    actions = [(action_id, action.title) for action_id, _, action in bot.commands.actions()]
    runs = await bot.call(bot.engine.ledger.runs, LAST, str(caller))
    titles = dict(actions)
    last = "\n".join(_line(run, titles) for run in runs) or "Nothing yet."
    parts = [
        ("Your last runs", last),
        ("Today", await bot.commands.usage(caller)),
        ("Health", await bot.commands.health()),
    ]
    return views.home(actions, parts)


def _line(run: RunRecord, titles: dict[str, str]) -> str:
    title = titles.get(run.action, run.action)
    state = wording.STATES.get(run.state, run.state)
    return f"{title}: {state}, {wording.ago(time.time() - run.at)} · run {run.run}"
