"""What the charts of a service are drawn from: bars of outcomes, and lines of times."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.reports import HistoryStep

HEIGHT, WIDTH = 120, 720
# How a step's runs are stacked, the lowest first, each with its colour.
_STACK = (("sent", "ok"), ("refused", "bad"), ("not_sent", "bad"), ("unknown", "doubt"))


@dataclass(frozen=True)
class Bar:
    """A part of a step's bar."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    words: str


@dataclass(frozen=True)
class Chart:
    """A picture of some steps, and the greatest number in it."""

    bars: tuple[Bar, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()  # a name, and its points
    most: float = 0.0


def outcomes(steps: Sequence[HistoryStep]) -> Chart:
    """How many runs ended how."""
    most = max((_total(step) for step in steps), default=0)
    if not most:
        return Chart()
    wide, bars = WIDTH / len(steps), []
    for number, step in enumerate(steps):
        top = float(HEIGHT)
        for name, tone in _STACK:
            count = getattr(step, name)
            if count:
                tall = HEIGHT * count / most
                top -= tall
                words = f"{step.start:%Y-%m-%d %H:%M}: {count} {name.replace('_', ' ')}"
                bars.append(Bar(number * wide, top, max(1.0, wide - 1), tall, tone, words))
    return Chart(bars=tuple(bars), most=most)


def times(steps: Sequence[HistoryStep]) -> Chart:
    """How long runs took: the median and the 95th percentile, in milliseconds."""
    most = max((step.p95_ms or 0.0 for step in steps), default=0.0)
    if not most:
        return Chart()
    wide = WIDTH / len(steps)

    def points(name: str) -> str:
        known = ((n, getattr(step, name)) for n, step in enumerate(steps))
        high = ((n, HEIGHT - (HEIGHT - 4) * ms / most) for n, ms in known if ms is not None)
        # As wide as its step: a line of one point alone would not be seen.
        return " ".join(f"{n * wide:.1f},{y:.1f} {(n + 1) * wide:.1f},{y:.1f}" for n, y in high)

    return Chart(lines=(("median", points("p50_ms")), ("p95", points("p95_ms"))), most=most)


def _total(step: HistoryStep) -> int:
    return step.sent + step.refused + step.not_sent + step.unknown
