"""What a soak has shown, for people and for programs: the checks, the trends, the phases, and a drawing. Pure but for `show`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import inf
from statistics import median
from typing import Any, Final

from chaos.soak_probe import Sample
from chaos.soak_record import Soak
from chaos.soak_trend import Trend, blocks
from chaos.soak_verdict import Check, trends
from churnwatch.terminal import say, say_table

WIDTH: Final = 72
HEIGHT: Final = 7
BARS: Final = " ▁▂▃▄▅▆▇█"
PHASES: Final = ("filling", "steady", "burst", "recovery", "after")
MARKS: Final = {"filling": "f", "steady": "s", "burst": "B", "recovery": "r", "after": "a", "settled": "a"}
OUTCOMES: Final = {"ok": "ok", "failed": "FAILED", "unknown": "?"}


def show(found: Soak, checks: Sequence[Check]) -> None:
    """Write everything to standard output."""
    for line in drawing(found.samples):
        say(line)
    say_table(
        "The phases",
        ["", "seconds", "events/s", "lag max", "worker MB", "Redis MB", "CPU %", "alert 50 % s", "99 % s"],
        phase_rows(found),
    )
    say("")
    say_table(
        "Trends of the steady phase",
        ["", "level", "% per 10 min", "from", "to"],
        [trend_row(name, line) for name, line in trends(found).items() if line is not None],
    )
    say("")
    say_table(
        "What must hold", ["", "", "figures"], [[check.name, OUTCOMES[check.outcome], check.said] for check in checks]
    )


def drawing(samples: Sequence[Sample]) -> list[str]:
    """Draw memory of worker and Redis and the lag over the whole run, the phases below; nothing where nothing was seen."""
    if len(samples) < 2:
        return []
    lines = plot("worker RSS, MB", [(sample.at, sample.rss / 1e6) for sample in samples])
    used = [(sample.at, sample.redis_used / 1e6) for sample in samples if sample.redis_used is not None]
    if used:
        lines += plot("Redis used memory, MB", used)
    lines += plot("lag, events", [(sample.at, float(sample.lag)) for sample in samples])
    first, last = samples[0].at, samples[-1].at
    marks = [" "] * WIDTH
    for sample in samples:
        marks[min(WIDTH - 1, int((sample.at - first) / ((last - first) or 1) * WIDTH))] = MARKS[sample.phase]
    return [*lines, " " * 11 + "".join(marks), " " * 11 + "f filling  s steady  B burst  r recovery  a after", ""]


def plot(title: str, points: Sequence[tuple[float, float]]) -> list[str]:
    """Draw a series in `HEIGHT` rows from its least to its greatest value.

    >>> plot("x", [(float(at), float(at)) for at in range(72)])[1][:11]
    '     71.0 |'
    """
    first, last = points[0][0], points[-1][0]
    width = (last - first) / WIDTH or 1.0
    columns: list[float | None] = [None] * WIDTH
    for place in range(WIDTH):
        here = [value for at, value in points if place == min(WIDTH - 1, int((at - first) / width))]
        columns[place] = median(here) if here else None
    known = [value for value in columns if value is not None]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    rows = []
    for row in range(HEIGHT - 1, -1, -1):
        cells = [" " if value is None else _cell((value - low) / span * HEIGHT - row) for value in columns]
        label = f"{high if row == HEIGHT - 1 else low:9,.1f}" if row in {0, HEIGHT - 1} else " " * 9
        rows.append(f"{label} |{''.join(cells)}")
    return [title, *rows]


def _cell(height: float) -> str:
    return BARS[max(0, min(len(BARS) - 1, round(height * (len(BARS) - 1))))]


def phase_rows(found: Soak) -> list[list[str]]:
    """Give a row for each phase."""
    rows = []
    for phase in PHASES:
        samples = [sample for sample in found.samples if sample.phase == phase]
        if len(samples) < 2:
            continue
        seconds = samples[-1].at - samples[0].at
        used = [sample.redis_used for sample in samples if sample.redis_used is not None]
        latency = found.latencies.get(phase, {})
        rows.append([
            phase,
            f"{seconds:.0f}",
            f"{(samples[-1].taken - samples[0].taken) / seconds:,.0f}",
            f"{max(sample.lag for sample in samples):,}",
            _range([sample.rss for sample in samples]),
            _range(used) if used else "-",
            f"{100 * (samples[-1].cpu_seconds - samples[0].cpu_seconds) / seconds:.0f}",
            _delay(quantile(latency, 0.5)),
            _delay(quantile(latency, 0.99)),
        ])  # fmt: skip
    return rows


def _range(sizes: Sequence[int]) -> str:
    return f"{min(sizes) / 1e6:.1f} to {max(sizes) / 1e6:.1f}"


def _delay(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"


def quantile(counts: dict[float, float], share: float) -> float | None:
    """Read a quantile off the cumulated counts of a histogram, evenly within a bucket; None where it is empty.

    >>> quantile({1.0: 5, 2.0: 10, float("inf"): 10}, 0.75)
    1.5
    """
    total = counts.get(inf, 0)
    if not total:
        return None
    lower, below = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= share * total:
            return lower if bound == inf else lower + (bound - lower) * (share * total - below) / ((count - below) or 1)
        lower, below = bound, count
    return lower


def trend_row(name: str, line: Trend) -> list[str]:
    """Give a trend as cells: bytes as MB, counts as they are."""
    level = f"{line.level / 1e6:,.3f} MB" if line.level > 20_000 else f"{line.level:,.1f}"
    return [name, level, *(f"{100 * line.share(slope):+.2f}" for slope in (line.slope, line.low, line.high))]


def document(found: Soak, checks: Sequence[Check]) -> dict[str, Any]:
    """Give everything as JSON holds it: checks, trends, phases, books, and the samples in a hundred blocks."""
    return {
        "services": found.services,
        "rate": found.rate,
        "plan": asdict(found.plan),
        "filled": found.filled,
        "checks": [asdict(check) for check in checks],
        "trends": {name: None if line is None else asdict(line) for name, line in trends(found).items()},
        "counters": found.counters,
        "books": None if found.books is None else asdict(found.books),
        "alert_seconds": {
            phase: {"p50": quantile(counts, 0.5), "p99": quantile(counts, 0.99)}
            for phase, counts in found.latencies.items()
        },
        "samples": {
            name: blocks([(sample.at, float(getattr(sample, name) or 0)) for sample in found.samples], 100)
            for name in ("rss", "redis_used", "lag", "customers", "open_episodes")
        },
    }
