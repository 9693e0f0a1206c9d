"""What is typed and piped after `levqor run ACTION`, and what of it arrives."""

import os
import subprocess

import pytest

from tests.support.cli import PATIENCE_S, ROOT, command, environment, levqor

HOSTILE = (
    '{"channel": "#general", "text": "x"}\n'
    "channel=#general\n"
    "--test\n"
    "to=eve@example.com subject=x\n"
    "- -- - @channel <!here>\n"
    "text=y\n"
)
LATIN_1 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}


def piped(home, sandbox, *args, stdin, **env):
    """Run a command with these bytes on standard input; (status, what it said)."""
    ran = subprocess.run(
        command("--home", home, *args), check=False, input=stdin, capture_output=True,
        env=environment(**sandbox.settings(), **env), cwd=ROOT, timeout=PATIENCE_S,
    )  # fmt: skip
    return ran.returncode, (ran.stdout + ran.stderr).decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (["--", "channel=general"], "channel=general"),
        (["--", '{"channel": "#general"}'], '{"channel": "#general"}'),
        (["--", "--sandbox", "--output", "json"], "--sandbox --output json"),
        (["--", "--test"], "--test"),
        (["--", "--tset"], "--tset"),
        (["--", "-"], "-"),
        (["see", "--", "a=b", "--", "c"], "see a=b -- c"),
        (["-", "milk"], "- milk"),
        (["milk", "-"], "milk -"),
        (["---", "cut", "here"], "--- cut here"),
        (["--dry-run is an option"], "--dry-run is an option"),
        (["--Dry", "--9"], "--Dry --9"),
        (["-5", "degrees"], "-5 degrees"),
        (["\ufeffhello"], "hello"),
        (["text=\ufeffhello"], "hello"),
        (["--json", '\ufeff{"text": "\ufeffa\\r\\nb\\rc"}'], "a\nb\nc"),
    ],
)
def test_what_is_typed_is_what_arrives(cli, sandbox, typed, text):
    printed = cli("run", "slack.send", *typed)
    assert printed.status == 0, printed.err
    assert [one.json for one in sandbox.slack.writes] == [{"text": text}]


def test_an_action_may_stand_behind_the_dashes_too(cli, sandbox):
    assert cli("run", "--", "slack.send", "a=b").status == 0
    assert sandbox.slack.writes[0].json == {"text": "a=b"}


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        (["hello", "--tset"], "--tset", "is no option here; did you mean --test?"),
        (["--jsn={}"], "--jsn", "is no option here; did you mean --json?"),
        (["--dry-run", "hello"], "--dry-run", "is no option here"),
        (["hello", "--sandbox"], "--sandbox", "must be before the command"),
        (["hello", "--home", "x"], "--home", "must be before the command"),
        (["hello", "--home=x"], "--home", "must be before the command"),
        (["hello", "--sandox"], "--sandox", "is no option here; did you mean --sandbox?"),
        (["hello", "-H"], "-H", "is no option here; did you mean --help?"),
        (["hello", "\u2013test"], "\u2013test", "is no option here; did you mean --test?"),
        (["caf\udce9"], "word 2", "is not UTF-8: see byte 4"),
    ],
)
def test_what_can_only_be_a_mistake_is_refused_and_not_sent(cli, sandbox, typed, field, message):
    printed = cli("run", "slack.send", *typed, "--output", "json")
    assert printed.status == 2
    assert printed.json["details"] == [{"field": field, "message": message}]
    assert sandbox.slack.received == []


def test_a_strange_option_is_refused_with_the_way_to_write_it(cli):
    assert cli("run", "slack.send", "--dry-run").err.endswith(
        "What to do: To send it as text, write -- before it: levqor run slack.send -- --dry-run\n"
    )
    assert "Write it first: levqor --home DIR run slack.send … To send it" in (
        cli("run", "slack.send", "--home", "x").err
    )


def test_an_option_s_own_value_is_no_option(cli, sandbox):
    assert cli("run", "slack.send", "--json", "--tset").status == 2
    assert cli("run", "slack.send", "hello", "--output", "text").status == 0


@pytest.mark.parametrize(
    ("stdin", "text"),
    [
        (HOSTILE.encode(), HOSTILE.strip()),
        (b"{", "{"),
        (b"-", "-"),
        (b"channel=#general", "channel=#general"),
        (b"\xef\xbb\xbfhello\r\n", "hello"),
        (b"a\r\nb\rc\n\nd", "a\nb\nc\n\nd"),
        ("caf\u00e9 \U0001f600".encode(), "caf\u00e9 \U0001f600"),
    ],
)
@pytest.mark.parametrize(
    "locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}]
)
def test_a_dash_reads_standard_input_as_utf_8_and_as_text(home, sandbox, stdin, text, locale):
    status, said = piped(home, sandbox, "run", "slack.send", "-", stdin=stdin, **locale)
    assert status == 0, said
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert [one.json for one in sandbox.slack.writes] == [{"text": escaped}]


def test_fields_may_stand_beside_a_dash(home, sandbox):
    args = ("run", "email.send", "to=ann@example.com", "subject=Log", "-")
    status, _ = piped(home, sandbox, *args, stdin=b"to=eve@example.com\n")
    assert status == 0
    (sent,) = sandbox.resend.writes
    assert (sent.json["to"], sent.json["text"]) == (["ann@example.com"], "to=eve@example.com")


@pytest.mark.parametrize(
    ("stdin", "rows"),
    [
        (b"\xef\xbb\xbfa,1\r\nb,2\r\n", [["a", "1"], ["b", "2"]]),
        (b'"[x] done",2\n', [["[x] done", "2"]]),
        (b"range=Evil!A1,x\n{,y\n", [["range=Evil!A1", "x"], ["{", "y"]]),
    ],
)
def test_what_is_piped_to_a_sheet_is_rows(home, sandbox, stdin, rows):
    status, said = piped(home, sandbox, "run", "sheets.append", "-", stdin=stdin)
    assert status == 0, said
    written = sandbox.sheets.writes[-1].json["values"]
    assert [[str(cell) for cell in row] for row in written] == rows


def test_what_looks_like_json_in_piped_rows_is_refused_and_not_read(home, sandbox):
    args = ("run", "sheets.append", "-")
    status, said = piped(home, sandbox, *args, stdin=b'[["a", 1]]')
    assert status == 2
    assert "values: is read as text here and looks like JSON" in said
    assert sandbox.sheets.writes == []


@pytest.mark.parametrize("stdin", [b"Status=Open", b'{"props": {}}', b"Done? = yes"])
def test_what_is_piped_to_notion_is_the_title(home, sandbox, stdin):
    status, said = piped(home, sandbox, "run", "notion.create", "-", stdin=stdin)
    assert status == 0, said
    title = sandbox.notion.writes[-1].json["properties"]["Name"]["title"]
    assert title[0]["text"]["content"] == stdin.decode()


@pytest.mark.parametrize(
    ("args", "stdin", "field", "message"),
    [
        (["-"], b"caf\xe9", "text", "is not UTF-8: see byte 4"),
        (["-"], b"one\ncaf\xe9", "text", "is not UTF-8: see byte 8, on line 2"),
        (["-"], "hi".encode("utf-16"), "text", "is UTF-16, not UTF-8: save it as UTF-8"),
        (["-"], b"x" * 262_145, "text", "is too large: at most 256 KB"),
        (["--json", "-"], b'{"text": "caf\xe9"}', "--json", "is not UTF-8: see byte 14"),
        (["--json", "-"], b"x" * 262_145, "--json", "is too large: at most 256 KB"),
    ],
)
def test_what_is_no_text_is_refused_and_not_sent(home, sandbox, args, stdin, field, message):
    args = ("run", "slack.send", *args, "--output", "json")
    status, said = piped(home, sandbox, *args, stdin=stdin)
    assert status == 2
    assert f'"details": [{{"field": "{field}", "message": "{message}"}}]' in said
    assert sandbox.slack.received == []


def test_json_on_standard_input_may_have_a_byte_order_mark(home, sandbox):
    args = ("run", "slack.send", "--json", "-")
    status, said = piped(home, sandbox, *args, stdin=b'\xef\xbb\xbf{"text": "hi"}\r\n')
    assert status == 0, said
    assert sandbox.slack.writes[0].json == {"text": "hi"}


@pytest.mark.parametrize("args", [["hello"], ["text=hello"], ["--json", '{"text": "hello"}']])
def test_without_a_dash_standard_input_is_never_read(home, sandbox, args):
    reader, writer = os.pipe()
    os.write(writer, b"the next host of a loop\n")
    try:
        ran = subprocess.run(
            command("--home", home, "run", "slack.send", *args), check=False, stdin=reader,
            capture_output=True, env=environment(**sandbox.settings()), cwd=ROOT,
            timeout=PATIENCE_S,
        )  # fmt: skip
        assert ran.returncode == 0
        assert os.read(reader, 100) == b"the next host of a loop\n"
    finally:
        os.close(reader)
        os.close(writer)
    assert sandbox.slack.writes[0].json == {"text": "hello"}


@pytest.mark.parametrize(
    "args", [["slack.send"], ["slack.send", "channel=#x"], ["email.send", "to=a@b.example"]]
)
def test_a_text_that_is_missing_beside_a_pipe_is_asked_for_with_a_dash(home, sandbox, args):
    reader, writer = os.pipe()
    try:
        ran = subprocess.run(
            command("--home", home, "run", *args), check=False, stdin=reader, text=True,
            capture_output=True, env=environment(**sandbox.settings()), cwd=ROOT,
            timeout=PATIENCE_S,
        )  # fmt: skip
    finally:
        os.close(reader)
        os.close(writer)
    assert ran.returncode == 2
    assert "text: is required\n" in ran.stderr
    assert "What to do: To read the text from standard input, add - at the end.\n" in ran.stderr


def test_without_a_pipe_nothing_is_said_of_a_dash(home, sandbox):
    ran = subprocess.run(
        command("--home", home, "run", "slack.send"), check=False, stdin=subprocess.DEVNULL,
        text=True, capture_output=True, env=environment(**sandbox.settings()), cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "add -" not in ran.stderr


def test_faults_beside_a_dash_are_told_before_anything_is_read(home, sandbox):
    ran = levqor(
        "--home", home, "run", "email.send", "too=a@b.example", "subject=x", "-",
        "--output", "json", stdin="hello", env=sandbox.settings(),
    )  # fmt: skip
    assert ran.status == 2
    assert [fault["field"] for fault in ran.json["details"]] == ["too"]
