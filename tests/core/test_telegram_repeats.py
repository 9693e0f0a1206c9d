"""How often Telegram is asked, what is in doubt afterwards, and what no failure tells."""

import pytest

from core.connectors import telegram
from core.sandbox.telegram import CHANNEL, GROUP
from tests.support.sandbox import Answer, DropAfter
from tests.support.sending import failing_probe, refusal, send

TELEGRAM = telegram.CONNECTOR
HELLO = {"text": "Hello"}


def test_a_connection_dropped_after_the_message_is_in_doubt_and_not_repeated(sandbox):
    sandbox.telegram.always(DropAfter())

    error = refusal(TELEGRAM, sandbox, HELLO)

    assert (error.outcome, error.body()["in_doubt"]) == ("unknown", True)
    assert error.fix
    assert len(sandbox.telegram.received) == 1


@pytest.mark.parametrize(
    ("body", "header", "wait"),
    [(3600, None, 3600.0), (None, "3600", 3600.0), (3600, "7", 3600.0), (None, None, None)],
)
def test_how_long_to_wait_is_read_from_the_body_or_the_header(body, header, wait, sandbox):
    answer = {"ok": False, "error_code": 429, "description": "Too Many Requests"}
    answer |= {} if body is None else {"parameters": {"retry_after": body}}
    headers = {} if header is None else {"Retry-After": header}
    sandbox.telegram.always(Answer(429, json=answer, headers=headers))

    error = refusal(TELEGRAM, sandbox, HELLO)

    assert error.outcome == "not_sent"
    if wait is not None:
        assert error.retry_after == pytest.approx(wait, abs=5)
        assert len(sandbox.telegram.received) == 1
    else:
        assert len(sandbox.telegram.received) == 3


MOVED = {
    "ok": False,
    "error_code": 400,
    "description": "Bad Request: group chat was upgraded to a supergroup chat",
    "parameters": {"migrate_to_chat_id": CHANNEL},
}


def test_a_group_that_moved_is_followed_once_and_the_new_id_is_told(sandbox):
    sandbox.telegram.next(Answer(400, json=MOVED))

    receipt = send(TELEGRAM, sandbox, HELLO)

    first, second = sandbox.telegram.received
    assert first.json == {"chat_id": GROUP, "text": "Hello"}
    assert second.json == {"chat_id": CHANNEL, "text": "Hello"}
    assert receipt.note == (
        f"This group has a new id, {CHANNEL}: use it from now on (TELEGRAM_CHAT_ID_DEFAULT too)."
    )
    assert len(sandbox.telegram.writes) == 1


def test_a_group_that_moves_on_and_on_is_not_followed_twice(sandbox):
    sandbox.telegram.always(Answer(400, json=MOVED))

    error = refusal(TELEGRAM, sandbox, HELLO)

    assert (error.reason, len(sandbox.telegram.received)) == ("chat_migrated", 2)
    assert str(CHANNEL) in error.fix


def test_the_token_is_in_no_text_of_any_failure(sandbox):
    secret = sandbox.telegram.token.partition(":")[2]
    for answer in (Answer(401, ""), Answer(500, secret), Answer(400, json=MOVED)):
        sandbox.telegram.always(answer)
        error = refusal(TELEGRAM, sandbox, HELLO)

        assert secret not in f"{error!r} {error} {error.body()}"


@pytest.mark.parametrize(
    ("answer", "reason", "outcome"),
    [
        (Answer(401, json={"ok": False, "error_code": 401}), "token_refused", "refused"),
        (Answer(502, "<html>"), "down", "not_sent"),
        (Answer(200, "<html>"), "down", "not_sent"),
    ],
)
def test_a_probe_that_fails_leaves_nothing_in_doubt(sandbox, answer, reason, outcome):
    sandbox.telegram.always(answer)

    error = failing_probe(TELEGRAM, sandbox)

    assert (error.reason, error.outcome) == (reason, outcome)
