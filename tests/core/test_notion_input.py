"""What a page and the settings for it may hold."""

import pytest
from pydantic import SecretStr, ValidationError

from core.connectors.notion import CONNECTOR
from core.errors import InvalidInput, NotConfigured
from core.sandbox.notion import schema

DATABASE = schema.DATABASE.id


def refused(call):
    with pytest.raises(InvalidInput) as caught:
        call()
    return [(fault.field, fault.message) for fault in caught.value.faults]


class TestInput:
    @pytest.mark.parametrize(
        "given",
        [
            "d9824bdc84454327be8b5b47500af6ce",
            "D9824BDC84454327BE8B5B47500AF6CE",
            "d9824bdc-8445-4327-be8b-5b47500af6ce",
            " d9824bdc84454327be8b5b47500af6ce ",
            "https://www.notion.so/d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/team/Tasks-d9824bdc84454327be8b5b47500af6ce?v=0123456789abcdef0123456789abcdef&pvs=4",
            "https://www.notion.so/Cafe-d9824bdc84454327be8b5b47500af6ce#0123456789abcdef0123456789abcdef",
            "https://team.notion.site/d9824bdc-8445-4327-be8b-5b47500af6ce/",
            "notion.so/d9824bdc84454327be8b5b47500af6ce?v=",
        ],
    )
    def test_a_database_is_named_by_id_or_address(self, given):
        request = CONNECTOR.actions[0].input(database_id=given, props={"title": "x"})

        assert request.database_id == "d9824bdc-8445-4327-be8b-5b47500af6ce"

    @pytest.mark.parametrize(
        "given",
        [
            "Tasks",
            "d9824bdc84454327be8b5b47500af6c",
            "d9824bdc84454327be8b5b47500af6ce0",
            "x-d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/?v=d9824bdc84454327be8b5b47500af6ce",
            "https://www.notion.so/d9824bdc84454327be8b5b47500af6ce/settings",
            "d9824bdc84454327be8b5b47500af6ce/../users",
            "",
        ],
    )
    def test_what_holds_no_id_is_refused(self, given):
        with pytest.raises(ValidationError, match="32-character id, or an address"):
            CONNECTOR.actions[0].input(database_id=given, props={"title": "x"})

    @pytest.mark.parametrize(
        ("props", "message"),
        [
            ({}, "at least 1"),
            ({f"c{n}": "x" for n in range(101)}, "at most 100"),
            ({"Name": "x" * 500_000}, "at most 500,000 bytes in all"),
            ({"Name": float("nan")}, "nothing but JSON"),
            ({"Name": {1, 2}}, "nothing but JSON"),
            ({"Name": "a\x00b"}, "control character"),
            ({"Name": None}, "at least 1"),
            ({" ": "x"}, "has a value without a name"),
            ({"Name": "x", " Name": "y"}, "names a column twice"),
        ],
        ids=["none", "101", "500 KB", "NaN", "a set", "NUL", "null", "no name", "twice"],
    )
    def test_properties_are_bounded(self, props, message):
        with pytest.raises(ValidationError, match=message):
            CONNECTOR.actions[0].input(database_id=DATABASE, props=props)

    def test_a_page_without_a_database_says_what_to_give_or_set(self, settings):
        action, config = CONNECTOR.actions[0], settings.config(CONNECTOR)
        request = action.input(props={"title": "x"})

        assert refused(lambda: action.check(request, config, False)) == [
            ("database_id", "is missing; give it, or set NOTION_DATABASE_ID_DEFAULT")
        ]

    def test_a_test_page_without_a_default_is_not_configured(self, settings):
        action, config = CONNECTOR.actions[0], settings.config(CONNECTOR)

        with pytest.raises(NotConfigured) as caught:
            action.check(action.input(**action.sample), config, True)

        assert caught.value.settings == ("NOTION_DATABASE_ID_DEFAULT",)
        assert caught.value.fix == "Set NOTION_DATABASE_ID_DEFAULT to a database's address."


class TestConfig:
    def test_the_default_database_may_be_an_address(self):
        config = CONNECTOR.config(
            NOTION_API_KEY=SecretStr("ntn_x"),
            NOTION_DATABASE_ID_DEFAULT="https://www.notion.so/d9824bdc84454327be8b5b47500af6ce?v=1",
        )

        assert config.database == "d9824bdc-8445-4327-be8b-5b47500af6ce"
        assert config.api_url == "https://api.notion.com"

    def test_a_malformed_default_is_refused_without_being_shown(self):
        with pytest.raises(ValidationError) as caught:
            CONNECTOR.config(
                NOTION_API_KEY=SecretStr("ntn_x"), NOTION_DATABASE_ID_DEFAULT="my-private-name"
            )

        assert "32-character id" in str(caught.value)
        assert "my-private-name" not in str(caught.value)
