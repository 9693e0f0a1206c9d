"""What a dispatcher is tried with: a way out that ends as it is told, and stores that watch it."""

import threading
from collections import deque

from core.contract import Receipt
from core.outbound import Delivery, Outbound, Try
from tests.support.waiting import wait_for

ONE, TWO = (Try(0, 5, None),), (Try(0, 5, "odd"), Try(9, 4, None))
SENT = Delivery(ONE, Receipt("sent"))
SOON = 30  # seconds after which what was to come does not come
ENDING = "state, attempts, code, reason, receipt, tries"


class Ways(Outbound):
    """A way out on which deliveries end as they are told to, and whose next one can be held."""

    def __init__(self):
        super().__init__()
        self.ends, self.asked = deque(), []
        self.open = threading.Event()
        self.open.set()

    def deliver(self, *what, **how):
        self.asked.append((what, how))
        assert self.open.wait(60)
        end = self.ends.popleft() if self.ends else SENT
        if isinstance(end, Exception):
            raise end
        return end


class Lasting:
    """A ledger's store whose runs have so many seconds after their owner's death."""

    def __init__(self, store, grace):
        self._store, self.grace = store, grace

    def __getattr__(self, name):
        return getattr(self._store, name)


class Asked(Lasting):
    """A ledger's store, and how long each write had."""

    def __init__(self, store):
        super().__init__(store, store.grace)
        self.patience = []

    def write(self, work, **how):
        self.patience.append(how.get("patience"))
        return self._store.write(work, **how)


def ended(dispatcher, job):
    settled = dispatcher.start(job).result(SOON)
    wait_for(lambda: dispatcher.out(job.run) is None, SOON)
    return settled


def untaken(dispatcher, ways, told, job, file):
    """Deliver a run whose ending the ledger cannot take; where its database is now."""
    ways.open.clear()
    dispatcher.start(job)
    wait_for(lambda: ways.asked, SOON)
    away = file.rename(file.with_suffix(".away"))
    ways.open.set()
    wait_for(lambda: told and not dispatcher._out, SOON)
    return away
