"""What no contract lets in: controls, line breaks in one line, marks nobody sees, depth."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.contract import Contract, field


class Letter(Contract):
    to: str = field("To", "one address", example="a@b.c", address=True, default="a@b.c")
    subject: str = field("Subject", "one line", example="Hi", default="Hi")
    text: str = field("Text", "the body", example="Hello", long=True, default="Hello")
    rows: list[list[str]] = field("Rows", "what", example=[["a"]], default=[])
    props: dict[str, Any] = field("Properties", "what", example={"a": 1}, default={})


def refused(**given):
    with pytest.raises(ValidationError) as raised:
        Letter.model_validate(given)
    (fault,) = raised.value.errors()
    return fault["loc"][0], fault["msg"].removeprefix("Value error, ")


def test_null_is_absence_whatever_the_field():
    nothing = dict.fromkeys(Letter.model_fields)
    assert Letter.model_validate(nothing) == Letter()
    assert Letter.model_validate({"props": {"a": 1, "b": None}}).props == {"a": 1}
    assert Letter.model_validate({"rows": [["a"]], "to": None}).rows == [["a"]]


def test_a_field_that_must_be_given_is_missing_where_it_is_null():
    class Needed(Contract):
        text: str = field("Text", "what", example="Hi")
        props: dict[str, Any] = field("Properties", "what", example={"a": 1}, min_length=1)

    with pytest.raises(ValidationError) as raised:
        Needed.model_validate({"text": None, "props": {"a": None}, "other": None})
    found = {(fault["loc"][0], fault["type"]) for fault in raised.value.errors()}
    assert found == {("text", "missing"), ("props", "too_short"), ("other", "extra_forbidden")}


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\u2028", "\u2029"])
def test_a_line_break_is_for_long_text_alone(line_break):
    two_lines = f"Hi{line_break}Bcc: x@y.z"

    assert refused(subject=two_lines) == ("subject", "must be on one line")
    assert refused(to=two_lines) == ("to", "must be on one line")
    assert refused(props={two_lines: 1}) == ("props", "must be on one line")
    kept = two_lines.replace("\r\n", "\n")
    assert Letter(text=two_lines).text == kept
    assert Letter(rows=[[two_lines]]).rows == [[kept]]


@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\r\n\r\nb", "a\n\nb"),
        ("a\n\rb", "a\n\nb"),
        ("\ufeffa", "a"),
        ("\ufeff\ufeffa", "a"),
    ],
)
def test_every_text_has_plain_line_breaks_and_no_byte_order_mark(written, arrives):
    letter = Letter(
        text=f" {written} \ufeff", rows=[[written]], props={written[:1]: [{"k": written}]}
    )
    assert letter.text == arrives
    assert letter.rows == [[arrives]]
    assert list(letter.props.values()) == [[{"k": arrives}]]
    assert "\ufeff" not in letter.model_dump_json()


def test_a_byte_order_mark_pasted_with_an_address_is_none_of_it():
    assert Letter.model_validate({"to": "\ufeffa@b.c\ufeff"}).to == "a@b.c"


def test_line_breaks_copied_along_with_a_word_are_stripped():
    letter = Letter.model_validate({"to": "a@b.c\r\n", "subject": " \n\tHi \n"})

    assert (letter.to, letter.subject) == ("a@b.c", "Hi")


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x0b", "\x1b", "\x1f", "\x7f", "\x85", "\ud800"])
def test_a_control_character_is_refused_wherever_it_stands(char):
    message = f"holds a control character (U+{ord(char):04X})"
    for field_name, value in [
        ("to", f"a{char}"),
        ("subject", f"{char}a"),
        ("text", f"a\n{char}"),
        ("rows", [["a", f"b{char}"]]),
        ("props", {"a": [{f"k{char}": 1}]}),
        ("props", {"a": [{"k": char}]}),
    ]:
        assert refused(**{field_name: value}) == (field_name, message)


@pytest.mark.parametrize("char", ["\u202e", "\u200b", "\ufeff", "\u2066", "\u00ad"])
def test_a_mark_nobody_sees_is_refused_in_an_address_and_kept_in_a_text(char):
    assert refused(to=f"a{char}@b.c") == (
        "to",
        f"holds a character that nobody sees (U+{ord(char):04X}): type it instead of pasting",
    )
    assert Letter(text=f"a{char}b").text == f"a{char}b"


def test_names_that_differ_in_a_byte_order_mark_are_not_made_one():
    message = "has the same name twice, once with a mark that nobody sees"
    for given in ({"a": 1, "\ufeffa": 2}, {"a": [{"b": 1, "\ufeffb": 2}]}):
        assert refused(props=given) == ("props", message)


def test_emoji_and_scripts_that_need_joiners_go_as_they_are():
    typed = "👩‍🚀 نامه‌ای 🏳️‍🌈 é e\u0301"

    letter = Letter(subject=typed, text=typed)

    assert (letter.subject, letter.text) == (typed, typed)


@pytest.mark.parametrize(("levels", "taken"), [(50, True), (51, False), (900, False)])
@pytest.mark.parametrize("kind", [list, dict])
def test_what_is_nested_deeper_than_any_service_takes_is_refused(kind, levels, taken):
    value: Any = 1
    for _ in range(levels - 1):
        value = [value] if kind is list else {"a": value}
    given = {"a": value}

    if taken:
        assert Letter(props=given).model_dump_json()
    else:
        assert refused(props=given) == ("props", "is nested too deep: at most 50 levels")
