"""Who uses the bot's Slack app in the workspace on loopback."""

from __future__ import annotations

import hashlib

from core.sandbox.credentials import letters, upper
from core.sandbox.slack import BOT_USER, TEAM

APP = "A" + upper("app", 10)
PERSON = "U" + upper("person", 10)
GUEST = "U" + upper("guest", 10)
STRANGER = "U" + upper("stranger", 10)
COLLEAGUE = "W" + upper("colleague", 10)  # of another workspace of the same organisation as well
OTHER_TEAM = "T" + upper("other team", 10)
SIGNING_SECRET = hashlib.sha256(b"levqor sandbox signing").hexdigest()[:32]
APP_TOKEN = "-".join(("xapp", "1", APP, "3" * 13, letters("slack app", 64)))


def user(ident: str) -> dict[str, object] | None:
    """A person as `users.info` describes one; None for somebody unknown."""
    if ident[:1] not in ("U", "W"):
        return None
    guest, stranger, colleague = ident == GUEST, ident == STRANGER, ident == COLLEAGUE
    both = {"enterprise_user": {"id": ident, "teams": [OTHER_TEAM, TEAM]}} if colleague else {}
    # Slack gives each of these, empty where nobody filled it in.
    empty = dict.fromkeys(("phone", "skype", "status_emoji", "status_text", "title"), "")
    return {
        **both,
        "id": ident,
        "team_id": OTHER_TEAM if stranger or colleague else TEAM,
        "name": "ada",
        "deleted": False,
        "real_name": "Ada",
        "tz": "Etc/UTC",
        "profile": {
            **dict.fromkeys(("real_name", "real_name_normalized"), "Ada"),
            **dict.fromkeys(("display_name", "display_name_normalized"), "ada"),
            **empty,
            "avatar_hash": "ge3b51ca72de",
            "fields": [],
        },
        "is_admin": False,
        "is_owner": False,
        "is_restricted": guest,
        "is_ultra_restricted": False,
        "is_stranger": stranger,
        "is_bot": ident == BOT_USER,
        "is_app_user": False,
        "updated": 1_768_000_000,
    }
