"""Who is paired, and what unknown users get."""

import contextlib
import sqlite3
from dataclasses import replace

from bot.telegram.unknown_users import MOST, PER_HOUR, UnknownUsers
from core.connectors import CONNECTORS
from core.engine import Engine
from core.sandbox.telegram import GROUP
from tests.support.sandbox import Answer, DropBefore
from tests.support.telegram import QUICK, living, pair, settings_for
from tests.support.waiting import wait_for

SCOPE = {"type": "chat", "chat_id": 42}


def barrier(bot, sandbox):
    """Wait until everything said so far has been taken."""
    bot.pair(9)
    sandbox.telegram.user(9).says("/whoami")
    sandbox.telegram.user(9).waits()


def test_an_unknown_user_is_answered_once_with_his_id_and_nothing_else(bot, sandbox):
    eve = sandbox.telegram.user(666)
    for typed in ("/start", "/slack_send hi", "/health", "hello", "/help", "/start wrong"):
        eve.says(typed)
    barrier(bot, sandbox)
    eve.waits()
    (answer,) = eve.conversation
    assert "Your id is telegram:666." in answer.text
    assert "levqor pair telegram" in answer.text
    assert sandbox.slack.writes == []
    assert bot.engine.ledger.runs() == []


def test_an_unknown_user_in_a_group_is_answered_only_when_he_means_this_bot(bot, sandbox):
    eve = sandbox.telegram.user(666, chat=GROUP)
    eve.says("good morning")
    eve.says("/weather")
    eve.says("/help@another_bot")
    barrier(bot, sandbox)
    assert eve.conversation == []
    eve.says("/help@levqor_sandbox_bot")
    assert "telegram:666" in eve.waits()[0].text


def test_the_code_pairs_once_and_the_menu_appears(bot, sandbox):
    code, _ = bot.engine.ledger.pair_code("telegram")
    ada, eve = sandbox.telegram.user(42), sandbox.telegram.user(666)
    ada.says(f"/start {code.upper()}")
    assert ada.waits()[0].text.startswith("You are paired: Levqor knows you as telegram:42.")
    wait_for(lambda: sandbox.telegram.menu(SCOPE))
    eve.says(f"/start {code}")
    assert "does not know you" in eve.waits()[0].text
    assert bot.engine.ledger.paired("telegram") == ["42"]


def test_whoever_tried_too_many_codes_is_not_paired_by_the_right_one(bot, sandbox):
    code, _ = bot.engine.ledger.pair_code("telegram")
    eve = sandbox.telegram.user(666)
    for _ in range(PER_HOUR["try"]):
        eve.says("/start wrong")
    eve.says(f"/start {code}")
    barrier(bot, sandbox)
    assert bot.engine.ledger.paired("telegram") == ["9"]


def test_a_code_that_cannot_be_redeemed_now_is_taken_later_and_holds_up_nobody(home, bot, sandbox):
    code, _ = bot.engine.ledger.pair_code("telegram")
    bot.pair(9)
    ada, bob = sandbox.telegram.user(42), sandbox.telegram.user(9)
    with contextlib.closing(sqlite3.connect(home / "levqor.db", timeout=5)) as other:
        other.execute("BEGIN IMMEDIATE")
        ada.says(f"/start {code}")
        bob.says("/whoami")
        bob.waits()
        assert ada.conversation == []
        other.rollback()
    assert ada.waits()[0].text.startswith("You are paired")


def test_an_unknown_user_who_got_no_answer_is_answered_the_next_time(bot, sandbox):
    eve = sandbox.telegram.user(666)
    sandbox.telegram.next(DropBefore(), on="sendMessage")
    eve.says("/help")
    wait_for(lambda: sandbox.telegram.calls("sendMessage"))
    barrier(bot, sandbox)
    assert eve.conversation == []
    eve.says("/help")
    assert "does not know you" in eve.waits()[0].text


def test_whoever_was_shut_out_is_answered_in_a_group_only_where_the_bot_is_meant(bot, sandbox):
    bot.pair(42)
    bot.engine.ledger.person_set("telegram:42", by="cli:root", role="none")
    ada = sandbox.telegram.user(42, chat=GROUP)
    ada.says("good morning")
    ada.says("/weather")
    ada.says("/help")
    (said,) = ada.waits()
    barrier(bot, sandbox)
    assert len(ada.conversation) == 1
    assert "telegram:42" in said.text


def test_a_code_is_not_taken_in_a_group_where_all_can_read_it(bot, sandbox):
    code, _ = bot.engine.ledger.pair_code("telegram")
    sandbox.telegram.user(42, chat=GROUP).says(f"/start {code}")
    barrier(bot, sandbox)
    assert bot.engine.ledger.paired("telegram") == ["9"]


def test_whoever_is_unpaired_is_an_unknown_user_at_once(bot, sandbox):
    bot.pair(42)
    ada = sandbox.telegram.user(42)
    ada.says("/whoami")
    ada.waits()
    bot.engine.ledger.unpair("telegram:42")
    ada.says("/slack_send hi")
    assert "does not know you" in ada.waits(2)[1].text
    assert sandbox.slack.writes == []


def test_a_button_of_somebody_who_was_unpaired_sends_nothing(bot, sandbox):
    bot.pair(42)
    ada = sandbox.telegram.user(42)
    for count, typed in enumerate(["/slack_send", "hi", "/skip"], start=1):
        ada.says(typed)
        preview = ada.waits(count)[-1]
    bot.engine.ledger.unpair("telegram:42")
    query = ada.presses(preview, "Send")
    wait_for(lambda: sandbox.telegram.messages.queries[query] is not None)
    barrier(bot, sandbox)
    assert sandbox.slack.writes == []


def test_menus_are_for_paired_people_and_go_when_they_go(home, sandbox):
    settings = settings_for(home, sandbox)
    api = sandbox.telegram
    for user in (42, 43):
        api.user(user).says("hello")
    with living(settings) as bot:
        bot.pair(42, 43)
    with living(settings):
        wait_for(lambda: api.menu(SCOPE) and api.menu({"type": "chat", "chat_id": 43}))
        assert api.menu(SCOPE) == [
            *(f"{one.name}_{action.name}" for one in CONNECTORS for action in one.actions),
            "health", "usage", "runs", "why", "link", "open", "whoami", "help",
        ]  # fmt: skip
        assert api.menu() == []
    with living(settings) as bot:
        bot.engine.ledger.unpair("telegram:43")
    with living(settings):
        wait_for(lambda: not api.menu({"type": "chat", "chat_id": 43}))
        assert api.menu(SCOPE)


def test_a_menu_that_did_not_get_through_is_shown_later(home, sandbox):
    sandbox.telegram.user(42).says("hello")
    settings = settings_for(home, sandbox)
    with Engine.open(settings) as engine:
        pair(engine, 42)
    trouble = Answer(502, body="Bad Gateway")
    sandbox.telegram.next(trouble, on="deleteMyCommands")
    sandbox.telegram.next(trouble, on="setMyCommands")
    with living(settings, timing=replace(QUICK, menus=0.1)):
        wait_for(lambda: sandbox.telegram.menu(SCOPE))


def test_whoever_is_unpaired_meanwhile_loses_the_menu(home, sandbox):
    sandbox.telegram.user(42).says("hello")
    settings = settings_for(home, sandbox)
    with Engine.open(settings) as engine:
        pair(engine, 42)
    with living(settings, timing=replace(QUICK, menus=0.1)) as bot:
        wait_for(lambda: sandbox.telegram.menu(SCOPE))
        bot.engine.ledger.unpair("telegram:42")
        wait_for(lambda: not sandbox.telegram.menu(SCOPE))


def test_a_flood_of_unknown_users_costs_bounded_memory_and_answers():
    unknown_users = UnknownUsers()
    heard = sum(unknown_users.allow(user, "answer") for user in range(5000) for _ in range(2))
    assert heard == MOST == 1000
    assert len(unknown_users._used) == MOST


def test_an_unknown_user_may_try_five_codes_an_hour():
    unknown_users = UnknownUsers()
    assert [unknown_users.allow(1, "try") for _ in range(7)] == [True] * 5 + [False] * 2
    assert sum(unknown_users.allow(user, "try") for user in range(2, 500)) == 55


def test_a_flood_of_unknown_users_does_not_keep_paired_people_waiting(bot, sandbox):
    bot.pair(42)
    for user in range(1000, 1150):
        sandbox.telegram.user(user).says("hello")
    ada = sandbox.telegram.user(42)
    ada.says("/slack_send hi")
    ada.waits(until=lambda said: "· run" in said.text, seconds=20)
    assert [one.json["text"] for one in sandbox.slack.writes] == ["hi"]


def test_while_nobody_is_paired_the_terminal_says_how(tmp_path, sandbox):
    home = tmp_path / "Application Support"
    home.mkdir(mode=0o700)
    told = f"telegram: nobody is paired yet; run: levqor --home '{home}' pair telegram"
    with living(settings_for(home, sandbox)) as bot:
        wait_for(lambda: told in bot.said)
        bot.pair(42)
    with living(settings_for(home, sandbox)) as bot:
        barrier(bot, sandbox)
        assert told not in bot.said
