"""A gateway that answers nonsense in Telegram's place: said, waited for, and nothing falls."""

import asyncio

import pytest
from telegram import BotCommand
from telegram.error import InvalidToken, NetworkError, TelegramError

from bot import check
from bot.telegram.api import Api, InvalidAnswer
from tests.support.nonsense import NONSENSE
from tests.support.sandbox import Answer
from tests.support.telegram import free_port, living, sent, settings_for
from tests.support.waiting import wait_for

SAYS = "telegram: gets answers that are not Telegram's."
# Not one of them is Telegram's "done".
CALLS = {
    "getMe": lambda api: api.get_me(),
    "getWebhookInfo": lambda api: api.get_webhook_info(),
    "deleteWebhook": lambda api: api.delete_webhook(),
    "setWebhook": lambda api: api.set_webhook("https://levqor.example/telegram"),
    "getMyCommands": lambda api: api.get_my_commands(),
    "setMyCommands": lambda api: api.set_my_commands([BotCommand("help", "help")]),
    "deleteMyCommands": lambda api: api.delete_my_commands(),
    "sendMessage": lambda api: api.send_message(42, "hi"),
    "editMessageText": lambda api: api.edit_message_text("hi", 42, 1),
    "answerCallbackQuery": lambda api: api.answer_callback_query("1"),
    "getUpdates": lambda api: api.updates(None, 0, 5.0),
}
# For these calls the answer is a good one.
FITS = {("getUpdates", "a result that is a list"), ("getMyCommands", "a list")}


@pytest.fixture
def settings(home, sandbox):
    return settings_for(home, sandbox)


@pytest.mark.parametrize("call", CALLS)
def test_no_call_trips_over_nonsense(settings, sandbox, call):
    async def ask():
        api = Api(settings)
        try:
            return await CALLS[call](api)
        except TelegramError as error:
            return error
        finally:
            await api.shutdown()

    for name, nonsense in NONSENSE.items():
        if (call, name) in FITS:
            continue
        sandbox.telegram.next(nonsense, on=call)
        said = asyncio.run(ask())
        assert isinstance(said, TelegramError), name
        assert not isinstance(said, InvalidToken), name
        if nonsense.status >= 500:
            assert isinstance(said, NetworkError), name
        elif name != "an error with strange words":
            assert isinstance(said, InvalidAnswer), (name, said)


def test_a_token_that_telegram_itself_refuses_is_still_refused(settings, sandbox):
    async def ask():
        api = Api(settings)
        try:
            await api.get_me()
        finally:
            await api.shutdown()

    words = {"ok": False, "error_code": 401, "description": "Unauthorized"}
    sandbox.telegram.next(Answer(401, json=words), on="getMe")
    with pytest.raises(InvalidToken):
        asyncio.run(ask())


@pytest.mark.parametrize("call", ["getMe", "getWebhookInfo", "getMyCommands"])
def test_the_check_says_nonsense_in_one_line(home, sandbox, call):
    values = {**sandbox.settings(), "LEVQOR_TELEGRAM": "poll"}
    settings = settings_for(home, sandbox, **values)
    for name, nonsense in NONSENSE.items():
        sandbox.telegram.next(nonsense, on=call)
        found = asyncio.run(check.look(settings))
        wrong = [one.what for one in found if one.good is False]
        assert len(wrong) == 1, (name, wrong)
        assert wrong[0].startswith("Telegram: "), name
        assert any(one.what.startswith("Slack") for one in found)


@pytest.mark.parametrize("call", ["getMe", "getWebhookInfo"])
def test_nonsense_at_the_start_is_said_and_waited_for(settings, sandbox, call):
    sandbox.telegram.next(*NONSENSE.values(), on=call)
    with living(settings) as bot:
        assert len(sandbox.telegram.calls(call)) >= len(NONSENSE)
        assert any(line.startswith(SAYS) for line in bot.said)
        assert bot.health[0] is True


def test_nonsense_in_place_of_updates_is_said_and_waited_for(settings, sandbox):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(*NONSENSE.values(), on="getUpdates")
        wait_for(lambda: len(sandbox.telegram.calls("getUpdates")) > len(NONSENSE) + 1)
        assert any(line.startswith(SAYS) for line in bot.said)
        ada.says("/slack_send hi")
        ada.waits(until=sent)
        wait_for(lambda: bot.health[0])


def test_nonsense_about_a_webhook_is_said_and_waited_for(home, sandbox):
    port = free_port()
    more = {
        "LEVQOR_TELEGRAM": "webhook", "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    sandbox.telegram.next(*NONSENSE.values(), on="getWebhookInfo")
    sandbox.telegram.next(*NONSENSE.values(), on="setWebhook")
    with living(settings_for(home, sandbox, **more), http=port) as bot:
        assert any(line.startswith(SAYS) for line in bot.said)
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        ada.says("/whoami")
        ada.waits()
    sandbox.telegram.next(*list(NONSENSE.values())[:8], on="deleteWebhook")
    with living(settings_for(home, sandbox)) as bot:
        assert len(sandbox.telegram.calls("deleteWebhook")) > 8


def test_nonsense_in_place_of_an_answer_stops_nobody(settings, sandbox):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        for call in ("setMyCommands", "deleteMyCommands", "answerCallbackQuery"):
            sandbox.telegram.always(NONSENSE["ok alone"], on=call)
        for nonsense in NONSENSE.values():
            sandbox.telegram.next(nonsense, on="sendMessage")
            ada.says("/help")
        wait_for(lambda: len(sandbox.telegram.calls("sendMessage")) >= len(NONSENSE))
        sandbox.telegram.next(*list(NONSENSE.values())[:3], on="editMessageText")
        for number in range(3):
            ada.says(f"/slack_send {number}")
        wait_for(lambda: len(sandbox.slack.writes) == 3)
        wait_for(lambda: not any(run.state == "sending" for run in bot.engine.ledger.runs()))
        ada.says("/whoami")
        ada.waits(until=lambda said: "telegram:42" in said.text)
        assert bot.health[0] is True


ODD = [
    {}, {"message": None}, {"message": []}, {"message": "x"}, {"message": {}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}}},
    {"message": {"message_id": 1, "date": 1, "chat": 7, "text": "/help"}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"},
                 "from": 7, "text": "/help"}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"},
                 "from": {"id": 42, "is_bot": False, "first_name": "A"}, "text": 7}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"},
                 "from": {"id": 42, "is_bot": False, "first_name": "A"}, "text": "/help",
                 "entities": [7]}},
    {"message": {"message_id": 1, "date": 1, "chat": {"id": 42, "type": "private"},
                 "from": {"id": 42, "is_bot": False, "first_name": "A"}, "text": "/help",
                 "entities": [{"type": "bot_command", "offset": 0, "length": 10**9}]}},
    {"message": {"message_id": 1, "date": 1e300, "chat": {"id": 42, "type": "private"}}},
    {"callback_query": {}}, {"callback_query": 7},
    {"callback_query": {"id": "1", "from": {"id": 42, "is_bot": False, "first_name": "A"},
                        "chat_instance": "1", "data": "send:42:x"}},
    {"callback_query": {"id": "1", "from": {"id": 42, "is_bot": False, "first_name": "A"},
                        "chat_instance": "1", "data": "::::",
                        "message": {"message_id": 1, "date": 0, "chat": {"id": 42, "type": "x"}}}},
    {"something_new": {"a": 1}}, {"edited_message": {}}, {"poll": 7},
]  # fmt: skip


def test_odd_updates_are_passed_over(settings, sandbox):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        for update in ODD:
            sandbox.telegram.inject(update)
        ada.says("/slack_send hi")
        ada.waits(until=sent)
        assert bot.health[0] is True
