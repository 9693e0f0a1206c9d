import contextlib
import dataclasses
import datetime as dt
import os
import sqlite3
import stat
import threading
import time

import pytest

from core.errors import (
    Busy,
    IdempotencyMismatch,
    InvalidInput,
    LedgerError,
    NotFound,
    QuotaSpent,
    Repeated,
)
from core.ledger import Ledger, Order, runs, word
from core.ledger.store import SCHEMA
from core.migrations import MIGRATIONS

DO = "sample.do"


def order(**more):
    base = Order(
        run=word(10), at=time.time(), action=DO, connector="sample", caller="cli:ada",
        surface="cli", fingerprint=b"f" * 32,
    )  # fmt: skip
    return dataclasses.replace(base, **more)


def accept(ledger, **more):
    return ledger.accept(order(**more))


def finish(ledger, outcome, **more):
    entry, _ = accept(ledger, **more)
    ledger.sending(entry.run)
    ledger.settle(entry.run, outcome, attempts=1, ms=12.5)
    return ledger.run(entry.run)


def accept_many(ledger):
    for n in range(50):
        accept(ledger, caller=f"cli:{n}")


def fill(file):
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def used(ledger, caller="cli:ada"):
    return ledger.quota(caller, [DO])[0].used


def test_the_schema_number_counts_the_migrations():
    assert len(MIGRATIONS._migrations) == SCHEMA


def test_a_new_ledger_is_readable_by_its_owner_only(ledger, home):
    accept(ledger)
    made = {p.name: stat.S_IMODE(p.stat().st_mode) for p in home.iterdir()}
    assert {"levqor.db", "levqor.db-wal", "levqor.db-shm"} <= set(made)
    assert set(made.values()) == {0o600}


@pytest.mark.parametrize(
    ("outcome", "left"), [("sent", 1), ("unknown", 1), ("refused", 0), ("not_sent", 0)]
)
def test_quota_is_kept_or_held_or_given_back_by_outcome(ledger, outcome, left):
    assert finish(ledger, outcome).state == outcome
    assert used(ledger) == left


def test_a_free_caller_has_one_run_for_each_action_and_day(ledger):
    finish(ledger, "sent")
    with pytest.raises(QuotaSpent) as caught:
        accept(ledger)
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    assert caught.value.resets_at == dt.datetime.combine(tomorrow, dt.time(), dt.UTC)
    accept(ledger, action="sample.other")
    accept(ledger, caller="cli:bob")


def test_a_reserved_run_already_counts(ledger):
    accept(ledger)
    with pytest.raises(QuotaSpent):
        accept(ledger)


def test_quota_is_given_anew_at_midnight_utc(ledger):
    yesterday = time.time() - 86400
    accept(ledger, at=yesterday)
    accept(ledger)
    assert used(ledger) == 1


def test_the_pro_plan_has_no_limit(ledger):
    ledger.set_plan("cli:ada", "pro")
    for _ in range(5):
        finish(ledger, "sent")
    quota = ledger.quota("cli:ada", [DO])[0]
    assert (quota.used, quota.limit) == (5, None)


def test_a_test_send_uses_no_quota(ledger):
    finish(ledger, "sent", test=True)
    assert used(ledger) == 0


def test_a_second_test_send_of_an_action_waits_a_minute(ledger):
    finish(ledger, "sent", test=True, test_gap=60.0)
    with pytest.raises(Busy) as caught:
        accept(ledger, test=True, test_gap=60.0, caller="tray:bob")
    assert 58 < caught.value.retry_after <= 60
    accept(ledger, test=True, test_gap=60.0, action="sample.other")
    accept(ledger, test=True, test_gap=0.0)


def test_a_redelivered_key_returns_the_first_run(ledger):
    first, made = accept(ledger, key="slack:trigger-1")
    assert made
    again, made = accept(ledger, key="slack:trigger-1")
    assert (again.run, made) == (first.run, False)
    assert len(ledger.runs()) == 1


def test_a_key_with_other_input_is_a_mismatch(ledger):
    first, _ = accept(ledger, key="http:k")
    with pytest.raises(IdempotencyMismatch) as caught:
        accept(ledger, key="http:k", fingerprint=b"g" * 32)
    assert caught.value.run == first.run


@pytest.mark.parametrize(("outcome", "bound"), [
    ("sent", True), ("unknown", True), ("refused", True), ("not_sent", False),
])  # fmt: skip
def test_only_what_was_not_sent_frees_a_rebindable_key(ledger, outcome, bound):
    first = finish(ledger, outcome, key="http:k", rebind=True)
    ledger.set_plan("cli:ada", "pro")
    again, made = accept(ledger, key="http:k", rebind=True)
    assert (again.run == first.run, made) == (bound, not bound)


def test_a_chats_key_stays_bound_even_if_nothing_was_sent(ledger):
    first = finish(ledger, "not_sent", key="telegram:7")
    again, made = accept(ledger, key="telegram:7")
    assert (again.run, made) == (first.run, False)


def test_the_key_is_looked_up_before_a_refusal_is_raised(ledger):
    first = finish(ledger, "sent", key="slack:1")
    refusal = NotFound("not set up any more")
    assert accept(ledger, key="slack:1", refuse=refusal)[0].run == first.run
    with pytest.raises(NotFound):
        accept(ledger, key="slack:2", refuse=refusal)
    assert len(ledger.runs()) == 1


def test_the_same_again_within_a_minute_is_asked_about(ledger):
    ledger.set_plan("cli:ada", "pro")
    first = finish(ledger, "sent", guard=True)
    with pytest.raises(Repeated) as caught:
        accept(ledger, guard=True)
    assert caught.value.run == first.run
    accept(ledger, guard=True, fingerprint=b"g" * 32)
    accept(ledger, guard=True, caller="cli:bob")
    accept(ledger, guard=False)


def test_after_a_minute_nothing_is_asked(ledger):
    ledger.set_plan("cli:ada", "pro")
    finish(ledger, "sent", at=time.time() - runs.GUARD_SECONDS - 1)
    accept(ledger, guard=True)


@pytest.mark.parametrize("outcome", ["refused", "not_sent"])
def test_what_surely_failed_may_be_repeated_unasked(ledger, outcome):
    finish(ledger, outcome)
    accept(ledger, guard=True)


def test_spent_quota_is_said_before_send_again_is_asked(ledger):
    finish(ledger, "sent", guard=True)
    with pytest.raises(QuotaSpent):
        accept(ledger, guard=True)


def test_a_settled_run_is_never_settled_or_sent_again(ledger):
    entry = finish(ledger, "unknown")
    assert ledger.settle(entry.run, "sent") is False
    assert ledger.sending(entry.run) is False
    assert ledger.run(entry.run).state == "unknown"


def test_a_run_is_found_by_the_beginning_of_its_id(ledger):
    entry, _ = accept(ledger, run="abcdefghjk")
    accept(ledger, run="abcxyzabcd", action="sample.other")
    assert ledger.run("abcd").run == entry.run
    assert ledger.run("abc") is None
    assert ledger.run("abcdefghjkm") is None


def test_a_beginning_is_looked_for_among_ones_own_runs_only(ledger):
    mine, _ = accept(ledger, run="abcdefghjk")
    accept(ledger, run="abcdzzzzzz", caller="cli:bob")
    assert ledger.run("abcd") is None
    assert ledger.run("abcd", "cli:ada").run == mine.run
    assert ledger.run("abcdefghjk", "cli:bob") is None


def test_where_to_answer_is_forgotten_once_told_down_to_the_bytes(ledger, home):
    where = "https://hooks.invalid/response/SECRETANSWERPLACE"
    entry, _ = accept(ledger, reply_to=where)
    ledger.sending(entry.run)
    ledger.settle(entry.run, "sent")
    assert b"SECRETANSWERPLACE" in b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    ledger.told(entry.run)
    deadline = time.monotonic() + 10
    while (home / "levqor.db-wal").stat().st_size and time.monotonic() < deadline:
        time.sleep(0.05)
    left = b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    assert entry.run.encode() in left
    assert b"SECRETANSWERPLACE" not in left


def test_where_to_answer_is_forgotten_after_half_an_hour(ledger):
    old, _ = accept(ledger, reply_to="x", at=time.time() - runs.ANSWER_SECONDS - 1)
    new, _ = accept(ledger, reply_to="y", caller="cli:bob")
    ledger._write(lambda db: runs.forget_old_answers(db, time.time()))
    assert ledger.run(old.run).reply_to is None
    assert ledger.run(new.run).reply_to == "y"


def test_usage_counts_outcomes_and_percentiles_and_leaves_tests_out(ledger):
    for n, (outcome, ms) in enumerate(
        [("sent", 10), ("sent", 20), ("sent", 30), ("sent", 1000), ("refused", 40), ("unknown", 50)]
    ):
        entry, _ = accept(ledger, caller=f"cli:{n}")
        ledger.sending(entry.run)
        ledger.settle(entry.run, outcome, ms=float(ms))
    finish(ledger, "sent", test=True)
    finish(ledger, "sent", at=time.time() - 3 * 86400, caller="cli:old")
    (row,) = ledger.usage(2)
    assert (row.connector, row.sent, row.refused, row.not_sent, row.unknown) == (
        "sample", 4, 1, 0, 1,
    )  # fmt: skip
    assert (row.p50_ms, row.p95_ms) == (30.0, 1000.0)
    assert len(ledger.usage(4)) == 2


def test_usage_of_runs_without_a_time_has_no_percentiles(ledger):
    entry, _ = accept(ledger)
    ledger.settle(entry.run, "not_sent")
    (row,) = ledger.usage(1)
    assert (row.not_sent, row.p50_ms, row.p95_ms) == (1, None, None)


def test_a_token_works_until_it_is_revoked_and_only_its_hash_is_kept(ledger, home):
    token = ledger.token_new("ci", plan="pro", admin=True)
    found = ledger.token_check(token)
    assert (found.label, found.plan, found.admin) == ("ci", "pro", True)
    assert ledger.token_check(token + "x") is None
    assert ledger.token_check("lvq_ci_") is None
    assert ledger.token_check("nonsense") is None
    assert token.encode() not in b"".join(p.read_bytes() for p in home.glob("levqor.db*"))
    ledger.token_revoke("ci")
    assert ledger.token_check(token) is None
    with pytest.raises(NotFound):
        ledger.token_revoke("ci")


@pytest.mark.parametrize("label", ["", "1a", "Aa", "a_b", "a b", "ä", "a" * 41])
def test_a_label_that_is_not_one_is_refused(ledger, label):
    with pytest.raises(InvalidInput):
        ledger.token_new(label)


def test_a_label_in_use_is_refused_and_free_again_after_revocation(ledger):
    old = ledger.token_new("ci")
    with pytest.raises(InvalidInput, match="already"):
        ledger.token_new("ci")
    ledger.token_revoke("ci")
    new = ledger.token_new("ci")
    assert ledger.token_check(old) is None
    assert ledger.token_check(new).label == "ci"


def test_a_pairing_code_works_once_and_for_its_surface(ledger):
    code, expires = ledger.pair_code("telegram")
    assert 590 < expires - time.time() <= 600
    assert ledger.redeem("slack", "42", code) is False
    assert ledger.redeem("telegram", "42", f" {code.upper()} ") is True
    assert ledger.redeem("telegram", "43", code) is False
    assert ledger.paired("telegram") == ["42"]
    ledger.unpair("telegram:42")
    assert ledger.paired("telegram") == []
    with pytest.raises(NotFound):
        ledger.unpair("telegram:42")


def test_only_the_latest_ten_pairing_codes_wait(ledger):
    codes = [ledger.pair_code("telegram")[0] for _ in range(12)]
    assert ledger.redeem("telegram", "1", codes[0]) is False
    assert ledger.redeem("telegram", "1", codes[-1]) is True


def test_a_verdict_that_stays_is_one_stretch(ledger):
    ledger.probed("sample", "ok", None, 5.0)
    ledger.probed("sample", "ok", None, 7.0)
    ledger.probed("sample", "failing", "no_service", 9.0)
    latest, before = ledger.probes("sample", limit=9)
    assert (latest.verdict, latest.reason, latest.latency_ms) == ("failing", "no_service", 9.0)
    assert (before.verdict, before.latency_ms) == ("ok", 7.0)
    assert before.since <= before.at <= latest.since


def test_a_way_in_counts_as_gone_once_its_bot_is(home):
    bot = Ledger.open(home)
    bot.inbound("telegram", ok=True, verdict="listening")
    with Ledger.open(home) as other:
        assert other.inbounds()[0].alive is True
        bot._owner.close()
        assert other.inbounds()[0].alive is False
        bot._owner = None
        bot.close()


def test_pruning_leaves_what_is_recent_or_still_open(ledger):
    finish(ledger, "sent", at=time.time() - 91 * 86400, run="oldoldoldo")
    accept(ledger, at=time.time() - 91 * 86400, run="openopenop", caller="cli:bob")
    finish(ledger, "sent", run="newnewnewn")
    assert ledger.prune(90) == 1
    assert {e.run for e in ledger.runs()} == {"openopenop", "newnewnewn"}


def test_a_backup_is_whole_owner_only_and_never_overwrites(ledger, home, tmp_path):
    entry = finish(ledger, "sent")
    file = tmp_path / "copy.db"
    ledger.backup(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(file)) as db:
        rows = db.execute("SELECT run, state FROM runs").fetchall()
    assert rows == [(entry.run, "sent")]
    with pytest.raises(LedgerError, match="exists"):
        ledger.backup(file)


def test_a_damaged_ledger_is_named_and_left_alone(home):
    file = home / "levqor.db"
    file.write_bytes(b"this is no database " * 100)
    with pytest.raises(LedgerError) as caught:
        Ledger.open(home)
    assert str(file) in caught.value.message
    assert "backup" in caught.value.fix
    assert file.read_bytes() == b"this is no database " * 100


def test_a_newer_ledger_is_named_and_left_alone(home):
    Ledger.open(home).close()
    with contextlib.closing(sqlite3.connect(home / "levqor.db")) as db, db:
        db.execute(f"PRAGMA user_version={SCHEMA + 1}")
    with pytest.raises(LedgerError, match="newer Levqor"):
        Ledger.open(home)


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(tmp_path / "file" / "home")


def test_a_full_disk_is_said_and_nothing_is_accepted(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=600k none {disk} 2>/dev/null"):
        pytest.skip("mounting a small disk needs to be root")
    try:
        ledger = Ledger.open(disk)
        fill(disk / "filler")
        with pytest.raises(LedgerError) as caught:
            accept_many(ledger)
        assert caught.value.reason == "ledger_full"
        (disk / "filler").unlink()
        accept(ledger, caller="cli:later")
        ledger.close()
    finally:
        os.system(f"umount -l {disk}")


def test_a_write_waits_as_long_as_it_was_told_to(ledger, home):
    holder = sqlite3.connect(home / "levqor.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(LedgerError) as caught:
        ledger.accept(order(), patience=0.3)
    assert caught.value.reason == "ledger_locked"
    assert 0.25 < time.monotonic() - began < 5
    holder.close()
    accept(ledger)


def test_reads_do_not_wait_for_a_writer(ledger, home):
    finish(ledger, "sent")
    holder = sqlite3.connect(home / "levqor.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert len(ledger.runs()) == 1
    assert time.monotonic() - began < 5
    holder.close()


def test_many_threads_share_commits_and_lose_nothing(ledger):
    def some(n):
        for k in range(25):
            finish(ledger, "sent", caller=f"cli:{n}-{k}")

    threads = [threading.Thread(target=some, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.runs(last=1000)) == 200


def test_an_id_that_is_taken_is_drawn_again(ledger):
    entry, _ = accept(ledger)
    other, first = accept(ledger, run=entry.run, caller="cli:bob")
    assert first
    assert other.run != entry.run
    assert len(other.run) == 10
    assert {e.run for e in ledger.runs()} == {entry.run, other.run}


def test_a_piece_that_fails_takes_no_other_with_it(ledger):
    hold, told = threading.Event(), []
    slow = threading.Thread(target=ledger._write, args=(lambda _: hold.wait(10),))
    slow.start()
    others = [
        threading.Thread(target=lambda n=n: told.append(accept(ledger, caller=f"cli:{n}")))
        for n in range(5)
    ]
    bad = []

    def fails(_):
        raise ZeroDivisionError

    def failing():
        with pytest.raises(ZeroDivisionError):
            ledger._write(fails)
        bad.append(True)

    for thread in (*others, last := threading.Thread(target=failing)):
        thread.start()
    hold.set()
    for thread in (slow, *others, last):
        thread.join()
    assert (len(told), bad, len(ledger.runs())) == (5, [True], 5)


def test_a_closed_ledger_leaves_one_file_and_no_log(home):
    with Ledger.open(home) as ledger:
        accept(ledger)
    assert sorted(p.name for p in home.iterdir()) == ["levqor.db", "levqor.db-lock"]


def test_a_closed_ledger_says_so(home):
    ledger = Ledger.open(home)
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        accept(ledger)
    ledger.close()
