"""What a service's pictures are drawn from: a strip of days, bars of outcomes, lines of times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import wording
from core.reports import ChecksDay, HistoryStep, UsageDay, Verdict

# How a state or a verdict is coloured.
_TONES = {
    "sent": "ok", "refused": "bad", "not_sent": "bad", "unknown": "doubt",
    Verdict.OK: "ok", Verdict.ATTENTION: "doubt", Verdict.FAILING: "bad",
    Verdict.UNREACHABLE: "bad",
}  # fmt: skip
_WORST_FIRST = (Verdict.FAILING, Verdict.UNREACHABLE, Verdict.ATTENTION, Verdict.OK)

# The highest of a picture does not touch its edge.
HEIGHT, WIDTH, ROOM = 120, 720, 10
# How a step's runs are stacked, the lowest first, each with its colour.
_STACK = (("sent", "ok"), ("refused", "bad"), ("not_sent", "bad"), ("unknown", "doubt"))


@dataclass(frozen=True)
class Stretch:
    """A bar of a service's strip: a day, what was found on it, and its place in the picture."""

    x: int
    tone: str
    words: str


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


def tone(word: str) -> str:
    """The colour of a run's state or a service's verdict."""
    return _TONES.get(word, "dim")


def counted(day: UsageDay) -> str:
    """What came of a day's runs; nothing is said of what did not happen."""
    counts = ((getattr(day, name), name.replace("_", " ")) for name, _ in _STACK)
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def strip(
    checks: Sequence[ChecksDay], runs: Mapping[str, UsageDay], now: Verdict | None
) -> list[Stretch]:
    """A bar for each day: the worst that a check found on it, and what came of its runs.

    A day on which nothing was checked has the colour of the worst that came of a run. What was
    found just `now`, on the last day, has not held for any time yet.
    """
    bars = []
    for number, day in enumerate(checks):
        found_then = {*day.seconds, now} if day is checks[-1] else day.seconds
        verdict = next((each for each in _WORST_FIRST if each in found_then), None)
        words, found = wording.VERDICTS[verdict].cell if verdict else "no check", verdict or ""
        if its := runs.get(day.day):
            words += f"; {counted(its)}"
            found = found or next(name for name, _ in _STACK[::-1] if getattr(its, name))
        bars.append(Stretch(number * 4, tone(found), f"{day.day}: {words}"))
    return bars


def outcomes(steps: Sequence[HistoryStep]) -> Chart:
    """How many runs ended how."""
    most = max((total(step) for step in steps), default=0)
    if not most:
        return Chart()
    wide, bars = WIDTH / len(steps), []
    for number, step in enumerate(steps):
        top = float(HEIGHT)
        for name, tone in _STACK:
            count = getattr(step, name)
            if count:
                tall = (HEIGHT - ROOM) * count / most
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
        high = ((n, HEIGHT - (HEIGHT - ROOM) * ms / most) for n, ms in known if ms is not None)
        # As wide as its step: a line of one point alone would not be seen.
        return " ".join(f"{n * wide:.1f},{y:.1f} {(n + 1) * wide:.1f},{y:.1f}" for n, y in high)

    return Chart(lines=(("median", points("p50_ms")), ("p95", points("p95_ms"))), most=most)


def total(step: HistoryStep) -> int:
    """How many runs of a step have ended."""
    return step.sent + step.refused + step.not_sent + step.unknown
