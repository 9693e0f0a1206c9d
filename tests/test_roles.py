"""Roles: what each may do on each interface, tried through the interfaces themselves.

A way for one more interface is a class as below, in WAYS. What an interface has no way to ask for
stands in its `lacks`; no other cell of the table is missing.
"""

import contextlib
import json
from dataclasses import replace

import pytest

from bot.commands import QUESTIONS
from bot.slack.manifest import spelling as slack_spelling
from bot.surfaces import SURFACES
from bot.telegram.menus import SPELLING as TELEGRAM_SPELLING
from core.callers import os_user
from core.connectors import CONNECTORS
from core.engine import Engine
from core.ledger import Ledger
from core.roles import Role
from core.sandbox.slack import TEAM
from core.settings import Settings
from tests.bot.web.pages.conftest import Visitor
from tests.support.journal import finish
from tests.support.programs import Console
from tests.support.slack import at_work
from tests.support.telegram import QUICK, Asked, living, settings_for
from tests.support.waiting import wait_for
from tests.support.web import served
from tray import desktop
from tray import menu as tray_menu
from tray.source.local import Local as LocalSource
from tray.state import State

SAMPLES = {c.action_id(a): dict(a.sample) for c in CONNECTORS for a in c.actions}
OTHERS = "another's run"
# Pages of the web console; a terminal's user may do all of that anyway, and a chat none of it.
ADMINS = ("people", "tokens", "targets", "audit")

NONE, VIEWER, SENDER, ADMIN = Role
TABLE = {
    **{action: {SENDER, ADMIN} for action in SAMPLES},
    "health": {VIEWER, SENDER, ADMIN},
    "usage": {VIEWER, SENDER, ADMIN},
    "runs": {VIEWER, SENDER, ADMIN},
    "why": {VIEWER, SENDER, ADMIN},
    OTHERS: {ADMIN},
    # Who was made an admin is linked by an admin.
    "link": {VIEWER, SENDER},
    "open": {VIEWER, SENDER, ADMIN},
    "whoami": {NONE, VIEWER, SENDER, ADMIN},
    "help": {VIEWER, SENDER, ADMIN},
    **{page: {ADMIN} for page in ADMINS},
}
REFUSALS = ("may not use Levqor. ", "may not send", "no run of yours", "by an admin only")


def answered(text):
    """Whether somebody was given what they asked for."""
    return not any(refusal in text for refusal in REFUSALS)


class Way:
    """An interface: whom it asks as, what it tries, and what it offers."""

    lacks, offered_only = ADMINS, frozenset()
    shown = frozenset()  # what is offered to whom everything is refused

    def __init__(self, home, sandbox, open_way):
        self.home, self.sandbox = home, sandbox
        self.open = open_way
        self.ledger = open_way.enter_context(Ledger.open(home))
        self.run = "nosuchrun0"

    def becomes(self, caller, role):
        """Give somebody a role, and no limit."""
        self.ledger.person_set(caller, by="cli:root", role=role, plan="pro")

    def question(self, what):
        """The words of a question."""
        runs = {"why": f"why {self.own}", OTHERS: f"why {self.run}"}
        return runs.get(what, what)


class InSlack(Way):
    """Members of a workspace, one for each role."""

    def __init__(self, *args):
        super().__init__(*args)
        self.bot = self.open.enter_context(at_work(self.home, self.sandbox))
        self.spelling = slack_spelling("levqor-")

    def caller(self, role):
        return f"slack:{TEAM}:U{role.upper()}"

    def asks(self, role, what):
        user = f"U{role.upper()}"
        if what in SAMPLES:
            text = json.dumps(SAMPLES[what])
            said = self.sandbox.slack.command(self.spelling.action(what), text, user=user)
            words = said.ack["text"]
            return said.waits(1)[-1]["text"] if "sending" in words else words
        return self.bot.ask(self.question(what), user=user)

    def offers(self, role):
        user, slack = f"U{role.upper()}", self.sandbox.slack
        listed = self.bot.ask("help", user=user)
        offered = {i for i in SAMPLES if f"{self.spelling.action(i)} " in listed}
        slack.event("app_home_opened", user=user, tab="home")
        wait_for(lambda: slack.views.homes.get(user))
        home = json.dumps(slack.views.homes[user])
        assert {i for i in SAMPLES if f'"{i}"' in home} == offered
        return {*offered, *(q.word for q in QUESTIONS if f"  /levqor {q.word}" in listed)}


class InTelegram(Way):
    """People who were paired, one for each role."""

    def __init__(self, *args):
        super().__init__(*args)
        self.bot = self.open.enter_context(
            living(settings_for(self.home, self.sandbox), timing=replace(QUICK, menus=0.2))
        )
        for role in Role:
            # Who never wrote to the bot can be shown no menu.
            Asked(self.sandbox.telegram.user(self.ident(role)))("hello")
        self.bot.pair(*(self.ident(role) for role in Role))

    def ident(self, role):
        return 7000 + [*Role].index(role)

    def caller(self, role):
        return f"telegram:{self.ident(role)}"

    def asks(self, role, what):
        person = self.sandbox.telegram.user(self.ident(role))
        if what in SAMPLES:
            asked = Asked(person)
            last = asked(f"{TELEGRAM_SPELLING.action(what)} {json.dumps(SAMPLES[what])}")
            wait_for(lambda: "sending" not in person.conversation[-1].text)
            return person.conversation[-1].text or last.text
        return Asked(person)(f"/{self.question(what)}").text

    def offers(self, role):
        spelled = {TELEGRAM_SPELLING.action(i).lstrip("/"): i for i in SAMPLES}
        scope, listed = {"type": "chat", "chat_id": self.ident(role)}, self.asks(role, "help")
        named = {
            *(i for i in SAMPLES if f"{TELEGRAM_SPELLING.action(i)} " in listed),
            *(q.word for q in QUESTIONS if f"  /{q.word}" in listed),
        }
        shown = lambda: {spelled.get(n, n) for n in self.sandbox.telegram.menu(scope)}  # noqa: E731
        # The menu beside the field follows a role that changes.
        wait_for(lambda: shown() == (named or {"whoami"}))
        return named


class InConsole(Way):
    """Whoever sits at the machine, in one role after another."""

    def __init__(self, *args):
        super().__init__(*args)
        self.console = self.open.enter_context(Console(self.home, self.sandbox.settings()))

    def caller(self, role):
        return f"console:{os_user()}"

    def asks(self, role, what):
        if what == "whoami":
            # It is what tells that an answer is over.
            return self.console.does("# nothing").words
        words = f"{what} {json.dumps(SAMPLES[what])}" if what in SAMPLES else self.question(what)
        return self.console.does(words).words

    def offers(self, role):
        listed = self.asks(role, "help")
        return {
            *(i for i in SAMPLES if f"  {i} " in listed),
            *(q.word for q in QUESTIONS if f"\n  {q.word}" in listed),
        }


class InTray(Way):
    """Whoever sits at the machine: the tray asks for health, and sends tests."""

    # Whoever may use the home sees how it is doing.
    shown = frozenset({"health"})
    lacks = ("usage", "runs", "why", OTHERS, "link", "open", "whoami", "help", *ADMINS)
    # Each try is a process: what the others may do is shown by the rows that offer it.
    offered_only = {*SAMPLES} - {"slack.send"}

    def __init__(self, *args):
        super().__init__(*args)
        self.source = LocalSource(
            self.home, environment=lambda: desktop.environment(self.sandbox.settings())
        )
        self.open.callback(self.source.close)

    def caller(self, role):
        return f"tray:{os_user()}"

    def asks(self, role, what):
        if what in SAMPLES:
            return self.source.test(what).words
        self.health = self.source.health()
        return "" if self.health.connectors else "may not send"

    def offers(self, role):
        state = State(0.0, self.source.info, health=self.health)
        rows = [row for top in tray_menu.menu(state).rows for row in top.rows]
        return {row.command.arg for row in rows if row.key.startswith("test:")} | {"health"}


PAGES = {"health": "/", "runs": "/runs", **{page: f"/{page}" for page in ADMINS}}


class InBrowser(Way):
    """Members of a workspace who are signed in to the web console."""

    lacks = ("usage", "link", "open", "whoami", "help")

    def __init__(self, *args):
        super().__init__(*args)
        settings = Settings(self.home, environ=self.sandbox.settings())
        engine = self.open.enter_context(Engine.open(settings))
        self.web, self.visitors = self.open.enter_context(served(engine)), {}

    def caller(self, role):
        return f"slack:{TEAM}:U{role.upper()}"

    def visitor(self, role):
        if role not in self.visitors:
            self.visitors[role] = Visitor(self.web).sign_in(self.caller(role))
        return self.visitors[role]

    def asks(self, role, what):
        somebody = self.visitor(role)
        if what in SAMPLES:
            form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in SAMPLES[what].items()}
            reply = somebody.post(f"/send/{what}", {**form, "nonce": what, "step": "send"})
        else:
            runs = {"why": f"/runs/{self.own}", OTHERS: f"/runs/{self.run}"}
            reply = somebody.get({**PAGES, **runs}[what])
        return "" if reply.status == 200 else "may not send"

    def offers(self, role):
        read = lambda path: self.visitor(role).get(path).body.decode()  # noqa: E731
        menu = read("/").partition("</nav>")[0]
        shown = {what for what, path in PAGES.items() if f'<a href="{path}"' in menu}
        shown |= {"why"} if f'"/runs/{self.own}"' in read("/runs") else set()
        return shown | {what for what in SAMPLES if f'"/send/{what}"' in read("/send")}


WAYS = {
    "web": InBrowser,
    "slack": InSlack,
    "telegram": InTelegram,
    "console": InConsole,
    "tray": InTray,
}
# Tried in its own tests.
ELSEWHERE = {"http"}


def test_the_table_has_a_row_for_every_question_and_action_and_each_interface_a_way():
    assert {*TABLE} == {*SAMPLES, *(question.word for question in QUESTIONS), OTHERS, *ADMINS}
    assert {*WAYS} - {"web"} | ELSEWHERE == {*(surface.name for surface in SURFACES), "tray"}
    assert all({*way.lacks} < {*TABLE} for way in WAYS.values())


@pytest.mark.parametrize("name", WAYS)
def test_what_a_role_may_do_is_offered_and_done_and_all_else_is_neither(name, home, sandbox):
    with contextlib.ExitStack() as open_way:
        way = WAYS[name](home, sandbox, open_way)
        way.run = finish(way.ledger, "sent", caller="cli:somebody").run
        tried, offered = {}, {}
        for role in Role:
            caller = way.caller(role)
            way.becomes(caller, role)
            way.own = finish(way.ledger, "sent", caller=caller).run
            for what in TABLE:
                if what not in {*way.lacks, *way.offered_only}:
                    tried[what, role] = answered(way.asks(role, what))
            offered[role] = way.offers(role)
    asked = [what for what in TABLE if what not in way.lacks]
    assert tried == {
        (what, role): role in TABLE[what] or what in way.shown
        for what in asked
        for role in Role
        if what not in way.offered_only
    }
    listed = [what for what in asked if what != OTHERS]
    assert offered == {
        role: {what for what in listed if role in TABLE[what]} if role is not NONE else way.shown
        for role in Role
    }
