"""Every update that Telegram can bring: nothing falls, nothing is sent that nobody asked for."""

import json
from collections import Counter
from itertools import islice

import pytest

from bot.conversation import GONE
from bot.telegram.handlers import HINT, OTHERS
from core.engine import Engine
from core.sandbox.telegram import GROUP
from core.settings import Settings
from tests.support.bot import Program
from tests.support.canary import CANARIES, assert_clean
from tests.support.made_updates import GROUP_CHAT, Maker, private
from tests.support.telegram import free_port, pair
from tests.support.waiting import wait_for

HEALTH = "5 of 5 services are"
ADA, BOB, HUGE = 42, 77, 2**52 - 1
WEBHOOK = {"LEVQOR_TELEGRAM": "webhook"}


@pytest.fixture
def schemas(specs):
    """What Telegram's description says of each thing."""
    spec = json.loads((specs / "telegram.openapi.json").read_text("utf-8"))
    return spec["components"]["schemas"]


def made(schemas):
    """Each update, who it is of, and what it wants; the last ones are the strangest."""
    for user, chat in [
        (ADA, private(ADA)), (BOB, private(BOB)), (ADA, GROUP_CHAT), (HUGE, private(HUGE)),
    ]:  # fmt: skip
        every = 1 if chat["id"] == user != HUGE else 7
        for update, wants in islice(Maker(schemas, user, chat).updates(), 0, None, every):
            yield update, user, chat, wants


def said_to(sandbox, user, chat):
    return [message.text for message in sandbox.telegram.user(user, chat=chat).conversation]


@pytest.mark.parametrize("way", ["poll", "webhook"])
def test_every_update_is_passed_over_or_answered_as_it_asks(home, sandbox, schemas, way):
    settings = sandbox.settings()
    with Engine.open(Settings(home, sandbox_urls=settings)) as engine:
        pair(engine, ADA)
    port, args = free_port(), ["--no-http"]
    if way == "webhook":
        settings |= {**WEBHOOK, "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}"}
        args = ["--http", f"127.0.0.1:{port}"]
    ada = sandbox.telegram.user(ADA)
    for user in (BOB, HUGE):
        sandbox.telegram.user(user).meets()
    updates = [*made(schemas)]
    with Program(home, settings, *args) as bot:
        bot.until("telegram: takes messages")
        numbers = sandbox.telegram.brings([update for update, *_ in updates])
        ada.says("/health")
        ada.waits(until=lambda said: "Slack" in said.text)
        wait_for(lambda: set(numbers) <= set(sandbox.telegram.updates.confirmed))
        assert "Traceback" not in bot.said
        assert "skipped" not in bot.said
        assert bot.terminate() == 0
    for chat in (ADA, GROUP):
        asked = Counter(
            wants for _, user, where, wants in updates if (user, where["id"]) == (ADA, chat)
        )
        heard = Counter(text[:19] for text in said_to(sandbox, ADA, chat))
        answers = {"You are telegram:42": asked["ask"], GONE: asked["gone"]}
        if chat == ADA:
            answers |= {OTHERS: asked["others"], HINT: asked["text"], HEALTH: 1}
        assert heard == Counter({text[:19]: count for text, count in answers.items()})
    for user in (BOB, HUGE):
        (text,) = said_to(sandbox, user, user)
        assert text.startswith("Levqor does not know you.")
    assert [each.writes for each in sandbox.services if each.name != "telegram"] == [[]] * 4
    with Engine.open(Settings(home, sandbox_urls=settings)) as engine:
        assert engine.ledger.runs() == []
    assert_clean(bot.said, home, canaries=[*CANARIES.values(), sandbox.telegram.token])
