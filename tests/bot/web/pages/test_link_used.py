"""A person is told in their chat that a sign-in link of theirs was used, and can end it there."""

import pytest

from bot.web.pages.browser import described
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor
from tests.support.engines import both
from tests.support.slack import ME, at_work
from tests.support.telegram import Asked, free_port, living, settings_for
from tests.support.waiting import wait_for

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
USED = "Your link to the web console was used on "
HOW = "with Firefox on Linux, on the computer that Levqor runs on."
END = "If that was not you, write /open end: it ends every session of yours at once."
ADA = "telegram:42"


@pytest.fixture
def ada(sandbox):
    """Somebody who has written to the bot before."""
    sandbox.telegram.messages.chats[42] = {"id": 42, "type": "private", "first_name": "Ada"}
    return sandbox.telegram.user(42)


@both
def test_a_bot_that_has_the_chat_tells_what_one_without_it_has_seen(web, home, environ, ada):
    Visitor(web, {"User-Agent": AGENT}).sign_in(ADA)
    for _ in range(2):
        with living(Settings(home, sandbox_urls=environ)) as bot:
            (told,) = ada.waits()
            wait_for(lambda bot=bot: not _owed(bot.engine.ledger))
    used, end = told.text.splitlines()
    assert (used[: len(USED)], used[-len(HOW) :], end) == (USED, HOW, END)
    assert len(ada.conversation) == 1


def test_who_cannot_be_told_now_is_told_by_the_next_bot(web, home, sandbox, ada):
    Visitor(web).sign_in(ADA)
    settings = settings_for(home, sandbox)
    sandbox.telegram.messages.blocked.add(42)
    with living(settings):
        wait_for(lambda: len(sandbox.telegram.calls("sendMessage")) > 1)
    assert not ada.conversation
    sandbox.telegram.messages.blocked.clear()
    with living(settings):
        assert ada.waits()[0].text.startswith(USED)


def test_who_was_told_ends_every_session_with_one_command(home, sandbox):
    port = free_port()
    with living(settings_for(home, sandbox), http=port) as bot:
        bot.pair(42)
        ada = sandbox.telegram.user(42)
        link = Asked(ada)("/open").text.splitlines()[0].rpartition("/")[2]
        ledger = bot.engine.ledger
        assert ledger.sign_in(link, 600.0, "a browser", {"telegram"})
        bot.loop.call_soon_threadsafe(bot.bot.owed)
        # At once, and not when it is looked for anyway.
        assert ada.waits(2, seconds=25)[-1].text.startswith(USED)
        code, _ = ledger.sign_in_code(ADA)
        other, _ = ledger.sign_in_code("cli:ann")
        assert ledger.sign_in(other, 600.0)
        assert "nothing, or the word end" in Asked(ada)("/open now").text
        assert Asked(ada)("/open end").text.startswith("You are signed out")
        assert [each.caller for each in ledger.sessions()] == ["cli:ann"]
        assert ledger.sign_in_caller(code) is None


def test_in_slack_it_is_a_direct_message(home, sandbox):
    with at_work(home, sandbox) as slack:
        ledger = slack.engine.ledger
        assert ledger.sign_in(ledger.sign_in_code(ME)[0], 600.0, "Safari on a Mac", {"slack"})
        slack.loop.call_soon_threadsafe(slack.bot.owed)
        wait_for(lambda: sandbox.slack.calls("chat.postMessage"))
        told = sandbox.slack.calls("chat.postMessage")[0].json
        assert told["channel"] == ME.rpartition(":")[2]
        assert "with Safari on a Mac.\n" in told["text"]
        assert "write /levqor open end: " in told["text"]
        wait_for(lambda: not _owed(ledger))


def _owed(ledger):
    return ledger.store.read(lambda db: db.execute("SELECT * FROM owed").fetchall())


def test_whoever_has_no_chat_is_owed_nothing_and_sees_the_session(web, ann):
    assert _owed(web.bot.engine.ledger) == []
    assert "cli:ann" in ann.read("/sessions")


def test_no_secret_is_in_what_is_owed(web):
    ben = Visitor(web, {"User-Agent": f"{AGENT} levqor_ci_secret"}).sign_in("slack:T1:UBEN")
    ((*_, reply_to, _, _),) = _owed(web.bot.engine.ledger)
    assert "Firefox on Linux" in reply_to
    assert "secret" not in reply_to
    assert ben.cookie.partition("=")[2] not in reply_to


@pytest.mark.parametrize(("agent", "words"), [
    (AGENT, "Firefox on Linux"),
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
     "Edge on Windows"),
    ("Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Safari/537.36", "Chrome on Android"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1",
     "Safari on an iPhone"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15", "Safari on a Mac"),
    ("curl/8.0 <b>\u202e", "an unknown browser"),
    ("", "an unknown browser"),
])  # fmt: skip
def test_a_browser_is_named_in_levqor_s_own_words(agent, words):
    assert described({"user-agent": agent}) == words
