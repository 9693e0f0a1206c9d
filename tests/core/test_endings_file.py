"""The file in which a process keeps how its runs ended: a record for each, in slots of one size."""

import errno
import json

import pytest

from core.ledger.endings import SLOT, SLOTS, Endings, file_of, in_use, left_by, owners
from tests.support.disk import Filler, small_disk

FIRST, SECOND, THIRD = RUNS = ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]
ENDING = {"state": "sent", "at": 1.5, "attempts": 2, "ms": 2.5, "receipt": {"status": "sent"}}


@pytest.fixture
def ledger_file(tmp_path):
    return tmp_path / "levqor.db"


@pytest.fixture
def mine(ledger_file):
    mine = Endings(ledger_file, "me")
    yield mine
    mine.close()


@pytest.fixture
def three(mine):
    for run in RUNS:
        mine.put(run, **ENDING, code=None)
    return mine


def slots(ledger_file, owner):
    """Which run is in which slot of a file."""
    content = file_of(ledger_file, owner).read_bytes()
    parts = [content[at : at + SLOT] for at in range(0, len(content), SLOT)]
    return {run: n for n, part in enumerate(parts) for run in RUNS if run.encode() in part}


def test_what_is_put_is_in_the_file_and_more_of_it_is_put_beside_it(ledger_file, three):
    three.put(SECOND, told=True)
    assert left_by(ledger_file, "me") == {
        **dict.fromkeys(RUNS, ENDING),
        SECOND: {**ENDING, "told": True},
    }
    assert three.kept[SECOND] == {**ENDING, "code": None, "told": True}
    assert slots(ledger_file, "me") == {FIRST: 0, SECOND: 1, THIRD: 2}
    assert [three.safe(run) for run in (*RUNS, "dddddddddd")] == [True, True, True, False]
    assert file_of(ledger_file, "me").stat().st_size == SLOT * SLOTS
    assert owners(ledger_file) == ["me"]


def test_what_was_written_meanwhile_is_dropped_and_its_slot_is_the_next_one_s(ledger_file, three):
    three.drop(FIRST, {"state": "sent"})
    assert FIRST in three.kept, "something was added since"
    three.drop(FIRST, three.kept[FIRST])
    assert (FIRST in three.kept, three.safe(FIRST)) == (False, False)
    assert slots(ledger_file, "me") == {SECOND: 1, THIRD: 2}
    three.put(FIRST, told=True)
    assert slots(ledger_file, "me") == {FIRST: 0, SECOND: 1, THIRD: 2}
    assert left_by(ledger_file, "me")[FIRST] == {"told": True}


def test_one_who_goes_on_under_a_new_name_takes_everything_along(ledger_file, three):
    three.drop(FIRST, three.kept[FIRST])
    three.move(ledger_file, "new")
    assert owners(ledger_file) == ["new"]
    assert slots(ledger_file, "new") == {SECOND: 1, THIRD: 2}
    assert left_by(ledger_file, "new") == dict.fromkeys((SECOND, THIRD), ENDING)
    three.put(FIRST, **ENDING)
    assert left_by(ledger_file, "new") == dict.fromkeys(RUNS, ENDING)
    # Whoever took the old name for dead has deleted its file already.
    file_of(ledger_file, "new").unlink()
    three.move(ledger_file, "newer")
    assert left_by(ledger_file, "newer") == dict.fromkeys(RUNS, ENDING)


def test_a_file_is_in_use_until_its_process_closes_it_and_stays_where_it_holds_something(
    ledger_file, three
):
    file = file_of(ledger_file, "me")
    assert in_use(file)
    three.close()
    three.close()
    assert file.exists()
    assert not in_use(file)


def test_one_who_was_taken_for_dead_closes_all_the_same(ledger_file, mine):
    file_of(ledger_file, "me").unlink()
    mine.close()
    assert owners(ledger_file) == []


@pytest.mark.parametrize("leaving", [0, 8192])
def test_no_file_is_begun_where_there_is_no_room_for_all_of_it(tmp_path, leaving):
    with small_disk(tmp_path / "disk") as disk:
        Filler(disk).fill(leaving=leaving)
        with pytest.raises(OSError, match="No space left on device") as caught:
            Endings(disk / "levqor.db", "me")
        assert caught.value.errno == errno.ENOSPC
        assert owners(disk / "levqor.db") == []


def test_a_file_that_holds_nothing_goes_with_its_process(ledger_file, mine):
    mine.put(FIRST, **ENDING)
    mine.drop(FIRST, ENDING)
    mine.close()
    assert owners(ledger_file) == []
    assert left_by(ledger_file, "me") == {}


def test_what_finds_no_room_is_kept_as_long_as_the_process(ledger_file, mine):
    mine.close()  # no more can be written
    mine.put(FIRST, **ENDING)
    assert (mine.kept, mine.safe(FIRST)) == ({FIRST: ENDING}, False)
    mine.drop(FIRST, ENDING)
    assert mine.kept == {}


def test_what_can_no_longer_be_wiped_is_dropped_all_the_same(ledger_file, mine):
    mine.put(FIRST, **ENDING)
    mine.close()
    mine.drop(FIRST, ENDING)
    assert (mine.kept, mine.safe(FIRST)) == ({}, False)


def test_a_receipt_that_does_not_fit_is_left_out_and_the_ending_stays(ledger_file, mine):
    mine.put(FIRST, **{**ENDING, "receipt": {"status": "x" * SLOT}})
    assert left_by(ledger_file, "me") == {
        FIRST: {name: value for name, value in ENDING.items() if name != "receipt"}
    }
    assert file_of(ledger_file, "me").stat().st_size == SLOT * SLOTS


def test_a_receipt_that_just_fits_is_kept(ledger_file, mine):
    known = len(json.dumps({"run": FIRST, **ENDING}, separators=(",", ":"))) - len("sent")
    just = {**ENDING, "receipt": {"status": "x" * (SLOT - known)}}
    just["state"] = "sent"
    mine.put(FIRST, **just)
    assert left_by(ledger_file, "me") == {FIRST: just}


@pytest.mark.parametrize(
    "record",
    [b"[1]", b"7", b'{"run":"half', b'{"run":5,"state":"sent"}', b'{"state":"sent"}', b"\xff"],
)
def test_what_is_no_record_is_passed_over(ledger_file, three, record):
    three.close()
    with file_of(ledger_file, "me").open("r+b") as broken:
        broken.seek(SLOT)
        broken.write(record.ljust(SLOT, b"\0"))
    assert left_by(ledger_file, "me") == dict.fromkeys((FIRST, THIRD), ENDING)


def test_what_a_later_release_wrote_beside_it_is_left_out(ledger_file, mine):
    mine.put(FIRST, **ENDING, unheard_of=1)
    assert left_by(ledger_file, "me") == {FIRST: ENDING}
