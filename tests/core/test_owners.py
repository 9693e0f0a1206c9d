"""What keeps an owner alive is let go of by whichever thread ends it."""

import os
import threading

from filelock import lock_descriptor, unlock_descriptor

from core.ledger.owners import Owner


def in_a_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_an_owner_that_one_thread_made_and_another_closes_holds_no_lock(tmp_path):
    ledger = tmp_path / "levqor.db"
    owner = in_a_thread(lambda: Owner(ledger))
    file = os.open(next(tmp_path.glob("levqor.db-owner-*")), os.O_RDWR)
    try:
        assert not lock_descriptor(file, blocking=False)
        owner.close()
        assert lock_descriptor(file, blocking=False)
        unlock_descriptor(file)
    finally:
        os.close(file)
    assert not list(tmp_path.glob("levqor.db-owner-*"))
