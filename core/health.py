"""Which connectors are configured, which are reachable, since when, and what to do."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from core.engine import reasons
from core.errors import LedgerError, LevqorError, NotConfigured, NotSent, UpstreamError

if TYPE_CHECKING:
    from core.contract import Connector, Probe
    from core.engine import Engine
    from core.ledger import Inbound, ProbeStreak, RunRecord

PROBE_SECONDS = 10.0
# Three signs of life that did not come.
SILENT_SECONDS = 180.0

OK = "ok"
ATTENTION = "attention"
FAILING = "failing"
UNREACHABLE = "unreachable"
NOT_CONFIGURED = "not_configured"
UNCHECKED = "unchecked"

_WORDS = {
    OK: "working",
    ATTENTION: "working, but look at this",
    FAILING: "not working",
    UNREACHABLE: "cannot be reached",
    NOT_CONFIGURED: "not set up",
    UNCHECKED: "set up, not checked yet",
}


class Health:
    """The health of one engine's connectors; every method blocks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def summary(self) -> dict[str, Any]:
        """What is configured: the old service's shape, without a look at the network."""
        settings = self._engine.settings
        connectors = {c.name: settings.configured(c) for c in self._engine.connectors}
        return {
            "status": "ok",
            "connectors": connectors,
            "configured": sum(connectors.values()),
            "total": len(connectors),
        }

    def report(self, *, live: bool = False) -> dict[str, Any]:
        """The summary with `detail` (from the ledger, or live probes) and `inbound`."""
        probed = self._probe_all() if live else {}
        detail = {}
        for connector in self._engine.connectors:
            said = self._known(connector)
            said.update(probed.get(connector.name, {}))
            said["words"] = said.get("words") or _WORDS[said["verdict"]]
            detail[connector.name] = said
        ways = self._engine.ledger.inbounds()
        log = self._engine.log
        return {
            **self.summary(),
            "detail": detail,
            "inbound": {way.surface: _way_words(way) for way in ways},
            "inbound_detail": {way.surface: _way(way) for way in ways},
            "problems": [log.problem] if log and log.problem else [],
        }

    def _known(self, connector: Connector) -> dict[str, Any]:
        ledger = self._engine.ledger
        said: dict[str, Any] = {
            "title": connector.title,
            "actions": [connector.action_id(a) for a in connector.actions],
            "verdict": UNCHECKED,
            "words": None,
            "latency_ms": None,
            "since": None,
            "checked_at": None,
            "last_success": _run(ledger.last(connector.name, ("sent",)), None),
            "last_failure": _run(
                ledger.last(connector.name, ("refused", "not_sent", "unknown")), connector
            ),
            "fix": None,
            "notes": [],
        }
        try:
            self._engine.settings.config(connector)
        except NotConfigured as error:
            return {
                **said,
                "verdict": NOT_CONFIGURED,
                "words": error.message,
                "fix": error.fix,
                "settings": list(error.settings),
            }
        stretches = ledger.probes(connector.name)
        if stretches and stretches[0].verdict != NOT_CONFIGURED:
            said.update(_stretch(stretches[0], connector))
        return said

    def _probe_all(self) -> dict[str, dict[str, Any]]:
        found: dict[str, Future[dict[str, Any]]] = {}
        for connector in self._engine.connectors:
            if not self._engine.settings.configured(connector):
                continue
            future = found[connector.name] = Future()
            # A thread each: five at the most, and none may wait for another's name look-up.
            threading.Thread(
                target=_into, args=(future, self._probe, connector), daemon=True
            ).start()
        wait(found.values(), timeout=PROBE_SECONDS + 1)
        late = NotSent(
            "timed_out_before", "The service did not answer in time.", fix="Try again in a moment."
        )
        return {
            name: future.result() if future.done() else _failed(late, None)
            for name, future in found.items()
        }

    def _probe(self, connector: Connector) -> dict[str, Any]:
        engine = self._engine
        config = engine.settings.config(connector)
        began = time.perf_counter()
        reason: str | None = None
        try:
            probe = engine.outbound.probe(
                connector.name,
                engine.credential(connector, config),
                lambda out: _probed(connector, config, out),
                seconds=PROBE_SECONDS,
            )
        except LevqorError as error:
            reason = error.reason or error.code
            said = _failed(error, connector)
        else:
            said = {
                "verdict": ATTENTION if probe.attention else OK,
                "fix": probe.fix,
                "notes": list(probe.notes),
                "words": None,
            }
        latency = round((time.perf_counter() - began) * 1000, 1)
        since = now = time.time()
        try:
            engine.ledger.probed(connector.name, said["verdict"], reason, latency)
            since = engine.ledger.probes(connector.name)[0].since
        except LedgerError:
            # What the probe found is worth telling even where it cannot be kept.
            pass
        return {**said, "latency_ms": latency, "since": _iso(since), "checked_at": _iso(now)}


def _probed(connector: Connector, config: Any, out: Any) -> Probe:
    return connector.probe(config, out)


def _into(future: Future[dict[str, Any]], probe: Any, connector: Connector) -> None:
    try:
        future.set_result(probe(connector))
    except Exception as error:  # noqa: BLE001 - a probe's own fault is one connector's, not all five's
        future.set_result(_failed(UpstreamError("internal", str(type(error).__name__)), connector))


def _failed(error: LevqorError, connector: Connector | None) -> dict[str, Any]:
    # Nothing got through at all: the line is down, not the connector.
    down = isinstance(error, NotSent) and (
        connector is None or connector.answers.find(error.reason or "") is None
    )
    return {
        "verdict": UNREACHABLE if down else FAILING,
        "words": error.message,
        "fix": error.fix,
        "notes": [],
    }


def _stretch(stretch: ProbeStreak, connector: Connector) -> dict[str, Any]:
    row = reasons.find(connector, stretch.reason) if stretch.reason else None
    return {
        "verdict": stretch.verdict,
        "latency_ms": stretch.latency_ms,
        "since": _iso(stretch.since),
        "checked_at": _iso(stretch.at),
        "words": row.message if row else None,
        "fix": row.fix if row else None,
    }


def _run(entry: RunRecord | None, connector: Connector | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    said: dict[str, Any] = {
        "at": _iso(entry.settled_at or entry.at),
        "run": entry.run,
        "action": entry.action,
        "outcome": entry.state,
        "ms": round(entry.ms, 1) if entry.ms is not None else None,
        "test": entry.test,
    }
    if entry.state != "sent":
        error = reasons.retold(entry, connector)
        said |= {"reason": entry.reason, "message": error.message, "fix": error.fix}
    return said


def _way(way: Inbound) -> dict[str, Any]:
    verdict, fix = way.verdict, way.fix
    # A way in that has repeated itself does so every minute; silence is news then.
    silent = way.at > way.since and time.time() - way.at > SILENT_SECONDS
    if not way.alive:
        verdict, fix = "the bot is not running", "Start it with: levqor-bot"
    elif silent:
        verdict, fix = "the bot gives no sign of life", "Stop it and start it again: levqor-bot"
    return {
        "ok": way.ok and way.alive and not silent,
        "verdict": verdict,
        "fix": fix,
        "since": _iso(way.since),
        "at": _iso(way.at),
    }


def _way_words(way: Inbound) -> str:
    said = _way(way)
    return f"{said['verdict']}. {said['fix']}" if said["fix"] else str(said["verdict"])


def _iso(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")
