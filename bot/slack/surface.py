"""Slack as one of the bot's surfaces: warmed up, connected or listening, stopped."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.runtime import Bot, Hook, Surface, step
from bot.slack.api import Api, SlackApiError, Unreachable
from bot.slack.connection_status import (
    GONE,
    SURFACE,
    ConnectionStatus,
    refused_install,
    refused_token,
)
from bot.slack.handlers import Handlers
from bot.slack.manifest import EVENTS_PATH, check_names, command_names, main_command
from bot.slack.people import People
from bot.slack.router import Router
from bot.slack.settings import SlackSettings
from bot.slack.socket_mode import SocketModeClient, Timing
from bot.slack.webhook import WebhookReceiver
from core.backoff import backoffs
from core.settings import Settings


class Slack(Surface):
    """The Slack surface of one workspace."""

    name = SURFACE

    def __init__(self, settings: Settings, timing: Timing | None = None) -> None:
        self._timing = timing or Timing()
        own = settings.of(SlackSettings)
        self._app_token = own.app_token
        self._receiver: WebhookReceiver | None = None
        if own.app_token is None and own.signing_secret is not None:
            self._receiver = WebhookReceiver(own.signing_secret.get_secret_value())
        self._api: Api | None = None
        self._socket: SocketModeClient | None = None

    def hooks(self) -> Sequence[Hook]:
        """Where Slack posts, without an app token."""
        receiver = self._receiver
        return [Hook(EVENTS_PATH, receiver.authentic, receiver.answer)] if receiver else []

    async def start(self, bot: Bot) -> None:
        """Ask Slack who we are, then connect or take what it posts."""
        prefix = bot.settings.of(SlackSettings).prefix
        check_names(command_names(prefix, bot.engine.connectors))
        bot.warm()
        status = ConnectionStatus(bot)
        api, me = await self._meet(bot.settings, status)
        api.on_foreign = status.foreign
        people = People(api, str(me["team_id"]))
        bot.spawn(people.learn(), name="slack people")
        handlers = Handlers(bot, api, people, status)
        router = Router(bot, handlers, main_command(prefix), str(me["user_id"]))
        handlers.notifier.start()
        if self._receiver:
            self._receiver.open(router.dispatch, status)
        elif self._app_token:
            token = self._app_token.get_secret_value()
            self._socket = SocketModeClient(bot, api, token, router.dispatch, status, self._timing)
            await self._socket.start()
        bot.spawn(_watched(api, status, self._timing.watch), name="slack token")

    async def pause(self) -> None:
        """Keep the connection for the last acknowledgements, but open no other."""
        if self._socket:
            self._socket.pause()

    async def stop(self) -> None:
        """Hang up."""
        if self._socket:
            await self._socket.stop()
        if self._api:
            await self._api.close()

    async def _meet(
        self, settings: Settings, status: ConnectionStatus
    ) -> tuple[Api, Mapping[str, Any]]:
        """Ask `auth.test` until Slack answers; raises NotConfigured for a refused token."""
        api, pauses = None, backoffs()
        while True:
            try:
                self._api = api = api or Api(settings)
                me = await api.who_am_i()
            except SlackApiError as refused:
                raise refused_token("SLACK_BOT_TOKEN", refused.code) from None
            except Unreachable as down:
                status.down(down.why, down.fix)
                await asyncio.sleep(max(next(pauses), down.wait or 0.0))
            else:
                if wrong := refused_install(me):
                    raise wrong
                return api, me


async def _watched(api: Api, status: ConnectionStatus, seconds: float) -> None:
    """Ask now and then whether the bot token is still good: nothing else would tell."""
    while True:
        await asyncio.sleep(seconds)
        with step():
            try:
                await api.who_am_i()
            except SlackApiError as refused:
                if refused.code in GONE:
                    status.refused(refused_token("SLACK_BOT_TOKEN", refused.code))
            except Unreachable:
                pass
            else:
                status.refused(None)
