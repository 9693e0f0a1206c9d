"""Who may: members of the workspace, whom Slack is asked about once, and no stranger."""

import pytest

from core.sandbox.slack import TEAM
from tests.support.sandbox import Answer, Delay
from tests.support.sandbox.slack_identity import GUEST, OTHER_TEAM, PERSON, STRANGER
from tests.support.slack import ME, at_work, sent
from tests.support.waiting import wait_for

TURNED_AWAY = Answer(429, headers={"Retry-After": "0"})


@pytest.mark.parametrize(
    ("user", "team", "said"),
    [
        (STRANGER, OTHER_TEAM, "members of its own workspace only"),
        (PERSON, OTHER_TEAM, "members of its own workspace only"),
        (STRANGER, TEAM, "does not answer guests"),
        (GUEST, TEAM, "does not answer guests"),
    ],
)
def test_a_stranger_is_refused_and_nothing_is_sent(slack, sandbox, user, team, said):
    assert said in slack.send("hello", user=user, team=team).ack["text"]
    assert said in slack.ask("whoami", user=user, team=team)
    assert sent(sandbox) == []
    assert slack.engine.ledger.runs() == []


def test_without_the_scope_guests_cannot_be_told_and_are_let_in(socket, sandbox):
    refused = Answer(200, json={"ok": False, "error": "missing_scope"})
    sandbox.slack.always(refused, on="users.info")
    assert "sending" in socket.send("hello", user=GUEST).ack["text"]
    assert "sending" in socket.send("hello", user=PERSON).ack["text"]
    assert len(sandbox.slack.calls("users.info")) == 1


def test_a_member_is_looked_up_once(socket, sandbox):
    socket.ask("whoami")
    socket.ask("usage")
    assert len(sandbox.slack.calls("users.info")) == 1


def test_members_whom_slack_listed_are_looked_up_no_more(home, sandbox):
    people = [f"U{number:010d}" for number in range(300)]
    sandbox.slack.members = [GUEST, *people]
    with at_work(home, sandbox) as slack:

        def looked_up(user):
            return [each for each in sandbox.slack.calls("users.info") if user in each.text]

        def known(user):
            assert ME.replace(PERSON, user) in slack.ask("whoami", user=user)
            return not looked_up(user)

        asking = iter(people)
        wait_for(lambda: known(next(asking)))
        assert "does not answer guests" in slack.ask("whoami", user=GUEST)
        assert not looked_up(GUEST)
        wait_for(lambda: len(sandbox.slack.calls("users.list")) == 2)
        wait_for(lambda: known(people.pop()))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, json={"ok": False, "error": "missing_scope"}),
        Answer(200, json={"ok": True, "members": {"id": PERSON}}),
        Answer(200, json={"ok": True, "members": [7, {"id": PERSON}], "response_metadata": 7}),
        TURNED_AWAY,
    ],
)
def test_where_slack_does_not_list_the_members_each_is_looked_up(home, sandbox, answer):
    sandbox.slack.always(answer, on="users.list")
    with at_work(home, sandbox) as slack:
        wait_for(lambda: sandbox.slack.calls("users.list"))
        assert ME in slack.ask("whoami")
        assert len(sandbox.slack.calls("users.info")) == 1


def test_whoever_slack_does_not_describe_in_time_is_not_let_in(socket, sandbox):
    sandbox.slack.next(Delay(1.5), on="users.info")
    done = socket.send("hello")
    assert done.acked
    assert "did not say in time who you are" in done.ack["text"]
    assert sent(sandbox) == []


def test_levqor_allow_is_kept(home, sandbox):
    (home / ".env").write_text("LEVQOR_ALLOW=slack:*=email.send\n")
    (home / ".env").chmod(0o600)
    with at_work(home, sandbox) as slack:
        assert "may not use" in slack.send("hello").ack["text"]
        assert "may not use" in slack.send("").ack["text"]
