"""What comes up seldom: each a table of what is given and what comes of it."""

import logging
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from core.callers import Caller, quota_address
from core.connectors import CONNECTORS
from core.connectors._sheets.api import Appended, note
from core.connectors.telegram import _number_as_text
from core.contract import Contract, field
from core.engine import Engine, concealing
from core.engine.results import Settled
from core.engine.run_log import RunLogger
from core.engine.validation import validate
from core.errors import Fault, InvalidInput, LedgerError, LevqorError, NotConfigured, NotFound
from core.grammar import quoting, usage
from core.grammar.words import _partner
from core.health import SILENT_SECONDS, HealthChecker, inbounds
from core.home import MOVING, check, temporary, write_private
from core.home_key import home_key
from core.ledger import Ledger
from core.ledger import usage as counted_runs
from core.ledger.backup import made
from core.ledger.endings import SLOT, _read, _record
from core.ledger.explain import explain
from core.ledger.moving import move
from core.ledger.postgres_errors import explain as explain_postgres
from core.ledger.postgres_risks import OLDEST_SERVER, risks
from core.ledger.records import Inbound
from core.ledger.restore import opened
from core.linking import link
from core.logs import quiet_libraries
from core.masking import Redactor
from core.network import Network, Proxy
from core.outbound.connection import RequestProgress
from core.reports import Verdict
from core.sandbox import Sandbox
from core.settings import Settings
from core.settings.app import Address, database_url, is_local, path
from core.settings.names import in_names
from tests.support.journal import accept, finish


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


class Table(Contract):
    rows: list[list[str]] = field("Rows", "Which.", example=[["a", "b"]])


def test_a_list_within_a_list_is_shown_by_its_own_shape():
    with pytest.raises(InvalidInput) as refused:
        validate(Table, {"rows": ["a"]}, lambda _: None)
    assert refused.value.faults == (Fault("rows.1", 'must be a list, such as ["a", "b"]'),)


def test_no_contract_has_a_field_that_is_called_as_targets_are_given():
    class Aimed(Contract):
        target: str = field("Target", "Where.", example="ops")

    with pytest.raises(TypeError, match="no field of that name"):
        Aimed.fields()


class Sent(Contract):
    text: str = field("Text", "What to say.", example="hi")
    props: Mapping[str, Any] = field("Properties", "What to put in.", example={"a": 1})
    channel: str = field("Channel", "Where.", example="#ops", destination=True)


def test_what_a_target_or_a_setting_gives_wrong_is_not_told_to_who_may_not_see_it():
    wrong = InvalidInput([Fault("channel", "is no channel")])
    assert isinstance(concealing.refusal(wrong, Sent, {"text": "x"}), NotConfigured)
    assert concealing.refusal(wrong, Sent, {"channel": "x"}) is wrong
    given = Sent(text="x", props={"Due By": 1}, channel="#x")
    names = ["props.due by", "props.gone", "channel"]
    faults = InvalidInput([Fault(name, "#secret") for name in names])
    told = concealing.settled(Settled("run", "a.b", "refused", error=faults), None, given).error
    assert [fault.field for fault in told.faults] == ["props.Due By", "props", "channel"]
    assert {fault.message for fault in told.faults} == {concealing.UNFIT}


@pytest.mark.parametrize(
    ("given", "text"), [(42.0, "42"), (-42, "-42"), (1.5, 1.5), (True, True), ("@x", "@x")]
)
def test_a_chat_s_number_may_be_written_as_any_whole_number(given, text):
    assert _number_as_text(given) == text


@pytest.mark.parametrize(
    ("place", "range_", "told"),
    [
        ("S!A1", "S!A2:B2", "They are at S!A2:B2."),
        ("S!B1", "S!A2:B2", "They are at S!A2:B2, not in column B: Google puts rows below"),
        ("S!A1", "", None),
    ],
)
def test_where_rows_are_is_said_as_far_as_google_says_it(place, range_, told):
    answer = {"updates": {"updatedRange": range_, "updatedRows": 1}}
    said = note(place, [["a"]], Appended.model_validate(answer))
    assert said is None if told is None else said.startswith(told)


def inbound(surface="slack", *, ok=True, alive=True, silent=False):
    at = time.time()
    age = SILENT_SECONDS + 1 if silent else 0.0
    return Inbound(surface, ok, "listening", None, at - 60, at, age, alive)


@pytest.mark.parametrize(
    ("said", "ok", "verdict"),
    [
        ([inbound()], True, "listening"),
        ([inbound(alive=False)], False, "the bot is not running"),
        ([inbound(silent=True)], False, "the bot gives no sign of life"),
        ([inbound(), inbound(alive=False)], False, "the bot is not running"),
        ([inbound(alive=False), inbound(silent=True)], False, "the bot is not running"),
        ([inbound(), inbound(ok=False)], False, "listening"),
        ([inbound(), inbound()], True, "listening"),
    ],
)
def test_of_several_bots_the_one_that_does_worst_speaks_for_an_interface(said, ok, verdict):
    (told,) = inbounds(SimpleNamespace(inbounds=lambda: said)).values()
    assert (told.ok, told.verdict) == (ok, verdict)


def test_a_deadline_that_comes_after_the_end_cuts_nothing():
    progress = RequestProgress(time.monotonic() + 60)
    assert progress.finish() is True
    progress.abort()
    assert progress.finish() is True


def test_a_sandbox_that_was_never_started_can_be_left():
    Sandbox().__exit__()


def test_a_host_may_be_a_name():
    assert Address.parse("bots.example.com:80").port == 80
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        Address.parse("-bots.example:80")


def test_one_word_at_most_follows_link(ledger):
    with pytest.raises(InvalidInput, match="Write link alone"):
        link(None, ledger, Caller("slack", "U1"), "abc def")


def test_an_ending_that_is_too_long_for_its_place_is_none():
    assert len(_record("run", {"reason": "x" * SLOT})) == SLOT
    assert _read(_record("run", {"reason": "x" * SLOT})) == {}


def test_records_that_do_not_fit_their_arguments_are_cleaned_too(monkeypatch):
    before = logging.getLogRecordFactory()
    try:
        quiet_libraries(Redactor(["hunter2-hunter2"]))
        make = logging.getLogRecordFactory()
        odd = make("x", logging.INFO, "f", 1, "%d hunter2-hunter2", ("a",), None)
        assert "hunter2" not in odd.getMessage()
        assert odd.getMessage().startswith("%d ")
        served = make("uvicorn.access", logging.INFO, "f", 1, "%s", ("a",), None)
        assert served.args == ("a",)
    finally:
        logging.setLogRecordFactory(before)


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


def test_half_a_backup_is_taken_away_again_whatever_ended_it(tmp_path):
    with pytest.raises(ZeroDivisionError), made(tmp_path / "copy.db"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def restored(tmp_path, name, spoil):
    """What is said where a backup of one run is spoilt while it is restored."""
    with Ledger.open(tmp_path / "from") as source:
        finish(source, "sent")
        source.backup(tmp_path / "copy.db")
    with (
        Ledger.open(tmp_path / name) as target,
        opened(tmp_path / "copy.db", None, new_key=True) as given,
    ):
        spoil(given)
        with pytest.raises(LedgerError) as told:
            given.restore(target)
        assert target.runs() == []
    return told.value


def test_a_restore_that_is_given_up_changes_nothing(tmp_path):
    told = restored(tmp_path, "a", lambda given: given._given_up.set())
    assert told.message == "The restore was interrupted; nothing was changed."


def test_a_backup_that_cannot_be_read_to_its_end_changes_nothing(tmp_path):
    told = restored(tmp_path, "b", lambda given: given._db.set_authorizer(denied))
    assert told.reason == "backup_damaged"


def denied(action, table, *_):
    return sqlite3.SQLITE_DENY if (action, table) == (sqlite3.SQLITE_READ, "runs") else 0


def test_work_that_the_database_refuses_is_told_in_words_and_ends_alone(home):
    with Ledger.open(home) as ledger:
        with pytest.raises(LedgerError, match="SQLITE_ERROR"):
            ledger.store.write(lambda db: db.execute("SELECT 1 FROM nowhere"))
        ledger.store._writer._connection.execute("BEGIN")
        with pytest.raises(LedgerError, match="cannot be used"):
            ledger.store.write(lambda db: db.execute("SELECT 1"))
        assert ledger.store.write(lambda db: db.execute("SELECT 1").fetchone()) == (1,)


def test_the_accounts_of_a_connector_are_those_that_ran(ledger):
    assert accept(ledger)[1]
    finish(ledger, "sent", caller="cli:bob")
    for only, found in ("sample", [("sample", "")]), ("a", []), ("z", []):
        assert ledger.store.read(lambda db, only=only: counted_runs.accounts(db, only)) == found


def test_a_home_that_has_lost_its_key_says_nothing_of_the_first_one(home):
    with Ledger.open(home) as ledger:
        for check_ in ("a", None, "b", "b"):
            ledger.check_key(check_)
        assert ledger._key_check() == "b"


@pytest.mark.parametrize(
    ("error", "reason", "says"),
    [
        (psycopg.errors.SyntaxError("x"), "ledger_unusable", "cannot be used (SQLSTATE 42601)"),
        (psycopg.DataError("x"), "ledger_unusable", "cannot be used"),
        (psycopg.OperationalError("x"), "ledger_unreachable", "cannot be reached"),
    ],
)
def test_what_postgresql_says_is_told_in_words(error, reason, says):
    told = explain_postgres("The database", error)
    assert (told.reason, says in told.message) == (reason, True), told.message


def test_a_server_older_than_those_that_were_tried_is_a_risk():
    def of(version):
        row = ("on", "on", "on", 0, "", str(version))
        return risks(SimpleNamespace(execute=lambda _: SimpleNamespace(fetchone=lambda: row)))

    assert of(OLDEST_SERVER * 10_000) == []
    ((what, fix),) = of(OLDEST_SERVER * 10_000 - 1)
    assert f"version {OLDEST_SERVER - 1}" in what
    assert str(OLDEST_SERVER) in fix


def unmoved(source, target):
    with pytest.raises(LevqorError) as told:
        move(source, target)
    return told.value


def test_a_home_that_cannot_be_moved_stays_and_says_why(home, tmp_path):
    Ledger.open(home).close()
    (tmp_path / "file").write_text("")
    told = unmoved(home, tmp_path / "file" / "new")
    assert (told.reason, "nothing is lost" in told.message) == ("home_unmovable", True)
    elsewhere = tmp_path / "third"
    for folder, way in (home, "to"), (tmp_path / "new", "from"):
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / MOVING).write_text(f"{way} {elsewhere}\n")
        assert str(elsewhere) in unmoved(home, tmp_path / "new").message
        (folder / MOVING).unlink()
    content = (home / "levqor.db").read_bytes()
    (home / "levqor.db").write_bytes(b"no database at all" * 300)
    assert unmoved(home, tmp_path / "new").reason.startswith("ledger_")
    (home / "levqor.db").write_bytes(content)
    (home / "levqor.db-wal").mkdir()
    assert unmoved(home, tmp_path / "new").reason.startswith("ledger_")


def test_a_move_whose_old_folder_is_gone_is_finished(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir(mode=0o700)
    (new / MOVING).write_text(f"from {old}\n")
    assert move(old, new) == []


def test_a_lost_commit_does_not_use_a_link_up_twice(home):
    class Twice:
        """A store whose first answer is always lost."""

        def write(self, work, **how):
            real.write(work, **how)
            return real.write(work, **how)

        def __getattr__(self, name):
            return getattr(real, name)

    with Ledger.open(home) as ledger:
        real = ledger.store
        code, _ = ledger.sign_in_code("cli:ann")
        ledger.store = Twice()
        try:
            signed = ledger.sign_in(code, 60)
        finally:
            ledger.store = real
        assert signed[0] == "cli:ann"
        assert ledger.sign_in(code, 60) is None
        with pytest.raises(NotFound, match="ended already"):
            ledger.session_of("nosuch")


def test_only_what_was_counted_of_a_connector_is_told_of_it(ledger):
    finish(ledger, "sent", caller="cli:bob")
    now = ledger.now()
    ledger.roll_up()
    for name, sent in ("sample", 1), ("other", 0):
        steps = ledger.history(name, now - 3600, now + 3600, 3600).steps
        assert sum(step.sent for step in steps) == sent


@pytest.mark.parametrize(("text", "at"), [("“a”b”", 4), ("“a “b” c” d", 8), ("“a", None)])
def test_a_curly_quote_ends_where_a_word_may(text, at):
    assert _partner(text, 0) == at


def test_a_proxy_speaks_socks_or_http():
    given = ("socks5://h", True), ("http://h", False)
    assert [Proxy.parse(text).socks for text, _ in given] == [True, False]


def test_certificates_may_be_in_a_folder(tmp_path):
    context = Network({"SSL_CERT_DIR": str(tmp_path)}).context()
    assert context.get_ca_certs() == []


def test_without_a_log_what_is_refused_is_still_told():
    told, logger = [], RunLogger(None)
    logger.refusals.append(lambda *what: told.append(what))
    error = NotFound("There is none.")
    logger.refused("", error, Caller("slack", "U1"), None, 0.0)
    assert told == [("", error, Caller("slack", "U1"))]


def test_a_check_s_own_fault_is_its_connector_s(home, environ):
    def probe(config, http):
        raise ZeroDivisionError

    slack = next(each for each in CONNECTORS if each.name == "slack")
    settings = Settings(home, environ=environ)
    with Engine.open(settings, connectors=[replace(slack, probe=probe)]) as engine:
        detail = HealthChecker(engine).report(live=True).detail["slack"]
    assert detail.verdict is Verdict.FAILING
