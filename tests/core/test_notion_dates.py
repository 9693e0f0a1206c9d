"""Days and times for Notion: a time without a zone is read in one, and the receipt says so."""

from contextlib import suppress

import pytest
from pydantic import SecretStr, ValidationError

from core.connectors._notion.dates import Zone
from core.connectors._notion.properties import typed
from core.connectors._notion.schema import Column, Schema
from core.connectors.notion import CONNECTOR
from core.errors import InvalidInput
from core.sandbox.notion import schema
from tests.support.cli import levqor
from tests.support.sending import send

DATABASE = schema.DATABASE.id
COLUMNS = Schema(id="source", properties={"Due": Column(id="d", type="date")})


def due(written, zone="Europe/Berlin"):
    made = typed({"Due": written}, COLUMNS, Zone(zone))
    return made.values["Due"]["date"], made.notes


@pytest.mark.parametrize(
    ("written", "zone", "start"),
    [
        ("2026-12-01T09:30", "Europe/Berlin", "2026-12-01T09:30:00+01:00"),
        ("2026-07-01T09:30", "Europe/Berlin", "2026-07-01T09:30:00+02:00"),
        ("2026-12-01 09:30:15", "Asia/Kolkata", "2026-12-01T09:30:15+05:30"),
        ("2026-12-01T09:30:15.250", "UTC", "2026-12-01T09:30:15.250+00:00"),
        ({"start": "2026-12-01T09:30"}, "America/New_York", "2026-12-01T09:30:00-05:00"),
    ],
)
def test_a_time_without_a_zone_is_read_in_the_one_that_is_set(written, zone, start):
    date, [note] = due(written, zone)

    assert date == {"start": start}
    assert note == f"'Due': {start[:-6]} is taken as {start}, the time in {zone}."


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2026-12-01", {"start": "2026-12-01"}),
        ("2026-12-01T09:30Z", {"start": "2026-12-01T09:30:00+00:00"}),
        ("2026-12-01T09:30+09:00", {"start": "2026-12-01T09:30:00+09:00"}),
        ("2026-10-25T02:30+01:00", {"start": "2026-10-25T02:30:00+01:00"}),
        (
            {"start": "2026-12-01T09:30", "time_zone": "Asia/Tokyo"},
            {"start": "2026-12-01T09:30:00", "time_zone": "Asia/Tokyo"},
        ),
    ],
)
def test_what_needs_no_zone_goes_as_it_is_and_nothing_is_said(written, date):
    assert due(written) == (date, [])


def test_each_end_of_a_range_gets_the_offset_of_its_own_day():
    date, notes = due("2026-10-24T09:00/2026-10-26T09:00")

    assert date == {"start": "2026-10-24T09:00:00+02:00", "end": "2026-10-26T09:00:00+01:00"}
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "2026-10-25T02:30",
            (
                "2026-10-25T02:30:00 happens twice in Europe/Berlin: write "
                "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00, whichever you mean"
            ),
        ),
        (
            "2026-03-29T02:30",
            (
                "2026-03-29T02:30:00 does not happen in Europe/Berlin, where the clocks skip it: "
                "write a time that does, or its offset with it, such as 2026-03-29T03:30:00+02:00"
            ),
        ),
        ("2026-12-01T10:00/2026-12-01T09:00+01:00", "the range ends before it begins"),
        (
            "2026-12-01T09:30:15.123456",
            "write days as 2026-12-01 and times as 2026-12-01T09:30",
        ),
    ],
)  # fmt: skip
def test_a_time_that_is_not_one_moment_is_refused(written, message):
    with pytest.raises(InvalidInput) as caught:
        due(written)

    assert [f.message for f in caught.value.faults] == [f"is of type date: {message}"]


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_the_ends_of_the_calendar_are_no_mistake_of_ours(year):
    for zone in (None, "Pacific/Kiritimati", "America/Los_Angeles"):
        for day in ("01-01T00:00", "12-31T23:59"):
            with suppress(InvalidInput):
                assert due(f"{year}-{day}", zone)


def test_the_receipt_says_which_zone_was_meant(sandbox):
    receipt = send(
        CONNECTOR,
        sandbox,
        {"database_id": DATABASE, "props": {"title": "x", "Due": "2026-12-01T09:30"}},
        LEVQOR_TIME_ZONE="Asia/Tokyo",
    )

    assert receipt.note == (
        "'Due': 2026-12-01T09:30:00 is taken as 2026-12-01T09:30:00+09:00, the time in Asia/Tokyo."
    )
    [page] = sandbox.notion.writes
    assert page.json["properties"]["Due"] == {"date": {"start": "2026-12-01T09:30:00+09:00"}}


@pytest.mark.parametrize(
    ("env", "told"),
    [
        (
            {"TZ": "America/New_York"},
            "-05:00, the time in this machine's time zone (LEVQOR_TIME_ZONE sets another)",
        ),
        ({"TZ": "UTC", "LEVQOR_TIME_ZONE": "Europe/Berlin"}, "+01:00, the time in Europe/Berlin"),
    ],
)
def test_the_machine_s_zone_is_meant_where_none_is_set(env, told):
    ran = levqor(
        *("--sandbox", "run", "notion.create", f"database_id={DATABASE}"),
        *("title=x", "Due=2026-12-01T09:30"),
        env=env,
    )

    assert ran.status == 0, ran.err
    assert f"2026-12-01T09:30:00{told}" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    "name", ["Berlin", "Europe", "../etc/passwd", "/etc/passwd", "+01:00", "é"]
)
def test_a_zone_that_is_none_is_refused_in_the_settings(name):
    with pytest.raises(ValidationError, match="such as Europe/Berlin"):
        CONNECTOR.config(NOTION_API_KEY=SecretStr("ntn_x"), LEVQOR_TIME_ZONE=name)
