"""Plain values as Notion's typed properties."""

import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.connectors._notion.dates import Zone
from core.connectors._notion.properties import READ_ONLY, typed
from core.errors import InvalidInput
from tests.support.notion_columns import faults, made, schema, text

# A busy machine is not a failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ID = "d9824bdc-8445-4327-be8b-5b47500af6ce"
OTHER = "0f9c8b7a-6d5e-4c3b-9a2f-112233445566"
TYPES = (
    *("title", "rich_text", "number", "select", "status", "multi_select", "date", "checkbox"),
    *("url", "email", "phone_number", "people", "relation", "files", "place"),
)


def fault(kind, value):
    [(field, message)] = faults({kind: value}, schema(kind))
    assert field == f"props.{kind}"
    return message


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("title", "Fix login", text("Fix login")),
        ("title", "  Fix login ", text("Fix login")),
        ("title", 3, text("3")),
        ("title", "", []),
        ("rich_text", "one\ntwo", text("one\ntwo")),
        ("rich_text", "4.50", text("4.50")),
        ("rich_text", "   ", []),
        ("number", 3, 3),
        ("number", "3", 3),
        ("number", "-4.50", -4.5),
        ("number", 4.5, 4.5),
        ("number", 1e3, 1000.0),
        ("number", 0, 0),
        ("number", " 3 ", 3),
        ("number", "", None),
        ("select", "High", {"name": "High"}),
        ("select", 1, {"name": "1"}),
        ("select", {"id": "abc"}, {"id": "abc"}),
        ("select", "", None),
        ("status", "In progress", {"name": "In progress"}),
        ("status", {"name": "Done"}, {"name": "Done"}),
        ("multi_select", "a, b ,c", [{"name": "a"}, {"name": "b"}, {"name": "c"}]),
        ("multi_select", ["a", "b"], [{"name": "a"}, {"name": "b"}]),
        ("multi_select", "a,,b,", [{"name": "a"}, {"name": "b"}]),
        ("multi_select", '["a", "b"]', [{"name": "a"}, {"name": "b"}]),
        ("multi_select", "[x] a, b", [{"name": "[x] a"}, {"name": "b"}]),
        ("multi_select", "[]", []),
        ("multi_select", [{"name": "a"}, "b"], [{"name": "a"}, {"name": "b"}]),
        ("multi_select", 7, [{"name": "7"}]),
        ("multi_select", "", []),
        ("multi_select", [], []),
        ("date", "2026-12-01", {"start": "2026-12-01"}),
        ("date", "2026-12-01/2026-12-05", {"start": "2026-12-01", "end": "2026-12-05"}),
        ("date", "2026-12-01 / 2026-12-01", {"start": "2026-12-01", "end": "2026-12-01"}),
        ("date", "2026-12-01T09:30:00Z", {"start": "2026-12-01T09:30:00+00:00"}),
        ("date", "2026-12-01T09:30+02:00", {"start": "2026-12-01T09:30:00+02:00"}),
        (
            "date",
            "2026-12-01T09:00/2026-12-01T10:00",
            {"start": "2026-12-01T09:00:00+01:00", "end": "2026-12-01T10:00:00+01:00"},
        ),
        (
            "date",
            {"start": "2026-12-01", "end": "2026-12-05"},
            {"start": "2026-12-01", "end": "2026-12-05"},
        ),
        ("date", {"start": "2026-12-01", "end": None}, {"start": "2026-12-01"}),
        (
            "date",
            {"start": "2026-12-01T09:30", "time_zone": "Asia/Tokyo"},
            {"start": "2026-12-01T09:30:00", "time_zone": "Asia/Tokyo"},
        ),
        ("date", "", None),
        ("checkbox", True, True),
        ("checkbox", False, False),
        ("checkbox", "Yes", True),
        ("checkbox", "on", True),
        ("checkbox", 1, True),
        ("checkbox", "no", False),
        ("checkbox", "false", False),
        ("checkbox", 0, False),
        ("url", "https://example.com/a?b=1", "https://example.com/a?b=1"),
        ("url", "", None),
        ("email", "ada@example.com", "ada@example.com"),
        ("phone_number", "+49 30 1234", "+49 30 1234"),
        ("phone_number", 1234, "1234"),
        ("people", ID, [{"id": ID}]),
        ("people", f"{ID}, {OTHER}", [{"id": ID}, {"id": OTHER}]),
        ("people", [{"id": ID}, OTHER], [{"id": ID}, {"id": OTHER}]),
        ("people", "", []),
        ("relation", ID.replace("-", ""), [{"id": ID}]),
        ("relation", f"https://www.notion.so/Fix-login-{ID.replace('-', '')}", [{"id": ID}]),
        (
            "files",
            "https://example.com/a/report%20one.pdf",
            [
                {
                    "name": "report one.pdf",
                    "external": {"url": "https://example.com/a/report%20one.pdf"},
                }
            ],
        ),
        (
            "files",
            "https://example.com/a,b.pdf, https://example.com",
            [
                {"name": "a,b.pdf", "external": {"url": "https://example.com/a,b.pdf"}},
                {"name": "example.com", "external": {"url": "https://example.com"}},
            ],
        ),
        ("files", {"file_upload": {"id": ID}}, [{"file_upload": {"id": ID}}]),
    ],
)  # fmt: skip
def test_a_plain_value_becomes_what_its_column_wants(kind, value, expected):
    assert made(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("title", ["a"], "is of type title: give text"),
        ("rich_text", True, "is of type rich_text: give text"),
        ("rich_text", 3.1, 'is of type rich_text: give text, in quotes: "3.1"'),
        ("phone_number", 49.5, 'is of type phone_number: give text, in quotes: "49.5"'),
        ("rich_text", {"title": []}, "is of type rich_text: give text"),
        ("rich_text", "x" * 200_001, "is of type rich_text: at most 200,000 characters"),
        ("number", "many", "is of type number: give a number such as 3 or 4.5"),
        ("number", "1,5", "is of type number: give a number such as 3 or 4.5"),
        ("number", "٣", "is of type number: give a number such as 3 or 4.5"),
        ("number", "1e999", "is of type number: give a number such as 3 or 4.5"),
        ("number", True, "is of type number: give a number such as 3 or 4.5"),
        ("number", "1e99999", "is of type number: give a number such as 3 or 4.5"),
        *[
            (
                "number",
                written,
                (
                    f"is of type number: Notion would keep {written} as {stored}: "
                    f"write {stored}, or use a text column"
                ),
            )
            for written, stored in [
                ("007", "7"),
                ("+1", "1"),
                (".5", "0.5"),
                ("5.", "5"),
                ("1e3", "1000"),
                ("-0", "0"),
                ("-0.0", "0"),
                ("0.12345678901234567890", "0.12345678901234568"),
            ]
        ],
        ("number", "9" * 5000, "is of type number: give a number such as 3 or 4.5"),
        (
            "number",
            9007199254740993,
            (
                "is of type number: Notion keeps whole numbers up to 9,007,199,254,740,992: "
                "use a text column"
            ),
        ),
        ("select", "x" * 101, "is of type select: at most 100 characters (it has 101)"),
        ("select", {"color": "red"}, "is of type select: give the option's name"),
        ("select", "🚀" * 51, "is of type select: at most 100 characters (it has 102)"),
        ("select", "a, b", "is of type select: the name of an option has no comma in Notion"),
        ("select", "a\nb", "is of type select: must be on one line"),
        ("multi_select", ["a", ""], "is of type multi_select: give the option's name"),
        (
            "multi_select",
            ["a, b"],
            "is of type multi_select: the name of an option has no comma in Notion",
        ),
        ("multi_select", "a, b, a", "is of type multi_select: 'a' is given twice"),
        ("people", [{"id": ID}, ID], f"is of type people: '{ID}' is given twice"),
        ("files", "https://a.b/c https://a.b/c", "is of type files: 'c' is given twice"),
        ("files", ["https://a.b/c d"], "is of type files: give the file's address, beginning with https://"),
        ("status", ["Open"], "is of type status: give text"),
        (
            "multi_select",
            [str(n) for n in range(101)],
            "is of type multi_select: at most 100 (there are 101)",
        ),
        (
            "date",
            "tomorrow",
            "is of type date: write days as 2026-12-01 and times as 2026-12-01T09:30",
        ),
        (
            "date",
            "2026-12-01/",
            "is of type date: write days as 2026-12-01 and times as 2026-12-01T09:30",
        ),
        ("date", "2026-02-30", "is of type date: there is no such day or time"),
        ("date", "2026-12-01T25:00", "is of type date: there is no such day or time"),
        ("date", "2026-12-05/2026-12-01", "is of type date: the range ends before it begins"),
        (
            "date",
            "2026-12-01T10:00/2026-12-01T09:00",
            "is of type date: the range ends before it begins",
        ),
        (
            "date",
            20261201,
            ("is of type date: give a day such as 2026-12-01, or a range such as"
            " 2026-12-01/2026-12-05"),
        ),
        (
            "date",
            {"from": "2026-12-01"},
            ("is of type date: give a day such as 2026-12-01, or a range such as"
            " 2026-12-01/2026-12-05"),
        ),
        ("checkbox", "maybe", "is of type checkbox: give yes or no"),
        ("checkbox", "", "is of type checkbox: give yes or no"),
        ("checkbox", None, "is of type checkbox: give yes or no"),
        ("checkbox", 2, "is of type checkbox: give yes or no"),
        ("url", "https://a.b/\nc", "is of type url: must be on one line"),
        ("url", "h" * 2001, "is of type url: at most 2,000 characters (it has 2,001)"),
        ("email", "e" * 201, "is of type email: at most 200 characters (it has 201)"),
        ("phone_number", "1" * 201, "is of type phone_number: at most 200 characters (it has 201)"),
        (
            "people",
            "Ada",
            "is of type people: give Notion ids or addresses, separated by commas",
        ),
        ("relation", [7], "is of type relation: give Notion ids or addresses, separated by commas"),
        ("files", "report.pdf", "is of type files: give the file's address, beginning with https://"),
        ("files", [{"name": "a"}], "is of type files: give the file's address"),
        ("place", "Berlin", "is of type place, which takes only Notion's own object (place: …)"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_what_would(kind, value, message):
    assert fault(kind, value) == message


@pytest.mark.parametrize("kind", sorted(READ_ONLY))
@pytest.mark.parametrize("raw", [False, True], ids=["plain", "raw"])
def test_a_read_only_column_is_refused(kind, raw):
    value = {kind: {}} if raw else "x"

    assert fault(kind, value) == f"is read-only in Notion ({kind}); leave it out"


@pytest.mark.parametrize("kind", TYPES)
def test_notion_s_own_object_is_left_as_it_is(kind):
    own = {"type": kind, kind: {"anything": [1, "two"]}}

    assert typed({kind: own}, schema(kind)).values == {kind: own}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@UNTIMED
@given(st.sampled_from(TYPES), JSON)
def test_any_json_is_either_turned_into_json_or_refused_as_a_fault(kind, value):
    properties = None
    with suppress(InvalidInput):
        properties = typed({kind: value}, schema(kind)).values

    assert json.loads(json.dumps(properties)) == properties


@pytest.mark.parametrize(
    ("kind", "value", "note"),
    [
        ("select", "Hihg", ["'select': 'Hihg' is a new option."]),
        ("multi_select", "a, b", ["'multi_select': 'a', 'b' are new options."]),
        (
            "multi_select",
            "a,b,c,d,e",
            ["'multi_select': 'a', 'b', 'c' and 2 more are new options."],
        ),
        ("select", {"name": "Hihg"}, []),
        ("select", "", []),
    ],
)
def test_the_receipt_says_which_options_the_page_makes(kind, value, note):
    page = typed({kind: value}, schema(kind), Zone("UTC"))
    assert page.notes == note
    assert page.creates == bool(note)
