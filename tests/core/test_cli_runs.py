"""`levqor runs`: which runs it lists, and what it shows to somebody who watches."""

import contextlib
import json
import queue
import signal
import subprocess
import threading

import pytest

from core.callers import os_user
from core.errors import LedgerError
from core.ledger import Ledger
from tests.support.cli import command, environment
from tests.support.engines import both
from tests.support.journal import accept, finish
from tests.support.sandbox import Answer

BOB = "slack:T1:UBOB"


@pytest.fixture
def sent(cli, sandbox):
    """A home where two services were asked and one said no; the runs' IDs by their names."""
    sandbox.slack.next(Answer(404, "no_service"))
    cli("run", "slack.send", "one")
    cli("run", "telegram.send", "--test")
    return cli


def listed(cli, *options):
    runs = cli("runs", *options, "--output", "json").json["runs"]
    return [(run["action"], run["state"]) for run in runs]


@both
def test_runs_are_picked_by_time_person_action_and_outcome(sent):
    me = sent("callers", "--output", "json").json["callers"][0]["caller"]
    refused, tested = ("slack.send", "refused"), ("telegram.send", "sent")
    for options, found in [
        (("--since", "1h"), [tested, refused]),
        (("--since", "0m"), []),
        (("--since", "2026-01-01"), [tested, refused]),
        (("--person", me, "--last", "1"), [tested]),
        (("--action", "slack"), [refused]),
        (("--action", "telegram.send", "--outcome", "sent"), [tested]),
        (("--outcome", "refused", "--since", "7d"), [refused]),
        (("--outcome", "open"), []),
    ]:
        assert listed(sent, *options) == found, options
    assert sent("runs", "--outcome", "unknown").out == "No runs like these.\n"


@both
def test_ones_own_runs_are_those_of_this_user_and_of_whom_they_are_linked_with(sent, open_ledger):
    tray, ann = f"tray:{os_user()}", "slack:T1:UANN"
    with open_ledger() as ledger:
        for caller in (BOB, ann, tray, "cli:somebody-else"):
            accept(ledger, caller=caller)

    def mine():
        return {run["caller"] for run in sent("runs", "--mine", "--output", "json").json["runs"]}

    me = {f"cli:{os_user()}", tray}
    assert mine() == me
    assert sent("people", "add", "ann", ann, tray).status == 0
    assert mine() == {*me, ann}


WRONG = [
    (("--mine", "--person", BOB), "--mine: cannot be given beside --person"),
    (("--since", "last week"), "--since: must be a time such as 7d, 36h or 90m"),
    (("--person", "cli:nobody-here"), "--person: is nobody whom Levqor knows"),
    (("--action", "slak.send"), "--action: is no action and no service; did you mean slack.send?"),
    (("--outcome", "lost"), "--outcome: must be sent, refused, not_sent, unknown or open"),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=[each[0][0] for each in WRONG])
def test_what_is_wrong_is_refused_with_how_to_write_it(sent, options, words):
    printed = sent("runs", *options)
    assert printed.status == 2
    assert words in printed.err


class Watching:
    """`levqor runs --watch` in a process of its own, its lines as they come."""

    def __init__(self, home, environ, *options):
        self.process = subprocess.Popen(
            command("--home", home, "runs", "--watch", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**environ),
            start_new_session=True,
        )
        self.notes, self._lines = queue.Queue(), queue.Queue()
        streams = ((self.process.stdout, self._lines), (self.process.stderr, self.notes))
        self._readers = [threading.Thread(target=self._read, args=each) for each in streams]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))

    def line(self):
        return self._lines.get(timeout=60)

    def run(self):
        """The next run, and its state."""
        body = json.loads(self.line())
        return body["run"], body["state"]

    def interrupt(self):
        """Press Ctrl-C; the lines that nobody has read."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(60)
        self.close()
        assert status == 130
        return list(self._lines.queue)

    def close(self):
        self.process.kill()
        self.process.wait(60)
        for reader in self._readers:
            reader.join(60)


@pytest.fixture
def watching(home, environ):
    """Watch runs; what is left is ended."""
    with contextlib.ExitStack() as stack:

        def start(*options, **more):
            watch = Watching(home, {**environ, **more}, *options)
            stack.callback(watch.close)
            return watch

        yield start


def test_a_home_without_a_database_is_not_watched(cli, home):
    printed = cli("runs", "--watch")
    assert (printed.status, printed.out) == (2, "")
    assert "this home has no database yet" in printed.err
    assert not (home / "levqor.db").exists()


@both
def test_watching_shows_each_run_that_comes_or_changes_once(ledger, watching):
    ledger.set_plan("cli:ada", "pro")
    old, out = finish(ledger, "sent").run, accept(ledger)[0].run
    watch = watching("--output", "json")
    assert [watch.run(), watch.run()] == [(old, "sent"), (out, "accepted")]
    ledger.settle(out, "unknown", reason="no_answer")
    assert watch.run() == (out, "unknown")
    new = accept(ledger)[0].run
    assert watch.run() == (new, "accepted")
    ledger.sending(new)
    assert watch.run() == (new, "sending")
    ledger.settle(new, "sent")
    assert watch.run() == (new, "sent")
    assert watch.interrupt() == []


@both
def test_watching_one_outcome_waits_for_runs_to_have_it(ledger, watching):
    ledger.set_plan("cli:ada", "pro")
    known = finish(ledger, "unknown").run
    out = accept(ledger, at=ledger.now() - 3600)[0].run
    watch = watching("--output", "json", "--outcome", "unknown")
    assert watch.run() == (known, "unknown")
    finish(ledger, "sent")
    later = finish(ledger, "unknown").run
    assert watch.run() == (later, "unknown")
    ledger.settle(out, "unknown")
    assert watch.run() == (out, "unknown")
    # What its process knows better is believed, and is unknown no more.
    assert watch.interrupt() == []


def test_watching_in_words_has_a_line_for_each_run(ledger, watching):
    ledger.set_plan("cli:ada", "pro")
    watch = watching()
    assert watch.line().split() == ["WHEN", "(UTC)", "RUN", "OUTCOME", "ACTION", "CALLER", "WHY"]
    run = finish(ledger, "not_sent").run
    assert watch.line().split()[2:] == [run, "not", "sent", "sample.do", "cli:ada"]
    assert watch.interrupt() == []
    assert watch.notes.get(timeout=10) == "Interrupted."


def test_watching_ends_where_the_database_is_gone_for_good(ledger, home, watching):
    watch = watching()
    watch.line()
    (home / "levqor.db").rename(home / "elsewhere.db")
    assert "was moved, deleted or replaced" in watch.notes.get(timeout=60)
    assert watch.process.wait(60) == LedgerError.exit


def test_watching_outlives_a_short_loss_of_the_database(home, sandbox, server, base, watching):
    url = server.url(base)
    watch = watching("--output", "json", LEVQOR_DATABASE_URL=url)
    with Ledger.open(home, url) as ledger:
        ledger.set_plan("cli:ada", "pro")
        before = finish(ledger, "sent").run
        assert watch.run() == (before, "sent")
        server.stop()
        said = watch.notes.get(timeout=60)
        assert "PostgreSQL" in said
        assert said.endswith("Watching goes on when it is back.")
        server.start()
        after = finish(ledger, "sent").run
        assert watch.run() == (after, "sent")
        assert watch.notes.get(timeout=60) == "The database is back."
        assert watch.interrupt() == []
