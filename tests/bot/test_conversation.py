"""What every chat does with a request, without any chat."""

import asyncio
import time

import pytest

from bot.commands import Spelling
from bot.conversation import MOST_PENDING, Conversation
from bot.messages import Command, Confirm, Decision, OpenForm, Reply, Started, Submission
from bot.runtime import Bot
from core.callers import Caller
from core.connectors import CONNECTORS
from core.errors import InvalidInput, LedgerError, NotFound, QuotaSpent
from tests.support.sandbox import Delay

ADA, BOB = Caller("slack", "T1:UADA"), Caller("slack", "T1:UBOB")
SLASH = Spelling(action=lambda i: f"/{i.replace('.', '_')}", question=lambda w: f"/{w}")


def talk(engine, story, **options):
    """Run a story with a conversation on this engine: `ask` asks it, as Ada."""

    async def run():
        bot = Bot(engine)
        conversation = Conversation(bot, "chat", SLASH, **options)

        async def ask(kind=Command, caller=ADA, **parts):
            return await conversation.handle(kind(caller=caller, **parts))

        ask.talk, ask.settle = conversation, lambda started: bot.settle(started.accepted)
        try:
            return await story(ask)
        finally:
            await bot.finish()

    return asyncio.run(run())


def send(ask, text="hello", **parts):
    return ask(word="/slack_send", text=text, **parts)


@pytest.fixture
def free(engine):
    """An engine on which Ada may send as often as she likes."""
    engine.ledger.set_plan(str(ADA), "pro")
    return engine


def test_a_command_with_words_is_in_the_ledger_before_anything_is_sent(engine, sandbox):
    async def story(ask):
        started = await send(ask, id=7, reply_to={"room": 1})
        record = engine.ledger.run(started.accepted.run)
        assert (record.state, record.reply_to) == ("accepted", '{"room":1}')
        assert started.text == f"Slack: sending, run {record.run}"
        assert started.reply_to == {"room": 1}
        assert sandbox.slack.writes == []
        return (await ask.settle(started)).outcome

    # It is sent once its end is asked for: else it may be on its way by now.
    assert talk(engine, story, hold=True) == "sent"


def test_a_request_that_is_delivered_twice_is_one_run(free, sandbox):
    sandbox.slack.next(Delay(0.3), on="webhook")

    async def story(ask):
        first = await send(ask, id=7)
        out = asyncio.ensure_future(ask.settle(first))
        early = await send(ask, id=7)
        await out
        late = await send(ask, id=7)
        run = first.accepted.run
        assert [each.accepted.first for each in (first, early, late)] == [True, False, False]
        assert (early.text, late.text) == (first.text, f"Slack: sent · run {run}")
        other = await send(ask, "other", id=7)
        assert other == Reply(f"This was sent before, as run {run}; nothing more was sent.")

    talk(free, story)
    assert len(sandbox.slack.writes) == 1


def test_a_command_without_words_opens_the_actions_form(engine):
    async def story(ask):
        form = await ask(word="/email_send", text="  ")
        assert form == OpenForm(
            "Send an e-mail", "email.send", engine.action("email.send")[1].input
        )
        values = {"to": "delivered@resend.dev", "subject": "Hi", "text": "Hello"}
        filled = await ask(Submission, action_id=form.action_id, values=values)
        return (await ask.settle(filled)).outcome

    assert talk(engine, story) == "sent"


def test_no_form_is_opened_that_could_only_be_refused(engine):
    async def story(ask):
        await ask.settle(await send(ask))
        return await send(ask, "")

    refused = talk(engine, story)
    assert isinstance(refused.error, QuotaSpent)
    assert refused.text.startswith("Free plan: 1 slack call/day.")


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"word": "/slck_send"}, NotFound, "Did you mean /slack_send?"),
        ({"word": "/email_send", "text": "to=nobody hello"}, InvalidInput, "subject: "),
        ({"word": "/why"}, InvalidInput, "Usage: why RUN_ID"),
        (
            {"kind": Submission, "action_id": "slack.send", "values": {"text": ""}},
            InvalidInput,
            "text: ",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_way_to_do_it(engine, parts, error, words):
    refused = talk(engine, lambda ask: ask(**parts))
    assert isinstance(refused.error, error)
    assert words in refused.text


def test_questions_are_answered(engine):
    async def story(ask):
        replies = [await ask(word=f"/{word}") for word in ("whoami", "usage", "health", "help")]
        assert all(reply.error is None for reply in replies)
        return [reply.text for reply in replies]

    whoami, usage, health, about = talk(engine, story)
    assert whoami.splitlines() == [
        f"You are {ADA}, on the free plan.",
        "You are a sender: you may send, and see your own runs.",
    ]
    assert "slack.send: 0 of 1 used" in usage
    assert f"{len(CONNECTORS)} of {len(CONNECTORS)} services are set up" in health
    assert "/slack_send" in about


async def repeated(ask):
    """Send a thing, then the same thing; gives the question."""
    await ask.settle(await send(ask))
    question = await send(ask, reply_to={"room": 2})
    assert isinstance(question, Confirm)
    return question


def test_a_repeat_is_a_question_and_a_yes_counts_once(free, sandbox):
    async def story(ask):
        question = await repeated(ask)
        assert "Send it again?" in question.text
        assert (question.yes, question.no, len(question.nonce)) == ("Send again", "Cancel", 16)
        assert len(free.ledger.runs()) == 1
        both = await asyncio.gather(*(ask(Decision, id=question.nonce) for _ in range(2)))
        third = await ask(Decision, id=question.nonce, yes=False)
        assert sorted(each.accepted.first for each in both) == [False, True]
        assert {each.accepted.run for each in [*both, third]} == {free.ledger.runs(1)[0].run}
        (first,) = (each for each in both if each.accepted.first)
        assert first.reply_to == {"room": 2}
        assert (await ask.settle(first)).outcome == "sent"

    talk(free, story)
    assert len(sandbox.slack.writes) == 2


def test_a_no_is_final(free, sandbox):
    async def story(ask):
        question = await repeated(ask)
        assert await ask(Decision, id=question.nonce, yes=False) == Reply("Not sent again.")
        gone = await ask(Decision, id=question.nonce)
        assert gone.text.startswith("Nothing was sent: this was asked more than ten minutes ago")

    talk(free, story)
    assert len(sandbox.slack.writes) == 1


def test_only_whoever_was_asked_may_say_yes(free):
    async def story(ask):
        question = await repeated(ask)
        other = await ask(Decision, BOB, id=question.nonce)
        assert other == Reply("Somebody else was asked this. Nothing more was sent.")
        yes = await ask(Decision, id=question.nonce)
        assert yes.accepted.first
        assert not isinstance(await ask(Decision, BOB, id=question.nonce), Started)

    talk(free, story)


def test_a_restart_forgets_the_question_and_not_the_run(free):
    async def before(ask):
        sent, open_one = await repeated(ask), await send(ask)
        return sent.nonce, open_one.nonce, await ask(Decision, id=sent.nonce)

    async def after(ask):
        return await ask(Decision, id=sent), await ask(Decision, id=still_open)

    sent, still_open, started = talk(free, before)
    again, gone = talk(free, after)
    assert again.accepted.run == started.accepted.run
    assert not again.accepted.first
    assert gone.text.startswith("Nothing was sent: ")


def test_a_question_that_waits_too_long_is_gone(engine):
    async def story(ask):
        question = await send(ask, confirm="Send it?")
        await asyncio.sleep(0.06)
        return await ask(Decision, id=question.nonce)

    assert talk(engine, story, pending_seconds=0.05).text.startswith("Nothing was sent: ")
    assert engine.ledger.runs() == []


def test_a_flood_of_questions_forgets_the_oldest(engine):
    async def story(ask):
        questions = [await send(ask, confirm="Send it?") for _ in range(MOST_PENDING + 1)]
        nonces = (questions[0].nonce, questions[1].nonce)
        return [await ask(Decision, id=nonce, yes=False) for nonce in nonces]

    oldest, next_oldest = talk(engine, story)
    assert "more than ten minutes ago" in oldest.text
    assert next_oldest == Reply("Nothing was sent.")


def test_what_was_written_long_ago_is_asked_about_first(free, sandbox):
    written = time.time() - 3600

    async def story(ask):
        await ask.settle(await send(ask))
        late = await send(ask, id=7, written_at=written)
        assert late.text == "You asked for this 1 hour ago, while Levqor was off. Send it now?"
        assert (late.yes, late.no) == ("Send now", "Cancel")
        # Also a late one is guarded: this is the same again.
        same = await ask(Decision, id=late.nonce)
        assert "Send it again?" in same.text
        await ask.settle(await ask(Decision, id=same.nonce))

    talk(free, story)
    assert len(sandbox.slack.writes) == 2


def test_a_late_request_that_has_its_run_is_not_asked_about(free):
    async def story(ask):
        first = await send(ask, id=7)
        again = await send(ask, id=7, written_at=time.time() - 3600)
        assert again.accepted.run == first.accepted.run

    talk(free, story)


def test_what_a_surface_wants_confirmed_is_asked_about_first(engine):
    async def story(ask):
        question = await send(ask, id=7, written_at=time.time(), confirm="Is this all?")
        assert (question.text, question.yes, question.no) == ("Is this all?", "Send", "Cancel")
        assert engine.ledger.runs() == []
        return await ask(Decision, id=question.nonce)

    assert talk(engine, story).accepted.first


def test_a_decision_nobody_can_look_up_must_come_again(engine):
    async def story(ask):
        engine.ledger.close()
        await ask(Decision, id="a-nonce")

    with pytest.raises(LedgerError):
        talk(engine, story)


def test_a_script_is_asked_nothing(free, sandbox):
    async def story(ask):
        for _ in range(2):
            await ask.settle(await send(ask))
        return await send(ask, "")

    refused = talk(free, story, interactive=False)
    assert len(sandbox.slack.writes) == 2
    assert refused.error.faults[0].message == "is missing; see: /help slack.send"
