"""A code that links two callers: for whom, how long, how often and after how many tries."""

from core.callers import Caller
from core.errors import Busy, InvalidInput, NotFound
from tests.support.engines import both, pooled_too
from tests.support.linking import OTHER, PHONE, ROOT_USER, SLACK


@pooled_too
def test_a_code_counts_once_for_the_first_and_only_for_ten_minutes(team):
    code = team.code(SLACK)
    team.says(PHONE, code)
    assert team.says(PHONE, code).body["caller"] == str(PHONE)
    for caller in (OTHER, Caller("slack", "T1:U2")):
        assert "wrong, used, or older" in team.refused(caller, code).message
    for words in (str(OTHER), "telegram:*", "slack:T1:U1"):
        assert isinstance(team.refused(SLACK, words), NotFound)
    assert isinstance(team.refused(OTHER, str(PHONE)), NotFound)
    team.says(SLACK, str(PHONE))
    assert isinstance(team.refused(OTHER, code), InvalidInput)
    late = team.code(SLACK)
    team.later(601)
    assert isinstance(team.refused(OTHER, late), InvalidInput)
    third = team.code(SLACK)
    team.says(OTHER, third)
    team.later(601)
    assert isinstance(team.refused(SLACK, str(OTHER)), NotFound)


@both
def test_a_no_voids_the_code_and_who_waits(team):
    team.says(PHONE, team.code(SLACK))
    second = team.ledger.link_code(str(SLACK), lambda _: None)
    team.says(SLACK, "No")
    assert isinstance(team.refused(SLACK, str(PHONE)), NotFound)
    assert isinstance(team.refused(OTHER, second), InvalidInput)
    assert "code" in team.says(SLACK).body


@both
def test_a_persons_own_code_links_nobody(team):
    team.joins(SLACK, PHONE)
    assert "your own code" in team.refused(PHONE, team.code(SLACK)).message
    assert "your own code" in team.refused(SLACK, team.code(SLACK)).message


@both
def test_only_a_makers_latest_three_codes_count_and_only_their_hashes_are_kept(team, home):
    codes = [team.code(SLACK) for _ in range(4)]
    assert isinstance(team.refused(PHONE, codes[0]), InvalidInput)
    assert team.says(PHONE, codes[1])
    assert team.says(OTHER, codes[3])
    rows = team.ledger.store.read(lambda db: db.execute("SELECT * FROM link_codes").fetchall())
    assert not any(code in str(rows) for code in codes)


@both
def test_after_five_tries_in_an_hour_not_even_the_right_code_counts(team):
    code = team.code(SLACK)
    for number in range(5):
        assert isinstance(team.refused(PHONE, f"guess{number}"), InvalidInput)
    for words in ("guess", code):
        error = team.refused(PHONE, words)
        assert isinstance(error, Busy)
        assert 3500 < error.retry_after <= 3600
    assert team.says(OTHER, code)
    sql = "UPDATE leases SET until = until - 3601 WHERE owner = ''"
    team.ledger.store.write(lambda db: db.execute(sql, {}))
    assert team.says(PHONE, team.ledger.link_code(str(SLACK), lambda _: None))


@both
def test_a_person_who_is_removed_takes_codes_and_waiting_with_them(team):
    team.ledger.person_add("ann", [str(SLACK)], by=ROOT_USER)
    team.ledger.person_add("bob", [str(PHONE)], by=ROOT_USER)
    code = team.code(SLACK)
    team.says(PHONE, code)
    team.ledger.person_remove("bob", by=ROOT_USER)
    assert isinstance(team.refused(SLACK, str(PHONE)), NotFound)
    code = team.code(SLACK)
    team.ledger.person_remove("ann", by=ROOT_USER)
    assert isinstance(team.refused(OTHER, code), InvalidInput)


@both
def test_old_codes_and_counted_tries_are_pruned(team):
    team.refused(PHONE, team.code(SLACK) + "x")
    team.later(90000)
    sql = "UPDATE leases SET until = until - 90000 WHERE owner = ''"
    team.ledger.store.write(lambda db: db.execute(sql, {}))
    team.ledger.prune(1)
    for table in ("link_codes", "leases"):
        sql = f"SELECT count(*) FROM {table}"
        assert team.ledger.store.read(lambda db, sql=sql: db.execute(sql).fetchone()[0]) == 0
