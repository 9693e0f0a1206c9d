"""Which handler a payload is for; none of them lets an error out.

A framework's own way there (slack-bolt's) took longer than everything else that is done before
a run is accepted.
"""

import logging
from collections.abc import Mapping
from typing import Any

from bot.runtime import Bot
from bot.slack import views
from bot.slack.handlers import AckBody, Handle, Handlers
from core import wording
from core.contract import TARGET
from core.errors import InternalError, LevqorError

log = logging.getLogger("levqor.slack")


class Router:
    """Takes a payload that is surely Slack's, whichever way it came; returns its acknowledgement.

    `main` is the command for questions, `bot_user` Slack's id of the bot itself.
    """

    def __init__(self, bot: Bot, handlers: Handlers, main: str, bot_user: str) -> None:
        self._bot = bot
        self._handlers = handlers
        self._main = main
        self._bot_user = bot_user

    async def dispatch(self, payload: Mapping[str, Any]) -> AckBody:
        """Handle one payload; what nobody here knows is acknowledged, so that it is not retried."""
        try:
            answer = self._answer_to(payload)
        except Exception as error:  # noqa: BLE001 - whatever one trips over, the next one counts
            log.error("A payload could not be read: %s", type(error).__name__)  # noqa: TRY400
            return None
        try:
            with self._bot.starter.acknowledging():
                return await answer(payload) if answer else None
        except LevqorError as error:
            return _refusal(payload, error)
        except Exception as error:  # noqa: BLE001 - an error let out would be no acknowledgement
            log.error("A request from Slack failed: %s", type(error).__name__)  # noqa: TRY400
            return _refusal(payload, InternalError())

    def _answer_to(self, payload: Mapping[str, Any]) -> Handle | None:
        handlers = self._handlers
        if "command" in payload:
            # Also what Levqor does not know: else people would see a time-out.
            main = payload["command"] == self._main
            return handlers.question if main else handlers.command
        match payload.get("type"):
            case "view_submission":
                return self._submitted(str(payload["view"].get("callback_id")))
            case "block_actions":
                return self._pressed(payload["actions"][0])
            case "event_callback":
                event = payload["event"]
                if event["type"] == "app_home_opened" and event.get("user") != self._bot_user:
                    return handlers.opened_home
            case "url_verification":
                return _challenged
        return None

    def _submitted(self, form: str) -> Handle | None:
        if form.startswith(views.FORM):
            return self._handlers.submitted
        return self._handlers.submitted_again if form == views.AGAIN else None

    def _pressed(self, pressed: Mapping[str, Any]) -> Handle | None:
        action = str(pressed.get("action_id"))
        if action == views.AGAIN:
            return self._handlers.again
        if action.startswith(views.OPEN):
            return self._handlers.open_form
        if action == views.COLUMNS or pressed.get("block_id") == TARGET:
            return self._handlers.columns
        return None


async def _challenged(body: Mapping[str, Any]) -> AckBody:
    """Slack asks whether this address is an app's, when somebody enters it."""
    return {"challenge": body.get("challenge")}


def _refusal(body: Mapping[str, Any], error: LevqorError) -> AckBody:
    text = wording.refusal(error)
    if "command" in body:
        return views.note(text)
    if "view" in body and body.get("type") == "view_submission":
        return {"response_action": "update", "view": views.notice("Levqor", text)}
    # The acknowledgement of a button or an event shows nothing.
    return None
