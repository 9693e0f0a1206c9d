"""Slack as one of the bot's surfaces: warmed up, connected or listening, stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.runtime import Hook
from bot.slack.api import Api, Said, Unreachable
from bot.slack.app import App
from bot.slack.connection_status import REACHED, SURFACE, WAITING, Report
from bot.slack.handlers import Desk
from bot.slack.manifest import EVENTS_PATH, check_names, command_names
from bot.slack.messenger import Answers
from bot.slack.people import People
from bot.slack.refusals import GONE, no_answer, refused_install, refused_token
from bot.slack.settings import SlackSettings
from bot.slack.socket_mode import Link, Pace
from bot.slack.webhook import Door
from core.backoff import backoffs
from core.network import NoRoute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.runtime import Bot
    from core.settings import Settings

# The last answers, once every run has settled.
LAST_SECONDS = 4.0


class Slack:
    """The Slack surface of one workspace."""

    name = SURFACE

    def __init__(self, settings: Settings, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        own = settings.of(SlackSettings)
        self._app_token = own.app_token
        self._door: Door | None = None
        if own.app_token is None and own.signing_secret is not None:
            self._door = Door(own.signing_secret.get_secret_value())
        self._api: Api | None = None
        self._desk: Desk | None = None
        self._link: Link | None = None

    def hooks(self) -> Sequence[Hook]:
        """Where Slack posts, without an app token."""
        door = self._door
        return [Hook(EVENTS_PATH, door.authentic, door.answer)] if door else []

    async def start(self, bot: Bot) -> None:
        """Ask Slack who we are, then connect or open the door."""
        names = command_names(bot.settings.of(SlackSettings).prefix, bot.engine.connectors)
        check_names(names)
        report = Report(bot)
        self._api = api = await _on_its_way(bot.settings, report)
        me = await _warmed_up(api, report)
        if wrong := refused_install(me):
            raise wrong
        api.on_foreign = report.foreign
        answers = Answers(api)
        self._desk = desk = Desk(bot, api, People(api, str(me["team_id"])), answers, report)
        app = App(bot, api, desk, me)
        desk.start()
        if self._door:
            self._open(self._door, app, report)
        elif self._app_token:
            token = self._app_token.get_secret_value()
            self._link = Link(bot, api, token, app.dispatch, report, self._pace)
            await self._link.start()
        bot.spawn(_watched(api, report, self._pace.watch), name="slack token")

    async def pause(self) -> None:
        """Keep the line for the last acknowledgements, but open no other."""
        if self._link:
            self._link.pause()

    async def stop(self) -> None:
        """Send the last answers and hang up."""
        if self._desk and self._desk.going:
            await asyncio.wait(tuple(self._desk.going), timeout=LAST_SECONDS)
        if self._link:
            await self._link.stop()
        if self._api:
            await self._api.close()

    def _open(self, door: Door, app: App, report: Report) -> None:
        reached = False

        async def handle(payload: dict[str, Any]) -> Any:
            nonlocal reached
            if not reached:
                reached = True
                report.up(REACHED)
            return await app.dispatch(payload)

        door.on_acknowledged, door.on_unverified = report.acknowledged, report.unverified
        door.handle = handle
        # Said last: whoever reads it may rely on it.
        report.up(WAITING)


async def _on_its_way(settings: Settings, report: Report) -> Api:
    """The way to Slack; waits while the environment leaves none."""
    for wait in backoffs():
        try:
            return Api(settings)
        except NoRoute as problem:
            report.down(f"{problem.words}.", problem.fix)
            await asyncio.sleep(wait)
    raise AssertionError("the waits never end")


async def _warmed_up(api: Api, report: Report) -> Mapping[str, Any]:
    """Ask `auth.test` until Slack answers; raises NotConfigured for a refused token."""
    for wait in backoffs():
        try:
            return await api.who_am_i()
        except Said as said:
            raise refused_token("SLACK_BOT_TOKEN", said.code) from None
        except Unreachable as down:
            report.down(*no_answer(down))
            await asyncio.sleep(max(wait, down.wait or 0.0))
    raise AssertionError("the waits never end")


async def _watched(api: Api, report: Report, seconds: float) -> None:
    """Ask now and then whether the bot token is still good: nothing else would tell."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await api.who_am_i()
        except Said as said:
            if said.code in GONE:
                report.refused(refused_token("SLACK_BOT_TOKEN", said.code))
        except Unreachable:
            pass
        else:
            report.refused(None)
