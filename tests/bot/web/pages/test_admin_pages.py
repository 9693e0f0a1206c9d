"""The admins' pages together: who sees them, that they do what the terminal does, and the audit."""

import html
import re
from itertools import chain
from urllib.parse import quote

import pytest
import typer

from core.cli.app import app
from core.ledger import Ledger
from core.scopes import Read
from tests.bot.web.pages.conftest import Visitor, words
from tests.support.canary import CANARIES, assert_clean, secrets
from tests.support.engines import both

PAGE = "its address names it"
# Each command of an admin's: the page that does it, and where on it each option is.
ON_A_PAGE = {
    "callers": ("/people", {}),
    "people list": ("/people", {}),
    "people add": ("/people", dict.fromkeys(("name", "callers", "display", "role", "plan"))),
    "people set": ("/people/ben", {"whom": PAGE, "role": None, "plan": None, "display": None}),
    "people link": ("/people/ben", {"name": PAGE, "caller": None}),
    "people unlink": ("/people/ben?confirm=unlink&caller=telegram:42", {"caller": None}),
    "people remove": ("/people/ben?confirm=remove", {"name": PAGE}),
    "plan set": ("/people/ben", {"whom": PAGE, "plan": None}),
    "unpair": ("/people/ben?confirm=unpair&caller=telegram:42", {"caller": None}),
    "pair telegram": ("/people", {}),
    "token new": (
        "/tokens",
        dict.fromkeys(("label", "per_hour", "expires", "plan", "admin")) | {"only": "only.*"},
    ),
    "token list": ("/tokens", {}),
    "token set": (
        "/tokens/ci", {"label": PAGE, "only": "only.*", "per_hour": None, "expires": None},
    ),
    "token rotate": ("/tokens/ci", {"label": PAGE, "overlap": None}),
    "token revoke": ("/tokens/ci?confirm=revoke", {"label": PAGE}),
    "target add": (
        "/targets?action=email.send",
        {"name": None, "action": None, "where": "to", "account": None},
    ),
    "target list": ("/targets", {"live": "do"}),
    "target set": ("/targets/boss", {"name": PAGE, "where": "to", "account": "account"}),
    "target remove": ("/targets/boss?confirm=remove", {"name": PAGE}),
    "target test": ("/targets/boss", {"name": PAGE}),
    "audit": (
        "/audit", {"since": None, "last": "pages", "export": "a file of the terminal's machine"},
    ),
    "run": ("/send", None), "runs": ("/runs", None), "health": ("/", None), "bots": ("/", None),
    "usage": ("/people", None), "why": ("/runs", None), "open": ("/sessions", None),
}  # fmt: skip
TERMINAL_ONLY = {
    "init": "it writes secrets to the home's .env",
    "doctor": "it looks at the machine it runs on",
    "smoke": "it writes evidence to a folder",
    "sandbox": "it starts a server",
    "link": "each person writes it on both of their own interfaces",
    "backup": "it writes a file",
    "restore": "it needs an empty database",
    "prune": "the bot does it by itself",
    "service install": "it changes the machine",
    "service status": "it asks the machine",
    "service remove": "it changes the machine",
    "home move": "the bot must not run",
}
# What a page without any further account has no choice of.
WITH_ACCOUNTS = {"account"}


def commands():
    """Every command of the terminal, with its options."""

    def walk(command, path=()):
        if not hasattr(command, "list_commands"):
            yield " ".join(path), {p.name for p in command.params} - {"help", "output"}
            return
        for name in command.list_commands(None):
            yield from walk(command.get_command(None, name), (*path, name))

    return dict(walk(typer.main.get_command(app)))


def fill(ledger):
    ledger.person_add("ben", ["slack:T1:UBEN", "telegram:42"], by="cli:root", role="sender")
    ledger.redeem("telegram", "42", ledger.pair_code("telegram")[0])
    ledger.token_new("ci")
    ledger.target_add("boss", "email.send", None, {"to": "boss@example.com"}, by="cli:root")


def test_whatever_the_terminal_does_a_page_does_with_every_option(serve):
    web = serve()
    fill(web.bot.engine.ledger)
    ann, known = Visitor(web).sign_in(), commands()
    assert set(known) == {*ON_A_PAGE, *TERMINAL_ONLY}, "give a new command its page or its reason"
    for command, (page, options) in ON_A_PAGE.items():
        shown = ann.get(page)
        assert shown.status == 200, command
        if options is None:
            continue
        assert set(options) == known[command], command
        fields = set(re.findall(r' name="([^"]+)"', shown.body.decode()))
        wanted = {where or option for option, where in options.items()} - WITH_ACCOUNTS
        assert {each for each in wanted if " " not in each and each != "pages"} <= fields, command


PAGES = [
    "/people", "/people/ben", "/people/ben?confirm=remove", "/people/telegram:7", "/tokens",
    "/tokens/ci", "/tokens/ci?confirm=revoke", "/targets", "/targets?action=email.send",
    "/targets/boss", "/targets/boss?confirm=remove", "/audit",
]  # fmt: skip
POSTS = [
    ("/people", {"do": "add", "name": "eve"}),
    ("/people", {"do": "pair", "interface": "telegram"}),
    ("/people/ben", {"do": "set", "role": "admin"}),
    ("/people/ben", {"do": "link", "caller": "telegram:7"}),
    ("/people/ben", {"do": "unlink", "caller": "telegram:42"}),
    ("/people/ben", {"do": "unpair", "caller": "telegram:42"}),
    ("/people/telegram:7", {"do": "join", "name": "ben"}),
    ("/people/ben", {"do": "remove"}),
    ("/tokens", {"do": "new", "label": "mine", "only.*": "yes"}),
    ("/tokens/ci", {"do": "set", "was_per_hour": "", "per_hour": "1"}),
    ("/tokens/ci", {"do": "rotate", "overlap": "0"}),
    ("/tokens/ci", {"do": "revoke"}),
    ("/targets", {"do": "add", "action": "email.send", "name": "x", "to": "x@example.com"}),
    ("/targets", {"do": "look"}),
    ("/targets/boss", {"do": "set", "to": "x@example.com"}),
    ("/targets/boss", {"do": "test"}),
    ("/targets/boss", {"do": "remove"}),
]


def test_only_an_admin_sees_and_changes_anything(web, sandbox):
    ledger = web.bot.engine.ledger
    fill(ledger)
    strangers = {401: Visitor(web), 403: Visitor(web).sign_in("slack:T1:UBEN")}
    ann, before, tokens = Visitor(web).sign_in(), ledger.audit(), ledger.tokens()
    for status, somebody in strangers.items():
        for page in PAGES:
            assert somebody.get(page).status == status, page
        for page, form in POSTS:
            assert somebody.post(page, form).status == status, page
        assert "/people" not in somebody.get("/").body.decode()
    assert "ben may not change tokens: the role is sender." in words(strangers[403].get("/tokens"))
    # Nor does another site, in an admin's own browser; nor a link.
    for page, form in POSTS:
        for origin in ("https://evil.example", "null"):
            assert ann.post(page, form, Origin=origin).status == 403, page
        asked = "&".join(f"{name}={value}" for name, value in form.items())
        ann.get(f"{page}?{asked}")
    assert ledger.audit() == before
    assert ledger.tokens() == tokens
    assert sandbox.resend.writes == []
    assert ledger.runs() == []
    for page in PAGES:
        assert ann.get(page).status == 200, page


@pytest.mark.parametrize("role", ["none", "viewer", "sender"])
def test_who_was_an_admin_a_moment_ago_is_none(web, role):
    ledger = web.bot.engine.ledger
    fill(ledger)
    ledger.person_set("ben", by="cli:root", role="admin")
    ben = Visitor(web).sign_in("slack:T1:UBEN")
    assert ben.get("/audit").status == 200
    ledger.person_set("ben", by="cli:root", role=role)
    assert ben.get("/audit").status == 403
    assert ben.post("/tokens", {"do": "new", "label": "mine", "only.*": "yes"}).status == 403


def test_a_token_that_may_sign_in_changes_nothing_here(web):
    ledger = web.bot.engine.ledger
    fill(ledger)
    ann = Visitor(web).sign_in()
    secret = ann.post("/tokens", {"do": "new", "label": "desk", f"only.{Read.OPEN}": "yes"})
    token = re.search(r"lvq_[\w-]+", secret.body.decode())[0]
    link = web.call("POST", "/api/sign-in", {}, token=token).json()["link"]
    desk = Visitor(web)
    assert desk.post(f"/sign-in/{link.rpartition('/')[2]}").status == 303
    assert {desk.get(page).status for page in PAGES} == {403}


HOSTILE = ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "{{ 7 - 7 }}", "x" * 80]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_somebody_is_called_or_types_is_shown_as_text(web, ann, text):
    ledger = web.bot.engine.ledger
    fill(ledger)
    ledger.person_add("eve", [f"cli:{text}"], by="cli:root", title=text)
    ledger.person_set(f"cli:x{text}", by="cli:root", role="viewer")
    ledger.target_add("odd", "slack.send", None, {"channel": text}, by=f"cli:{text}")
    replies = [ann.get(page) for page in (*PAGES, "/people/eve", "/targets/odd")]
    replies.append(ann.get("/people/eve?confirm=remove"))
    replies += [ann.post("/people", {"do": "add", "name": text, "display": text, "callers": text})]
    replies += [ann.post("/tokens", {"do": "new", "label": text, f"only.{text}": "yes"})]
    replies += [ann.post("/targets", {"do": "add", "action": "slack.send", "name": text})]
    replies += [ann.get(f"/people/{quote(text)}"), ann.get(f"/audit?since={quote(text)}")]
    for reply in replies:
        page = reply.body.decode()
        assert reply.status in (200, 400, 404)
        assert not re.search(r"<script|<img|\son[a-z]+=\"", page)
    told = html.unescape(replies[PAGES.index("/people")].body.decode())
    assert told.count(text) >= 2
    (link,) = re.findall(r'href="(/people/cli:x[^"]*)"', replies[0].body.decode())
    assert ann.get(link).status == 200


def test_the_pages_hold_no_secret_and_keep_nothing_that_was_typed(web, ann, home, sandbox):
    fill(web.bot.engine.ledger)
    said = [ann.get(f"/targets?action={each}") for each in web.bot.engine.action_ids()]
    said += [ann.get(page) for page in PAGES]
    said += [ann.post("/targets/boss", {"do": "look"}), ann.post("/targets/boss", {"do": "test"})]
    refused = {"do": "new", "label": CANARIES["text"], "per_hour": CANARIES["cell"]}
    assert ann.post("/tokens", {**refused, "only.*": "yes"}).status == 400
    refused = {"do": "add", "name": CANARIES["text"], "display": CANARIES["title"]}
    assert ann.post("/people", refused).status == 400
    hidden = secrets(sandbox.settings())
    assert_clean(*(reply.body.decode() for reply in said), canaries=hidden)
    assert_clean(home, canaries=[*CANARIES.values(), *hidden])


def test_the_audit_is_read_page_by_page_latest_first_and_since_a_day(web, ann):
    ledger = web.bot.engine.ledger
    for number in range(105):
        ledger.person_add(f"p{number}", by="cli:root")
    seen, page = [], "/audit"
    while page:
        text = ann.get(page).body.decode()
        seen.append(re.findall(r"<td>(p\d+)</td>", text))
        found = re.search(r'<a href="([^"]+)">Older changes', text)
        page = html.unescape(found[1]) if found else None
    assert [len(each) for each in seen] == [50, 50, 5]
    assert [*chain(*seen)] == [f"p{number}" for number in reversed(range(105))]
    assert "Nothing was changed in this time." in ann.read("/audit?since=2999-01-01")
    assert "Since: must be" in ann.read("/audit?since=lately")
    assert "Before: must be" in ann.read("/audit?before=there")


@both
def test_the_audit_goes_on_from_a_place_also_where_moments_are_the_same(ledger: Ledger):
    for number in range(7):
        ledger.person_add(f"p{number}", by="cli:root")
    ledger.store.write(lambda db: db.execute("UPDATE audit SET at = 1000.5"))
    whole, found, place = ledger.audit(), [], None
    while rows := ledger.audit(3, before=place):
        found += rows
        place = rows[-1].at, rows[-1].change
    assert found == whole
    assert len(found) == 7
