"""Columns and options are found as people see their names; twins are asked about."""

import pytest

from core.connectors._notion.properties import typed
from core.connectors._notion.schema import Column, Option, Schema
from core.contract import Entered
from core.errors import InvalidInput
from core.sandbox.notion import schema
from tests.support.notion_columns import faults, text
from tests.support.notion_columns import schema as made_of
from tests.support.sandbox import Answer
from tests.support.sandbox import notion as workspace

DATABASE = schema.DATABASE.id
CONTACTS = workspace.DATABASES[2].id
COLUMNS = workspace.CONTACTS.properties
PRENOM = "Pre\N{COMBINING ACUTE ACCENT}nom"


def rich(value):
    return {"rich_text": text(value)}


@pytest.mark.parametrize(
    ("written", "value", "column", "arrives"),
    [
        ("Done?", "yes", "Done?", {"checkbox": True}),
        ("done?", "yes", "Done?", {"checkbox": True}),
        ("📅 Due", "2026-12-01", "📅 Due", {"date": {"start": "2026-12-01"}}),
        ("📅  due", "2026-12-01", "📅 Due", {"date": {"start": "2026-12-01"}}),
        ("DUE\N{NO-BREAK SPACE}BY", "2026-12-01", "Due by", {"date": {"start": "2026-12-01"}}),
        ("स्थिति", "खुला", "स्थिति", rich("खुला")),
        ("cost ($)", "5", "Cost ($)", {"number": 5}),
        ("% Done", "5", "% done", {"number": 5}),
        ("owner  & team", "Ann", "Owner & team", rich("Ann")),
        ("1st contact", "007", "1st contact", rich("007")),
        ("Prénom", "Anna", PRENOM, rich("Anna")),
        (PRENOM.upper(), "Anna", PRENOM, rich("Anna")),
        ("full NAME", "Ann", "Full name", {"title": text("Ann")}),
        ("Title", "Ann", "Full name", {"title": text("Ann")}),
        ("phase", "Cafe\N{COMBINING ACUTE ACCENT}", "Phase ", {"select": {"name": "Café"}}),
        ("Phase ", "on  hold", "Phase ", {"select": {"name": "On hold "}}),
        ("Phase", "New one", "Phase ", {"select": {"name": "New one"}}),
        ("status", "IN progress", "Status", {"status": {"name": "In progress"}}),
        ("Labels", "web", "Labels", {"multi_select": [{"name": "Web"}]}),
        ("labels", ["WEB", "new"], "Labels", {"multi_select": [{"name": "Web"}, {"name": "new"}]}),
        (COLUMNS["team "]["id"], "Ann", "team ", rich("Ann")),
    ],
)
def test_a_name_is_found_as_people_see_it(notion, sandbox, written, value, column, arrives):
    notion.send(database_id=CONTACTS, props={written: value})

    [page] = sandbox.notion.writes
    assert page.json["properties"] == {column: arrives}


TEAMS = " and ".join(f"'{name}' (id {COLUMNS[name]['id']})" for name in ("Team", "team "))
API, LOWER = (one["id"] for one in COLUMNS["Labels"]["multi_select"]["options"][:2])
APIS = f"'API' (id {API}) and 'api' (id {LOWER})"
WRITE = "write the id of the one you mean in place of its name"


@pytest.mark.parametrize(
    ("props", "field", "message"),
    [
        *[
            ({name: "x"}, name, f"could be any of the columns {TEAMS}: {WRITE}")
            for name in ("Team", "TEAM", "team ")
        ],
        *[
            (
                {"Labels": given},
                "Labels",
                f"is of type multi_select: could be any of the options {APIS}: {WRITE}",
            )
            for given in ("api", "web, API", ["Api"])
        ],
        (
            {"Labels": "web, WEB"},
            "Labels",
            "is of type multi_select: 'Web' is given twice",
        ),
        (
            {"Status": "Opened"},
            "Status",
            (
                "is of type status: 'Opened' is no option (did you mean 'Open'?); "
                "the options are: Not started, Open, In progress, Done"
            ),
        ),
        (
            {"Full name": "x", "FULL  name": "y"},
            "FULL  name",
            "is the column 'Full name', which is given twice",
        ),
    ],
)  # fmt: skip
def test_what_may_mean_two_things_is_refused_with_both(notion, sandbox, props, field, message):
    with pytest.raises(InvalidInput) as caught:
        notion.send(database_id=CONTACTS, props=props)

    assert [(f.field, f.message) for f in caught.value.faults] == [
        (f"props.{field.strip()}", message)
    ]
    assert sandbox.notion.writes == []


def test_one_of_two_options_is_named_by_its_id(notion, sandbox):
    notion.send(database_id=CONTACTS, props={"Labels": LOWER})

    [page] = sandbox.notion.writes
    assert page.json["properties"] == {"Labels": {"multi_select": [{"name": "api"}]}}


class TestAnOptionWithAComma:
    columns = Schema(
        id="source",
        properties={
            "Who": Column(
                id="w",
                type="multi_select",
                options=(Option(id="x1", name="Smith, John"), Option(id="x2", name="Ann")),
            )
        },
    )

    @pytest.mark.parametrize(
        ("written", "arrives"),
        [
            ("smith,  john", [{"id": "x1"}]),
            ('["Smith, John", "ann"]', [{"id": "x1"}, {"name": "Ann"}]),
            (["Smith, John"], [{"id": "x1"}]),
            (Entered("Smith, John"), [{"id": "x1"}]),
            ("Smith", [{"name": "Smith"}]),
        ],
    )
    def test_is_one_option(self, written, arrives):
        made = typed({"Who": written}, self.columns)

        assert made.values == {"Who": {"multi_select": arrives}}

    def test_is_not_taken_apart_among_others(self):
        with pytest.raises(InvalidInput) as caught:
            typed({"Who": "Ann, Smith, John"}, self.columns)

        [fault] = caught.value.faults
        assert fault.message == (
            "is of type multi_select: 'Smith, John' is an option with a comma: write the options "
            'as a JSON list, such as ["one", "two, three"]'
        )


def test_an_option_that_looks_new_is_looked_for_again_before_it_is_made(notion, sandbox):
    notion.send(database_id=DATABASE, props={"Tags": "bug"})
    tags = {"id": "t", "type": "multi_select", "multi_select": {"options": [{"name": "Later"}]}}
    answer = {"id": schema.TASKS.id, "properties": {"Tags": tags}}
    sandbox.notion.next(Answer(200, json=answer), on="data_sources.retrieve")
    sandbox.notion.next(Answer(200, json={"id": "a1b2c3d4e5f6"}), on="pages.create")

    notion.send(database_id=DATABASE, props={"Tags": "later"})

    page = sandbox.notion.calls("pages.create")[-1]
    assert page.json["properties"] == {"Tags": {"multi_select": [{"name": "Later"}]}}


class TestNames:
    columns = Schema(
        id="source",
        properties={
            "Task name": Column(id="title", type="title"),
            "title": Column(id="ab%3Ac", type="rich_text"),
            "Due date": Column(id="due1", type="date"),
        },
    )

    def test_title_is_the_title_column_whatever_its_name(self):
        made = typed({"title": "x"}, self.columns)

        assert made.values == {"Task name": {"title": text("x")}}

    @pytest.mark.parametrize("key", ["ab%3Ac", "ab:c"])
    def test_a_column_s_id_does_as_well(self, key):
        assert typed({key: "x"}, self.columns).values == {"title": {"rich_text": text("x")}}

    def test_spaces_around_a_name_are_taken_off(self):
        assert typed({" Due date ": "2026-12-01"}, self.columns).values == {
            "Due date": {"date": {"start": "2026-12-01"}}
        }

    def test_an_unknown_one_is_refused_with_the_nearest_and_the_list(self):
        assert faults({"due dat": "x"}, self.columns) == [
            (
                "props.due dat",
                (
                    "is not a column of this database (did you mean 'Due date'?); "
                    "the columns are: Task name, title, Due date"
                ),
            )
        ]

    def test_one_that_is_near_to_none_gets_the_list_alone(self):
        [(_, message)] = faults({"zzz": "x"}, self.columns)

        assert message == (
            "is not a column of this database; the columns are: Task name, title, Due date;"
            ' to send it as text, write title="…"'
        )

    @pytest.mark.parametrize("keys", [("Task name", "title"), ("title", "Task name")])
    def test_a_title_twice_is_refused_at_the_name_that_somebody_wrote(self, keys):
        assert faults(dict.fromkeys(keys, "x"), self.columns) == [
            (
                "props.Task name",
                "is the page's title, and so is the text (or title=…): keep one of the two",
            )
        ]

    def test_columns_nobody_can_write_are_not_offered(self):
        assert faults({"zzz": "x"}, made_of("url", "formula", "created_time")) == [
            (
                "props.zzz",
                (
                    "is not a column of this database; the columns are: url;"
                    ' to send it as text, write title="…"'
                ),
            )
        ]

    def test_a_long_list_is_cut_short(self):
        columns = Schema(
            id="source", properties={f"c{n:02}": Column(id=f"i{n}", type="url") for n in range(25)}
        )
        [(_, message)] = faults({"zzz": "x"}, columns)

        assert "c18, c19 and 5 more; to send" in message
