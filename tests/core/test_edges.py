"""What comes up seldom: each a table of what is given and what comes of it."""

import sqlite3
import tempfile
from collections.abc import Mapping
from typing import Any

import pytest

from core.callers import quota_address
from core.contract import Contract, field
from core.engine.validation import validate
from core.errors import InvalidInput, LedgerError, NotConfigured
from core.grammar import quoting, usage
from core.home import check, temporary, write_private
from core.home_key import home_key
from core.ledger.explain import explain
from core.settings.app import database_url, is_local, path
from core.settings.names import in_names


class Free(Contract):
    props: Mapping[str, Any] = field("Properties", "What to put in.", example={"a": 1})


class Text(Contract):
    text: str = field("Text", "What to say.", example="hi", takes_text=True)


class Named(Contract):
    name: str = field("Name", "Whose.", example="ann")


class Long(Contract):
    name: str = field("Name", "Whose.", example="ann", min_length=3)
    rows: list[str] = field("Rows", "Which.", example=["a"], min_length=2)


@pytest.mark.parametrize(
    ("contract", "line", "hints"),
    [
        (Free, 'do name=value "two words"="a value"…', 2),
        (Text, "do text", 1),
        (Named, "do name=…", 1),
    ],
)
def test_how_a_command_is_written_follows_from_its_contract(contract, line, hints):
    assert usage("do", contract) == line
    assert len(list(quoting(contract))) == hints


def test_what_is_too_short_says_how_much_is_needed():
    with pytest.raises(InvalidInput) as refused:
        validate(Long, {"name": "ab", "rows": ["a"]}, lambda _: None)
    assert {(fault.field, fault.message) for fault in refused.value.faults} == {
        ("name", "is too short: at least 3 characters"),
        ("rows", "is too short: at least 2 entries"),
    }


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("somebody", "somebody"), ("127.0.0.9", "127.0.0.1"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"), ("2001:db8::/64", "2001:db8::/64"),
    ],
)  # fmt: skip
def test_an_address_is_counted_by_who_has_it(address, counted):
    assert quota_address(address) == counted


@pytest.mark.parametrize(
    ("address", "local"),
    [("http://127.0.0.1:1/x", True), ("https://example.com", False), ("http://[", False)],
)
def test_an_address_that_cannot_be_read_is_not_of_this_machine(address, local):
    assert is_local(address) is local


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://u:p@[::1/x", "in the password as %40"),
        ("mysql://host/x", "must be postgresql://"),
        ("postgresql://db.example.com/x?sslmode=require", "must not lower sslmode"),
    ],
)
def test_an_address_of_a_database_that_will_not_do_says_why(url, says):
    with pytest.raises(ValueError, match=says):
        database_url(url)


def test_a_path_is_one_line():
    assert path("/srv/key") == "/srv/key"
    with pytest.raises(ValueError, match="without line breaks"):
        path("/srv\n/key")


def test_names_of_settings_are_written_over_as_whole_words():
    assert in_names("SLACK_X is missing", {}) == "SLACK_X is missing"
    names = {"SLACK_X": "SLACK_X__ACME"}
    text = "Set SLACK_X, SLACK_X_FILE, not SLACK_XY"
    assert in_names(text, names) == "Set SLACK_X__ACME, SLACK_X__ACME_FILE, not SLACK_XY"


def test_a_home_is_a_folder(tmp_path):
    (tmp_path / "home").write_text("no folder\n")
    with pytest.raises(NotConfigured, match="is not a folder"):
        check(tmp_path / "home")


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "file", b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_without_a_folder_for_what_is_temporary_it_says_how_one_is_named(tmp_path, monkeypatch):
    import contextlib

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with contextlib.ExitStack() as stack, pytest.raises(LedgerError) as told:
        temporary(stack)
    assert told.value.fix == "Name one that you may write to in TMPDIR."


def test_a_key_that_is_named_and_not_there_is_not_made(home, tmp_path):
    with pytest.raises(LedgerError, match="cannot be read or written: No such file"):
        home_key(home, tmp_path / "no.key")
    assert list(home.iterdir()) == []


def test_a_backup_goes_where_files_can_be_made(ledger, tmp_path):
    with pytest.raises(LedgerError) as told:
        ledger.backup(tmp_path / "no" / "copy.db")
    assert (told.value.reason, told.value.fix) == (
        "backup_unwritable", "Choose a folder you may write to.",
    )  # fmt: skip


def failed(code, name):
    error = sqlite3.OperationalError()
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error


@pytest.mark.parametrize(
    ("code", "name", "where", "reason", "says"),
    [
        (sqlite3.SQLITE_INTERNAL, "SQLITE_INTERNAL", "", "unusable", "(SQLITE_INTERNAL)"),
        (sqlite3.SQLITE_IOERR, "SQLITE_IOERR", "gone/", "unusable", "(SQLITE_IOERR)"),
        (sqlite3.SQLITE_BUSY, "SQLITE_BUSY", "", "locked", "held by another program"),
        (sqlite3.SQLITE_READONLY, "SQLITE_READONLY", "", "readonly", "cannot be written"),
    ],
)
def test_what_the_database_says_is_told_in_words(tmp_path, code, name, where, reason, says):
    told = explain(tmp_path / f"{where}levqor.db", failed(code, name))
    assert (told.reason, says in told.message) == (f"ledger_{reason}", True), told.message
    assert (told.retry_after is not None) is (reason == "locked")
