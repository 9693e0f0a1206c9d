"""People and programs who want something sent, and remember what they were told."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import random
import re
import subprocess
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.sandbox.slack import TEAM
from tests.chaos.auditor import FINAL, Asked, Told
from tests.chaos.midnight import day_used_up

if TYPE_CHECKING:
    from tests.chaos.world import World
    from tests.support.sandbox.slack import Exchange

ACTIONS = ("slack.send", "telegram.send", "email.send", "sheets.append", "notion.create")
FREE_PEOPLE = 10
# Longer than a run's thirty seconds in a short queue.
HTTP_SECONDS = 75.0
_WORDS = (
    (r"may or may not", "unknown"),
    (r": sending, run ", "pending"),
    (r"· run ", "sent"),
    (r"Free plan: 1 ", "quota"),
    (r"Send it now\?|Send it again\?", "question"),
    (r"^Refused\.", "refused"),
    (r"^The .*database|^The key |^This (bot|process) |cannot be written", "trouble"),
    (r"(?i)not sent|nothing was sent|sent nothing", "not_sent"),
)


def understood(words: str) -> str:
    """What a chat's words mean; the words themselves where that is nothing known."""
    return next((what for sign, what in _WORDS if re.search(sign, words)), words)


def of_json(body: Any) -> str:
    """What a program is told by an answer's JSON."""
    if body.get("status") in ("sent", "created", "appended"):
        return "sent"
    if body.get("error") == "in_progress":
        return "pending"
    if body.get("error") == "rate_limited":
        return "quota"
    if body.get("error") == "ledger_error" and not body.get("outcome"):
        return "trouble"
    return body.get("outcome") or body.get("error") or json.dumps(body)


def values_of(action: str, mark: str) -> dict[str, Any]:
    """The fields of a message that holds its mark."""
    return {
        "slack.send": {"text": mark},
        "telegram.send": {"text": mark},
        "email.send": {"to": "delivered@resend.dev", "subject": mark, "text": "chaos"},
        "sheets.append": {"values": [[mark]]},
        "notion.create": {"props": {"Name": mark}},
    }[action]


def typed(action: str, mark: str) -> str:
    """The same as somebody types it into a chat."""
    if action == "email.send":
        return f"to=delivered@resend.dev subject={mark} chaos"
    return f"Name={mark}" if action == "notion.create" else mark


@dataclass
class Person:
    """Somebody with a Slack account, an HTTP token, and as many Telegram accounts as needed."""

    name: str
    token: str
    slack: str
    telegram: list[int]
    free: bool


@dataclass
class People:
    """Those of a round; each Telegram account asks once, so that each answer is to one asking."""

    everybody: list[Person] = field(default_factory=list)

    @classmethod
    def made(cls, world: World, number: int, telegrams: int) -> People:
        """Add people for one round to the database."""
        people, idents = cls(), itertools.count(100_000 * (number + 1))
        with world.ledger() as ledger:
            for n in range(FREE_PEOPLE + 1):
                free = n < FREE_PEOPLE
                name, slack = f"p{number}x{n}", f"U{number:05d}{n:05d}"
                token = ledger.token_new(name)
                phones = [next(idents) for _ in range(4 if free else telegrams)]
                for phone in phones:
                    code, _ = ledger.pair_code("telegram")
                    assert ledger.redeem("telegram", str(phone), code)
                callers = [f"http:{name}", f"slack:{TEAM}:{slack}"]
                callers += [f"telegram:{phone}" for phone in phones]
                ledger.person_add(
                    f"{name}-is", callers, by="cli:root", role="sender",
                    plan="free" if free else "pro",
                )  # fmt: skip
                people.everybody.append(Person(name, token, slack, phones, free))
        return people


class Askers:
    """A round's askers: threads, each with a seed of its own, until `stop`."""

    def __init__(self, world: World, people: People, seed: str, number: int) -> None:
        self.world, self.people, self._seed, self._number = world, people, seed, number
        self.asked: dict[str, Asked] = {}
        self.exchanges: dict[str, list[Exchange]] = {}
        self.chats: dict[str, int] = {}
        self.stop, self.calm = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._read: Counter[str] = Counter()  # replies of a Slack message
        self.failed: list[BaseException] = []

    def start(self, threads: int) -> None:
        """Begin to ask."""
        for n in range(threads):
            thread = threading.Thread(target=self._live, args=(n,), name=f"asker {n}")
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait until everybody has the answer they waited for."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            assert not thread.is_alive(), f"{thread.name} still waits for an answer"
        if self.failed:
            raise self.failed[0]

    def _live(self, number: int) -> None:
        rng = random.Random(f"{self._seed} asker {number}")
        try:
            for count in itertools.count():
                if self.stop.wait(rng.uniform(0.0, 1.0)):
                    return
                self._ask(rng, f"chaos-{self._number}-{number}x{count}")
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            self.failed.append(error)

    def _ask(self, rng: random.Random, mark: str) -> None:
        ways = {"slack": 30, "telegram": 25, "http": 33, "cli": 12}
        surface = rng.choices(list(ways), list(ways.values()))[0]
        action, free = rng.choice(ACTIONS), rng.random() < 0.4
        person = rng.choice(self.people.everybody[:-1]) if free else self.people.everybody[-1]
        own = random.Random(f"{self._seed} {mark}")
        with self._lock:
            if surface == "telegram" and not person.telegram:
                surface = "slack"
            phone = person.telegram.pop() if surface == "telegram" else 0
            if surface == "cli":
                person = Person("cli", "", "", [], free=False)
            asked = Asked(mark, surface, person.name, action, time.monotonic())
            self.asked[mark] = asked
        self.world.marks.add(mark, action, values_of(action, mark))
        self.world.log("ask", mark=mark, surface=surface, who=person.name, action=action)
        if surface == "telegram":
            self._telegram(own, asked, phone)
        else:
            getattr(self, f"_{surface}")(own, asked, person)

    # -- Slack -----------------------------------------------------------------------------

    def _slack(self, rng: random.Random, asked: Asked, person: Person) -> None:
        slack = self.world.sandbox.slack
        name = f"/levqor-{asked.action.replace('.', '-')}"
        asked.heard = False
        first = slack.command(name, typed(asked.action, asked.mark), user=person.slack)
        self.exchanges[asked.mark] = [first]
        self._acked(asked, first)
        while rng.random() < 0.25:
            time.sleep(rng.uniform(0.0, 2.0))
            self.world.log("redelivery", mark=asked.mark, surface="slack")
            again = slack.replay(first)
            self.exchanges[asked.mark].append(again)
            self._acked(asked, again)

    def _acked(self, asked: Asked, exchange: Exchange) -> None:
        if exchange.acked:
            asked.heard = True
            words = str((exchange.ack or {}).get("text", ""))
            self._told(asked, understood(words) if words else "pending", words)
        else:
            asked.cut = True

    # -- Telegram --------------------------------------------------------------------------

    def _telegram(self, rng: random.Random, asked: Asked, phone: int) -> None:
        telegram = self.world.sandbox.telegram
        text = f"/{asked.action.replace('.', '_')} {typed(asked.action, asked.mark)}"
        self.chats[asked.mark] = phone
        telegram.user(phone).says(text)
        if rng.random() < 0.3:
            pending = [one for one in list(telegram.updates.pending) if asked.mark in str(one)]
            if pending:
                self.world.log("redelivery", mark=asked.mark, surface="telegram")
                telegram.inject(pending[0])

    # -- HTTP ------------------------------------------------------------------------------

    def _http(self, rng: random.Random, asked: Asked, person: Person) -> None:
        keyed = rng.random() < 0.8
        while True:
            bot = rng.choice(self.world.bots)
            what = self._post(bot.http, asked, person, keyed=keyed)
            more = {"pending": 1.0, "cut": 1.0, "trouble": 1.0, "not_sent": 0.6}.get(what, 0.1)
            if not keyed or (rng.random() >= more and not (asked.cut and asked.last is None)):
                return
            # With its key the same may be asked for as often as one likes.
            self.world.log("redelivery", mark=asked.mark, surface="http")
            self.calm.wait(rng.uniform(0.1, 1.5))

    def _post(self, address: str, asked: Asked, person: Person, *, keyed: bool) -> str:
        headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": asked.mark} if keyed else {}
        line = http.client.HTTPConnection(address, timeout=HTTP_SECONDS)
        try:
            body = json.dumps(values_of(asked.action, asked.mark))
            line.request("POST", f"/actions/{asked.action}", body, headers)
            answer = line.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            asked.cut = True
            self.world.log("cut", mark=asked.mark, error=repr(error))
            return "cut"
        finally:
            line.close()
        words = answer.decode()
        with contextlib.suppress(ValueError):
            return self._told(asked, of_json(json.loads(words)), words)
        return self._told(asked, words, words)

    # -- the terminal ----------------------------------------------------------------------

    def _cli(self, rng: random.Random, asked: Asked, person: Person) -> None:
        values = json.dumps(values_of(asked.action, asked.mark))
        clock = rng.choice(self.world.bots).clock if rng.random() < 0.5 else None
        child = self.world.levqor("run", asked.action, "--json", values, clock=clock)
        killed = rng.random() < 0.2
        if killed:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(rng.uniform(0.3, 1.5))
            child.kill()
            asked.cut = True
        out, err = child.communicate(timeout=150)
        if child.returncode == -9:
            self.world.log("kill", what="terminal", mark=asked.mark)
            if not out:
                return
        try:
            self._told(asked, of_json(json.loads(out)), out)
        except ValueError:
            self._told(asked, out + err, out + err)

    # -- what was told ---------------------------------------------------------------------

    def _told(self, asked: Asked, what: str, words: str) -> str:
        asked.told.append(Told(time.monotonic(), what, words[:300], day_used_up(words)))
        self.world.log("told", mark=asked.mark, what=what if what in FINAL else words[:200])
        return what

    def listen(self) -> None:
        """Add what the chats have said meanwhile."""
        for mark, exchanges in list(self.exchanges.items()):
            replies = exchanges[0].replies
            for reply in replies[self._read[mark] :]:
                self._read[mark] += 1
                words = str(reply.get("text", ""))
                self._told(self.asked[mark], understood(words), words)
        said: dict[int, list[str]] = defaultdict(list)
        for message in list(self.world.sandbox.telegram.messages.history):
            if message.from_bot and not message.deleted:
                said[message.chat] += [*message.before, message.text]
        for mark, phone in list(self.chats.items()):
            asked, texts = self.asked[mark], said[phone]
            if [each.words for each in asked.told] != [words[:300] for words in texts]:
                # A message may change before one that came later: all are read again.
                before = {each.words: each for each in asked.told}
                asked.told = []
                for words in texts:
                    if words[:300] in before:
                        asked.told.append(before[words[:300]])
                    else:
                        self._told(asked, understood(words), words)
