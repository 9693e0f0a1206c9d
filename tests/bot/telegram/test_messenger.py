"""What is said in a chat: floods, moved groups, long texts, blocked bots, and the logs."""

import io
import logging
import time

import pytest

from bot.telegram.messenger import UNITS, pages
from core.logs import quiet_libraries
from core.plain import utf16_length
from core.sandbox.telegram import GROUP
from tests.support.sandbox import Answer, Delay, DropAfter, DropBefore
from tests.support.sandbox.telegram_messages import FORUM
from tests.support.telegram import living, sent, settings_for
from tests.support.waiting import wait_for


@pytest.fixture
def settings(home, sandbox):
    return settings_for(home, sandbox)


def flood(seconds):
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after"}
    return Answer(429, json={**body, "parameters": {"retry_after": seconds}})


def test_a_flood_is_waited_out_and_the_outcome_told_in_one_message(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(flood(1), flood(1), on="sendMessage")
        began = time.monotonic()
        ada.says("/slack_send hi")
        (message,) = ada.waits(until=sent)
        assert time.monotonic() - began >= 0.95
        # The announcement was left out: in a flood the outcome alone is worth waiting for.
        assert message.before == []


def test_a_flood_answer_to_an_edit_is_waited_out(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(flood(1), on="editMessageText")
        ada.says("/slack_send hi")
        (message,) = ada.waits(until=sent)
        assert message.before[0].startswith("Slack: sending")
        wait_for(lambda: not waiting(bot))


@pytest.mark.parametrize("fault", [DropBefore(), Answer(502, body="Bad Gateway")])
def test_an_answer_that_did_not_get_through_is_said_again(sandbox, settings, fault):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(fault, on="sendMessage")
        ada.says("/whoami")
        ada.waits()


def test_a_lost_edit_is_made_again_and_found_done(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(DropAfter(), on="editMessageText")
        ada.says("/slack_send hi")
        ada.waits(until=sent)
        wait_for(lambda: len(sandbox.telegram.calls("editMessageText")) == 2)
        wait_for(lambda: not waiting(bot))
        assert len(ada.conversation) == 1


def waiting(bot):
    return [one for one in bot.engine.ledger.runs() if one.reply_to is not None]


def test_a_message_somebody_deleted_is_said_anew(sandbox, settings):
    gone = {"ok": False, "error_code": 400, "description": "Bad Request: message to edit not found"}
    with living(settings) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        sandbox.telegram.next(Answer(400, json=gone), on="editMessageText")
        ada.says("/slack_send hi")
        heard = ada.waits(2, until=sent)
        assert heard[0].text.startswith("Slack: sending, run ")


# A group before it moves to GROUP.
OLD = -555


def before_and_after(sandbox):
    """Somebody in it, and there once it has moved."""
    sandbox.telegram.messages.chats[OLD] = {"id": OLD, "type": "group", "title": "Old"}
    return sandbox.telegram.user(42, chat=OLD), sandbox.telegram.user(42, chat=GROUP)


def test_a_group_that_moved_is_followed_and_nothing_there_is_overwritten(sandbox, settings):
    before, after = before_and_after(sandbox)
    with living(settings) as bot:
        bot.pair(42)
        sandbox.slack.always(Delay(1.0))
        before.says("/slack_send hi")
        (sending,) = before.waits()
        # A supergroup begins to count its messages anew.
        sandbox.telegram.messages.moved[OLD] = GROUP
        after.says("/whoami")
        (answer,) = after.waits()
        assert answer.message_id == sending.message_id
        told = after.waits(2, until=sent)
        assert told[0].text.startswith("You are telegram:42")
        assert told[0].before == []
        assert told[1].reply_to is None


def test_what_waits_for_a_group_that_moved_comes_to_the_new_one(sandbox, settings):
    before, after = before_and_after(sandbox)
    with living(settings) as bot:
        bot.pair(42)
        sandbox.slack.always(Delay(1.0))
        before.says("/slack_send hi")
        before.waits()
        sandbox.telegram.messages.moved[OLD] = GROUP
        # Written just before: the first to be told that the group has gone.
        before.says("/whoami")
        told = after.waits(2, until=sent)
        assert told[0].text.startswith("You are telegram:42")
        assert len(before.conversation) == 1


def test_in_a_topic_every_answer_comes_there(sandbox, settings):
    messages = sandbox.telegram.messages
    ada = sandbox.telegram.user(42, chat=FORUM, thread=7)
    with living(settings) as bot:
        bot.pair(42)
        question = ada.says("/slack_send")
        messages.message(FORUM, question.message_id).deleted = True
        (asked,) = ada.waits()
        ada.says("hi", reply_to=asked)
        ada.says("/skip")
        preview = ada.waits(3)[-1]
        ada.presses(preview, "Send")
        preview.deleted = True
        # Somebody took the question away: the run still has one message of its own.
        assert len(ada.waits(3, until=sent)) == 3
        assert {one.thread for one in messages.history if one.from_bot} == {7}
        general = sandbox.telegram.user(42, chat=FORUM)
        general.says("/whoami")
        heard = general.waits(until=lambda said: said.text.startswith("You are"))
        assert heard[-1].thread is None


def test_a_reply_outside_topics_is_answered_though_it_has_a_thread(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42)
        said = sandbox.telegram.user(42, chat=GROUP).says("hello").json
        thread = {**said, "message_id": 900, "message_thread_id": 1, "text": "/whoami"}
        mark = {"entities": [{"type": "bot_command", "offset": 0, "length": 7}]}
        sandbox.telegram.inject({"message": {**thread, **mark}})
        sandbox.telegram.user(42, chat=GROUP).waits()


def test_somebody_who_blocked_the_bot_gets_nothing_and_harms_nobody(sandbox, settings):
    with living(settings) as bot:
        bot.pair(42, 43)
        ada, bob = sandbox.telegram.user(42), sandbox.telegram.user(43)
        ada.says("/slack_send from ada")
        ada.blocks()
        bob.says("/slack_send from bob")
        bob.waits(until=sent)
        wait_for(lambda: len(sandbox.slack.writes) == 2)
        wait_for(lambda: not waiting(bot))


def test_an_answer_is_never_longer_than_a_message_may_be():
    text = "\n".join(f"line {number} " + "x" * 100 for number in range(100))
    cut = pages(text)
    assert len(cut) == 3
    assert "\n".join(cut) == text
    assert all(utf16_length(page) <= UNITS == 4096 for page in cut)
    emoji = pages("🚀" * 5000)
    assert "".join(emoji) == "🚀" * 5000
    assert all(utf16_length(page) <= UNITS for page in emoji)
    assert pages("") == ["…"]


def test_nobodys_log_holds_the_token_or_what_was_typed_even_at_debug(sandbox, settings):
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    quiet_libraries(settings.redactor(), settings.loggers())
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        with living(settings) as bot:
            bot.pair(42)
            ada = sandbox.telegram.user(42)
            ada.says("/slack_send UNMISTAKABLEPAYLOAD")
            ada.waits(until=sent)
            sandbox.telegram.inject({"message": {"text": "UNMISTAKABLEPAYLOAD"}})
            sandbox.telegram.next(DropBefore(), Answer(500, body="?"), on="getUpdates")
            sandbox.telegram.revoke()
            wait_for(lambda: "revoked" in bot.health[1])
            said = "\n".join(bot.said)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        quiet_libraries(settings.redactor(), settings.loggers())
    secret = sandbox.telegram.token.partition(":")[2]
    assert "is withheld" in heard.getvalue()
    for hidden in ("UNMISTAKABLEPAYLOAD", secret):
        assert hidden not in heard.getvalue() + said
