"""What the services do to the calls that are to do something there: mostly that, at times worse."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING

from core.sandbox.telegram import GROUP
from tests.chaos.auditor import Arrival
from tests.support.sandbox.answers import Answer, Delay, DropAfter, DropBefore, Hang, Scripted

if TYPE_CHECKING:
    from aiohttp import web

    from core.sandbox import Received
    from tests.support.sandbox import Sandbox
    from tests.support.sandbox.answers import Real

MARK = re.compile(r"chaos-\w+-\d+x\d+")
# The calls that do what an action does; the bots answer their people with others.
WRITES = {
    "slack": "webhook",
    "notion": "pages.create",
    "sheets": "values.append",
    "telegram": "sendMessage",
    "email": "emails.send",
}
TOO_MANY = {
    "telegram": Answer(
        429,
        json={
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        },
    ),
}
WAYS = {
    "fine": Delay(0.0),
    "slow": Delay(0.7),
    "drop before": DropBefore(),
    "drop after": DropAfter(),
    "hang": Hang(12.0),
    "429": Answer(429, "chaos", headers={"Retry-After": "1"}),
    "500": Answer(500, "chaos"),
    "500 done": Answer(500, "chaos", done=True),
    "400": Answer(400, "chaos"),
}
# How often what happens to a call on a fine day.
USUAL = {
    "fine": 60, "slow": 12, "drop before": 5, "drop after": 5, "hang": 3, "429": 6, "500": 3,
    "500 done": 2, "400": 4,
}  # fmt: skip
# What a whole storm does to every call.
STORMS = ("429", "drop before", "drop after", "hang", "500", "slow")


class Storm(Scripted):
    """Decides what becomes of each call, by the seed, the message and the attempt."""

    def __init__(self, seed: str) -> None:
        self.seed, self.mode = seed, "usual"
        self.done: Counter[str] = Counter()
        self._attempts: Counter[str] = Counter()

    def on(self, sandbox: Sandbox) -> None:
        """Stand between the callers and every service."""
        for kind, call in WRITES.items():
            sandbox.service(kind).always(_OfService(self, kind), on=call)

    def way(self, mark: str) -> str:
        """What happens to the next attempt to send this."""
        self._attempts[mark] += 1
        if self.mode != "usual":
            return {"calm": "fine"}.get(self.mode, self.mode)
        rng = random.Random(f"{self.seed} {mark} {self._attempts[mark]}")
        return rng.choices(list(USUAL), list(USUAL.values()))[0]

    def forget(self) -> None:
        """A new round's messages are others."""
        self._attempts.clear()


class _OfService(Scripted):
    def __init__(self, storm: Storm, kind: str) -> None:
        self._storm, self._kind = storm, kind

    async def play(self, request: web.Request, real: Real) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", "replace")
        if self._kind == "telegram" and str(GROUP) not in body:
            return await real()
        found = MARK.search(body)
        way = self._storm.way(found[0] if found else f"a test of {self._kind}")
        self._storm.done[f"call {way}"] += 1
        done = TOO_MANY.get(self._kind) if way == "429" else None
        return await (done or WAYS[way]).play(request, real)


class Collector:
    """Gathers what arrived, before the services forget it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._seen = sandbox, dict[int, "Received"]()
        self._lock = threading.Lock()
        self._arrivals: list[Arrival] = []
        self.tests: Counter[str] = Counter()  # test sends, of all rounds

    def look(self) -> list[Arrival]:
        """All that arrived since `forget`."""
        with self._lock:
            for kind, call in WRITES.items():
                for one in self._sandbox.service(kind).writes:
                    if one.call == call and id(one) not in self._seen:
                        self._seen[id(one)] = one
                        self._add(kind, one)
            return list(self._arrivals)

    def _add(self, kind: str, one: Received) -> None:
        chat = str((one.json or one.form).get("chat_id")) if kind == "telegram" else ""
        found = MARK.search(one.text)
        if chat not in ("", str(GROUP)):
            return
        if found is None:
            self.tests[kind] += 1
        else:
            self._arrivals.append(Arrival(found[0], one.at, f"{kind} {one.call}"))

    def forget(self) -> None:
        """Begin a new round; what the platforms know of chats and updates goes on."""
        with self._lock:
            for service in self._sandbox.services:
                with service._lock:
                    service._received.clear()
            self._sandbox.telegram.messages.history.clear()
            self._seen.clear()
            self._arrivals.clear()
