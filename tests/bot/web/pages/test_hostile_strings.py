"""Whatever a service, a person or a database brings is shown as text, and only as that."""

import asyncio
import json
import re
import secrets
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.web.pages import pages
from tests.bot.web.pages.conftest import Visitor
from tests.support.console import ROLES, console, paths, walking
from tests.support.sandbox import Answer, Sandbox

PIECES = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>"),
    *('" onmouseover="x', "' autofocus onfocus='x", "</textarea>", "</title><h1>", "<!--", "]]>"),
    *("&lt;b&gt;", "&#60;b>", "{{ 7 * 7 }}", "{% raw %}", "javascript:alert(1)", "//evil.example"),
    *("\N{RIGHT-TO-LEFT OVERRIDE}", "\N{RIGHT-TO-LEFT ISOLATE}", "\N{ZERO WIDTH NO-BREAK SPACE}"),
    *("\0", "\x1b[31m", "\r\n", "\N{LINE SEPARATOR}", "%0d%0a", "é", "🚀", "م", "W" * 400, " "),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), min_size=1, max_size=4).map("".join)
# What a database may bring where only Levqor's own words should be: a table's column.
COLUMNS = [
    ("runs", "surface"), ("runs", "action"), ("runs", "reason"), ("runs", "code"),
    ("people", "title"), ("targets", "fields"), ("targets", "action"), ("targets", "account"),
    ("probes", "reason"), ("inbound", "verdict"),
    ("inbound", "fix"), ("audit", "who"), ("audit", "what"), ("audit", "subject"),
    ("audit", "before"), ("audit", "after"), ("history", "action"),
]  # fmt: skip
JSON = {"fields", "before", "after"}
MARKS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff]")
SENT = {
    "slack.send": {"text": "Hi"},
    "telegram.send": {"text": "Hi", "chat_id": "42"},
    "email.send": {"to": "a@example.com", "subject": "Hi", "text": "Hi"},
}
# What the templates are made of.
TEMPLATES = "".join(file.read_text() for file in Path(pages.__file__).parent.rglob("*.html"))
ELEMENTS = set(re.findall(r"<([a-z][a-z0-9]*)", TEMPLATES))
ATTRIBUTES = {f"{name}=" for name in re.findall(r"[ }]([a-zA-Z-]+)=", TEMPLATES)}
ATTRIBUTES |= {"selected=", "checked=", "required=", "viewbox=", "preserveaspectratio=", "hidden="}
# Where a page may lead; a service's link is https alone.
LEADS = re.compile(r"(/(?!/)[!-~]*|\?[!-~]*|#main|data:,|https://[!-~]+)?")


class Shape(HTMLParser):
    """What a page is made of: its elements and their attributes, and where they lead."""

    def __init__(self, reply):
        super().__init__(convert_charrefs=True)
        self.made, self.leads, self.text = set(), set(), ""
        self.feed(reply.body.decode())
        self.close()

    def handle_starttag(self, tag, attrs):
        self.made |= {tag, *(f"{name}=" for name, _ in attrs)}
        self.leads |= {value or "" for name, value in attrs if name in ("href", "src", "action")}

    def handle_comment(self, data):
        self.made.add(f"comment {data}")

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def web(tmp_path_factory, sandbox):
    with console(tmp_path_factory.mktemp("home"), sandbox) as web:
        yield web


@pytest.fixture(scope="module")
def ann(web):
    return Visitor(web).sign_in(ROLES["admin"])


def inert(reply, text):
    """A page is made of nothing new, leads nowhere new, and holds no text but as text."""
    if reply.status == 303:
        assert LEADS.fullmatch(reply.headers["location"])
        return None
    shape, raw = Shape(reply), reply.body.decode()
    assert reply.status < 500, raw
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert shape.made <= ELEMENTS | ATTRIBUTES
    assert [each for each in shape.leads if not LEADS.fullmatch(each)] == []
    # A page ends its own fields and title.
    marked = [one for one in PIECES if set(one) & set('<"') and not one.startswith("</")]
    assert [one for one in marked if one in text and one in raw] == []
    return shape


EXAMPLES = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@EXAMPLES
@given(text=TEXTS)
def test_what_somebody_types_is_text(ann, text):
    form = {"nonce": "n", "step": "preview", "text": text, "channel": text, "target": text}
    shown = inert(ann.post("/send/slack.send", form), text)
    # What will be sent is kept as it was typed; a browser sends a line's end as two characters.
    assert _lines(text).strip() in _lines(shown.text)
    inert(ann.post("/send/notion.create", {"nonce": text, "title": text, text: text}), text)
    for query in ({"person": text}, {"action": text, "since": text}, {"before": text}, {text: ""}):
        inert(ann.get("/runs?" + urlencode(query)), text)
    for path in ("/runs/", "/services/", "/send/", "/sign-in/", "/sign-in/old?to="):
        inert(ann.get(path + quote(text, safe="")), text)
    inert(ann.post("/sessions", {"session": text}), text)


@EXAMPLES
@given(text=TEXTS)
def test_what_a_database_brings_is_text_without_marks_that_turn_it_around(web, ann, text):
    bring(web, text)
    for path in paths(web):
        if shown := inert(ann.get(path), text):
            assert MARKS.findall(shown.text) == [], path


@EXAMPLES
@given(text=TEXTS, status=st.sampled_from([200, 400, 403, 404]))
def test_what_a_service_brings_is_text(ann, sandbox, text, status):
    answer = dict.fromkeys(("message", "error", "description", "name", "id", "url"), text)
    option = [{"id": text, "name": text}, {"id": "2", "name": "<b>plain</b>"}]
    kinds = {"select": {"options": option}, "multi_select": {"options": option}, text: {}}
    columns = {
        f"{kind[:9]}{text}": {"id": kind, "type": kind, kind: it} for kind, it in kinds.items()
    }
    columns |= {text: {"id": text, "type": "title"}, "<b>n</b>": {"id": "n", "type": "number"}}
    answer |= {"data_sources": [{"id": "s", "name": text}], "properties": columns}
    said = Answer(status, json={**answer, "ok": status == 200, "object": "page"})
    for name in ("slack", "notion", "telegram", "sheets", "resend"):
        sandbox.service(name).always(said)
    try:
        for action, fields in SENT.items():
            form = {"nonce": secrets.token_hex(8), "step": "again", **fields}
            inert(ann.post(f"/send/{action}", form), text)
        for step in ("columns", "preview"):
            form = {"nonce": "n", "step": step, "columns": "yes", f"props.{text}": text}
            shape = inert(ann.post("/send/notion.create", form), text)
            # What was read a moment ago is shown as long as it is remembered.
            assert ("<b>n</b>" in shape.text) == (status == 200) or step == "preview"
        assert ann.post("/check").status == 303
        for path in ("/", "/runs", "/services/slack"):
            inert(ann.get(path), text)
    finally:
        sandbox.clear()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: make system")
def test_a_very_long_word_makes_no_page_wider_than_a_telephone(web, tmp_path):
    async def walk():
        async with walking(web, tmp_path / "profile") as ann:
            await ann.look(width=390)
            await ann.sign_in(ROLES["admin"])
            for path in paths(web):
                await ann.visit(path)
                wide = "document.documentElement.scrollWidth"
                if await ann.page.value(wide) > 390:
                    wider.append(path)

    wider = []
    bring(web, "W" * 300)
    asyncio.run(walk())
    assert wider == []


def bring(web, text):
    """Put a text wherever a database may hold one that pages show."""

    def work(db):
        for table, column in COLUMNS:
            value = json.dumps({"channel": text}) if column in JSON else text
            db.execute(f"UPDATE {table} SET {column} = :value", {"value": value})

    web.bot.engine.ledger.store.write(work)


def _lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")
