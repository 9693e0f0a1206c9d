"""An action without words after it: question by question, a preview, two buttons."""

from core.callers import Caller
from core.engine import targets
from core.sandbox.telegram import GROUP
from tests.support.telegram import Asked, living, sent, settings_for


def test_a_form_asks_for_each_field_by_its_name_and_sends_after_a_yes(sandbox, ada):
    asks = Asked(ada)
    first = asks("/email_send")
    assert first.asks
    assert first.markup["selective"] is True
    assert first.text == (
        "/email_send, 1 of 3: To (to)\n"
        "The address it goes to.\n"
        "At most 254 characters.\n"
        "For example: ann@example.com\n"
        "Reply with it. /cancel sends nothing."
    )
    second = asks("delivered@resend.dev", reply=first)
    assert second.text.startswith("/email_send, 2 of 3: Subject (subject)\n")
    third = asks("The build = green", reply=second)
    assert third.text.startswith("/email_send, 3 of 3: Text (text)\n")
    preview = asks("All tests pass.\nReally.", reply=third)
    assert preview.text == (
        "Send an e-mail: /email_send\n"
        "to: delivered@resend.dev\n"
        "subject: The build = green\n"
        "text: All tests pass.\nReally.\n"
        "Send it?"
    )
    assert list(preview.buttons) == ["Send", "Cancel"]
    assert all(len(data.encode()) <= 64 for data in preview.buttons.values())
    assert sandbox.resend.writes == []
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    assert preview.text.startswith("E-mail: sent · run ")
    assert preview.before[-1].startswith("E-mail: sending, run ")
    (mail,) = [one.json for one in sandbox.resend.writes]
    assert (mail["to"], mail["subject"]) == (["delivered@resend.dev"], "The build = green")
    assert mail["text"] == "All tests pass.\nReally."


def test_in_private_an_answer_need_not_be_a_reply(sandbox, ada):
    asks = Asked(ada)
    asks("/slack_send")
    asks("hello")
    preview = asks("/skip")
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    assert [one.json["text"] for one in sandbox.slack.writes] == ["hello"]


def test_in_a_group_only_a_reply_is_an_answer(sandbox, ada):
    group = sandbox.telegram.user(42, chat=GROUP)
    asks = Asked(group)
    question = asks("/slack_send")
    group.says("I am talking to somebody else")
    answer = asks("hello", reply=question)
    assert answer.text.startswith("/slack_send, 2 of 2: ")
    assert len(group.conversation) == 2


def test_two_people_in_a_group_answer_their_own_questions(bot, sandbox, ada):
    bot.pair(43)
    first = sandbox.telegram.user(42, chat=GROUP)
    second = sandbox.telegram.user(43, chat=GROUP, name="Bob")
    question = Asked(first)("/slack_send")
    told = Asked(second)("from Bob", reply=question)
    assert told.text.startswith("You have no form open here, and nothing was sent")
    answer = Asked(first)("from Ada", reply=question)
    preview = Asked(first)("/skip", reply=answer)
    assert "text: from Ada\n" in preview.text


def test_one_person_fills_in_a_form_in_each_of_two_chats(sandbox, ada):
    group = sandbox.telegram.user(42, chat=GROUP)
    in_group = Asked(group)("/slack_send")
    Asked(ada)("/slack_send")
    Asked(ada)("for one")
    Asked(group)("for all", reply=in_group)
    previews = [Asked(ada)("/skip"), Asked(group)("/skip")]
    assert "\ntext: for one\n" in previews[0].text
    assert "\ntext: for all\n" in previews[1].text
    group.presses(previews[1], "Cancel")
    ada.presses(previews[0], "Send")
    ada.waits(until=sent)
    assert [one.json["text"] for one in sandbox.slack.writes] == ["for one"]


def test_whoever_is_unpaired_with_a_form_open_sends_nothing(bot, sandbox, ada):
    asks = Asked(ada)
    asks("/slack_send")
    asks("hello")
    preview = asks("/skip")
    asks("/email_send")
    bot.engine.ledger.unpair("telegram:42")
    ada.presses(preview, "Send")
    assert asks("delivered@resend.dev").text.startswith("Levqor does not know you.")
    assert bot.engine.ledger.runs() == []


def test_no_form_is_opened_where_the_quota_is_spent(bot, sandbox, ada):
    bot.engine.ledger.set_plan("telegram:42", "free")
    ada.says("/slack_send hello")
    ada.waits(until=sent)
    told = Asked(ada)("/slack_send")
    assert "Free plan: 1 slack call/day." in told.text
    assert not told.asks


def test_an_answer_that_breaks_a_bound_is_asked_for_again(ada):
    asks = Asked(ada)
    asks("/email_send")
    again = asks("nobody")
    assert again.text.startswith("to: ")
    assert "\n\n/email_send, 1 of 3: To (to)\n" in again.text
    assert asks("ann@example.com").text.startswith("/email_send, 2 of 3")
    assert asks("one\ntwo").text.startswith("subject: must be on one line\n\n")


def test_what_may_be_left_out_says_so_and_what_may_not_insists(ada):
    asks = Asked(ada)
    asks("/slack_send")
    assert asks("/skip").text.startswith("text: is required\n\n")
    assert "/skip leaves it out, /cancel sends nothing." in asks("hi").text
    asks("/cancel")
    asks("/telegram_send")
    assert "/skip takes what TELEGRAM_CHAT_ID_DEFAULT says" in asks("hi").text
    assert "chat_id: as TELEGRAM_CHAT_ID_DEFAULT says" in asks("/skip").text


def test_rows_and_columns_are_answered_in_lines(sandbox, ada):
    asks = Asked(ada)
    asks("/sheets_append")
    asks("/skip")
    preview = asks('2026-12-01,Ada,42\n2026-12-02,Bob,"43"')
    assert 'values: 2026-12-01, Ada, 42\n2026-12-02, Bob, "43"' in preview.text
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    assert "appended 2 rows" in preview.text
    assert sandbox.sheets.writes[0].json["values"] == [
        ["2026-12-01", "Ada", 42],
        ["2026-12-02", "Bob", "43"],
    ]


def test_cancel_sends_nothing_at_any_point(sandbox, ada):
    asks = Asked(ada)
    asks("/slack_send")
    assert asks("/cancel").text == "Nothing was sent."
    asks("/slack_send")
    asks("hi")
    preview = asks("/skip")
    ada.presses(preview, "Cancel")
    ada.waits(until=lambda said: said.text == "Nothing was sent.")
    assert preview.buttons == {}
    assert sandbox.slack.writes == []


def test_a_form_that_says_the_same_again_is_asked_about_in_its_own_message(sandbox, ada):
    asks = Asked(ada)
    for _ in range(2):
        asks("/slack_send")
        asks("hi")
        preview = asks("/skip")
        ada.presses(preview, "Send")
        ada.waits(until=lambda said: sent(said) or "again" in said.text)
    assert list(preview.buttons) == ["Send again", "Cancel"]
    assert len(sandbox.slack.writes) == 1
    ada.presses(preview, "Send again")
    ada.waits(until=sent)
    assert len(sandbox.slack.writes) == 2


def test_a_long_text_is_previewed_in_part_and_sent_whole(sandbox, ada):
    asks = Asked(ada)
    asks("/slack_send")
    asks("x" * 2900)
    preview = asks("/skip")
    assert "x… (2,900 characters in all)" in preview.text
    assert len(preview.text) < 1000
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    assert sandbox.slack.writes[0].json["text"] == "x" * 2900


def test_an_answer_telegram_may_have_cut_is_pointed_out_before_it_is_sent(sandbox, ada):
    asks = Asked(ada)
    for answer in ("/email_send", "delivered@resend.dev", "x"):
        asks(answer)
    preview = asks("y" * 4096)
    assert "if it was cut in two, the rest is not in it.\nSend it?" in preview.text
    asks("/email_send")
    asks("delivered@resend.dev")
    asks("x")
    assert "cut in two" not in asks("y" * 4000).text


def test_a_form_for_what_is_not_set_up_is_not_even_opened(home, sandbox):
    settings = settings_for(home, sandbox, SLACK_WEBHOOK_URL="")
    with living(settings) as bot:
        bot.pair(42)
        answer = Asked(sandbox.telegram.user(42))("/slack_send")
    assert answer.text.startswith("Slack is not set up.")
    assert "SLACK_WEBHOOK_URL" in answer.text
    assert not answer.asks


def test_a_form_asks_for_a_target_and_then_not_for_what_it_fills_in(bot, sandbox, ada):
    root = Caller("cli", "root")
    targets.add(bot.engine, "ops", "email.send", {"to": "ann@example.com"}, None, by=root)
    asks = Asked(ada)
    first = asks("/email_send")
    assert first.text == (
        "/email_send, 1 of 4: Target (target)\n"
        "A name for where it goes, in place of to.\n"
        "One of: ops\n"
        "Reply with it. /skip leaves it out, /cancel sends nothing."
    )
    wrong = asks("opsy")
    assert wrong.text.startswith("target: is none of them; did you mean ops?\n")
    second = asks("Ops")
    assert second.text.startswith("/email_send, 2 of 3: Subject (subject)\n")
    asks("Hi")
    preview = asks("Hello")
    assert preview.text == (
        "Send an e-mail: /email_send\ntarget: ops\nsubject: Hi\ntext: Hello\nSend it?"
    )
    ada.presses(preview, "Send")
    ada.waits(until=sent)
    assert [one.json["to"] for one in sandbox.resend.writes] == [["ann@example.com"]]
    asks("/email_send")
    assert "/skip" not in asks("/skip").text  # without a target the address is needed


def test_help_names_the_targets_that_somebody_may_use(bot, ada):
    root = Caller("cli", "root")
    targets.add(bot.engine, "ops", "email.send", {"to": "ann@example.com"}, None, by=root)
    asks = Asked(ada)
    assert (
        "write target=NAME in place of where it goes\n  ops - for /email_send\n"
        in asks("/help").text
    )
    assert "target: a name for where it goes, one of ops." in asks("/help email_send").text
    bot.engine.ledger.person_set("telegram:42", by="cli:root", role="viewer")
    assert "ops" not in asks("/help").text
