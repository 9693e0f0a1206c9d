"""Answers that come after the acknowledgement: to a response URL, else as a direct message."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.messages import Response
from bot.notifier import ReplyTo
from bot.slack.api import Api, SlackApiError, Unreachable
from bot.slack.views import answer

# Slack takes an answer for half an hour; an outage of nine minutes is waited out.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
LONGEST_WAIT = 300.0


async def say(api: Api, reply_to: ReplyTo, given: str | Response, *, replace: bool = False) -> None:
    """Tell an asker something; `replace` the message whose button they pressed.

    `reply_to` holds `user`, and `url` where a command gave one. Raises SlackApiError or
    Unreachable where they cannot be reached.
    """
    message = answer(given)
    if url := reply_to.get("url"):
        message["replace_original"] = replace
        # It takes five posts in half an hour. A direct message always finds them.
        with contextlib.suppress(SlackApiError, Unreachable):
            await _insist(lambda: api.respond(str(url), message))
            return
    user, text, blocks = str(reply_to["user"]), message["text"], message.get("blocks")
    await _insist(lambda: api.message(user, text, blocks))


async def _insist(send: Callable[[], Awaitable[None]]) -> None:
    """Try until Slack takes it. The same answer twice is better than none."""
    for wait in BACKOFF:
        try:
            return await send()
        except Unreachable as down:
            await asyncio.sleep(min(max(wait, down.wait or 0.0), LONGEST_WAIT))
    return await send()


def reply_to_of(body: Mapping[str, Any], user: str) -> dict[str, Any]:
    """Where to answer a payload, fit for the ledger and a form's metadata."""
    url = body.get("response_url")
    return {"user": user, "url": str(url)} if url else {"user": user}
