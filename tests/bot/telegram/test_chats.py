"""What `levqor init` lists as chats, and that a bot which reads messages is never cut off by it."""

import httpx
import pytest

from core.connectors.telegram import CONNECTOR, DEFAULT
from core.engine.validation import credential_digest
from core.outbound import Outbound
from tests.support.telegram import living, settings_for
from tests.support.waiting import wait_for


@pytest.fixture
def listed(home, sandbox):
    """A function that lists the chats as `levqor init` does."""

    def chats():
        settings = settings_for(home, sandbox)
        config, outbound = settings.config(CONNECTOR), Outbound(redactor=settings.redactor())
        try:
            return outbound.probe(
                CONNECTOR.name,
                credential_digest(config),
                lambda http: CONNECTOR.choices[DEFAULT](config, http),
            )
        finally:
            outbound.close()

    return chats


def statuses(sandbox):
    return [each.status for each in sandbox.telegram.received if each.call == "getUpdates"]


@pytest.mark.parametrize("written", [0, 1])
def test_a_bot_that_polls_is_not_cut_off(home, sandbox, listed, written):
    with living(settings_for(home, sandbox)) as bot:
        ada = sandbox.telegram.user(42, name="Ada")
        for _ in range(written):
            ada.says("/help")
        assert listed() == []
        ada.says("/help")
        wait_for(lambda: len(sandbox.telegram.updates.confirmed) == written + 1)
        assert bot.health[0]
    assert 409 not in statuses(sandbox)


def test_where_no_bot_polls_the_chats_that_wrote_to_it_are_listed(sandbox, listed):
    sandbox.telegram.user(42, name="Ada").says("hello")
    assert listed() == [("42", "Ada")]
    assert len(sandbox.telegram.updates.pending) == 1


def test_a_webhook_s_messages_are_left_to_it(home, sandbox, listed):
    api = f"{sandbox.url}/telegram/bot{sandbox.telegram.token}"
    httpx.post(f"{api}/setWebhook", json={"url": "https://localhost:1/"}).raise_for_status()
    sandbox.telegram.user(42, name="Ada").says("hello")
    assert listed() == []
    assert statuses(sandbox) == []
