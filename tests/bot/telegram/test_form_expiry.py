"""How a form ends when nobody answers it: a restart, ten minutes, a flood; nothing is kept."""

import time

import pytest

from bot.messages import OpenForm
from bot.telegram.forms import Form, Forms
from tests.support.telegram import Asked, living, sent, settings_for


def test_after_a_restart_an_open_form_says_that_nothing_was_sent(home, sandbox):
    settings = settings_for(home, sandbox)
    ada = sandbox.telegram.user(42)
    asks = Asked(ada)
    with living(settings) as bot:
        bot.pair(42)
        asks("/slack_send")
        asks("hi")
        preview = asks("/skip")
        question = asks("/slack_send")
    with living(settings):
        ada.presses(preview, "Send")
        ada.waits(until=lambda _: not preview.buttons)
        closed = asks("hi", reply=question)
    assert preview.text.startswith("Nothing was sent: ")
    assert closed.text.startswith("You have no form open here, and nothing was sent")
    assert sandbox.slack.writes == []


def test_after_a_restart_a_button_that_has_sent_does_not_say_otherwise(home, sandbox):
    settings = settings_for(home, sandbox)
    ada = sandbox.telegram.user(42)
    asks = Asked(ada)
    with living(settings) as bot:
        bot.pair(42)
        asks("/slack_send")
        asks("hi")
        preview = asks("/skip")
        button = dict(preview.buttons)["Send"]
        ada.presses(preview, "Send")
        ada.waits(until=sent)
        receipt = preview.text
    press = {
        "id": "55", "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "message": preview.json, "chat_instance": "42", "data": button,
    }  # fmt: skip
    sandbox.telegram.messages.queries["55"] = None
    sandbox.telegram.inject({"callback_query": press})
    with living(settings):
        asks("/whoami")
    assert preview.text == receipt
    assert len(sandbox.slack.writes) == 1


def test_nothing_of_a_form_is_written_down(home, sandbox):
    with living(settings_for(home, sandbox)) as bot:
        bot.pair(42)
        asks = Asked(sandbox.telegram.user(42))
        asks("/slack_send")
        asks("UNMISTAKABLEPAYLOAD")
        asks("/skip")
    kept = [file for file in home.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if b"UNMISTAKABLEPAYLOAD" in file.read_bytes()]


@pytest.fixture
def form(engine):
    _, action = engine.action("slack.send")
    return Form(OpenForm(action.title, "slack.send", action.input), engine.settings.default)


def test_a_form_ends_ten_minutes_after_the_last_answer(form):
    def until():
        return forms._kept[1, 42][0]

    forms = Forms()
    began = time.monotonic()
    forms[1, 42] = form
    first = until()
    assert began + 600 <= first <= time.monotonic() + 600
    assert forms.get((1, 43)) is None
    assert forms.get((1, 42)) is form
    assert until() > first


def test_a_form_that_has_ended_is_not_found(form):
    forms = Forms(seconds=0)
    forms[1, 42] = form
    assert forms.get((1, 42)) is None
    assert forms.pop((1, 42)) is None


def test_a_flood_of_forms_forgets_the_oldest(form):
    forms = Forms()
    for user in range(1001):
        forms[1, user] = form
    assert forms.get((1, 0)) is None
    assert forms.get((1, 1)) is not None
