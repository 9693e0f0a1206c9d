"""One way to write an action down, in a chat, a console or a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import nearest
from core.errors import Fault, InvalidInput
from core.grammar import parse_chat, parse_items, quoting, read_json, usage, value
from core.grammar.jsons import MAX_NAMES
from tests.support.contracts import Bare, Mail, Note, Page, Table, faults


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("Hello world", {"text": "Hello world"}),
        ("  channel=C1 Hello\n\n  x=1\n", {"channel": "C1", "text": "Hello\n\n  x=1\n"}),
        ("https://x.test/?a=b and more", {"text": "https://x.test/?a=b and more"}),
        ('channel="my team" hi', {"channel": "my team", "text": "hi"}),
        ("channel=“my team” hi", {"channel": "my team", "text": "hi"}),
        ("channel='my team' hi", {"channel": "my team", "text": "hi"}),
        ("channel=“a “b” c” hi", {"channel": "a “b” c", "text": "hi"}),
        ("channel=“a “b c” hi", {"channel": "a “b c", "text": "hi"}),
        ("channel=“open", {"channel": "“open"}),
        ("channel='tis don't", {"channel": "'tis", "text": "don't"}),
        ("channel=don't say “it”", {"channel": "don't", "text": "say “it”"}),
        ('"quoted" is text', {"text": '"quoted" is text'}),
        ('"He" wrote "x"=5', {"text": '"He" wrote "x"=5'}),
        ("text=one", {"text": "one"}),
        ('"text"="one two"', {"text": "one two"}),
        ("channel=\nhi", {"channel": "", "text": "hi"}),
        ("channel = #random hi", {"channel": "#random", "text": "hi"}),
        ("Channel =#random hi", {"channel": "#random", "text": "hi"}),
        ("channel\N{NO-BREAK SPACE}= “my team” hi", {"channel": "my team", "text": "hi"}),
        ("CHANNEL=C1 hi", {"channel": "C1", "text": "hi"}),
        ("channel\uff1dC1 hi", {"channel": "C1", "text": "hi"}),
        ("“Channel ” = C1 hi", {"channel": "C1", "text": "hi"}),
        ("channel == C1", {"text": "channel == C1"}),
        ("channel => C1", {"text": "channel => C1"}),
        ("the channel = C1", {"text": "the channel = C1"}),
        ("total\uff1d5", {"text": "total\uff1d5"}),
        ("channel=a=b hi", {"channel": "a=b", "text": "hi"}),
        ("name = value", {"text": "name = value"}),
        ("- a\n- b", {"text": "- a\n- b"}),
        ("", {}),
        ('{"text": "a", "channel": null}', {"text": "a", "channel": None}),
        ("{“text”: “a”}", {"text": "a"}),
        ('\ufeff{"text": "a"}', {"text": "a"}),
        ("\u200bchannel=C1 \u202atext=hi", {"channel": "C1", "text": "hi"}),
        ("\u200fשלם channel=C1", {"text": "\u200fשלם channel=C1"}),
        ("channel=C1 🚀 a=b", {"channel": "C1", "text": "🚀 a=b"}),
        ("channel=C1\ttext=„a b“", {"channel": "C1", "text": "a b"}),
        ("ann@example.com=x", {"text": "ann@example.com=x"}),
    ],
)
def test_a_chat_line_is_pairs_and_then_text_to_the_end(typed, values):
    assert parse_chat(typed, Note) == values


@pytest.mark.parametrize(
    ("items", "values"),
    [
        (["Hello", "world"], {"text": "Hello world"}),
        (["Hello", "channel=my team", "world"], {"channel": "my team", "text": "Hello world"}),
        (["-v", "--all"], {"text": "-v --all"}),
        (['channel="as it stands"'], {"channel": '"as it stands"'}),
        (["text= two\nlines = x "], {"text": " two\nlines = x "}),
        (["https://x.test/?a=b"], {"text": "https://x.test/?a=b"}),
        (["the sum a=b"], {"text": "the sum a=b"}),
        (['{"text":', '"a b"}'], {"text": "a b"}),
        (["\u200bchannel=C1", "hi"], {"channel": "C1", "text": "hi"}),
        (["\ufeff{", '"text": "a"}'], {"text": "a"}),
        ([""], {"text": ""}),
        ([], {}),
    ],
)
def test_a_terminals_arguments_are_items_in_any_order(items, values):
    assert parse_items(items, Note) == values


@pytest.mark.parametrize(
    ("items", "text", "values"),
    [
        ([], ["channel=general"], {"text": "channel=general"}),
        (["channel=C1", "see"], ["channel=x", "{}"], {"channel": "C1", "text": "see channel=x {}"}),
        (["channel=C1"], ['{"channel": "x"}\n'], {"channel": "C1", "text": '{"channel": "x"}\n'}),
    ],
)
def test_words_that_can_only_be_text_are_never_fields_or_json(items, text, values):
    assert parse_items(items, Note, text=text) == values


def test_json_has_no_room_for_words_that_can_only_be_text():
    with pytest.raises(InvalidInput) as refused:
        parse_items(['{"text": "a"}'], Note, text=["b"])
    assert refused.value.faults == (
        Fault("json", "is the whole input; leave out the text after it"),
    )


def test_names_the_contract_does_not_know_are_properties_where_the_mapping_is_free():
    typed = 'Name="Fix login" Status=Open "Due date"=2026-12-01'
    expected = {"props": {"Name": "Fix login", "Status": "Open", "Due date": "2026-12-01"}}
    assert parse_chat(typed, Page) == expected
    curly = "“Name”=“Fix login” Status=Open „Due date“=2026-12-01"
    assert parse_chat(curly, Page) == expected
    items = ["Name=Fix login", "Status=Open", "Due date=2026-12-01"]
    assert parse_items(items, Page) == expected


def test_in_a_terminal_an_equals_between_blanks_belongs_to_the_field_before_it():
    expected = {"channel": "#random", "text": "hi"}
    assert parse_items(["channel", "=", "#random", "hi"], Note) == expected
    assert parse_items(["channel", "=#random", "hi"], Note) == expected
    assert parse_items(["Channel=#random", "hi"], Note) == expected
    assert parse_items(["a", "=", "b"], Note) == {"text": "a = b"}
    fault = Fault("channel", 'has no value after its =: write channel="…"')
    assert faults(parse_items, ["hi", "channel", "="], Note)[0] == fault
    assert faults(parse_items, ["channel", "=", "text=hi"], Note)[0] == fault


@pytest.mark.parametrize("before", ["", "range=Log ", "range=Log\n", "range=Log\t", " \n "])
def test_rows_may_begin_with_an_empty_cell(before):
    found = parse_chat(f"{before}\tb\n\td", Table)
    assert found["values"] == [["", "b"], ["", "d"]]


def test_the_tab_after_a_pair_is_no_cell():
    assert parse_chat("range=Log\ta\tb", Table) == {"range": "Log", "values": [["a", "b"]]}


def test_a_mapping_may_be_given_whole_as_json_and_keeps_its_types():
    assert parse_items(['props={"Done": true, "Points": 3}', "Name=x"], Page) == {
        "props": {"Done": True, "Points": 3, "Name": "x"}
    }


def test_the_text_of_rows_is_lines_of_cells():
    assert parse_chat('range=Log!A1 1, "b, c"\n\nx,y', Table) == {
        "range": "Log!A1",
        "values": [["1", "b, c"], [""], ["x", "y"]],
    }
    assert parse_items(["values=[[1, null]]"], Table) == {"values": [[1, None]]}


def test_every_fault_of_a_line_is_told_at_once():
    assert faults(parse_chat, "subjct=a to=b to=c wholly=d hi", Mail) == [
        Fault(
            "subjct",
            'is not a field here; did you mean subject? (to send it as text, write text="…")',
        ),
        Fault("to", "is given twice"),
        Fault(
            "wholly",
            "is not a field here; fields are to, subject, text"
            ' (to send it as text, write text="…")',
        ),
    ]


def test_fields_that_are_missing_are_told_with_the_other_faults():
    near, _ = faults(parse_items, ["subjct=a", "to=b"], Mail)
    assert faults(parse_items, ["subjct=a", "to=b"], Mail) == [near, Fault("text", "is required")]


def test_a_text_given_by_name_and_again_by_words_is_refused():
    what = 'is given twice, as text=… and as other words: write text="…" for all of it'
    assert faults(parse_chat, "text=Hello there", Note) == [Fault("text", what)]


def test_a_straight_quote_that_is_never_closed_is_refused():
    what = 'has an opening " and no closing one before a blank: write channel="…"'
    assert faults(parse_chat, 'channel="my team hi', Note) == [Fault("channel", what)]


def test_a_line_of_endless_pairs_is_refused_before_it_costs_time():
    typed = " ".join(f"a{number}='x" for number in range(20_000))
    assert faults(parse_chat, typed, Page) == [
        Fault("a100", "is one too many: at most 100 name=value")
    ]


def test_words_are_refused_where_no_field_takes_text():
    assert faults(parse_items, ["hello"], Bare) == [
        Fault("text", "has no place here: write name=value"),
        Fault("name", "is required"),
    ]
    assert faults(parse_items, ["nam=x"], Bare) == [
        Fault("nam", "is not a field here; did you mean name?")
    ]


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', Fault("c", "is in the JSON twice")),
        ('{"a": NaN}', Fault("json", "must not hold NaN")),
        ('{"a": 1e999}', Fault("json", "holds a number that is too large")),
        ('{"a": ' + "1" * 5000 + "}", Fault("json", "holds a number that is too large")),
        ('{"a": ' + "[" * 100_000, Fault("json", "is nested deeper than 32 levels")),
        ('{"a":' + "[" * 40 + "]" * 40 + "}", Fault("json", "is nested deeper than 32 levels")),
        (
            '{"a": "\\ud800"}',
            Fault("json", "holds half of a surrogate pair, which is no character"),
        ),
        (
            json.dumps({str(n): n for n in range(MAX_NAMES + 1)}),
            Fault("json", f"holds more than {MAX_NAMES} fields in one object"),
        ),
        ("{hello} world", Fault("json", "is not valid at line 1, column 2")),
        ('{"a": 1} b', Fault("json", "is not valid at line 1, column 10")),
    ],
)
def test_json_that_is_no_input_is_refused(typed, fault):
    assert faults(read_json, typed) == [fault]
    for contract, key in [(Note, "text"), (Page, "title"), (Table, "values")]:
        (said,) = faults(parse_chat, typed, contract)
        assert said.field == fault.field
        assert said.message.startswith(fault.message)
        if fault.field == "json":
            assert f'as text write {key}="…"' in said.message
    assert faults(parse_items, typed.split(" "), Note) == faults(parse_chat, typed, Note)


def test_a_form_turns_typed_lines_into_a_fields_value():
    by_name = {spec.name: spec for spec in (*Page.fields(), *Table.fields())}
    assert value(by_name["props"], "Name=Fix = login\nDue date = 3\n\n") == {
        "Name": "Fix = login",
        "Due date": "3",
    }
    assert value(by_name["props"], "Fix login") == {"title": "Fix login"}
    assert value(by_name["values"], "a,b") == [["a", "b"]]
    assert value(by_name["range"], "A1=2") == "A1=2"
    for typed, what in [
        ("Name=a\nName=b", "names Name twice"),
        ('{"a":1,"a":2}', "a is in the JSON twice"),
    ]:
        with pytest.raises(ValueError, match=what):
            value(by_name["props"], typed)


def test_usage_puts_what_may_be_left_out_in_brackets():
    assert usage("/mail", Mail) == "/mail to=… subject=… text"
    assert usage("/note", Note) == "/note [channel=…] text"
    named = 'name=value "two words"="a value"…'
    assert usage("/page", Page) == f"/page [database_id=…] {named} [title]"
    assert usage("/table", Table) == "/table [range=…] values"


def test_where_quotes_go_is_said_of_every_contract_that_can_need_them():
    assert list(quoting(Page)) == [
        'A column called target is written props="target=…", in JSON inside props.',
        'Names and values with spaces go in quotes: Status=Open "Due by"="1 December".',
        'Text that begins with { or looks like name=value goes in title="…".',
    ]
    assert next(quoting(Note)) == 'A value with spaces goes in quotes: channel="…".'
    assert 'goes in values="…"' in list(quoting(Table))[-1]


def test_the_nearest_word_is_found_whatever_its_case():
    assert nearest("Chanel", ["text", "channel"]) == "channel"
    assert nearest("quux", ["text", "channel"]) is None


@given(st.text())
def test_any_line_is_either_values_or_a_refusal_with_faults(text):
    for contract in (Mail, Page, Table, Bare):
        try:
            found = parse_chat(text, contract)
        except InvalidInput as refused:
            found = refused.faults
        assert isinstance(found, dict) or len(found) > 0


@given(st.text().filter(lambda t: t.strip() and not t.lstrip().startswith("{")))
def test_text_after_a_plain_first_word_is_taken_letter_by_letter(text):
    assert parse_chat(f"channel=C1 : {text}", Note) == {"channel": "C1", "text": f": {text}"}
