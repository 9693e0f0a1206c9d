"""How Slack's way in is doing, in words, the worst first; told to health as it changes."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING

from bot.slack.manifest import EVENTS_PATH
from bot.slack.refusals import ONE_EACH, while_running
from core.counted import agreeing

if TYPE_CHECKING:
    from bot.runtime import Bot
    from core.errors import NotConfigured

SURFACE = "slack"
WAITING = f"waiting for Slack at {EVENTS_PATH}"
REACHED = f"Slack reaches {EVENTS_PATH}"

# Slack gives an acknowledgement three seconds from its own clock.
SLOW_SECONDS = 1.5
FEWEST = 20
MOST_UNKNOWN = 3


class ConnectionStatus:
    """What is known of the way in; every change goes to `bot.inbound`.

    Nothing here is waited for: an acknowledgement must not stand behind a write of health's.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._line = ""
        self._fix: str | None = None
        self._ok = False
        self._down_since: str | None = None
        self._refused: NotConfigured | None = None
        self._crowded = False
        self._slow = False
        self._waits: deque[float] = deque(maxlen=100)
        self._unknown: list[str] = []
        self._unverified = False
        self._foreign: str | None = None

    def up(self, line: str) -> None:
        """Slack reaches us, in the way `line` says."""
        self._line, self._fix, self._ok, self._down_since = line, None, True, None
        self._tell()

    def down(self, why: str, fix: str) -> None:
        """Slack does not reach us."""
        if self._down_since is None:
            self._down_since = time.strftime("%H:%M UTC", time.gmtime())
        self._line = f"{why.rstrip('.')}. Not connected since {self._down_since}"
        self._fix, self._ok = fix, False
        self._tell()

    def refused(self, error: NotConfigured | None) -> None:
        """Whether Slack refuses the bot token, which was good at the start."""
        self._refused = error
        self._tell()

    def crowded(self, crowded: bool) -> None:  # noqa: FBT001 - it is what is reported
        """Whether another process is connected with the same app token."""
        self._crowded = crowded
        self._tell()

    def unverified(self) -> None:
        """Count for health a post with a signature that is not valid; anybody may send one."""
        if not self._unverified:
            self._unverified = True
            self._tell()

    def foreign(self, place: str) -> None:
        """Slack wants answers at a host that is neither its own nor SLACK_API_URL's."""
        # It comes from the platform, or from whatever stands before it.
        if re.fullmatch(r"[a-z0-9.:-]{1,80}", place) and place != self._foreign:
            self._foreign = place
            self._tell()

    def unknown(self, command: str) -> None:
        """Slack sent a command nobody here knows."""
        # It comes from the app's settings, not from what was typed; still only a name is kept.
        if re.fullmatch(r"/[a-z0-9_-]{1,31}", command) and command not in self._unknown:
            self._unknown = [*self._unknown, command][-MOST_UNKNOWN:]
            self._tell()

    def acknowledged(self, seconds: float) -> None:
        """Count an acknowledgement."""
        self._bot.acknowledged(SURFACE, seconds)
        self._waits.append(seconds)
        if len(self._waits) >= FEWEST:
            slow = sorted(self._waits)[int(len(self._waits) * 0.95)] > SLOW_SECONDS
            if slow != self._slow:
                self._slow = slow
                self._tell()

    def _tell(self) -> None:
        line, fix, ok = self._line, self._fix, self._ok
        if not line:
            # A greeting comes before the line stands; what it told is said with that.
            return
        if ok and self._refused:
            ok, line, fix = False, self._refused.message.rstrip("."), while_running(self._refused)
        elif ok and self._crowded:
            ok = False
            line += ", but another process uses the same app token: some commands go to it"
            fix = ONE_EACH
        elif ok and self._slow:
            ok = False
            line += ", but answers are slow: Slack gives up after three seconds"
            fix = "See what else keeps this machine or its disk busy."
        elif ok and self._unverified and line == WAITING:
            # Perhaps the secret is wrong, perhaps a stranger knocked: what is known is no fault.
            line += "; a post came whose signature is not valid"
            fix = (
                "If it was Slack's, copy SLACK_SIGNING_SECRET again (api.slack.com/apps, your "
                "app, Basic Information) and check this machine's clock."
            )
        elif ok and self._foreign:
            line += f"; answers are wanted at {self._foreign}, which is not in SLACK_API_URL"
            fix = (
                f"Write that host into SLACK_API_URL as it is spelt there ({self._foreign}). "
                "Until then people get their answers as direct messages."
            )
        elif ok and self._unknown:
            gone = f"which {agreeing(len(self._unknown))} gone"
            line += f"; your Slack app still has {', '.join(self._unknown)}, {gone}"
            fix = (
                "Put what `levqor-bot slack-manifest` prints into the app's manifest, and "
                "install the app again."
            )
        self._bot.spawn(self._bot.inbound(SURFACE, line, fix, ok=ok), name="slack report")
