"""Alerts: what broke or works again is reported to the first target whose service is well.

What was reported is written in the database, with the report that is on its way: so one bot of
several makes it, once, and whichever comes after a crash finds out whether it was sent.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.runtime import Bot, step
from core import wording
from core.backoff import backoff
from core.callers import Caller, Local
from core.engine import Engine
from core.errors import IdempotencyMismatch, LevqorError
from core.grammar import parse_items
from core.health import HealthChecker
from core.interfaces import called
from core.ledger import TargetRecord
from core.ledger.records import day_of
from core.plain import counted, plain_line
from core.reports import BECAME, BROKEN, ConnectorHealth, Verdict

LOOK_SECONDS = 15.0
NOTE, LEASE, LEASE_SECONDS = "alerts", "alerts", 60.0
# A change that lasts no longer is nobody's trouble.
LASTS_SECONDS = 60.0
EXPIRES_SECONDS = 7 * 86400.0
# An alert that could not be sent is tried again so soon at first, and at last so seldom.
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0
# The least that a text may hold is 3000 characters.
_MOST_LINES, _LINE = 10, 250
CALLER = Caller(Local.CLI, "levqor-bot")
_WELL = str(Verdict.OK)
# What may be wrong with an alert itself.
_UNSENT, _UNKNOWN = "unsent", "unknown"


@dataclass(frozen=True)
class Look:
    """How one thing is; `mark` is equal for the same trouble, None while it is too new."""

    name: str
    line: str
    mark: str | None


@dataclass(frozen=True)
class Note:
    """What was reported of each thing, and the report that is on its way under a key of its own."""

    told: dict[str, str] = field(default_factory=dict)
    news: dict[str, str] | None = None
    key: str = ""
    tries: int = 0
    after: float = 0.0


class Alerts:
    """The alerts of one bot, as far as it is the one that makes them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._health = HealthChecker(bot.engine)
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with step():
                await self.look()

    async def look(self) -> None:
        """Report what changed, unless another bot does."""
        engine, call = self._bot.engine, self._bot.call
        if not engine.settings.app.alerts or not await call(
            engine.ledger.lease, LEASE, LEASE_SECONDS
        ):
            return
        text = await call(engine.ledger.note, NOTE)
        note = Note(**json.loads(text)) if text else Note()
        states = await call(self._states, note.key) if note.key else set[str]()
        if states & {"sent", "unknown"}:
            await self._write(text, Note(note.news or {}))
        elif not states & {"accepted", "sending"}:
            # Where nobody has accepted it, whoever is about to and we have the same key.
            await self._report(text, note, "" if states else note.key)

    async def _report(self, text: str | None, note: Note, key: str) -> None:
        now, looks, targets = await self._bot.call(self._looks)
        told = {each.name: note.told.get(each.name, _WELL) for each in looks}
        news = {
            each.name: mark
            for each in looks
            if (mark := each.mark if each.mark is not None else note.told.get(each.name, _WELL))
        }
        changes = [each for each in looks if news[each.name] != told[each.name]]
        if not changes:
            if news != note.told or note.key:
                await self._write(text, Note(news))
        elif targets and now >= note.after:
            tries = note.tries + 1
            wait = backoff(tries, first=_FIRST_WAIT, longest=_LONGEST_WAIT, jitter=0.1)
            sending = Note(note.told, news, key or secrets.token_hex(8), tries, now + wait)
            if (taken := await self._write(text, sending)) and await self._send(
                sending.key, targets, changes
            ):
                await self._write(taken, Note(news))

    async def _write(self, old: str | None, note: Note) -> str | None:
        """Write a note in place of the one that was read; None where another bot was quicker."""
        new = json.dumps(asdict(note), sort_keys=True)
        done = await self._bot.call(self._bot.engine.ledger.replace_note, NOTE, old, new)
        return new if done else None

    def _states(self, key: str) -> set[str]:
        """The states of a report's runs, one for each target that was tried."""
        ledger = self._bot.engine.ledger
        runs = (ledger.keyed(_key(key, name)) for name in self._bot.engine.settings.app.alerts)
        return {run.state for run in runs if run is not None}

    async def _send(self, key: str, targets: Sequence[TargetRecord], looks: list[Look]) -> bool:
        problem = ""
        for target in targets:
            try:
                accepted = await self._bot.accept(
                    target.action,
                    _values(self._bot.engine, target, looks),
                    CALLER,
                    key=_key(key, target.name),
                    unmetered=True,
                )
                if not accepted.first:
                    return False
                settled = await self._bot.settle(accepted)
            except IdempotencyMismatch:
                # Another bot has this very report on its way: the next look says how it went.
                return False
            except LevqorError as error:
                problem = f"{target.name}: {error.message} {error.fix or ''}"
                continue
            if settled.outcome in ("sent", "unknown"):
                self._said.pop(_UNSENT, None)
                return True
            if settled.error is not None:
                problem = f"{target.name}: {wording.in_one_line(settled.error)}"
        self._say(_UNSENT, f"An alert was not sent to {problem}")
        return False

    def _say(self, kind: str, problem: str) -> None:
        """Say what is wrong, once for as long as it stays so."""
        if self._said.get(kind) != problem:
            self._said[kind] = problem
            self._bot.print_status(problem)

    def _looks(self) -> tuple[float, list[Look], list[TargetRecord]]:
        """How everything is, and the targets whose service works, in their order."""
        engine = self._bot.engine
        now, health = engine.ledger.now(), self._health.report()
        known = {target.name: target for target in engine.ledger.targets()}
        names = engine.settings.app.alerts
        targets = [known[name] for name in names if name in known]
        if unknown := ", ".join(name for name in names if name not in known):
            words = f"LEVQOR_ALERTS names what is no target: {unknown}. Add it: levqor target add"
            self._say(_UNKNOWN, words)

        def works(target: TargetRecord) -> bool:
            name = engine.action(target.action)[0].account_id(target.account)
            detail = health.detail.get(name)
            return detail is not None and detail.verdict not in (
                *BROKEN, Verdict.NOT_CONFIGURED,
            )  # fmt: skip

        looks = [
            *(look for name, each in health.detail.items() if (look := _of_service(name, each))),
            *(
                _look(
                    f"interface {name}", f"Interface {called(name)}: {each.verdict}", each.fix,
                    well=each.ok, new=now - each.since.timestamp() < LASTS_SECONDS,
                )
                for name, each in health.inbound_detail.items()
            ),
            *_of_tokens(engine, now),
        ]  # fmt: skip
        return now, looks, [target for target in targets if works(target)]


def _of_service(name: str, health: ConnectorHealth) -> Look | None:
    if health.checked_at is None or health.since is None or health.verdict not in BECAME:
        return None
    well = health.verdict is Verdict.OK
    what = f"{health.title} {BECAME[health.verdict]}" + ("." if well else f": {health.words}")
    # Two checks in a row have seen it.
    new = (health.checked_at - health.since).total_seconds() < 1.0
    return _look(name, what, health.fix, well=well, new=new)


def _of_tokens(engine: Engine, now: float) -> Iterator[Look]:
    for token in engine.ledger.tokens():
        if token.expires_at is not None and token.revoked_at is None:
            what = f"The token {token.label} expires on {day_of(token.expires_at)} (UTC)"
            fix = f"Make a new one with: levqor token rotate {token.label}"
            if 0 < token.expires_at - now < EXPIRES_SECONDS:
                yield _look(f"token {token.label}", what, fix, well=False, new=False)


def _look(name: str, what: str, fix: str | None, *, well: bool, new: bool) -> Look:
    line = plain_line(what if well or not fix else f"{what} → {fix}")
    mark = _WELL if well else hashlib.sha256(line.encode()).hexdigest()[:16]
    return Look(name, line, None if new else mark)


def _key(key: str, target: str) -> str:
    return f"alert:{key}:{target}"


def _values(engine: Engine, target: TargetRecord, looks: list[Look]) -> dict[str, Any]:
    """The changes as the values of a target's action; what needs a headline has one."""
    head = f"Levqor alert: {looks[0].line if len(looks) == 1 else counted(len(looks), 'change')}"
    lines = [f"• {look.line}" for look in looks] if len(looks) > 1 else []
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"• and {len(looks) - _MOST_LINES} more: levqor health"]
    # A service takes a text whole or not at all, and each line says the rest by itself.
    lines = [head[:_LINE], *(line[:_LINE] for line in lines)]
    contract = engine.action(target.action)[1].input
    # All of it is text, also a word that looks like a value with a name.
    values = parse_items((), contract, text=["\n".join(lines)])
    for spec in contract.fields():
        if spec.required and not spec.destination and spec.name not in values:
            values[spec.name] = head[:200]
    return {"target": target.name, **values}
