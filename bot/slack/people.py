"""Who may ask: members of the one workspace the bot is installed in, by id.

Nobody is allowed by default: people of other workspaces (Slack Connect) are refused, and
guests are where the scope `users:read` lets the bot know who is one.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.expiring import ExpiringMap
from bot.slack.api import USERS_A_PAGE, Api, SlackApiError, Unreachable
from bot.slack.connection_status import GONE, refused_token
from core.callers import Caller
from core.errors import Busy, Forbidden

# Of the three seconds Slack gives an acknowledgement; the ledger wants some too.
LOOK_UP_SECONDS = 0.8
KNOWN_SECONDS = 900.0
MOST_KNOWN = 10_000
# Slack allows some twenty pages a minute.
PAGE_SECONDS = 3.0
AGAIN_SECONDS = 60.0


class People:
    """The members of one workspace; what Slack says of each is kept for 15 minutes."""

    def __init__(self, api: Api, team: str) -> None:
        self._api = api
        self._team = team
        self._may_look = True
        self._known: ExpiringMap[str, bool] = ExpiringMap(MOST_KNOWN, KNOWN_SECONDS)

    async def learn(self) -> None:
        """Read who the members are before they ask: what Slack says of one takes its time."""
        while True:
            try:
                await self._learn()
            except SlackApiError:
                return  # each is asked about, where that is allowed
            except Unreachable as down:
                await asyncio.sleep(max(AGAIN_SECONDS, down.wait or 0.0))
            else:
                await asyncio.sleep(KNOWN_SECONDS / 2)

    async def _learn(self) -> None:
        cursor, pages = "", MOST_KNOWN // USERS_A_PAGE
        for _ in range(pages):
            users, cursor = await self._api.users(cursor)
            for user in users:
                member = self._full(user)
                if member is not None and isinstance(user.get("id"), str):
                    self._known[user["id"]] = member
            if not cursor:
                return
            await asyncio.sleep(PAGE_SECONDS)

    async def admit(self, body: Mapping[str, Any]) -> Caller:
        """Say who sent a payload; raises Forbidden, or Busy where Slack did not say in time."""
        user, teams = _asker(body)
        if not user or self._team not in teams:
            raise _foreign()
        # On an Enterprise Grid a form's payload names a member's home workspace beside ours.
        alone = teams == {self._team}
        member = await self._is_member(user)
        if member or (member is None and alone):
            return Caller("slack", f"{self._team}:{user}")
        if not alone:
            raise _foreign()
        raise Forbidden("Levqor does not answer guests.", fix="Ask a full member to send it.")

    async def _is_member(self, user: str) -> bool | None:
        """Whether Slack calls somebody a full member; None where it does not let us ask."""
        if not self._may_look:
            return None
        if (member := self._known.get(user)) is not None:
            return member
        try:
            member = self._full(await self._api.user(user, LOOK_UP_SECONDS))
            if member is None:
                # A stranger; but what no Slack said is not remembered.
                return False
        except SlackApiError as refused:
            if refused.code == "missing_scope":
                self._may_look = False
                return None
            if refused.code in GONE:
                raise refused_token("SLACK_BOT_TOKEN", refused.code) from None
            member = False
        except Unreachable:
            raise Busy(
                "Slack did not say in time who you are; nothing was sent.",
                fix="Try again in a moment.",
            ) from None
        self._known[user] = member
        return member

    def _full(self, user: Any) -> bool | None:
        """Whether this describes a full member; None where it is no description of a person."""
        if not isinstance(user, dict) or not isinstance(user.get("team_id"), str):
            return None
        # On an Enterprise Grid a member of several workspaces has one of them as `team_id`.
        grid = user.get("enterprise_user") or {}
        teams = grid.get("teams", []) if isinstance(grid, dict) else None
        if not isinstance(teams, list) or not all(isinstance(each, str) for each in teams):
            return None
        limits = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
        ours = self._team in [user["team_id"], *teams]
        return ours and not any(user.get(limit) for limit in limits)


def _asker(body: Mapping[str, Any]) -> tuple[str, set[str]]:
    """Read a payload's user and every workspace it names for them."""
    if "user_id" in body:  # a slash command
        return str(body["user_id"]), {str(body.get("team_id"))}
    if isinstance(body.get("event"), dict):
        return str(body["event"].get("user") or ""), {str(body.get("team_id"))}
    user, team = (
        part if isinstance(part, dict) else {} for part in map(body.get, ("user", "team"))
    )
    teams = {str(each) for each in (team.get("id"), user.get("team_id")) if each}
    return str(user.get("id") or ""), teams


def _foreign() -> Forbidden:
    return Forbidden(
        "Levqor answers members of its own workspace only.",
        fix="Ask a member of that workspace to send it.",
    )
