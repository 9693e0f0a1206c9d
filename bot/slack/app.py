"""bolt's app: a listener for each command, none of which lets an error out."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.runtime import Bot
from bot.slack import views
from bot.slack.api import Api
from bot.slack.handlers import AckBody, Handlers
from bot.slack.manifest import main_command
from bot.slack.settings import SlackSettings
from core import wording
from core.contract import TARGET
from core.errors import InternalError, LevqorError

Answer = Callable[[Mapping[str, Any]], Awaitable[AckBody]]

log = logging.getLogger("levqor.slack")

_ANYTHING = re.compile("")


class App:
    """Takes a payload, whichever way it came, and returns its acknowledgement."""

    def __init__(self, bot: Bot, api: Api, handlers: Handlers, me: Mapping[str, Any]) -> None:
        self._bolt = _made(api, me)
        main = main_command(bot.settings.of(SlackSettings).prefix)
        self._bolt.command(main)(_listener(handlers.question))
        # Also what Levqor does not know: bolt would not acknowledge it, and people see a time-out.
        self._bolt.command(_ANYTHING)(_listener(handlers.command))
        self._bolt.action(views.AGAIN)(_listener(handlers.again))
        self._bolt.action(re.compile(f"^{views.OPEN}"))(_listener(handlers.open_form))
        self._bolt.action({"block_id": TARGET})(_listener(handlers.columns))
        self._bolt.action(views.COLUMNS)(_listener(handlers.columns))
        self._bolt.view(re.compile(f"^{views.FORM}"))(_listener(handlers.submitted))
        self._bolt.view(views.AGAIN)(_listener(handlers.submitted_again))
        self._bolt.event("app_home_opened")(_listener(handlers.opened_home))

    async def dispatch(self, payload: dict[str, Any]) -> BoltResponse:
        """Handle one payload that is surely Slack's."""
        # As if from a socket over HTTP too: given a form's text, bolt takes a command whose
        # words hold "payload" for an interaction, and loses it (request/internals.py).
        try:
            request = AsyncBoltRequest(body=payload, mode="socket_mode")
            response = await self._bolt.async_dispatch(request)
        except Exception as error:  # noqa: BLE001 - whatever bolt trips over, the next one counts
            log.error("A payload could not be read: %s", type(error).__name__)  # noqa: TRY400
            return BoltResponse(status=200)
        if response.status in (404, 500):
            # Nothing listens: an event that was subscribed to by hand, or a payload whose shape
            # bolt cannot read, for listeners let no error out. Slack shall not retry.
            return BoltResponse(status=200)
        return response


def _made(api: Api, me: Mapping[str, Any]) -> AsyncApp:
    async def authorize() -> AuthorizeResult:
        # Asked at start already; bolt would ask during the first request's three seconds.
        return AuthorizeResult(
            enterprise_id=None,
            team_id=me["team_id"],
            bot_user_id=me["user_id"],
            bot_id=me.get("bot_id"),
            bot_token=api.client.token,
        )

    # Given `authorize`, bolt keeps to it even where SLACK_CLIENT_ID and SLACK_CLIENT_SECRET
    # are set, which would make it an OAuth app. Signatures are checked before bolt, which
    # logs the whole body of a forged request. A client with a token would be warned about:
    # ours is handed to listeners, none of which uses it. `process_before_response`: bolt otherwise
    # polls for the acknowledgement, and loses one that an error follows at once.
    return AsyncApp(
        name="levqor",
        client=AsyncWebClient(base_url=api.client.base_url),
        signing_secret="",
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,
    )


def _listener(answer: Answer) -> Callable[..., Awaitable[None]]:
    async def listener(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            reply = await answer(body)
        except LevqorError as error:
            reply = _refusal(body, error)
        except Exception as error:  # noqa: BLE001 - an error let out would be no acknowledgement
            log.error("A request from Slack failed: %s", type(error).__name__)  # noqa: TRY400
            reply = _refusal(body, InternalError())
        await ack(reply or "")

    return listener


def _refusal(body: Mapping[str, Any], error: LevqorError) -> AckBody:
    text = wording.refusal(error)
    if "command" in body:
        return views.note(text)
    if "view" in body and body.get("type") == "view_submission":
        return {"response_action": "update", "view": views.notice("Levqor", text)}
    # The acknowledgement of a button or an event shows nothing.
    return None
