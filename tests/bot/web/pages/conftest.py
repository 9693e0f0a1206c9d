"""A browser of few words: it keeps a cookie, and posts forms from where it is."""

import html
import http.cookies
import re
from urllib.parse import urlencode

import pytest

from tests.support.web import served


class Visitor:
    """Somebody who looks at the console, on this machine unless `headers` say otherwise."""

    def __init__(self, web, headers=None):
        self.web, self.headers, self.cookie = web, headers or {}, None

    @property
    def origin(self):
        host = self.headers.get("Host")
        return f"https://{host}" if host else self.web.url

    def ask(self, method, path, body=None, **headers):
        sent = {**self.headers, **headers}
        if self.cookie:
            sent.setdefault("Cookie", self.cookie)
        reply = self.web.call(method, path, body, sent)
        if kept := reply.headers.get("set-cookie"):
            (morsel,) = http.cookies.SimpleCookie(kept).values()
            self.cookie = f"{morsel.key}={morsel.value}" if morsel.value else None
        return reply

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, form=None, **headers):
        sent = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(form or {}).encode(), **{**sent, **headers})

    def sign_in(self, caller="cli:ann"):
        code, _ = self.web.bot.engine.ledger.sign_in_code(caller)
        assert self.post(f"/sign-in/{code}").status == 303
        return self

    def read(self, path):
        """A page's words, as somebody reads them."""
        reply = self.get(path)
        assert reply.status == 200, reply.body
        return words(reply)

    def nonce(self, action_id):
        return re.search(
            r'name="nonce" value="([^"]+)"', self.get(f"/send/{action_id}").body.decode()
        )[1]


def nonce(reply):
    return re.search(r'name="nonce" value="([^"]+)"', reply.body.decode())[1]


def words(reply):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", reply.body.decode())).split())


@pytest.fixture
def web(engine):
    with served(engine) as web:
        yield web


@pytest.fixture
def visitor(web):
    """Somebody at this machine, not signed in."""
    return Visitor(web)


@pytest.fixture
def ann(visitor):
    """The user of this machine, signed in."""
    return visitor.sign_in()
