"""The ledger: what is kept of runs, people and interfaces, and for how long."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from core import reports
from core.errors import LedgerError, NotConfigured
from core.ledger import accept, owed, runs
from core.ledger.bots import Bots
from core.ledger.history import GIVE_WAY_SECONDS, SHARES, RunHistory
from core.ledger.linking import Linking
from core.ledger.listing import RunFilter
from core.ledger.owed import OwedAnswers
from core.ledger.pairing import Pairing
from core.ledger.records import day_of, midnight_after
from core.ledger.recovery import Recovery
from core.ledger.sessions import Sessions
from core.ledger.sqlite import SqliteStore
from core.ledger.standing import standing
from core.ledger.status import Status
from core.ledger.store import ANSWER_SECONDS, Connection, Store, reads, writes
from core.ledger.targets import Targets
from core.ledger.tokens import Tokens
from core.ledger.usage import Tally

# What is true of a request that may have come before, to another bot or an earlier one.
UNSURE = "Nothing was sent now; if this same request came before, its first answer counts."
_TRIES = 5
_STRANGERS = (
    "DELETE FROM callers WHERE last_seen < :before AND plan IS NULL AND paired_at IS NULL "
    "AND person IS NULL AND role IS NULL "
    "AND caller NOT IN (SELECT 'http:' || label FROM tokens)"
)
# What they sent stays counted, and not as theirs.
_GONE = (
    "DELETE FROM history_people WHERE start < :before AND person NOT IN "
    "(SELECT caller FROM callers UNION SELECT name FROM people)"
)


class Ledger(
    Recovery,
    Tokens,
    Linking,
    Targets,
    Pairing,
    Sessions,
    OwedAnswers,
    Status,
    RunHistory,
    Bots,
):
    """The journal; open it with `Ledger.open`, close it when done.

    Every method may be called from any thread, and blocks: an event loop hands them to a
    thread. All raise LedgerError, which names the database.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._claiming = {}

    @classmethod
    def open(cls, home: Path, url: str | None = None, **more: Any) -> Self:
        """Open a home's own database, or the PostgreSQL one that `url` names.

        Raises LedgerError; NotConfigured where levqor[postgres] is not installed.
        """
        if url is None:
            return cls(SqliteStore.open(home, _sweep))
        try:
            from core.ledger.postgres import PostgresStore
        except ImportError:
            raise NotConfigured(
                "LEVQOR_DATABASE_URL is set, and Levqor was installed without PostgreSQL.",
                fix="Install it with: levqor[postgres]",
                settings=["LEVQOR_DATABASE_URL"],
            ) from None
        return cls(PostgresStore.open(home, url, _sweep, **more))

    def close(self) -> None:
        """Forget how the interfaces of this process are doing, then close."""
        self.store.close(self._leave)

    def _leave(self, db: Connection) -> None:
        owner = {"owner": self.store.owner()}
        db.execute("DELETE FROM inbound WHERE owner = :owner", owner)
        db.execute("DELETE FROM bots WHERE owner = :owner", owner)
        db.execute("UPDATE leases SET until = 0 WHERE owner = :owner", owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @reads
    def now(self, db: Connection) -> float:
        """Seconds since 1970 by the database's clock, which a bot's own may not agree with."""
        return db.now()

    @reads
    def quota(self, db: Connection, caller: str, actions: Sequence[str]) -> list[reports.Quota]:
        """Where a caller stands with each of these actions today."""
        now, who = db.now(), standing(db, caller)
        limit = None if self._plan(who) == "pro" else accept.FREE_LIMIT
        return [
            reports.Quota(
                action=action,
                used=accept.used(db, who.quota_owner, action, day_of(now)),
                limit=limit,
                resets_at=midnight_after(now),
            )
            for action in actions
        ]

    def usage_report(
        self,
        days: int,
        caller: str,
        actions: Sequence[str],
        of: RunFilter | None = None,
        *,
        until: float | None = None,
    ) -> reports.Usage:
        """Everybody's runs of some days or those of `of`, and where a caller stands today."""
        return reports.Usage(
            days=days,
            usage=tuple(self.usage(days, of, until)),
            caller=caller,
            plan=self.plan(caller),
            quota=tuple(self.quota(caller, actions)),
        )

    def usage_by(self, by: str, days: int, until: float | None = None) -> reports.UsageBy:
        """The runs of the same days by `person`, `action` or `service`, busiest first."""
        until = midnight_after(self.now()).timestamp() if until is None else until
        totals: dict[str, Tally] = {}
        titles: dict[str, str | None] = {}
        if by == "person":
            # Who was linked since has become one with their person.
            persons = {each.caller: each.person or each.caller for each in self.callers()}
            titles = {each.name: each.title for each in self.people()}
            for row in self.usage_by_person(days, until):
                tally = Tally([row.sent, row.refused, row.not_sent, row.unknown])
                totals.setdefault(persons.get(row.person, row.person), Tally()).add(tally)
        else:
            for name, tally in self.usage_by_action(days, until).items():
                totals.setdefault(name[by == "action"], Tally()).add(tally)
        rows = sorted(totals.items(), key=lambda item: (-sum(item[1].counts), item[0]))
        return reports.UsageBy(
            by=by,
            first=day_of(until - days * 86400),
            last=day_of(until - 86400),
            usage=tuple(
                reports.UsageTotal(
                    name=name,
                    title=titles.get(name),
                    **tally.named(),
                    p50_ms=tally.percentile(SHARES[0]),
                    p95_ms=tally.percentile(SHARES[1]),
                )
                for name, tally in rows
            ),
        )

    def backup(self, file: Path) -> None:
        """Write a consistent copy, owner-only, while others go on. Refuses to overwrite."""
        self.store.backup(file)

    def prune(self, days: int, audit_days: int = 400) -> int:
        """Delete what is older than `days` days, and changes than theirs; returns how many runs.

        Runs go by whole UTC days.
        """
        now, gone = self.now(), 0
        before = now - days * 86400
        # Another process that counts them has this one begin anew.
        counted = next(filter(None, (self.roll_up(before) for _ in range(_TRIES))), 0.0)
        while step := self._prune_runs(counted):
            gone += step
            # SQLite gives its lock to who asks first; one who waits asks every 20 ms or so.
            time.sleep(GIVE_WAY_SECONDS)
        self._prune_rest(before, now - audit_days * 86400)
        return gone

    @writes(durable=True)
    def _prune_rest(self, db: Connection, before: float, audited_before: float) -> None:
        """Forget strangers who were not seen since, codes nobody used, streaks that ended."""
        for sql in (
            _STRANGERS,
            _GONE,
            "DELETE FROM pairings WHERE expires_at < :before",
            "DELETE FROM probes WHERE at < :before",
            "DELETE FROM inbound WHERE at < :before",
            "DELETE FROM bots WHERE until < :before",
            "DELETE FROM link_codes WHERE expires_at < :before",
            "DELETE FROM leases WHERE owner = '' AND until > 0 AND until < :before",
            "DELETE FROM sign_ins WHERE expires_at < :before",
            "DELETE FROM sessions WHERE expires_at < :before",
            "DELETE FROM quota_shares WHERE day < :day",
            "DELETE FROM audit WHERE at < :audited_before",
        ):
            args = {"before": before, "day": day_of(before), "audited_before": audited_before}
            db.execute(sql, args)

    def unaccepted(self, error: LedgerError, key: str | None) -> LedgerError:
        """Add what is known of a request's run to why it could not be accepted.

        The key's first run may have been sent. A silent server is not asked: somebody waits.
        """
        unsent = key is None
        if key is not None and not self.store.shared:
            with contextlib.suppress(LedgerError):
                unsent = self.keyed(key) is None
        if unsent:
            return error.replace(outcome="not_sent")
        return error.replace(message=f"{error.message} {UNSURE}")

    def check_key(self, check: str | None) -> None:
        """Compare a value made with the home's key, None where it has none, to the first one.

        The hashes of another key would match nothing that is kept: all bots on one database must
        have the same. Raises LedgerError; a database of one home takes the home's new key.
        """
        first = self._key_check()
        if first == check or (first is None and check is None):
            return
        if first is not None and self.store.shared:
            raise LedgerError(
                f"{self.store.place} is used with another levqor.key than this home's.",
                fix="Copy levqor.key from the home of a bot that uses this database, or name it "
                "in LEVQOR_KEY_FILE.",
                reason="ledger_key",
            )
        if check is not None:
            self._set_key_check(check)
            self.check_key(check)

    @reads
    def _key_check(self, db: Connection) -> str | None:
        row = db.execute("SELECT value FROM meta WHERE name = 'key_check'").fetchone()
        return row and str(row[0])

    @writes()
    def _set_key_check(self, db: Connection, check: str) -> None:
        keep = "NOTHING" if self.store.shared else "UPDATE SET value = :check"
        db.execute(
            f"INSERT INTO meta (name, value) VALUES ('key_check', :check) "
            f"ON CONFLICT (name) DO {keep}",
            {"check": check},
        )


def _sweep(db: Connection) -> int:
    """Forget where to answer what nobody waits for any more; returns how many still wait."""
    before = db.now() - ANSWER_SECONDS
    return runs.forget_old_replies(db, before) + owed.forget_old(db, before)
