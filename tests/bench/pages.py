"""Every page of the web console with a million runs kept, on both databases.

The bench follows the console's own links and tries every choice of its filters, and every two of
them together, as an admin, and shows the slowest address of each kind; of addresses that differ in
an ID, a person or a page's place alone it takes one. From the request to the last byte of the
page, on one connection. A program made two runs in five, and an interface is used no more: what
finds nothing among many is there too.
"""

import http.client
import re
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from html.parser import HTMLParser
from itertools import combinations, product
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from core.ledger import Ledger
from core.ledger.sessions import LINK_SECONDS
from tests.bench.filling import NARROWED, fill
from tests.bench.measured import REPEATS, Measured, median
from tests.support.bot import Program
from tests.support.postgres import Cluster
from tests.support.sandbox import Sandbox

KEPT = 1_000_000
ADMIN = "cli:ann1"
MOST = 300  # addresses


class Links(HTMLParser):
    """Where a page leads: its links, and each choice of a form that only looks."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self._form, self._select, self._option = [], None, None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.addresses.append(given["href"])
        elif tag == "form":
            self._form = given.get("action") if given.get("method") == "get" else None
        elif tag == "select":
            self._select = given.get("name")
        self._option = tag == "option" and given.get("value") is None

    def handle_data(self, data):
        # An option without a value is its text.
        if self._form and self._select and self._option and data.strip():
            self.addresses.append(f"{self._form}?{urlencode({self._select: data.strip()})}")

    def handle_endtag(self, tag):
        if tag == "select":
            self._select = None
        elif tag == "form":
            self._form = None


class Browser:
    """One connection of somebody who is signed in."""

    def __init__(self, address, code):
        self._connection = http.client.HTTPConnection(address, timeout=600)
        origin = {"Origin": f"http://{address}", "Sec-Fetch-Site": "same-origin"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", f"/sign-in/{code}", b"", {**origin, **form})
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 303, answer.status
        self._cookie = {"Cookie": answer.getheader("set-cookie").partition(";")[0]}

    def get(self, path):
        """A page's text, and its milliseconds."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._cookie)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{path} is answered with {answer.status}")
        return text, (time.perf_counter() - began) * 1000


def varied(path):
    """An address without what makes no other page of it."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query))
    query |= {name: "…" for name in ("before", "person", "since") if name in query}
    place = re.sub(r"^(/(?:runs|people|tokens|targets)/).+", r"\1…", parts.path)
    return place + ("?" if query else "") + "&".join(f"{name}={query[name]}" for name in query)


def kind(path):
    """What an address is called: a page, and what of it is asked for but not which."""
    place, _, query = varied(path).partition("?")
    place = re.sub(r"(?<=/services/)\w+|(?<=/send/)[\w.]+", "…", place)
    names = [part.partition("=")[0] for part in query.split("&") if part]
    if place == "/runs" and (filters := set(names) - {"before"}):
        many = "one filter" if len(filters) == 1 else "two filters"
        return f"{place}, {many}{', a later page' if 'before' in names else ''}"
    return place + ("?" if names else "") + "&".join(names)


def addresses(browser):
    """Every address that the console leads to, one of those that vary alone."""
    found, queue = {"/": "/"}, deque(["/"])
    while queue and len(found) < MOST:
        here = queue.popleft()
        text, _ = browser.get(here)
        for link in Links(text).addresses:
            address = urljoin(here, link)
            if address.startswith("/") and varied(address) not in found:
                found[varied(address)] = address
                queue.append(address)
    return [*found.values()]


def narrowed():
    """The list of runs by each thing that it can be narrowed to, and by each two."""
    for names in (*combinations(NARROWED, 1), *combinations(NARROWED, 2)):
        for values in product(*map(NARROWED.get, names)):
            asked = dict(zip(names, values, strict=True))
            yield f"/runs?{urlencode(asked)}"


def look(stack, name, url):
    """Measure every page on one database."""
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="levqor-bench-")))
    sandbox = stack.enter_context(Sandbox())
    fill(home, KEPT, url)
    environ = {**sandbox.settings(), "LEVQOR_TELEGRAM": "off", "LEVQOR_ADMINS": ADMIN}
    environ |= {"LEVQOR_DATABASE_URL": url} if url else {}
    with Ledger.open(home, url) as ledger:
        code, _ = ledger.sign_in_code(ADMIN)
    began = time.monotonic()
    with Program(home, environ, "--http", "127.0.0.1:0") as bot:
        assert time.monotonic() - began < LINK_SECONDS
        browser = Browser(bot.address, code)
        taken = {address: [] for address in (*addresses(browser), *narrowed())}
        for _ in range(REPEATS):
            for address, repeats in taken.items():
                repeats.append(browser.get(address)[1])
        bot.terminate()
    slowest = {}
    for address, repeats in sorted(taken.items(), key=lambda item: median(item[1])):
        slowest[kind(address)] = repeats
    for each in sorted(slowest):
        yield Measured(f"{name}, {each}", "ms", slowest[each], "median at most 100")


def measure():
    """Measure one database after the other."""
    with ExitStack() as stack:
        yield from look(stack, "SQLite", None)
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(durable=True))
        yield from look(stack, "PostgreSQL", cluster.url())
