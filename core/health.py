"""Which connectors are configured, which are reachable, since when, and what to do."""

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from core.console_address import console_address
from core.contract import Connector
from core.engine import Access, Engine, reasons
from core.engine.validation import credential_digest
from core.errors import LedgerError, LevqorError, NotConfigured, NotSent, UpstreamError
from core.ledger import Ledger, RunRecord
from core.reports import (
    Bots,
    BotStatus,
    ConnectorHealth,
    Health,
    HealthSummary,
    InboundHealth,
    LastFailure,
    LastRun,
    Verdict,
    moment,
)
from core.settings.names import in_names
from core.wording import VERDICTS

PROBE_SECONDS = 10.0
# Three signs of life that did not come.
SILENT_SECONDS = 180.0


class HealthChecker:
    """The health of one engine's connectors; every method blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def summary(self) -> HealthSummary:
        """What is configured: the old service's shape, without a look at the network."""
        settings = self._engine.settings
        # A further account neither makes a service set up nor breaks one that is.
        connectors = {c.name: settings.configured(c) for c in self._engine.connectors}
        return HealthSummary(
            status="ok",
            connectors=connectors,
            configured=sum(connectors.values()),
            total=len(connectors),
        )

    def report(self, *, live: bool = False) -> Health:
        """The summary, with what the ledger knows, or with live probes."""
        listed = accounts(self._engine)
        detail = {c.account_id(account): self.known(c, account) for c, account in listed}
        inbound, team = inbounds(self._engine.ledger), bots(self._engine.ledger)
        log = self._engine.log
        several = self._engine.ledger.store.shared or len(team.bots) > 1
        return Health(
            **vars(self.summary()),
            detail=detail | self._probe_all(detail, listed) if live else detail,
            inbound={surface: health.words for surface, health in inbound.items()},
            inbound_detail=inbound,
            problems=(log.problem,) if log and log.problem else (),
            console=console_address(self._engine.settings, inbound),
            bots=team if several else None,
        )

    def check(self, names: Collection[str]) -> dict[str, ConnectorHealth]:
        """Probe these accounts now, of those that are set up, and write what was found."""
        listed = [(c, a) for c, a in accounts(self._engine) if c.account_id(a) in names]
        known = {c.account_id(account): self.known(c, account) for c, account in listed}
        return self._probe_all(known, listed)

    def known(self, connector: Connector, account: str | None) -> ConnectorHealth:
        """What the database knows of an account, without a look at the network."""
        known, settings = self._unchecked(connector, account), self._engine.settings
        try:
            settings.config(connector, account)
        except NotConfigured as error:
            return replace(
                known,
                verdict=Verdict.NOT_CONFIGURED,
                words=error.message,
                fix=error.fix,
                settings=error.settings,
            )
        streaks = self._engine.ledger.probes(connector.account_id(account))
        if not streaks or streaks[0].verdict == Verdict.NOT_CONFIGURED:
            return known
        streak = streaks[0]
        row = reasons.find(connector, streak.reason) if streak.reason else None
        known = replace(
            known,
            verdict=Verdict(streak.verdict),
            words=row.message if row else VERDICTS[Verdict(streak.verdict)].sentence,
            latency_ms=streak.latency_ms,
            since=moment(streak.since),
            checked_at=moment(streak.at),
            fix=row.fix if row else None,
        )
        return _naming(known, settings.names(connector, account))

    def _unchecked(self, connector: Connector, account: str | None) -> ConnectorHealth:
        ledger = self._engine.ledger
        sent = ledger.last(connector.name, account or "", ("sent",))
        failed = ledger.last(connector.name, account or "", ("refused", "not_sent", "unknown"))
        return ConnectorHealth(
            title=connector.account_title(account),
            # A further account is reached by targets alone.
            actions=tuple(map(connector.action_id, connector.actions)) if account is None else (),
            verdict=Verdict.UNCHECKED,
            words=VERDICTS[Verdict.UNCHECKED].sentence,
            latency_ms=None,
            since=None,
            checked_at=None,
            last_success=None if sent is None else _last_run(sent),
            last_failure=None if failed is None else _last_failure(failed, connector),
            fix=None,
            notes=(),
        )

    def _probe_all(
        self, known: Mapping[str, ConnectorHealth], listed: Sequence[tuple[Connector, str | None]]
    ) -> dict[str, ConnectorHealth]:
        late = NotSent(
            "timed_out_before", "The service did not answer in time.", fix="Try again in a moment."
        )
        settings, end = self._engine.settings, time.monotonic() + PROBE_SECONDS + 1
        configured = {c.account_id(a): (c, a) for c, a in listed if settings.configured(c, a)}
        health = {name: _failed(known[name], late, None) for name in configured}

        def probe(name: str, connector: Connector, account: str | None) -> None:
            try:
                found = self._probe(known[name], connector, account)
            except Exception as error:  # noqa: BLE001 - a probe's own fault is its connector's
                fault = UpstreamError("internal", type(error).__name__)
                found = _failed(known[name], fault, connector)
            health[name] = found

        # A thread for each account: none may wait for another's name look-up.
        threads = [
            threading.Thread(target=probe, args=(name, *each), daemon=True)
            for name, each in configured.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return dict(health)

    def _probe(
        self, known: ConnectorHealth, connector: Connector, account: str | None
    ) -> ConnectorHealth:
        engine, name = self._engine, connector.account_id(account)
        config = engine.settings.config(connector, account)
        began = time.perf_counter()
        reason: str | None = None
        try:
            probe = engine.outbound.probe(
                connector.name,
                credential_digest(config),
                lambda http: connector.probe(config, http),
                seconds=PROBE_SECONDS,
            )
        except LevqorError as error:
            reason = error.reason or error.code
            health = _failed(known, error, connector)
        else:
            verdict = Verdict.ATTENTION if probe.attention else Verdict.OK
            health = replace(
                known,
                verdict=verdict,
                words=VERDICTS[verdict].sentence,
                fix=probe.fix,
                notes=tuple(probe.notes),
            )
        latency = round((time.perf_counter() - began) * 1000, 1)
        since = now = time.time()
        try:
            engine.ledger.probed(name, health.verdict, reason, latency)
            kept = engine.ledger.probes(name)[0]
            since, now = kept.since, kept.at
        except LedgerError:
            # What the probe found is worth telling even where it cannot be kept.
            pass
        health = replace(health, latency_ms=latency, since=moment(since), checked_at=moment(now))
        return _naming(health, engine.settings.names(connector, account))


def shown(report: Health, who: Access) -> Health:
    """A report as somebody may see it: who uses targets alone is told nothing of where they lead.

    What a check found names tabs, chats and accounts.
    """
    if not who.scope.destinations():
        return report
    detail = {
        name: replace(each, words=VERDICTS[each.verdict].sentence, fix=None, notes=())
        for name, each in report.detail.items()
        if "/" not in name
    }
    return replace(report, detail=detail)


def accounts(engine: Engine) -> list[tuple[Connector, str | None]]:
    """Every connector with each of its accounts; the first one has no name."""
    further = engine.settings.accounts
    return [(c, account) for c in engine.connectors for account in (None, *further(c))]


def inbounds(ledger: Ledger) -> dict[str, InboundHealth]:
    """How each interface is doing, whoever asks; of several bots, the one that does worst."""
    health: dict[str, InboundHealth] = {}
    for inbound in ledger.inbounds():
        verdict, fix = inbound.verdict, inbound.fix
        # An interface that has repeated itself does so every minute; silence is news then.
        silent = inbound.at > inbound.since and inbound.age > SILENT_SECONDS
        if not inbound.alive:
            verdict, fix = "the bot is not running", "Start it with: levqor-bot"
        elif silent:
            verdict, fix = "the bot gives no sign of life", "Stop it and start it again: levqor-bot"
        known = health.get(inbound.surface)
        if known is not None and not known.ok:
            continue
        ok = inbound.ok and inbound.alive and not silent
        if known is None or not ok:
            health[inbound.surface] = InboundHealth(
                ok=ok,
                verdict=verdict,
                fix=fix,
                since=moment(inbound.since),
                at=moment(inbound.at),
            )
    return health


def bots(ledger: Ledger) -> Bots:
    """Which bots run on a database, and in which settings they differ."""
    team = ledger.bots()
    names = sorted({name for bot in team for name in bot.settings})
    return Bots(
        bots=tuple(
            BotStatus(
                bot=bot.label,
                version=bot.version,
                since=moment(bot.since),
                # A lease on what a surface reads is named for both.
                reads=tuple(lease.partition(" ")[0] for lease in bot.leases if " " in lease),
            )
            for bot in team
        ),
        settings_that_differ=tuple(
            name for name in names if len({bot.settings.get(name) for bot in team}) > 1
        ),
    )


def _failed(
    known: ConnectorHealth, error: LevqorError, connector: Connector | None
) -> ConnectorHealth:
    # Nothing got through at all: the line is down, not the connector.
    down = isinstance(error, NotSent) and (
        connector is None or connector.answers.find(error.reason or "") is None
    )
    verdict = Verdict.UNREACHABLE if down else Verdict.FAILING
    return replace(known, verdict=verdict, words=error.message, fix=error.fix, notes=())


def _naming(health: ConnectorHealth, names: Mapping[str, str]) -> ConnectorHealth:
    """The same health, with the names that an account has for the settings."""
    return replace(
        health,
        words=in_names(health.words, names),
        fix=health.fix and in_names(health.fix, names),
        notes=tuple(in_names(note, names) for note in health.notes),
    )


def _last_run(run: RunRecord) -> LastRun:
    return LastRun(
        at=moment(run.settled_at or run.at),
        run=run.run,
        action=run.action,
        outcome=run.state,
        ms=None if run.ms is None else round(run.ms, 1),
        test=run.test,
    )


def _last_failure(run: RunRecord, connector: Connector) -> LastFailure:
    error = reasons.restore_error(run, connector)
    return LastFailure(
        **vars(_last_run(run)), reason=run.reason, message=error.message, fix=error.fix
    )
