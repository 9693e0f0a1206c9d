"""Eight processes of eight callers each, who all ask a ledger for the same at the same time.

Each process is `python -m tests.support.racing HOME URL`: a race a line, as JSON, on its standard
input; what its callers were told, as JSON, on its standard output.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from core.errors import Busy, NotFound, QuotaSpent, Repeated, Throttled
from core.ledger import Ledger
from tests.support.journal import order

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PROCESSES, CALLERS = 8, 8
MIDNIGHT = 20_000 * 86400.0

Told = list[tuple[str, str]]  # what was asked for, and what was said


def _accept(ledger: Ledger, **more: Any) -> str:
    try:
        record, first = ledger.accept(order(**more), patience=60.0)
    except QuotaSpent:
        return "spent"
    except Repeated as error:
        return f"again {error.run}"
    except Throttled:
        return "throttled"
    except Busy as error:
        return str(error.reason)
    return f"{'first' if first else 'again'} {record.run}"


def _quota(ledger: Ledger, who: str, item: str) -> str:
    return _accept(ledger, caller=f"cli:{item}", at=None)


def _person(ledger: Ledger, who: str, item: str) -> str:
    surface = random.choice(["slack", "telegram", "cli", "http"])
    return _accept(ledger, caller=f"{surface}:{item}", surface=surface, at=None)


def _moving(ledger: Ledger, who: str, item: str) -> str:
    """Everybody asks as any of a person's callers, and somebody unlinks and links them meanwhile.

    Once one has sent: two who never did, and are not linked, may send one each.
    """
    caller = f"{random.choice(['slack', 'telegram', 'cli', 'http'])}:{item}"
    said = _accept(ledger, caller=caller, at=None)
    if who == "00":
        ledger.person_unlink(caller, by="cli:root")
        ledger.person_link(item, caller, by="cli:root")
        said = said if said.startswith("first") else _accept(ledger, caller=caller, at=None)
    return said


def _give_back(ledger: Ledger, who: str, item: str) -> str:
    """Three tries; of five runs that were accepted one is sent."""
    said = "spent"
    for _ in range(3):
        accepted = _accept(ledger, caller=f"cli:{item}", at=None)
        if accepted == "spent":
            continue
        run = accepted.split()[1]
        said = random.choice(["sent", "refused", "not_sent", "not_sent", "refused"])
        ledger.sending(run)
        ledger.settle(run, said)
        if said == "sent":
            break
    return said


def _key(ledger: Ledger, who: str, item: str) -> str:
    return _accept(ledger, caller=f"cli:{item}", key=f"http:{item}", at=None)


def _guard(ledger: Ledger, who: str, item: str) -> str:
    return _accept(
        ledger, caller="cli:pro", guard=True, fingerprint=item.encode().ljust(32), at=None
    )


def _test_gap(ledger: Ledger, who: str, item: str) -> str:
    return _accept(
        ledger, caller=f"cli:{who}", action=f"sample.{item}", test=True, test_gap=60.0, at=None
    )


def _midnight(ledger: Ledger, who: str, item: str) -> str:
    at = MIDNIGHT + random.choice([-0.001, 0.001])
    day = "before" if at < MIDNIGHT else "after"
    return f"{day} {_accept(ledger, caller=f'cli:{item}', at=at)}"


def _rate(ledger: Ledger, who: str, item: str) -> str:
    return _accept(ledger, caller=f"http:{item}", surface="http", at=None)


def _pair(ledger: Ledger, who: str, item: str) -> str:
    return str(ledger.redeem("telegram", who, item, patience=60.0))


def _link(ledger: Ledger, who: str, item: str) -> str:
    """Give a code as one of eight callers, whoever else does so too."""
    with contextlib.suppress(Busy):
        return str(ledger.link_redeem(f"telegram:{who[0]}", item, lambda _: None))
    return "too many"


def _joining(ledger: Ledger, who: str, item: str) -> str:
    """Everybody says yes to a redeemer and asks as either of the two."""
    maker, redeemer = f"slack:{item}", f"telegram:{item}"
    if who.endswith("0"):
        with contextlib.suppress(NotFound):
            ledger.link_confirm(maker, redeemer, lambda *_: ("sender", None))
    caller = random.choice([maker, redeemer])
    return _accept(ledger, caller=caller, surface=caller.partition(":")[0], at=None)


def _claim(ledger: Ledger, who: str, item: str) -> str:
    return " ".join(run.run for run in ledger.claim_unnotified(item))


def _recover(ledger: Ledger, who: str, item: str) -> str:
    return " ".join(run.run for run in ledger.recover())


RACES: dict[str, Callable[[Ledger, str, str], str]] = {
    race.__name__.removeprefix("_"): race
    for race in (
        _quota, _person, _moving, _give_back, _key, _guard, _test_gap, _midnight, _rate, _pair,
        _link, _joining, _claim, _recover,
    )
}  # fmt: skip


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    home, url, me = Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3]
    with Ledger.open(home, url) as ledger, ThreadPoolExecutor(CALLERS) as pool:
        ledger.store.owner()
        _say("ready")
        for line in sys.stdin:
            race, callers, items = json.loads(line)

            def ask(number: int, race: str = race, items: list[str] = items) -> Told:
                mine = random.sample(items, len(items))
                return [(item, RACES[race](ledger, f"{me}{number}", item)) for item in mine]

            told = [each for some in pool.map(ask, range(callers)) for each in some]
            _say(json.dumps(told))


class Racers:
    """The processes."""

    def __init__(self, home: Path, url: str | None) -> None:
        self.home, self.url, self.engine = home, url, "sqlite"
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.racing", home, url or "", str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )
            for number in range(PROCESSES)
        ]  # fmt: skip
        assert [self._line(process) for process in self._processes] == ["ready\n"] * PROCESSES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.communicate(timeout=60)
            assert process.returncode == 0

    def race(self, race: str, items: list[str], callers: int = CALLERS) -> dict[str, Counter[str]]:
        """Let everybody ask for every item; what was said of each, and how often."""
        for process in self._processes:
            assert process.stdin
            process.stdin.write(json.dumps([race, callers, items]) + "\n")
            process.stdin.flush()
        said: dict[str, Counter[str]] = {item: Counter() for item in items}
        for process in self._processes:
            for item, answer in json.loads(self._line(process)):
                said[item][answer] += 1
        return said

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stdout
        return process.stdout.readline()


if __name__ == "__main__":
    main()
