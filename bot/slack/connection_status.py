"""The Slack connection's status in words, the worst first; reported to health as it changes."""

import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from bot.runtime import Bot
from bot.slack.manifest import EVENTS_PATH
from bot.slack.settings import SlackSettings
from core.errors import NotConfigured
from core.plain import agreeing

SURFACE = "slack"
WAITING = f"waiting for Slack at {EVENTS_PATH}"
REACHED = f"Slack reaches {EVENTS_PATH}"

# Slack gives an acknowledgement three seconds from its own clock.
SLOW_SECONDS = 1.5
FEWEST = 20
MOST_UNKNOWN = 3

ONE_EACH = "Stop the other levqor-bot, or give each an app of its own."
# Slack's words for a bot token that it will not take again.
GONE = frozenset(
    {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}
)
_NO_SOCKET = frozenset({"socket_mode_disabled", "link_disabled", "not_enabled"})


def refused_token(name: str, code: str) -> NotConfigured:
    """Say which token Slack refuses, Slack's word for it, and where to get another."""
    where = next(each.where for each in SlackSettings.settings() if each.name == name)
    fix = f"Copy {name} again: {where}."
    if code in _NO_SOCKET:
        fix = "Switch Socket Mode on: api.slack.com/apps, your app, Socket Mode."
    return NotConfigured(f"Slack refuses {name} ({code}).", settings=[name], fix=fix)


def refused_install(me: Mapping[str, Any]) -> NotConfigured | None:
    """What is wrong with where the app is installed, by what `auth.test` says."""
    if not me.get("is_enterprise_install"):
        return None
    return NotConfigured(
        "The Slack app is installed for a whole organisation; Levqor serves one workspace.",
        settings=["SLACK_BOT_TOKEN"],
        fix="Make the app in that workspace (`levqor-bot slack-manifest`) and use its token.",
    )


def while_running(refused: NotConfigured) -> str:
    """What to do about a token that was good when the bot started."""
    return f"{refused.fix} Then start levqor-bot again."


class ConnectionStatus:
    """What is known of the connection; every change goes to `bot.inbound`.

    Nothing here is waited for: an acknowledgement must not stand behind a write of health's.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._line = ""
        self._down_since: str | None = None
        # What to do: where Slack does not reach us; where it refuses the token; else beside the
        # line, the worst first: whether it is well all the same, how the line goes on, the fix.
        self._down_fix: str | None = None
        self._refused: NotConfigured | None = None
        self._notes: dict[str, tuple[bool, str, str] | None] = dict.fromkeys(
            ("crowded", "slow", "unverified", "foreign", "unknown")
        )
        self._waits: deque[float] = deque(maxlen=100)
        self._unknown: list[str] = []

    def up(self, line: str) -> None:
        """Slack reaches us, in the way `line` says."""
        self._line, self._down_fix, self._down_since = line, None, None
        self._notes["unverified"] = None
        self._tell()

    def down(self, why: str, fix: str) -> None:
        """Slack does not reach us."""
        if self._down_since is None:
            self._down_since = time.strftime("%H:%M UTC", time.gmtime())
        self._line = f"{why.rstrip('.')}. Not connected since {self._down_since}"
        self._down_fix = fix
        self._tell()

    def refused(self, error: NotConfigured | None) -> None:
        """Whether Slack refuses the bot token, which was good at the start."""
        self._refused = error
        self._tell()

    def crowded(self, crowded: bool) -> None:  # noqa: FBT001 - it is what is reported
        """Whether another process is connected with the same app token."""
        words = ", but another process uses the same app token: some commands go to it"
        self._note("crowded", (False, words, ONE_EACH) if crowded else None)

    def unverified(self) -> None:
        """A post came whose signature is not valid; anybody may send one."""
        if self._line == WAITING:
            # Perhaps the secret is wrong, perhaps a stranger knocked: what is known is no fault.
            fix = (
                "If it was Slack's, copy SLACK_SIGNING_SECRET again (api.slack.com/apps, your "
                "app, Basic Information) and check this machine's clock."
            )
            self._note("unverified", (True, "; a post came whose signature is not valid", fix))

    def foreign(self, place: str) -> None:
        """Slack wants answers at a host that is neither its own nor SLACK_API_URL's."""
        # It comes from the platform, or from whatever is before it.
        if re.fullmatch(r"[a-z0-9.:-]{1,80}", place):
            words = f"; answers are wanted at {place}, which is not in SLACK_API_URL"
            fix = (
                f"Write that host into SLACK_API_URL as it is spelt there ({place}). "
                "Until then people get their answers as direct messages."
            )
            self._note("foreign", (True, words, fix))

    def unknown(self, command: str) -> None:
        """Slack sent a command nobody here knows."""
        # It comes from the app's settings, not from what was typed; still only a name is kept.
        if re.fullmatch(r"/[a-z0-9_-]{1,31}", command) and command not in self._unknown:
            self._unknown = [*self._unknown, command][-MOST_UNKNOWN:]
            gone = f"{', '.join(self._unknown)}, which {agreeing(len(self._unknown))} gone"
            fix = (
                "Put what `levqor-bot slack-manifest` prints into the app's manifest, and "
                "install the app again."
            )
            self._note("unknown", (True, f"; your Slack app still has {gone}", fix))

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement."""
        self._bot.acknowledged(SURFACE, seconds)
        self._waits.append(seconds)
        if len(self._waits) >= FEWEST:
            slow = sorted(self._waits)[int(len(self._waits) * 0.95)] > SLOW_SECONDS
            words = ", but answers are slow: Slack gives up after three seconds"
            fix = "See what else keeps this machine or its disk busy."
            self._note("slow", (False, words, fix) if slow else None)

    def _note(self, kind: str, note: tuple[bool, str, str] | None) -> None:
        if self._notes[kind] != note:
            self._notes[kind] = note
            self._tell()

    def _tell(self) -> None:
        # A greeting comes before the first line; what it told is reported with that.
        if self._line:
            ok, line, fix = self._worst()
            self._bot.spawn(self._bot.inbound(SURFACE, line, fix, ok=ok), name="slack report")

    def _worst(self) -> tuple[bool, str, str | None]:
        """Whether it is well, in words, and what to do."""
        if self._down_since:
            return False, self._line, self._down_fix
        if self._refused:
            return False, self._refused.message.rstrip("."), while_running(self._refused)
        for ok, words, fix in filter(None, self._notes.values()):
            return ok, self._line + words, fix
        return True, self._line, None
