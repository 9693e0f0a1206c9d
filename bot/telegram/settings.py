"""The Telegram interface's settings, whether they make one, and how long it waits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from core.contract import BaseUrl, Config, Problem, setting, upstream_url
from core.errors import NotConfigured
from core.settings import Settings

NAME = "telegram"
TOKEN = "TELEGRAM_BOT_TOKEN"  # noqa: S105 - the setting's name
ADDRESS = "TELEGRAM_WEBHOOK_URL"


class TelegramSettings(Config):
    """What the interface reads; its token and TELEGRAM_API_URL are the connector's too."""

    mode: Literal["poll", "webhook", "off"] = setting(
        "LEVQOR_TELEGRAM",
        "How Telegram reaches the bot",
        "poll, webhook or off",
        default="poll",
    )
    bot_token: SecretStr | None = setting(
        TOKEN,
        "Telegram bot token",
        "write /newbot to @BotFather in Telegram",
        example="123456789:AA…",
        shape=r"\d{6,12}:[\w-]{30,64}",
    )
    webhook_url: BaseUrl | None = setting(
        ADDRESS,
        "Where Telegram finds this bot",
        "your own public https address; only with LEVQOR_TELEGRAM=webhook",
        example="https://levqor.example.com",
    )
    api_url: BaseUrl = upstream_url("TELEGRAM_API_URL", "Telegram", "https://api.telegram.org")

    @property
    def token(self) -> str:
        """The bot's token; empty where none is set."""
        return self.bot_token.get_secret_value() if self.bot_token else ""


@dataclass(frozen=True)
class Timing:
    """Seconds that are waited for what; pauses after a failure grow up to `longest`."""

    poll: int = 25  # for updates
    grace: float = 10.0  # more, for a poll's answer
    confirm: float = 3.0  # a confirmation that takes longer does not hold up what it confirms
    pause: float = 1.0  # after a failure
    conflict: float = 4.0  # after another poller's
    longest: float = 30.0
    refused: float = 60.0  # before what was refused is asked again
    hasty: float = 2.0  # before the next poll, where the last came back at once with nothing new
    look: float = 60.0  # between looks at a webhook
    # The ledger is told this often that all is well; whoever reads it may think the worst
    # of a sign of life that is much older.
    beat: float = 60.0
    # Of several bots one polls. Longer than a poll, so that the next one meets none that is left.
    lease: float = 30.0
    stalled: float = 90.0  # longer than a poll may take and the longest pause
    menus: float = 60.0  # until menus follow pairings taken back at a terminal
    # Two that poll with one token push each other out by turns: a good poll in between is
    # no sign that the other one has gone.
    peace: float = 150.0


def problems(own: TelegramSettings) -> Iterator[Problem]:
    """Find what each setting alone does not show."""
    if own.mode == "webhook" and not own.webhook_url:
        what = f"LEVQOR_TELEGRAM=webhook needs {ADDRESS}, which is not set."
        fix = f"Set {ADDRESS} to your public https address, or LEVQOR_TELEGRAM=poll."
        yield Problem(ADDRESS, what, fix, fatal=True)


def usable(settings: Settings) -> bool:
    """Tell whether Telegram is set up; raises NotConfigured for what cannot work."""
    own = settings.of(TelegramSettings)
    if own.mode == "off" or not own.token:
        return False
    # It becomes a part of the address, where a slash or a dot would lead elsewhere.
    if not re.fullmatch(r"\d+:[\w-]+", own.token, re.ASCII):
        raise NotConfigured(
            f"{TOKEN} is not a bot's token.",
            settings=[TOKEN],
            fix="Copy it whole from @BotFather: digits, a colon, letters.",
        )
    for problem in problems(own):
        raise NotConfigured(problem.what, settings=[problem.setting], fix=problem.fix)
    return True
