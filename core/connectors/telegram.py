"""Send a Telegram message to a chat, a group or a channel.

One call, https://core.telegram.org/bots/api#sendmessage, with no parse mode: what was typed
is what arrives. A chat takes about one message a second and a group twenty a minute, and
nothing tells a repeat from a new message.
"""

import re
import time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from core.connectors._telegram_answers import (
    ANSWERS,
    NOT_ALLOWED,
    Reply,
    Result,
    link_to,
    may_post,
    result_of,
    seen_chats,
)
from core.connectors._telegram_text import TEXT_UNITS, changes, fitting
from core.contract import (
    Action,
    BaseUrl,
    Config,
    Connector,
    Contract,
    HttpClient,
    Probe,
    Receipt,
    Secret,
    field,
    message_field,
    setting,
    upstream_url,
)
from core.errors import Fault, InvalidInput, Refused

CHAT = re.compile(r"-?[1-9][0-9]{0,15}|@[A-Za-z][A-Za-z0-9_]{3,31}")
DEFAULT = "TELEGRAM_CHAT_ID_DEFAULT"
# A bot that polls has taken what waits, and asked for more, by then.
A_BOT_TAKES_SECONDS = 1.5


def _number_as_text(value: Any) -> Any:
    # JSON knows one kind of number: some programs write 42 as 42.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _chat(value: str | None) -> str | None:
    if value is not None and not CHAT.fullmatch(value):
        raise ValueError("must be a number like -1001234567890, or a public name like @name")
    return value


def _token(value: Secret) -> Secret:
    # It becomes a part of the address, where a slash or a dot would lead elsewhere.
    if not re.fullmatch(r"\d+:[\w-]+", value.get_secret_value(), re.ASCII):
        raise ValueError("must be digits, a colon and letters, as @BotFather gave it")
    return value


ChatId = Annotated[
    str | None,
    AfterValidator(_chat),
    BeforeValidator(
        _number_as_text,
        json_schema_input_type=Annotated[int, Field(json_schema_extra={"not": {"const": 0}})]
        | Annotated[str, Field(pattern=f"^(?:{CHAT.pattern})$")]
        | None,
    ),
]


class Message(Contract):
    """A Telegram message."""

    text: Annotated[str, AfterValidator(fitting)] = message_field(
        "The build is green.", max_length=TEXT_UNITS
    )
    chat_id: ChatId = field(
        "Chat",
        "Where to: a chat's number, or a public group's or channel's @name.",
        example="-1001234567890",
        address=True,
        setting=DEFAULT,
        destination=True,
        default=None,
    )


class TelegramConfig(Config):
    """What Telegram needs."""

    bot_token: Annotated[Secret, AfterValidator(_token)] = setting(
        "TELEGRAM_BOT_TOKEN",
        "Telegram's bot token",
        "write /newbot (or /token) to @BotFather in Telegram and copy the token",
        required=True,
        example="123456789:AA…",
        shape=r"^\d{6,12}:[A-Za-z0-9_-]{30,64}$",
    )
    chat_id: ChatId = setting(
        DEFAULT,
        "The chat to use if a message names none",
        "add the bot to the chat and write /whoami there while levqor-bot runs: it shows "
        "the chat's id; for a public chat its @name will do",
        example="-1001234567890",
        shape=r"^(-?\d{1,16}|@\w{4,32})$",
    )
    api_url: BaseUrl = upstream_url("TELEGRAM_API_URL", "Telegram", "https://api.telegram.org")


def check(request: Message, config: TelegramConfig, test: bool) -> None:
    """Refuse a message that has nowhere to go."""
    _target(request, config)


def send(request: Message, config: TelegramConfig, http: HttpClient) -> Receipt:
    """Send one message; follow a group once to where it has moved."""
    notes = changes(request.text)
    body = {"chat_id": _target(request, config), "text": request.text}
    answer = http.post(_url(config, "sendMessage"), json=body)
    reply = answer.parse(Reply)
    if reply and not reply.ok and (moved := reply.parameters.migrate_to_chat_id):
        notes.append(f"This group has a new id, {moved}: use it from now on ({DEFAULT} too).")
        answer = http.post(_url(config, "sendMessage"), json={**body, "chat_id": moved})
    return Receipt("sent", link=link_to(result_of(answer)), note=" ".join(notes) or None)


def probe(config: TelegramConfig, http: HttpClient) -> Probe:
    """Ask who the bot is and, where a default chat is set, whether it may write there."""
    bot = _get(config, http, "getMe")
    if config.chat_id is None:
        return Probe((f"{DEFAULT} is not set: each message must name its chat_id.",))
    try:
        _look_at(config.chat_id, bot, config, http)
    except Refused as refusal:
        # The bot itself works; it is the default chat that needs somebody.
        return Probe((f"{DEFAULT}: {refusal.message}",), fix=refusal.fix)
    return Probe()


def look(request: Message, config: TelegramConfig, http: HttpClient) -> Probe:
    """Ask whether the bot may write to the chat that a message would go to."""
    _look_at(str(_target(request, config)), _get(config, http, "getMe"), config, http)
    return Probe()


def _look_at(chat_id: str, bot: Result, config: TelegramConfig, http: HttpClient) -> None:
    chat = _get(config, http, "getChat", chat_id=chat_id)
    member = _get(config, http, "getChatMember", chat_id=chat_id, user_id=str(bot.id))
    if not may_post(chat, member):
        raise NOT_ALLOWED.error()


def _target(request: Message, config: TelegramConfig) -> str | int:
    chat = request.chat_id or config.chat_id
    if chat is None:
        words = f"is missing: say which chat, or set {DEFAULT}"
        raise InvalidInput([Fault("chat_id", words)])
    return chat if chat.startswith("@") else int(chat)


def _url(config: TelegramConfig, call: str) -> str:
    return f"{config.api_url}/bot{config.bot_token.get_secret_value()}/{call}"


def _get(config: TelegramConfig, http: HttpClient, call: str, **params: str) -> Result:
    return result_of(http.get(_url(config, call), params=params))


def chats(config: TelegramConfig, http: HttpClient) -> list[tuple[str, str]]:
    """List the chats whose messages nobody has read; none while a bot polls or has a webhook.

    A call of getUpdates ends the one of a bot that waits for messages. Who waits has left none:
    so the count is asked for first, and again once a bot has had the time to take them.
    """
    for seconds in (0.0, A_BOT_TAKES_SECONDS):
        time.sleep(seconds)
        inbox = _get(config, http, "getWebhookInfo")
        if inbox.url or not inbox.pending_update_count:
            return []
    return seen_chats(http.get(_url(config, "getUpdates"), params={"limit": "100"}))


CONNECTOR = Connector(
    name="telegram",
    choices={DEFAULT: chats},
    title="Telegram",
    config=TelegramConfig,
    actions=(
        Action(
            name="send",
            title="Send a Telegram message",
            input=Message,
            sample={"text": "Hello from Levqor: this is a test message."},
            send=send,
            check=check,
            look=look,
        ),
    ),
    probe=probe,
    answers=ANSWERS,
)
