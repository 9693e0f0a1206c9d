"""What a service calls its things never moves a cursor, writes a line or leads elsewhere."""

import re

import pytest

from core import wording
from core.connectors import CONNECTORS
from core.connectors.notion import CONNECTOR as NOTION
from core.connectors.sheets import CONNECTOR as SHEETS
from core.connectors.slack import CONNECTOR as SLACK
from core.connectors.telegram import CONNECTOR as TELEGRAM
from core.contract import Probe, Receipt, refused
from core.engine import Settled
from core.errors import Fault, InvalidInput, LevqorError
from core.plain import https_link, plain_line, plain_text
from core.sandbox.notion import schema
from tests.support.sandbox import Answer
from tests.support.sending import Direct

# A title, a cleared screen, another line, text that runs backwards, a lone half of a letter.
HOSTILE = "\x1b]0;x\x07\x9b2J\r\nWhat to do: pay\u2028\u202egnp\u2066\x7f\u200f\ud800"
MARKS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

LINKS = [
    *("javascript:alert(1)", "http://notion.so/x", "ftp://notion.so", "//notion.so", "https://"),
    *("https://a b", "https://notion.so/\x1b[2J", "https://notion.so/\u202exe", "https:\\\\x"),
    *("https://notion.so@evil.example/", "https://nоtion.so/", "https://x/" + "y" * 2000, HOSTILE),  # noqa: RUF001
    *(
        'https://x/"onclick',
        "https://x/<b>",
        "https://x/`",
        "HTTPS://x",
        "https://[::1",
        " https://x",
    ),
]
DATABASE = schema.DATABASE.id
PAGE = {"database_id": DATABASE, "props": {"title": "x"}}
ROWS = {"range": "Sheet1!A1", "values": [["x"]]}
CHAT = {"chat_id": "-1001234567890", "text": "x"}
TABS = {"sheets": [{"properties": {"title": HOSTILE}}]}
COLUMN = {"id": HOSTILE, "type": HOSTILE, "name": HOSTILE}


def _updated(place):
    return Answer(200, json={"updates": {"updatedRange": place, "updatedRows": 1}})


def _notion_says(code, **more):
    return Answer(400, json={"code": code, "message": f"{HOSTILE} is expected to be", **more})


# Connector, what is asked for, the calls' answers.
ANSWERS = {
    "a range": (SHEETS, ROWS, {"values.append": _updated(HOSTILE)}),
    "a long range": (SHEETS, ROWS, {"values.append": _updated("D1" * 500)}),
    "a tab": (
        SHEETS,
        {"range": "Nowhere!A1", "values": [["x"]]},
        {"spreadsheets.get": Answer(200, json=TABS)},
    ),
    "Google's words": (
        SHEETS,
        ROWS,
        {"values.append": Answer(403, json={"error": {"status": HOSTILE, "message": HOSTILE}})},
    ),
    "a code": (SLACK, {"text": "x"}, {None: Answer(400, body=HOSTILE)}),
    "a scope": (
        SLACK,
        {"text": "x", "channel": "C1"},
        {None: Answer(200, json={"ok": False, "error": "missing_scope", "needed": HOSTILE})},
    ),
    "an error": (
        SLACK,
        {"text": "x", "channel": "C1"},
        {None: Answer(200, json={"ok": False, "error": HOSTILE})},
    ),
    "a description": (
        TELEGRAM,
        CHAT,
        {None: Answer(400, json={"ok": False, "description": HOSTILE})},
    ),
    "a username": (
        TELEGRAM,
        CHAT,
        {
            None: Answer(
                200,
                json={
                    "ok": True,
                    "result": {
                        "message_id": 1,
                        "chat": {"id": -1001, "type": "channel", "username": f"a/{HOSTILE}"},
                    },
                },
            )
        },
    ),
    "columns": (
        NOTION,
        {"database_id": DATABASE, "props": {"Nothing": "x"}},
        {
            "data_sources.retrieve": Answer(
                200, json={"id": DATABASE, "properties": {HOSTILE: COLUMN}}
            )
        },
    ),
    "sources": (
        NOTION,
        PAGE,
        {
            "databases.retrieve": Answer(
                200,
                json={"data_sources": [{"id": HOSTILE, "name": HOSTILE}, {"id": "b"}]},
            )
        },
    ),
    "Notion's words": (NOTION, PAGE, {"pages.create": _notion_says("validation_error")}),
}


def _told(connector, sandbox, values, answers):
    """Everything that is told of a send, or of why it was not done."""
    service = sandbox.service(connector.name)
    for call, answer in answers.items():
        service.always(answer, on=call)
    action = f"{connector.name}.{connector.actions[0].name}"
    with Direct(connector, sandbox) as direct:
        try:
            receipt = direct.send(**values)
        except LevqorError as error:
            return wording.refusal(error)
    return wording.settled(Settled("r1", action, "sent", receipt))


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_service_says_is_shown_plainly(sandbox, name):
    connector, values, answers = ANSWERS[name]

    told = _told(connector, sandbox, values, answers)

    assert not MARKS.search(told)
    assert "\nWhat to do: pay" not in told
    assert len(told) < 4000


@pytest.mark.parametrize("link", LINKS)
def test_a_page_s_link_is_a_link_only_where_it_is_https_and_bounded(sandbox, link):
    answer = Answer(200, json={"id": DATABASE, "url": link})

    told = _told(NOTION, sandbox, PAGE, {"pages.create": answer})

    assert told == "Notion: created · run r1"
    assert https_link(link) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://www.notion.so/Fix-login-d9824bdc84454327be8b5b47500af6ce",
        "https://docs.google.com/spreadsheets/d/1_a-b/edit#gid=0",
        "https://t.me/c/123/4?thread=1&x=%20",
        "https://xn--mnchen-3ya.example:8443/a_(b)~c;d=e,f!$'*+@[1]",
    ],
)
def test_a_link_is_kept_as_it_is(link):
    assert Receipt("sent", link=link).link == link


def test_a_username_that_is_none_makes_no_address(sandbox):
    connector, values, answers = ANSWERS["a username"]

    assert "https://t.me/c/1/1" in _told(connector, sandbox, values, answers)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda one: one.name)
def test_every_connector_s_probe_is_told_plainly(sandbox, connector):
    hostile = {"ok": True, "team": HOSTILE, "result": {"id": 1, "type": HOSTILE}, "sheets": []}
    body = {**hostile, **TABS, "data": [{"name": HOSTILE, "status": HOSTILE}], "message": HOSTILE}
    sandbox.service(connector.name).always(Answer(200, json=body), on=_looked_up(connector.name))
    changes = {"SHEETS_RANGE_DEFAULT": "Nowhere!A1", "TELEGRAM_CHAT_ID_DEFAULT": "-1001"}

    with Direct(connector, sandbox, **changes) as direct:
        try:
            found = direct.probe()
        except LevqorError as error:
            told = wording.refusal(error)
        else:
            told = "\n".join([*found.notes, found.fix or ""])

    assert not MARKS.search(told)
    assert "\nWhat to do: pay" not in told


def _looked_up(name):
    return "spreadsheets.get" if name == "sheets" else None


def test_what_is_told_is_plain_whoever_made_it():
    fault = Fault(HOSTILE, HOSTILE)
    error = InvalidInput([fault], HOSTILE, fix=HOSTILE)
    row = refused("r", "No.", "Fix.", "Use {name}.")
    probe = Probe((HOSTILE,), fix=HOSTILE)
    said = [
        *(fault.field, fault.message, error.message, error.fix, str(error)),
        *(row.error(values={"name": HOSTILE}).fix, Receipt("sent", note=HOSTILE).note),
        *(*probe.notes, probe.fix),
    ]

    assert not any(MARKS.search(one) for one in said)
    assert "\n" not in fault.message + (row.error(values={"name": HOSTILE}).fix or "")


def test_a_text_keeps_its_lines_and_a_line_is_one():
    assert plain_text("a\nb\x1bc") == "a\nb c"
    assert plain_line("a\nb\x1bc") == "a b c"
    assert plain_line("x" * 10, most=5) == "xxxx…"
    emoji = "👩\u200d🚀 \U0001f3f4\U000e0067\U000e007f \u0645\u06cc\u200c\u062e\u0648\u0627"
    assert plain_line(emoji) == emoji
