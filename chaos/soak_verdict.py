"""What a soak has shown: a list of checks, each passed, failed, or not to be told from a run so short. Pure.

memory      flat in the steady phase, worker and Redis (`soak_trend`)
burst       lag grows and nothing else: memory within a bound of before, falling back afterwards as lag does; no restart, no
            error, ready throughout
books       everything sent was acknowledged, read once, and became what it ought to; every alert counted was heard; the episodes
            that the listener has open are those that the worker has open
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final, Literal

from chaos.soak_plan import lag_usual
from chaos.soak_probe import Sample
from chaos.soak_record import Books, Soak
from chaos.soak_trend import Trend, judge, trend

MIB: Final = 1 << 20
GROWTH_MAX: Final = 0.01
"""Share of the level per ten minutes."""

WORKER_GRAIN: Final = 1.0 * MIB
"""Python's allocator takes memory by arenas of so much (256 KiB before 3.10), and gives back whole ones only."""

REDIS_GRAIN: Final = 0.1 * MIB
BURST_RSS_MAX: Final = 96.0 * MIB
AFTER_RSS_MAX: Final = 0.15
AFTER_REDIS_MAX: Final = 0.10
STEADY_SHARE: Final = 0.15
"""The first part of the steady phase is left out: what filling held is let go of there."""

Outcome = Literal["ok", "failed", "unknown"]
WORDS: Final[Mapping[str, Outcome]] = {"flat": "ok", "grows": "failed", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, whether it does, and the figures."""

    name: str
    outcome: Outcome
    said: str


def steady(samples: Sequence[Sample]) -> list[Sample]:
    """Give the samples of the steady phase, its beginning left out."""
    found = [sample for sample in samples if sample.phase == "steady"]
    return found[int(len(found) * STEADY_SHARE) :]


def checks(found: Soak) -> list[Check]:
    """Judge everything."""
    verdicts = [*_memory(found), *_burst(found), *_life(found)]
    if found.books is not None:
        verdicts += _books(found.books)
    return verdicts


def trends(found: Soak) -> dict[str, Trend | None]:
    """Give the trend of everything that could grow, in the steady phase."""
    samples = steady(found.samples)
    series: dict[str, Callable[[Sample], float]] = {
        "worker RSS": lambda sample: sample.rss,
        "worker anonymous": lambda sample: sample.anonymous,
        "customers": lambda sample: sample.customers,
        "open episodes": lambda sample: sample.open_episodes,
        "lag": lambda sample: sample.lag,
        "threads": lambda sample: sample.threads,
    }
    if any(sample.redis_used is not None for sample in samples):
        series |= {
            "Redis used": lambda sample: sample.redis_used or 0,
            "Redis RSS": lambda sample: sample.redis_rss or 0,
        }
    kinds = sorted({kind for sample in samples for kind in sample.keys})
    series |= {f"keys: {kind}": partial(_counted, kind) for kind in kinds}
    series |= {f"bytes: {kind}": partial(_sized, kind) for kind in kinds}
    return {name: trend([(sample.at, of(sample)) for sample in samples]) for name, of in series.items()}


def _counted(kind: str, sample: Sample) -> float:
    return sample.keys.get(kind, 0)


def _sized(kind: str, sample: Sample) -> float:
    return sample.key_bytes.get(kind, 0)


def _memory(found: Soak) -> list[Check]:
    fitted = trends(found)
    grains = {"worker RSS": WORKER_GRAIN, "Redis used": REDIS_GRAIN}
    verdicts = []
    for name, grain in grains.items():
        line = fitted.get(name)
        word = judge(line, GROWTH_MAX, grain)
        outcome = WORDS[word]
        said = "not measured" if line is None else f"{word}: {told(line)}"
        if line is not None and not found.filled:
            outcome, said = (
                "unknown",
                f"{told(line)}; but the bounded things were not all full yet: give it more minutes",
            )
        verdicts.append(Check(f"{name} is flat", outcome, said))
    return verdicts


def told(line: Trend) -> str:
    """Say a trend in megabytes and shares."""
    low, mid, high = (100 * line.share(slope) for slope in (line.low, line.slope, line.high))
    return (
        f"{line.level / 1e6:.2f} MB, {mid:+.2f} % per 10 min ({low:+.2f} to {high:+.2f}), "
        f"{line.slope * line.seconds / MIB:+.2f} MiB in {line.seconds / 60:.1f} min"
    )


def _burst(found: Soak) -> list[Check]:
    before, burst = steady(found.samples), _phase(found, "burst")
    behind = [*burst, *_phase(found, "recovery"), *_phase(found, "after")]
    if not before or not burst or behind == burst:
        return [Check("burst", "unknown", "there was none")]
    level, lag = median(sample.rss for sample in before), median(sample.lag for sample in before)
    peak, lag_peak = max(sample.rss for sample in behind), max(sample.lag for sample in behind)
    lag_max = lag_usual([sample.lag for sample in before], found.rate)
    back = [sample for sample in behind if sample.at > burst[-1].at and sample.lag <= lag_max]
    verdicts = [
        Check(
            "the burst's lag falls back",
            "ok" if back else "failed",
            f"{lag:,.0f} before, {lag_peak:,} at most, "
            + (f"back {back[0].at - burst[-1].at:.0f} s after its end" if back else f"still {behind[-1].lag:,}"),
        ),
        Check(
            "the burst's memory is bounded",
            "ok" if peak - level <= BURST_RSS_MAX else "failed",
            f"worker {level / 1e6:.1f} MB before, {peak / 1e6:.1f} at most ({(peak - level) / MIB:+.1f} MiB)",
        ),
    ]
    rest = _phase(found, "after") if back else []
    if rest:
        verdicts.append(_fallen("worker", level, median(sample.rss for sample in rest), AFTER_RSS_MAX))
        if rest[-1].redis_used is not None:
            used = median(sample.redis_used or 0 for sample in before)
            verdicts.append(_fallen("Redis", used, median(sample.redis_used or 0 for sample in rest), AFTER_REDIS_MAX))
    return verdicts


def _phase(found: Soak, name: str) -> list[Sample]:
    return [sample for sample in found.samples if sample.phase == name]


def _fallen(who: str, before: float, after: float, share_max: float) -> Check:
    share = after / before - 1
    said = f"{before / 1e6:.2f} MB before, {after / 1e6:.2f} after ({share:+.1%}, at most {share_max:+.0%})"
    return Check(f"{who}: memory is back", "ok" if share <= share_max else "failed", said)


def _life(found: Soak) -> list[Check]:
    not_ready = sum(not sample.ready for sample in found.samples)
    ill = sum(not sample.healthy for sample in found.samples)
    counters = found.counters
    lost = {name: counters.get(name, 0) for name in ("fence_lost", "redis_failures")}
    whole = found.exit_code == 0 and counters.get("rebalances", 0) <= 1 and not any(lost.values())
    return [
        Check(
            "one worker, from beginning to end",
            "ok" if whole else "failed",
            f"exit code {found.exit_code}, {counters.get('rebalances', 0):.0f} assignment, "
            f"{lost['fence_lost']:.0f} fences lost, {lost['redis_failures']:.0f} round trips failed",
        ),
        Check(
            "ready and healthy throughout",
            "failed" if not_ready or ill else "ok",
            f"{not_ready} times not ready and {ill} times not healthy in {len(found.samples)} looks",
        ),
        Check("no error in the log", "failed" if found.errors else "ok", _counts(found)),
    ]


def _counts(found: Soak) -> str:
    said = {**found.errors, **found.warnings}
    return "; ".join(f"{count} x {line}" for line, count in said.items()) or "nor any warning"


def _books(books: Books) -> list[Check]:
    def agree(name: str, said: str, *pairs: tuple[object, object]) -> Check:
        return Check(name, "ok" if all(one == other for one, other in pairs) else "failed", said)

    outcomes = ", ".join(f"{name} {books.counted[name]:,} of {count:,}" for name, count in books.expected.items())
    return [
        agree(
            "every event is read once, and becomes what it ought to",
            f"sent {books.sent:,}, acknowledged {books.acknowledged:,}, read {books.read:,}; {outcomes}",
            (books.sent, books.acknowledged),
            (books.sent, books.read),
            (books.expected, books.counted),
        ),
        agree(
            "every alert is heard once",
            f"decided {books.alerts_counted:,}, heard {books.alerts_heard:,}, repeated {books.alerts_repeated}; "
            + ", ".join(f"{kind} {count:,}" for kind, count in sorted(books.kinds.items())),
            (books.alerts_counted, books.alerts_heard),
            (books.alerts_repeated, 0),
        ),
        agree(
            "one episode a customer, and all are accounted for",
            f"open at the worker {books.episodes_counted}, to the listener {books.episodes_heard}, doubly {books.doubly_open}",
            (books.episodes_counted, books.episodes_heard),
            (books.doubly_open, 0),
        ),
    ]
