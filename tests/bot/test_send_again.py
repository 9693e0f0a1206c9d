"""An answer that something was not sent, and the button with which it is sent again."""

import asyncio

import pytest

from bot.messages import Confirm, Decision, Reply
from core.errors import Forbidden, QuotaSpent
from tests.bot.test_conversation import ADA, BOB, send, talk
from tests.support.engines import both
from tests.support.holding import held
from tests.support.sandbox import Answer, DropAfter

CANARY = "canary-5e0a72"
# Slack's answer to each of a run's three attempts that surely did nothing.
TURNED_AWAY = Answer(429, headers={"Retry-After": "0"})


async def not_sent(ask, sandbox, **parts):
    """Have a run turned away; what its asker is told."""
    sandbox.slack.next(*[TURNED_AWAY] * 3, on="webhook")
    started = await send(ask, **parts)
    told = ask.talk.ended(await ask.settle(started))
    assert isinstance(told, Confirm)
    return told


@both
def test_what_was_not_sent_is_sent_again_once_however_often_that_is_pressed(engine, sandbox):
    async def story(ask):
        told = await not_sent(ask, sandbox, reply_to={"room": 2})
        assert told.text.startswith("Not sent. ")
        assert (told.yes, told.no, told.caller) == ("Send again", None, ADA)
        presses = [ask(Decision, id=told.nonce) for _ in range(3)]
        answers = [*await asyncio.gather(*presses), await ask(Decision, id=told.nonce)]
        assert sorted(each.accepted.first for each in answers) == [False, False, False, True]
        assert len({each.accepted.run for each in answers}) == 1
        (first,) = (each for each in answers if each.accepted.first)
        assert first.reply_to == {"room": 2}
        ended = ask.talk.ended(await ask.settle(first))
        assert ended == Reply(f"Slack: sent · run {first.accepted.run}")

    talk(engine, story)
    assert sorted(each.state for each in engine.ledger.runs()) == ["not_sent", "sent"]
    assert sandbox.slack.writes[-1].json == {"text": "hello"}


def test_what_is_not_sent_a_second_time_may_be_sent_a_third(engine, sandbox):
    async def story(ask):
        first = await not_sent(ask, sandbox)
        sandbox.slack.next(*[TURNED_AWAY] * 3, on="webhook")
        again = ask.talk.ended(await ask.settle(await ask(Decision, id=first.nonce)))
        assert again.nonce != first.nonce
        return (await ask.settle(await ask(Decision, id=again.nonce))).outcome

    assert talk(engine, story) == "sent"


def test_sending_again_goes_through_quota_role_and_guard_like_any_other(engine, sandbox):
    async def story(ask):
        told = await not_sent(ask, sandbox)
        await ask.settle(await send(ask, "another"))
        spent = await ask(Decision, id=told.nonce)
        engine.ledger.person_set(str(ADA), by="cli:me", plan="pro", role="viewer")
        forbidden = await ask(Decision, id=told.nonce)
        assert [type(each.error) for each in (spent, forbidden)] == [QuotaSpent, Forbidden]
        engine.ledger.person_set(str(ADA), by="cli:me", role="sender")
        await ask.settle(await send(ask))
        question = await ask(Decision, id=told.nonce)
        assert "Send it again?" in question.text
        return [run.state for run in engine.ledger.runs()]

    assert talk(engine, story) == ["sent", "sent", "not_sent"]


def test_only_whoever_asked_may_send_it_again(engine, sandbox):
    async def story(ask):
        told = await not_sent(ask, sandbox)
        return await ask(Decision, BOB, id=told.nonce)

    assert talk(engine, story) == Reply("Somebody else was asked this. Nothing more was sent.")


@pytest.mark.parametrize("restart", [True, False], ids=["restart", "late"])
def test_after_a_restart_or_too_late_sending_again_says_what_to_do(engine, sandbox, restart):
    async def before(ask):
        told = await not_sent(ask, sandbox)
        if not restart:
            await asyncio.sleep(0.06)
            return await ask(Decision, id=told.nonce)
        return told.nonce

    gone = talk(engine, before, pending_seconds=600.0 if restart else 0.05)
    if restart:
        gone = talk(engine, lambda ask: ask(Decision, id=gone))
    assert gone.text.startswith("Nothing was sent: this was asked more than ten minutes ago, or ")
    assert gone.text.endswith("Please write the command again.")
    assert len(engine.ledger.runs()) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"), [(Answer(404, "no_service"), "refused"), (DropAfter(), "unknown")]
)
def test_only_what_was_surely_not_sent_is_offered_again(engine, sandbox, answer, outcome):
    async def story(ask):
        sandbox.slack.next(answer, on="webhook")
        return ask.talk.ended(await ask.settle(await send(ask)))

    told = talk(engine, story)
    assert (type(told), told.error.outcome) == (Reply, outcome)


def test_a_request_that_the_database_did_not_take_may_be_sent_again(engine, home):
    async def story(ask):
        with held(home):
            told = [await send(ask)]
            assert "Not sent." in told[0].text
            told.append(await ask(Decision, id=told[0].nonce))
        # Of two presses at once the other one may have begun a run: it is the same question.
        assert told[1].nonce == told[0].nonce
        return (await ask.settle(await ask(Decision, id=told[1].nonce))).outcome

    assert talk(engine, story, patience=0.2) == "sent"


def test_a_script_is_offered_nothing_again(engine, sandbox):
    async def story(ask):
        sandbox.slack.next(*[TURNED_AWAY] * 3, on="webhook")
        return ask.talk.ended(await ask.settle(await send(ask)))

    assert isinstance(talk(engine, story, interactive=False), Reply)


def test_what_may_be_sent_again_is_written_nowhere(engine, sandbox, home):
    async def story(ask):
        told = await not_sent(ask, sandbox, text=CANARY)
        await ask.settle(await ask(Decision, id=told.nonce))
        engine.ledger.store.backup(home / "copy.db")

    talk(engine, story)
    files = [file for file in home.rglob("*") if file.is_file()]
    assert len(files) > 2
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]
