"""What the sandbox's Notion refuses, in Notion's words."""

import pytest
import requests

from tests.support.sandbox import notion as workspace

BODY = "body failed validation: body.properties"
DUE = f"{BODY}.Due.date.start should be a valid ISO 8601 date string, instead was `'tomorrow'`."


@pytest.fixture
def set_up(sandbox):
    return sandbox.settings()


def notion(set_up, **more):
    return {
        "Authorization": f"Bearer {set_up['NOTION_API_KEY']}",
        "Notion-Version": "2026-03-11",
        **more,
    }


def create(set_up, properties, **more):
    body = {"parent": {"database_id": set_up["NOTION_DATABASE_ID_DEFAULT"]}, **more}
    url = f"{set_up['NOTION_API_URL']}/v1/pages"
    return requests.post(url, json=body | {"properties": properties}, headers=notion(set_up))


def test_a_call_without_a_version_is_missing_version(set_up):
    headers = notion(set_up)
    del headers["Notion-Version"]
    answer = requests.get(f"{set_up['NOTION_API_URL']}/v1/users/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_version")


def test_a_call_in_the_sdks_version_is_answered_in_it(set_up):
    url = f"{set_up['NOTION_API_URL']}/v1/databases/{set_up['NOTION_DATABASE_ID_DEFAULT']}"
    newer = requests.get(url, headers=notion(set_up)).json()
    older = requests.get(url, headers=notion(set_up, **{"Notion-Version": "2025-09-03"})).json()
    assert older == {**newer, "archived": False}


def test_a_version_of_long_ago_is_refused(set_up):
    headers = notion(set_up, **{"Notion-Version": "2022-06-28"})
    answer = requests.get(f"{set_up['NOTION_API_URL']}/v1/users/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_wrong_secret_is_unauthorized(set_up):
    headers = notion(set_up, Authorization="Bearer ntn_wrong")
    answer = requests.get(f"{set_up['NOTION_API_URL']}/v1/users/me", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["message"] == "API token is invalid."


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Nom": {"checkbox": True}}, "Nom is not a property that exists."),
        ({"Done": {"number": 1}}, "Done is expected to be checkbox."),
        ({"Notes": "plain"}, "Notes is expected to be rich_text."),
        (
            {"Name": {"title": [{"text": {"content": "x" * 2001}}]}},
            f"{BODY}.Name.title[0].text.content.length should be ≤ `2000`, instead was `2001`.",
        ),
        (
            {"Name": {"title": [{"text": {"content": "🚀" * 1001}}]}},
            f"{BODY}.Name.title[0].text.content.length should be ≤ `2000`, instead was `2002`.",
        ),
        (
            {"Status": {"status": {"name": "Lost"}}},
            'Invalid status option. Status option "Lost" does not exist".',
        ),
        (
            {"Tags": {"multi_select": [{"name": "a,b"}]}},
            "Invalid select option, commas not allowed: a,b",
        ),
        (
            {"Tags": {"multi_select": [{"name": str(n)} for n in range(101)]}},
            f"{BODY}.Tags.multi_select.length should be ≤ `100`, instead was `101`.",
        ),
        (
            {"Points": {"number": "3"}},
            f"{BODY}.Points.number should be a number, instead was `'3'`.",
        ),
        (
            {"Due": {"date": {"start": "tomorrow"}}},
            DUE,
        ),
        (
            {"Mail": {"email": "x" * 201}},
            f"{BODY}.Mail.email.length should be ≤ `200`, instead was `201`.",
        ),
        (
            {"Owner": {"people": [{"id": "ada"}]}},
            f"{BODY}.Owner.people[0].id should be a valid uuid, instead was `'ada'`.",
        ),
        (
            {"Overdue": {"formula": {"boolean": True}}},
            "Overdue is a formula property, which cannot be set through the API.",
        ),
    ],
)
def test_notion_refuses_a_value_that_does_not_fit_its_column(sandbox, set_up, properties, message):
    answer = create(set_up, properties)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "validation_error")
    assert said["message"] == message
    assert sandbox.notion.writes == []


def test_notion_finds_a_column_by_its_id_too(sandbox, set_up):
    answer = create(set_up, {"title": {"title": [{"text": {"content": "By id"}}]}})
    assert answer.json()["properties"]["Name"]["title"][0]["plain_text"] == "By id"
    assert sandbox.notion.writes[0].shown == "By id"


def test_a_database_of_two_sources_asks_which(sandbox, set_up):
    answer = create(set_up, {}, parent={"database_id": workspace.DATABASES[1].id})
    said = answer.json()
    assert said["additional_data"]["error_type"] == "multiple_data_sources_for_database"
    assert len(said["additional_data"]["child_data_source_ids"]) == 2


def test_a_pasted_address_is_no_uuid(set_up):
    url = f"{set_up['NOTION_API_URL']}/v1/databases/tasks-v=1"
    message = requests.get(url, headers=notion(set_up)).json()["message"]
    assert message == (
        "path failed validation: path.database_id should be a valid uuid, "
        'instead was `"tasks-v=1"`.'
    )
