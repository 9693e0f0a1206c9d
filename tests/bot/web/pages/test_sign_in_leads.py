"""Where a sign-in link leads on to: a page of the console, and nowhere else."""

import re
from functools import partial
from urllib.parse import urlencode

import pytest

from core.callers import Caller
from core.errors import InvalidInput
from core.signing_in import sign_in_link
from tests.bot.web.pages.conftest import Visitor, words

PAGES = (
    "/runs/abcdefghjk", "/send/slack.send", "/services/slack", "/services/slack/acme", "/sessions",
)  # fmt: skip
# What leads to the overview instead: other hosts, however they are written, and other addresses.
STRANGE = (
    "", "/", "runs", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/runs//evil.example", "https://evil.example", "http:evil.example", "javascript:alert(1)",
    "/javascript:alert(1)", "data:text/html,x", "/@evil.example", "/runs@evil.example",
    "/runs/../../evil", "/./runs", "/..", "/runs/%2f%2fevil", "/runs?outcome=sent", "/runs#x",
    "/runs\r\nSet-Cookie: levqor=x", "/runs\nLocation: https://evil.example", "/runs\0", "/runs ",
    "\t/runs", " /runs", "/\t/evil.example", "/runs/\u202eabc", "/r\xfcns", "/runs/" + "x" * 101,
    "/runs/a/b/c/d", "/metrics", "/actions/health", "/sign-ins", "/nowhere",
)  # fmt: skip
LEADS = [*((page, page) for page in PAGES), *((page, "/") for page in STRANGE)]


def test_a_link_leads_on_to_a_page_of_the_console_and_nowhere_else(web):
    ledger = web.bot.engine.ledger
    for page, leads in LEADS:
        visitor = Visitor(web)
        code, _ = ledger.sign_in_code("cli:ann")
        link = f"/sign-in/{code}?{urlencode({'to': page})}"
        # The form names no address: a browser posts it to where it is.
        assert b'<form method="post">' in visitor.get(link).body, page
        signed_in = visitor.post(link)
        assert (signed_in.status, signed_in.headers["location"]) == (303, leads), page
        # And again for who is signed in already.
        looked = visitor.get(link)
        assert (looked.status, looked.headers["location"]) == (303, leads), page
        assert visitor.get(leads).status in (200, 404), page


@pytest.mark.parametrize("query", ["to=/runs&to=//evil.example", "to=//evil.example&to=/runs"])
def test_a_page_that_is_named_twice_leads_no_further(web, visitor, query):
    code, _ = web.bot.engine.ledger.sign_in_code("cli:ann")
    assert visitor.post(f"/sign-in/{code}?{query}").headers["location"] in ("/", "/runs")


def test_who_is_signed_in_already_goes_straight_on_and_uses_no_link_up(web, ann):
    ledger = web.bot.engine.ledger
    code, _ = ledger.sign_in_code("cli:ann")
    for _ in range(2):
        assert ann.get(f"/sign-in/{code}?to=/runs").headers["location"] == "/runs"
    assert len(ledger.sessions()) == 1
    assert ledger.sign_in_caller(code) == "cli:ann"
    # Another's link asks as ever.
    bens, _ = ledger.sign_in_code("slack:T1:UBEN")
    assert "Sign in as slack:T1:UBEN?" in words(ann.get(f"/sign-in/{bens}?to=/runs"))
    assert ann.post(f"/sign-in/{bens}?to=/runs").status == 303
    # A used one, found with the back button, leads on whoever is in, and nobody else.
    assert ann.get(f"/sign-in/{bens}?to=/runs").headers["location"] == "/runs"
    assert Visitor(web).get(f"/sign-in/{bens}?to=/runs").status == 404


def test_a_link_is_made_for_pages_alone(web):
    engine = web.bot.engine
    make = partial(sign_in_link, engine.settings, engine.ledger, Caller("cli", "ann"))
    code = r"/sign-in/[\w-]{32}"
    assert re.fullmatch(re.escape(web.url) + code, make().link)
    assert re.fullmatch(
        re.escape(web.url) + code + r"\?to=/send/slack\.send", make("/send/slack.send").link
    )
    for page in ("runs", "//evil.example", "https://evil.example", "/runs\n", ""):
        with pytest.raises(InvalidInput) as caught:
            make(page)
        assert caught.value.faults[0].field == "page"
