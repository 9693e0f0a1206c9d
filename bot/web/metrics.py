"""Numbers for Prometheus, in a registry of their own; nothing in them names a person."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bot.runtime import Bot
from core.callers import Caller
from core.engine import Engine, Settled
from core.errors import LevqorError, QuotaSpent
from core.health import accounts, inbounds
from core.reports import Outcome

# A webhook answers in tenths of a second; an attempt is over after ten, a run after thirty.
_RUN_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Slack hangs up after three seconds.
_ACK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)


class Metrics:
    """Counts what the engine and the surfaces report, from the moment it is made.

    How many runs ended is the ledger's count: it holds the terminal's runs and survives a restart.
    """

    def __init__(self, bot: Bot) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.seconds = histogram(
            "levqor_run_seconds",
            "How long runs took, from leaving the queue.",
            ("action",),
            buckets=_RUN_BUCKETS,
        )
        self.quota_refusals = counter(
            "levqor_quota_refusals",
            "Requests refused because the free plan's call of the day was used.",
            ("action", "surface"),
        )
        self.acknowledgements = histogram(
            "levqor_acknowledgement_seconds",
            "How long a chat platform waited for its acknowledgement.",
            ("surface",),
            buckets=_ACK_BUCKETS,
        )
        self.answers = counter(
            "levqor_http_answers", "Answers to HTTP requests, by status.", ("status",)
        )
        self.unsigned_posts = counter(
            "levqor_unsigned_posts",
            "Posts to a chat platform's address without the platform's valid signature.",
            ("surface",),
        )
        self.registry.register(_Now(bot.engine))
        bot.engine.observers.append(self._settled)
        bot.engine.refusals.append(self._refused)
        bot.on_acknowledged.append(self._acknowledged)

    def text(self, accept: str) -> tuple[bytes, str]:
        """Everything counted, and its content type: OpenMetrics where it is asked for."""
        encode, media = choose_encoder(accept)
        return encode(self.registry), media

    def _settled(self, settled: Settled, _: Caller) -> None:
        self.seconds.labels(settled.action_id).observe(settled.ms / 1000)

    def _refused(self, action_id: str, error: LevqorError, caller: Caller) -> None:
        if isinstance(error, QuotaSpent):
            self.quota_refusals.labels(action_id, caller.asks_on).inc()

    def _acknowledged(self, surface: str, seconds: float) -> None:
        self.acknowledgements.labels(surface).observe(seconds)


class _Now(Collector):
    """What is asked for at the moment of a scrape."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # An outcome that is corrected later is no fall of a counter.
        self._highest: dict[tuple[str, str, str], int] = {}

    def collect(self) -> Iterator[Metric]:
        """Queues from memory; runs and verdicts from the ledger, whichever program's they are."""
        runs = CounterMetricFamily(
            "levqor_runs",
            "Runs that ended, of every program on this home, test sends included.",
            labels=("action", "outcome", "surface"),
        )
        running = GaugeMetricFamily(
            "levqor_runs_sending", "Runs being sent now.", labels=("connector",)
        )
        waiting = GaugeMetricFamily(
            "levqor_queue_depth", "Runs waiting for a worker.", labels=("connector",)
        )
        probes = GaugeMetricFamily(
            "levqor_probe_verdict",
            "1 for the verdict of a connector's latest probe.",
            labels=("connector", "verdict"),
        )
        inbound = GaugeMetricFamily(
            "levqor_inbound_up", "Whether an interface of the bot works.", labels=("surface",)
        )
        states = inbounds(self._engine.ledger)
        for action, outcome, surface, count in self._engine.ledger.counts():
            series = action, outcome, surface
            self._highest[series] = max(count, self._highest.get(series, 0))
        surfaces = {*states, *(surface for _, _, surface in self._highest)}
        # Zeros too: Prometheus sees no increase in a series that begins with its first run.
        for labels in product(self._engine.action_ids(), get_args(Outcome), sorted(surfaces)):
            runs.add_metric(labels, self._highest.get(labels, 0))
        for name, (busy, queued) in self._engine.queues().items():
            running.add_metric((name,), busy)
            waiting.add_metric((name,), queued)
        for connector, account in accounts(self._engine):
            name = connector.account_id(account)
            for streak in self._engine.ledger.probes(name):
                probes.add_metric((name, streak.verdict), 1)
        for surface, health in states.items():
            inbound.add_metric((surface,), float(health.ok))
        yield from (runs, running, waiting, probes, inbound)

    def describe(self) -> Iterator[Metric]:
        """Nothing is asked of the ledger before the first scrape."""
        return iter(())
