"""What `levqor-bot check` says of Telegram; nothing is sent, nothing changed."""

from telegram import BotCommandScopeDefault
from telegram.error import InvalidToken, TelegramError

from bot.telegram import connection_status as verdicts
from bot.telegram.api import Api, InvalidAnswer
from bot.telegram.settings import TOKEN, TelegramSettings, usable
from bot.telegram.webhook import WebhookSecret
from core.errors import NotConfigured
from core.network import NoRoute
from core.plain import counted
from core.reports import Finding
from core.settings import Settings


async def check(settings: Settings) -> list[Finding]:
    """Look at the token, the webhook and the menu."""
    try:
        if not usable(settings):
            if settings.of(TelegramSettings).mode == "off":
                return [Finding(None, "Telegram is off (LEVQOR_TELEGRAM=off).")]
            fix = "Write /newbot to @BotFather in Telegram and set what it gives you."
            return [Finding(None, f"Telegram is off: {TOKEN} is not set.", fix)]
        api = Api(settings)
    except NotConfigured as error:
        return [Finding(False, error.message, error.fix)]
    except NoRoute as problem:
        return [Finding(False, f"Telegram: {problem.words}.", problem.fix)]
    try:
        return await _look(api, settings)
    except TelegramError as error:
        return [_failed(error)]
    finally:
        await api.shutdown()


def _failed(error: TelegramError) -> Finding:
    if isinstance(error, InvalidToken):
        return Finding(False, f"Telegram refuses {TOKEN}.", verdicts.REVOKED.fix)
    if isinstance(error, InvalidAnswer):
        verdict = verdicts.INVALID_ANSWERS
        return Finding(False, f"Telegram: {verdict.words}.", verdict.fix)
    return Finding(False, "Telegram: cannot be reached.", "Check this machine's network.")


async def _look(api: Api, settings: Settings) -> list[Finding]:
    await api.initialize()
    findings = [Finding(True, f"Telegram: the token is that of @{api.username}.")]
    url = (await api.get_webhook_info()).url
    if url and not WebhookSecret(settings.home, str(api.id), settings.app.key_file).ours(url):
        verdict = verdicts.foreign_webhook(url)
        findings.append(Finding(False, f"Telegram: {verdict.words}.", verdict.fix))
    else:
        mode = "a webhook" if settings.of(TelegramSettings).mode == "webhook" else "polling"
        what = f"Telegram: nobody else's webhook is in the way of {mode}."
        findings.append(Finding(True, what))
    if menu := await api.get_my_commands(scope=BotCommandScopeDefault()):
        size = counted(len(menu), "command")
        what = f"Telegram: unknown users see a menu of {size}; levqor-bot removes it."
        findings.append(Finding(None, what))
    if not api.bot.can_read_all_group_messages:
        what = "Telegram: in groups the bot sees commands and replies alone, which is all it needs."
        findings.append(Finding(True, what))
    return findings
