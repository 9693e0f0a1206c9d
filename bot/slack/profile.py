"""What Slack calls a member: asked for at a terminal, and kept only if somebody says so."""

import contextlib
from typing import Any

from bot.slack.settings import SlackSettings
from core.contract import HttpClient
from core.errors import LevqorError
from core.outbound import Outbound

# Somebody waits, and can do without.
PATIENCE_S = 2.0


def profile_name(own: SlackSettings, ident: str) -> str | None:
    """The name of a caller's profile; None where Slack does not say it at once."""
    if own.bot_token is None:
        return None
    token, (team, _, user) = own.bot_token.get_secret_value(), ident.partition(":")

    def ask(http: HttpClient) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return http.get(f"{own.api_url}/users.info", headers=headers, params={"user": user}).json()

    with contextlib.closing(Outbound()) as outbound, contextlib.suppress(LevqorError):
        answer = outbound.probe("slack", b"profile", ask, seconds=PATIENCE_S)
        found = answer.get("user") if isinstance(answer, dict) else None
        if isinstance(found, dict) and found.get("team_id") == team:
            profile = found.get("profile")
            name = profile.get("real_name") if isinstance(profile, dict) else None
            return name if isinstance(name, str) else None
    return None
