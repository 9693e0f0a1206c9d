"""What comes up seldom: each a table of what is given and what comes of it."""

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

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
from core.errors import Fault, InvalidInput, NotConfigured, NotFound
from core.grammar import quoting, usage
from core.grammar.words import _partner
from core.health import SILENT_SECONDS, HealthChecker, inbounds
from core.ledger.endings import SLOT, _read, _record
from core.ledger.records import Inbound
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
