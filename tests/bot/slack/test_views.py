"""A contract as Slack's form and back, for every action there is and will be."""

import pytest

from bot import form_fields
from bot.slack import views
from bot.slack.manifest import spelling
from core.connectors import CONNECTORS
from core.contract import Contract, field
from core.errors import Fault, InvalidInput
from core.grammar import LINES
from tests.support.sandbox import slack_rules as rules

ACTIONS = [(c.action_id(a), a) for c in CONNECTORS for a in c.actions]


class Everything(Contract):
    """One field of each kind."""

    name: str = field("Name", "Who.", example="Ann", min_length=1, max_length=40)
    story: str = field("Story", "What.", example="Once", long=True, max_length=100_000)
    place: str | None = field("Place", "Where.", example="A1", setting="PLACE", default=None)
    table: list[list[str]] = field("Table", "Rows.", example=[["a", "1"], ["b"]])
    more: dict[str, str] = field("More", "Others.", example={"Status": "Open"}, takes_text="title")
    word: str = field("Word", "One.", example="x", default="yes")


def state(**values):
    return {name: {"value": {"value": value}} for name, value in values.items()}


def by_name(blocks):
    return {block["block_id"]: block for block in blocks}


@pytest.mark.parametrize(("action_id", "action"), ACTIONS, ids=[i for i, _ in ACTIONS])
def test_every_action_has_a_form_that_slack_can_show(action_id, action):
    blocks = views.inputs(action.input, lambda _: None)
    assert [block["block_id"] for block in blocks] == [s.name for s in action.input.fields()]
    where = {"user": "U" * 11, "url": "https://hooks.slack.com/commands/" + "x" * 200}
    assert rules.view_faults(views.form(action_id, action.title, blocks, where), "modal") == []


@pytest.mark.parametrize(("action_id", "action"), ACTIONS, ids=[i for i, _ in ACTIONS])
def test_every_actions_sample_can_be_typed_into_its_form(action_id, action):
    def typed(value):
        if isinstance(value, dict):
            return "\n".join(f"{name}={one}" for name, one in value.items())
        if isinstance(value, list):
            return "\n".join(",".join(map(str, row)) for row in value)
        return value

    filled = state(**{name: typed(value) for name, value in action.sample.items()})
    assert views.values(action.input, filled) == action.sample


def test_an_input_is_drawn_from_its_fields_kind_and_bounds():
    drawn = by_name(views.inputs(Everything, lambda _: None))
    assert drawn["name"]["element"] == {
        "type": "plain_text_input",
        "action_id": "value",
        "multiline": False,
        "max_length": 40,
        "placeholder": {"type": "plain_text", "text": "Ann", "emoji": False},
    }
    assert drawn["name"]["label"]["text"] == "Name (name)"
    assert drawn["name"]["optional"] is False
    assert drawn["story"]["element"]["multiline"] is True
    assert drawn["story"]["element"]["max_length"] == 3000
    assert drawn["story"]["hint"]["text"] == (
        "What. A form takes 3000 characters; type more after the command."
    )
    assert drawn["table"]["element"]["placeholder"]["text"] == "a, 1"
    assert drawn["more"]["hint"]["text"] == f"Others. {LINES}"
    assert drawn["more"]["element"]["placeholder"]["text"] == "Status=Open"


def test_what_a_setting_or_a_default_fills_in_is_shown_and_may_be_left_out():
    drawn = by_name(views.inputs(Everything, {"PLACE": "'Q3 plan'!A1"}.get))
    assert drawn["place"]["optional"] is True
    assert drawn["place"]["hint"]["text"] == "Where. Left out, it is 'Q3 plan'!A1."
    assert drawn["place"]["element"]["placeholder"]["text"] == "'Q3 plan'!A1"
    assert drawn["word"]["optional"] is True
    assert drawn["word"]["hint"]["text"] == "One. Left out, it is yes."


def test_what_no_setting_fills_in_is_asked_for():
    drawn = by_name(views.inputs(Everything, lambda _: None))
    assert drawn["place"]["optional"] is False


def test_what_was_filled_in_becomes_values_and_what_was_left_empty_is_left_out():
    filled = state(
        name="Ann", story="One.\nTwo = 2", place=None, table="a,1\nb,c", more="Fix\nA=1", word="  "
    )
    assert views.values(Everything, filled) == {
        "name": "Ann",
        "story": "One.\nTwo = 2",
        "table": [["a", "1"], ["b", "c"]],
        "more": {"title": "Fix", "A": "1"},
    }


@pytest.mark.parametrize("filled", [{}, {"name": None}, {"name": {}}, {"other": {"value": {}}}])
def test_a_state_that_lacks_its_blocks_is_an_empty_form(filled):
    assert views.values(Everything, filled) == {}


def test_every_fault_of_reading_is_told_at_once():
    class Two(Contract):
        one: dict[str, str] = field("One", "1.", example={})
        two: dict[str, str] = field("Two", "2.", example={})

    with pytest.raises(InvalidInput) as raised:
        views.values(Two, state(one="a=1\na=2", two="no pair"))
    assert [(f.field, f.message) for f in raised.value.faults] == [
        ("one", "names a twice"),
        ("two", "must be lines of name=value, or a JSON object"),
    ]


def test_a_fault_stands_beside_its_field_and_a_homeless_one_beside_the_first():
    faults = [
        Fault("table.2.1", "must be text"),
        Fault("table", "is too long"),
        Fault("input", "is odd"),
    ]
    assert form_fields.beside(Everything, faults) == {
        "table": "2.1: must be text; is too long",
        "name": "input: is odd",
    }


def test_long_texts_are_cut_to_what_slack_takes():
    class Long(Contract):
        one: str = field("One", "h" * 5000, example="e" * 500)

    drawn = views.inputs(Long, lambda _: None)
    assert rules.view_faults(views.form("a.b", "Title", drawn, {}), "modal") == []


def test_a_long_text_is_shown_in_as_many_sections_as_it_needs():
    text = "\n".join(f"line {number:04d}" for number in range(1000))
    made = views.sections(text)
    assert len(made) == 4
    assert "\n".join(block["text"]["text"] for block in made) == text
    assert all(len(block["text"]["text"]) <= 3000 for block in made)
    assert [len(block["text"]["text"]) for block in views.sections("x" * 7000)] == [
        3000,
        3000,
        1000,
    ]


def test_a_home_tab_with_many_actions_fits():
    actions = [(f"a.b{number}", f"Action {number}") for number in range(60)]
    assert rules.view_faults(views.home(actions, [("Health", "x" * 9000)]), "home") == []


def test_what_is_told_mentions_nobody():
    assert views.note("<!channel> & <@U1>")["text"] == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_commands_are_spelt_from_the_action():
    spelt = spelling("ops-")
    assert spelt.action("some_thing.do_it") == "/ops-some-thing-do-it"
    assert spelt.question("help") == "/ops help"
