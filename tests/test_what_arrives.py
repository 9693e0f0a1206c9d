"""What was written, and what arrived at the service, or the words of its refusal.

One row is one thing a person means, written wherever it can be: `chat` (what follows the
command in the console, in Slack and in Telegram), `items` (a terminal's arguments), `pipe`
(standard input of `levqor run ACTION … -`), `body` (HTTP; bytes as they stand) and `form` (what
is filled in, by field, in Slack's form and in Telegram's questions). Add a row
to ROWS: it runs over all of them.
"""

# ruff: noqa: E501, RUF001 - a row is one line, and its odd letters are meant

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, given, settings

from tests.support.everywhere import Everywhere
from tests.support.sandbox import Sandbox
from tests.support.texts import slack_damaged, texts, tidy


@dataclass(frozen=True)
class Refused:
    """Nothing was sent, and the person was told why in words that hold all of these."""

    words: tuple[str, ...]


def refused(*words: str) -> Refused:
    return Refused(words)


@dataclass(frozen=True)
class Row:
    """One thing that is written, and what has to come of it.

    `arrives` is what the service received: all of it as a dict, or a text alone (of a
    message, a page's title) or rows alone. `told` is a part of the receipt. `but` names surfaces where it cannot be written so.
    """

    action: str
    arrives: Any
    chat: str | None = None
    items: list[str] | None = None
    pipe: str | bytes | None = None
    body: Any = None
    form: dict[str, str] | None = None
    told: str = ""
    but: tuple[str, ...] = field(default=())

    def written(self) -> list[tuple[str, Any]]:
        every = [
            ("console", self.chat),
            ("slack", self.chat),
            ("telegram", self.chat),
            ("terminal", self.items),
            ("pipe", self.pipe),
            ("http", self.body),
            ("slack_form", self.form),
            ("telegram_form", self.form),
        ]
        return [
            (where, what) for where, what in every if what is not None and where not in self.but
        ]


SLACK, NOTION, SHEETS, MAIL, CHAT = (
    "slack.send", "notion.create", "sheets.append", "email.send", "telegram.send",
)  # fmt: skip
RANDOM = {"channel": "#random", "text": "hi"}


def says(text: str, **more: Any) -> Row:
    """A text that is written alike everywhere, and arrives as it is."""
    written = {"chat": text, "items": [text], "pipe": text, "body": {"text": text}}
    return Row(SLACK, text, **{**written, **more})


def page(arrives: Any, chat: str | None, items: list[str] | None = None, **more: Any) -> Row:
    """A page of a Notion database with odd names; its properties are what arrives."""
    return Row(NOTION, arrives, chat, items, **more)


def cells(typed: str, arrives: Any, **more: Any) -> Row:
    """Rows that are typed alike everywhere: as a command's text, and piped."""
    return Row(SHEETS, arrives, typed, [typed], pipe=typed, **more)


def mail(to: Any, address: str, **more: Any) -> Row:
    """An e-mail to an address, and the form in which it is sent."""
    arrives = to if isinstance(to, Refused) else {"to": to, "subject": "s", "text": "hi"}
    return Row(
        MAIL, arrives, f"to={address} subject=s hi", [f"to={address}", "subject=s", "hi"],
        body={"to": address, "subject": "s", "text": "hi"}, **more,
    )  # fmt: skip


ROWS = [
    # A text, to the end and as it stands.
    says("Hello world"),
    says("two\nlines\n\n  and  blanks"),
    says("don't “quote” 'me' \"please\" & <tag> 1 < 2"),
    says("https://x.test/?a=b&c=d and a = b"),
    says("the channel = C1, total＝5, x==y"),
    says("*bold* _it_ `code` ~no~ @here #general"),
    says("שלום، سلام, 你好, 🏳️‍🌈 e\u0301"),
    Row(SLACK, "a=b c", 'text="a=b c"', ["text=a=b c"], body={"text": "a=b c"}),
    Row(SLACK, "{hello}", 'text="{hello}"', ["text={hello}"], body={"text": "{hello}"}),
    Row(CHAT, "a\nb", "a\nb", ["a\nb"], body={"text": "a\nb"}),
    Row(SLACK, refused("is read as JSON", 'text="…"'), "{hello} world", ["{hello} world"]),
    Row(CHAT, refused("is read as JSON", 'text="…"'), '{"text": "a"} b', ["{", "b"]),
    Row(SHEETS, refused("is read as JSON", 'values="…"'), "{a},b", ["{a},b"]),
    Row(NOTION, refused("is read as JSON", 'title="…"'), "{a} b", ["{a} b"]),
    Row(SLACK, "a", '\ufeff{"text": "a"}', ['\ufeff{"text": "a"}'], body=b'\xef\xbb\xbf{"text":"a"}'),
    Row(SLACK, "a", "{“text”: “a”}", ["{“text”: “a”}"]),
    # Standard input is nothing but text.
    Row(SLACK, '{"channel": "x", "text": "y"}', pipe='{"channel": "x", "text": "y"}\n'),
    Row(SLACK, "channel=x\ntext=y", pipe="channel=x\r\ntext=y\r\n"),
    Row(SLACK, "--test\n- a", pipe="--test\n- a"),
    Row(SLACK, "caf\u00e9", pipe=b"\xef\xbb\xbfcaf\xc3\xa9\n"),
    Row(SLACK, refused("not UTF-8", "byte 4"), pipe=b"caf\xe9\n"),
    Row(SLACK, refused("text", "not be empty"), pipe=" \n"),
    Row(NOTION, "Due by=2026-12-01", pipe="Due by=2026-12-01\n"),
    Row(SHEETS, [["", "b"], ["c", "d"]], pipe="\tb\nc\td\n"),
    Row(SHEETS, [["a=b", "{}"]], pipe="a=b,{}\n"),
    # What is all but an option is no text.
    *(Row(SLACK, refused(f"{word}: is no option here", f"did you mean {meant}", f"-- {word}"), items=[word, "hi"])
      for word, meant in (("--Test", "--test"), ("-test", "--test"), ("\u2014test", "--test"))),
    Row(SLACK, "-x \u2014Ann - --- --a b", items=["-x", "\u2014Ann", "-", "---", "--a b"]),
    Row(SLACK, refused("json: must be an object"), items=["--json", "text=a"]),
    # Words after -- too.
    Row(SLACK, "channel=x {} --test - a", items=["--", "channel=x", "{}", "--test", "-", "a"]),
    Row(SLACK, {"channel": "#random", "text": "a channel=x"}, items=["channel=#random", "a", "--", "channel=x"]),
    Row(NOTION, "Done?=yes", items=["--", "Done?=yes"]),
    # A field's own name, however it is spelt.
    Row(SLACK, RANDOM, "channel=#random hi", ["channel=#random", "hi"], body=RANDOM),
    Row(SLACK, RANDOM, "channel = #random hi", ["channel", "=", "#random", "hi"]),
    Row(SLACK, RANDOM, "Channel =#random hi", ["hi", "Channel", "=#random"]),
    Row(SLACK, RANDOM, 'channel＝"#random" hi', ["channel＝#random", "hi"]),
    Row(SLACK, refused("channel: has a blank after its =", "channel=…"), "channel= #random hi"),
    Row(SLACK, refused("channel: has no value", 'channel="…"'), "channel =", ["hi", "channel", "="]),
    Row(SLACK, refused("did you mean channel?"), "chanel=#random hi", ["chanel=#random", "hi"]),
    Row(MAIL, refused("to: is given twice, as to and as To"), "to=a@b.c To=b@c.d hi",
        ["to=a@b.c", "To=b@c.d", "hi"]),
    Row(SLACK, refused("must not be empty", "nobody sees"), "\u200b", ["\u200b\u2060"], body={"text": "\u200b"}),
    # A value that goes on after the blank was not meant to end there.
    Row(SLACK, refused("channel: seems to go on", "channel="), "channel=#a, hi", ["channel=#a,", "hi"]),
    Row(SLACK, refused("channel: seems to go on", 'channel="…"'), "channel=“#the builds hi"),
    Row(SLACK, refused('channel="…"'), 'channel="#the builds hi'),
    Row(SHEETS, refused("values: seems to go on", "values='…'"), 'values=["a" , 1]'),
    Row(SHEETS, [["a", 1]], 'values=\'["a" , 1]\''),
    page(refused("Labels: seems to go on"), 'Labels=["Web", "idea"]', ["Labels=[Web,", "idea]"]),
    page(refused("Labels: seems to go on"), "Labels=Web, idea", ["Labels=Web,", "idea"]),
    page({"Labels": ["Web", "idea"]}, "Labels='[“Web”, “idea”]'", ["Labels=Web, idea"]),
    page(refused("quotes or brackets", "JSON list"), 'Labels="[Web, idea]"', ['Labels="Web, idea"']),
    page(refused("Phase: seems to go on"), "Phase=«On hold» Fix"),
    page(refused("seems to go on", '"Due by"="…"'), '"Due by"=2026-12-01 09:30 Fix'),
    page(refused("Due by: seems to go on"), None, ["Due by=2026-12-01", "09:30"]),
    page(refused("1st contact: seems to go on"), '"1st contact"=+49 30 123'),
    page(refused("seems to go on", '"% done"="…"'), '"% done"=1 000 Fix'),
    page(refused("seems to go on", '"Due by"="…"'), '"Due by"=2026-12-01 - 2026-12-05'),
    page(refused("Labels: seems to go on"), "Labels=Web , idea", ["Labels=Web", ", idea"]),
    page(refused("quotes within quotes", "\"1st contact\"='…'"), '"1st contact"="a "b" c" Fix'),
    page({"1st contact": 'a "b" c', "Full name": "Fix"}, "\"1st contact\"='a \"b\" c' Fix"),
    page({"% done": 3, "Full name": "404s on login"}, '"% done"=3 404s on login'),
    page({"1st contact": "a,", "Done?": True}, None, ["1st contact=a,", "Done?=yes"]),
    page({"1st contact": "a,", "Full name": "b"}, '"1st contact"="a," b', ["b", "1st contact=a,"]),
    # Absence.
    Row(SLACK, "a", '{"text": "a", "channel": null}', ['{"text":"a","channel":null}'],
        body={"text": "a", "channel": None}),
    Row(SHEETS, {"range": "A1", "values": [["a"]]}, '{"values": [["a"]], "range": null}',
        ['{"values":[["a"]],"range":null}'], body={"values": [["a"]], "range": None}),
    Row(NOTION, "a", '{"props": {"title": "a", "Due by": null}}',
        ['props={"title":"a","Due by":null}'],
        body={"props": {"title": "a", "Due by": None}, "database_id": None}),
    Row(SLACK, refused("text", "is required"), '{"text": null}', ['{"text": null}'],
        body={"text": None}),
    # Free names: whatever looks like one is one.
    page({"Done?": True, "Full name": "Fix it"}, "Done?=yes Fix it", ["Done?=yes", "Fix", "it"],
         body={"props": {"Done?": "yes", "title": "Fix it"}}),
    page({"📅 Due": "2026-12-01"}, '"📅 Due"=2026-12-01', ["📅 Due=2026-12-01"]),
    page({"स्थिति": "खुला"}, "स्थिति=खुला", ["स्थिति=खुला"]),
    page({"Cost ($)": 5}, '"Cost ($)"=5', ["Cost ($)=5"]),
    page({"% done": 5}, "“% done”=5", ["% done=5"]),
    page({"Owner & team": "Ann"}, '"Owner & team"=Ann', ["Owner & team=Ann"]),
    page({"1st contact": "Bo Li"}, '"1st contact"="Bo Li"', ["1st contact=Bo Li"]),
    page({"Pre\u0301nom": "Anna"}, "Pr\xe9nom=Anna", ["Pr\xe9nom=Anna"]),
    page({"Pre\u0301nom": "Anna"}, "Pre\u0301nom=Anna", ["Pre\u0301nom=Anna"]),
    page({"Status": "Done"}, "Status＝Done", ["Status＝Done"]),
    page({"Status": "Done"}, "Status = Done", ["Status", "=", "Done"]),
    page({"Due by": "2026-12-01", "Full name": "Fix"}, '"Due by"=2026-12-01 Fix',
         ["Fix", "Due by=2026-12-01"]),
    page("https://x.test/?a=b is down", "https://x.test/?a=b is down", ["https://x.test/?a=b is down"]),
    page("x==y, x!=y and x<=y", "x==y, x!=y and x<=y", ["x==y, x!=y and x<=y"]),
    page("a = b", 'title="a = b"', ["title=a = b"]),
    page("a = b", 'Title="a = b"', ["Title=a = b"]),
    page(refused('"Due by"=…', 'title="…"'), "Due by=2026-12-01 Fix"),
    page(refused('"Due by"=…', 'title="…"'), "title=Fix Due by=2026-12-01"),
    page(refused('"📅 Due"=…', 'title="…"'), "📅 Due=2026-12-01"),
    page(refused('"Cost ($)"=…', 'title="…"'), "Cost ($)=5"),
    page(refused('"% done"=…', 'title="…"'), "% done=5"),
    page(refused('"Owner & team"=…', 'title="…"'), "Owner & team=Ann"),
    page(refused('"1st contact"=…', 'title="…"'), "1st contact=Bo"),
    page(refused("=SUM(A1)", 'title="…"'), "=SUM(A1)", ["=SUM(A1)"]),
    page(refused("Done?=…", "title='…'"), '"Done?=yes" Fix', ['"Done?=yes" Fix']),
    page('say "hi" a=b', "title='say \"hi\" a=b'"),
    page(refused("a=…", "title='…'"), 'say "hi" a=b'),
    page(refused('"Due by"=…'), "«Due by»=2026-12-01"),
    page(refused("is not a column", 'title="…"'), "E=mc\xb2 is right", ["E=mc\xb2 is right"]),
    page(refused("Nobody", "is not a column"), "Nobody=yes Fix", ["Nobody=yes", "Fix"],
         body={"props": {"Nobody": "yes"}}),
    page(refused("given twice", "as Done? and as done?"), "Done?=yes done?=no",
         ["Done?=yes", "done?=no"]),
    *(page(refused("Full name: is the page's title, and so is the text"), chat, items, form=form)
      for chat, items, form in (
          ('"Full name"=x Hello', ["Full name=x", "Hello"], {"props": "Full name=x\nHello"}),
          ('title=Hello "Full name"=x', ["title=Hello", "Full name=x"], {"props": "title=Hello\nFull name=x"}))),
    page(refused("Title: is given twice", 'Title="…"'), "Title=Fix it", ["Title=Fix", "it"]),
    page({"Phase ": "Caf\xe9"}, 'phase="cafe\u0301"', ["PHASE=cafe\u0301"], body={"props": {"Phase": "CAF\xc9"}}),
    page({"Status": "In progress"}, 'status="in  PROGRESS"', ["Status=in progress"],
         body={"props": {"status ": "in progress"}}),
    page(refused("'Opened' is no option", "did you mean 'Open'"), "Status=Opened", ["Status=Opened"],
         body={"props": {"Status": "Opened"}}),
    page(refused("'Team' (id", "'team ' (id", "write the id"), "Team=Ann", ["team=Ann"],
         body={"props": {"team ": "Ann"}}),
    page(refused("'API' (id", "'api' (id", "write the id"), 'Labels="Web, api"', ["Labels=api"],
         body={"props": {"Labels": ["API"]}}),
    page({"Labels": ["Web", "new one"]}, 'Labels="web, new one"', ['Labels=["web", "new one"]'],
         body={"props": {"Labels": ["WEB", "new one"]}}),
    page(refused("'Web' is given twice"), 'Labels="Web, web"', ["Labels=Web,WEB"],
         body={"props": {"Labels": ["Web", "Web"]}}),
    page({"% done": 3.1}, '"% done"=3.10', ["% done=3.10"], body={"props": {"% done": "3.10"}},
         told="'% done': 3.10 is kept as 3.1"),
    page(refused("Notion would keep 007 as 7", "write 7"), '"% done"=007', ["% done=007"],
         body={"props": {"% done": "007"}}),
    page(refused("Notion would keep 1e3 as 1000"), '"% done"=1e3', ["% done=1e3"]),
    page(refused("1st contact", "give text, in quotes: "), '{"props": {"1st contact": 3.10}}',
         ['{"props": {"1st contact": 3.10}}'], body={"props": {"1st contact": 3.1}}),
    page({"Due by": "2026-12-01T09:30:00+01:00"}, '"Due by"="2026-12-01 09:30+01:00"',
         ["Due by=2026-12-01T09:30+01:00"], body={"props": {"Due by": "2026-12-01T09:30+01:00"}}),
    page({"Due by": "2026-12-01T09:30"}, None, body={"props": {"Due by": {"date": {"start": "2026-12-01T09:30"}}}}),
    # Addresses.
    mail(["ann@xn--mnchen-3ya.example"], "ann@m\xfcnchen.example", told="sent to ann@xn--mnchen-3ya.example"),
    mail(["ann@xn--fa-hia.de"], "ann@fa\xdf.de", told="sent to ann@xn--fa-hia.de"),
    mail(["ann@ex.example"], "ann@ex\u3002example", told="sent to ann@ex.example"),
    mail(["Ann@Example.COM"], "Ann@Example.COM"),
    mail(refused("only plain letters", "before the @"), "\xe4nn@example.com"),
    mail(refused("with a plain @"), "ann＠example.com"),
    mail(refused("mixes Latin and Cyrillic"), "ann@ex\u0430mple.com"),
    # The lines of a form.
    page({"Due by": "2026-12-01", "Done?": True, "Full name": "Fix it"}, None,
         form={"props": "Due by=2026-12-01\n“Done?” = yes\nFix it"}),
    page({"1st contact": "Bo Li", "Owner & team": "a = b"}, None,
         form={"props": '1st contact="Bo Li"\nOwner & team=a = b'}),
    page("https://x.test/?a=b is down", None, form={"props": "https://x.test/?a=b is down"}),
    page("a=b c", None, form={"props": 'title="a=b c"'}),
    page({"% done": 5, "Full name": "Fix"}, None, form={"props": '{"% done": 5, "title": "Fix", "Due by": null}'}),
    page(refused("on a line of its own", 'Done?="…"'), None, form={"props": "Done?=yes Status=Open"}),
    page(refused("no closing one"), None, form={"props": '1st contact="Bo Li'}),
    page(refused("names title twice", "it is a line without name="), None, form={"props": "Fix\nit"}),
    page({"1st contact": "a\u2028b"}, None, form={"props": "1st contact=a\u2028b"}),
    page(refused("=SUM(A1)", 'title="…"'), None, form={"props": "Fix\n=SUM(A1)"}),
    page(refused("as Done? and as done?"), None, form={"props": "Done?=yes\ndone?=no"}),
    Row(SLACK, {"channel": "#random", "text": "{a} channel=x"}, form={"channel": "#random", "text": "{a} channel=x"}),
    Row(SHEETS, [["a=b", "{}"], ["", 1]], form={"values": "a=b,{}\n,1"}),
    # Rows.
    Row(SHEETS, [["", "b"], ["c", "d"]], "\tb\nc\td", ["\tb\nc\td"], body={"values": [["", "b"], ["c", "d"]]}),
    Row(SHEETS, {"range": "'Sheet1'", "values": [["", "b"]]}, "range=Sheet1 \tb", ["range=Sheet1", "\tb"]),
    Row(SHEETS, [["a", ""]], "a\t", ["a\t"], body={"values": [["a", ""]]}),
    cells("42,-3.5,0.25", [[42, -3.5, 0.25]]),
    cells('"42",“-3.5”,007,+1,.5,1e3,١٢', [["42", "-3.5", "007", "+1", ".5", "1e3", "١٢"]]),
    cells("1,50\t1234567890123456\ttrue\t2026-12-01", [["1,50", "1234567890123456", "true", "2026-12-01"]]),
    cells("3.10,10.0", [[3.1, 10.0]], told='3.10 is stored as 3.1, 10.0 is stored as 10; in quotes, "3.10"'),
    cells('"two\r\nlines",x', [["two\nlines", "x"]], but=("console",)),
    cells("a,b\r\n\r\nc,", [["a", "b"], [""], ["c", ""]], but=("console",)),
    cells("Ada\tSmith, John\nBo\tLi", [["Ada", "Smith, John"], ["Bo", "Li"]]),
    cells("Ada,1\nBo\t2", refused("tabs in some rows and commas in row 1", '"Ada,1"')),
    cells('a,"b', refused("quotes do not fit")),
    cells("=SUM(A1),@x", [["=SUM(A1)", "@x"]]),
    cells("'Smith, John',5", refused('write "…" round the cell')),
    cells("„Smith, John“,5", refused('write "…" round the cell')),
    cells("'90s,«Kino»,'a'", [["'90s", "«Kino»", "'a'"]]),
    Row(SHEETS, refused('such as [["2026-12-01", "Ada", 42]]'), '{"values": "a"}', ['{"values": "a"}']),
    Row(SHEETS, refused('values.2: must be a list, such as ["2026-12-01", "Ada", 42]'), '{"values": ["a", "b"]}'),
    Row(SHEETS, [["Ada", 1]], '[ ["Ada", 1] ]', ['[ ["Ada", 1] ]'], body={"values": [["Ada", 1]]}),
    Row(SHEETS, [["Ada", 1]], 'values=[["Ada",1]]', ['values=[\n  [\n    "Ada",\n    1\n  ]\n]']),
    Row(SHEETS, [[1, 2, 3]], "[1,2,3]", ["values=[1,2,3]"], body={"values": [[1, 2, 3]]}),
    Row(SHEETS, [["3.10", "10.0", "007"]], '[["3.10","10.0","007"]]', ['values=["3.10", "10.0", "007"]'],
        body={"values": [["3.10", "10.0", "007"]]}),
    Row(SHEETS, refused("not valid", "a cell that begins with ["), "[[1,2],[3,4]", ["[[1,2],[3,4]"]),
    Row(SHEETS, refused('goes in quotes: "[x] done"'), "[x] done,5", ["[x] done,5"]),
    Row(SHEETS, [["[x] done", 5]], '"[x] done",5', ['"[x] done",5'], pipe="[x] done,5\n"),
    Row(SHEETS, refused("looks like JSON"), pipe='[["Ada", 1]]\n'),
    Row(SHEETS, refused("15 digits"), body={"values": [[1234567890123456]]}),
    # Where they go.
    Row(SHEETS, {"range": "'Q3 plan'!A1", "values": [["x"]]}, 'range="q3  PLAN!a1" x', ["range=q3  PLAN!a1", "x"],
        body={"range": "q3  PLAN!a1", "values": [["x"]]}),
    Row(SHEETS, refused("could be the tab 'CRM26'", "for the tab", "'Sheet1'!CRM26"), "range=CRM26 x", ["range=CRM26", "x"],
        body={"range": "CRM26", "values": [["x"]]}),
    Row(SHEETS, refused("could be the tab 'Q3 plan'", "'Sheet1'!Q3"), "range=Q3 plan!A1 x", ["range=Q3", "x"]),
    Row(SHEETS, {"range": "'CRM26'", "values": [["x"]]}, "range=\"'CRM26'\" x", ["range='CRM26'", "x"],
        body={"range": "'CRM26'", "values": [["x"]]}),
    # What Telegram would take out of a text.
    Row(CHAT, "\xc5sa\na", "A\u030asa\u2028a", ["A\u030asa\u2028a"], body={"text": "A\u030asa\u2028a"}),
    Row(CHAT, refused("U+0333"), "x\u0333", ["x\u0333"], pipe="x\u0333", body={"text": "x\u0333"}),
    Row(CHAT, "/start *b* <i> &amp;", "/start *b* <i> &amp;", ["/start *b* <i> &amp;"], pipe="/start *b* <i> &amp;"),
]  # fmt: skip

CASES = [(row, *written) for row in ROWS for written in row.written()]


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    home = tmp_path_factory.mktemp("everywhere") / "home"
    home.mkdir(mode=0o700)
    with Sandbox() as sandbox, Everywhere(home, sandbox) as surfaces:
        yield surfaces


def _name(case: Any) -> str | None:
    return case.action if isinstance(case, Row) else case if isinstance(case, str) else None


@pytest.mark.parametrize(("row", "where", "what"), CASES, ids=_name)
def test_what_was_written_is_what_arrives_or_it_is_refused(everywhere, row, where, what):
    everywhere.forget()
    told = getattr(everywhere, where)(row.action, what)
    arrived = everywhere.arrived()
    if isinstance(row.arrives, Refused):
        assert not told.done
        assert arrived == []
        # A terminal wraps what it prints.
        words = " ".join(told.words.split())
        assert [one for one in row.arrives.words if one not in words] == [], told.words
        # A path in JSON is no word of somebody's who writes none.
        assert "props." not in words or where == "http", told.words
    else:
        assert told.done, told.words
        assert [_like(row.arrives, one) for one in arrived] == [row.arrives]
        assert row.told in " ".join(told.words.split()) or where == "http"


WRITING = {
    "terminal": lambda text: ["--", text],
    "pipe": lambda text: text,
    "console": lambda text: text,
    "slack": lambda text: text,
    "telegram": lambda text: text,
    "http": lambda text: {"text": text},
}


@pytest.mark.parametrize("where", WRITING)
@settings(max_examples=15, deadline=None)
@given(text=texts)
def test_any_text_arrives_as_it_is_or_is_refused(everywhere, where, text):
    assume(writable(where, text))
    everywhere.forget()
    told = getattr(everywhere, where)(SLACK, WRITING[where](text))
    arrived = everywhere.arrived()
    if told.done:
        (one,) = arrived
        expected = tidy(slack_damaged(text) if where == "slack" else text)
        # In a chat the fields stand first, and what is left is the text.
        assert one["text"] == expected or (where in CHATS and plain_no_more(text))
        assert one["text"] in expected or "{" in text or '"' in text
    else:
        assert arrived == []


CHATS = ("console", "slack", "telegram")


def plain_no_more(text: str) -> bool:
    """Whether a text may hold fields, or be JSON."""
    return any(sign in text for sign in "=\uff1d\ufe66{")


def writable(where: str, text: str) -> bool:
    """Whether a text can be written there at all: an empty command is a form, a line is a line."""
    if where in CHATS and not text.strip():
        return False
    if where == "console":
        return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\r]|\\(\n|$)", text)
    return "\0" not in text if where == "terminal" else True


def _like(expected: Any, arrived: dict[str, Any]) -> Any:
    """What arrived, in the expectation's own shape."""
    if isinstance(expected, str):
        return next(iter(arrived.values())) if len(arrived) == 1 else arrived
    if isinstance(expected, list):
        return arrived["values"]
    return arrived
