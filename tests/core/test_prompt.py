"""How an answer is read from a terminal, key by key, and what of it may be seen."""

import pytest
from typer import Abort

from core.cli.prompt import Line
from core.plain import counted

BEGIN, END = "\x1b[200~", "\x1b[201~"


@pytest.mark.parametrize(
    ("reads", "text", "shown"),
    [
        (["y"], "y", "y"),
        (["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], "abcdefghij", "abcdefghij"),
        (["abcdefghi"], "abcdefghi", "(9 characters)"),
        (["abc", "defghijklmnop", "q"], "abcdefghijklmnopq", "(17 characters)"),
        ([f"{BEGIN}abc{END}"], "abc", "(3 characters)"),
        ([BEGIN, "a", "b", END, "c"], "abc", "(3 characters)"),
        ([f'{BEGIN}{{\n  "key": "x"\r\n}}{END}'], '{   "key": "x"  }', "(17 characters)"),
        (["abcdefghi", "\x15", "x"], "x", "x"),
        (["abcdefghi", "\x7f\x7f", "\b"], "abcdef", "(6 characters)"),
        (["one ", "two ", "\x17"], "one ", "one "),
        (["a", "\x1b", "[D", "\x1b[3", "~b", "\x1bOA", "\x1bxc"], "abc", "abc"),
        (["a\tb\x00\x07"], "ab", "ab"),
        (["é", "📅"], "é📅", "é📅"),
    ],
)
def test_what_is_pasted_is_covered_and_what_is_typed_is_not(reads, text, shown):
    line = Line()
    for read in reads:
        line.take(read)
    assert (line.text, line.shown, line.done) == (text, shown, False)


def test_where_there_is_no_room_the_cover_is_short():
    line = Line(secret=True, room=10)
    line.take("abc")
    assert line.shown == "***"


def test_a_secret_is_covered_from_its_first_key_on():
    line = Line(secret=True)
    for key in "ntn_x":
        line.take(key)
        assert line.shown == f"({counted(len(line.text), 'character')})"


@pytest.mark.parametrize("enter", "\r\n")
def test_what_comes_after_enter_is_the_next_answer_s(enter):
    line = Line()
    line.take(f"one{enter}two")
    assert (line.text, line.done, line.rest) == ("one", True, "two")


@pytest.mark.parametrize("read", ["\x04", "abc\x03", "abc\x15\x04"])
def test_control_c_and_the_end_of_input_give_no_answer(read):
    line = Line()
    with pytest.raises(Abort):
        line.take(read)
