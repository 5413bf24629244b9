"""Everything that the page tells, worked out once: what was said, what simpler ways would have said, what else might have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from churnwatch.backtest_summary import Judged
from churnwatch.evaluation import BEFORE_DAYS
from churnwatch.report.contender import Contender, contend
from churnwatch.report.people import Person, choose
from churnwatch.report.rivals import by_bgnbd, by_silence, order_days
from churnwatch.report.whatif import FACTORS, Point, by_budget, by_threshold, spells
from churnwatch.settings import Settings
from churnwatch.terminal import Update
from streams.time import DAY_MS, iso

OURS: Final = "Churnwatch"
SILENCE: Final = "Silence rule"
RECENCY: Final = "Days of silence"
BGNBD: Final = "BG/NBD"


@dataclass(frozen=True, slots=True)
class Story:
    """What the page is made of.

    Attributes:
        judged: the replay.
        told: its summary (`backtest_summary.summary`).
        settings: of the run.
        contenders: name to how it did, ours first.
        budgets, thresholds: what others would have given, of all customers; `regular_budgets` of regulars alone.
        people: examples.
    """

    judged: Judged
    told: dict[str, Any]
    settings: Settings
    contenders: dict[str, Contender]
    budgets: list[Point]
    thresholds: list[Point]
    regular_budgets: list[Point]
    people: list[Person]

    @property
    def horizon_days(self) -> int:
        """The horizon in days."""
        return self.settings.horizon_ms // DAY_MS


def tell(judged: Judged, told: dict[str, Any], settings: Settings, update: Update) -> Story:
    """Work the story out; `update` is told how far it is."""
    tested = judged.tested
    contenders = _contenders(judged, settings, update)
    budget = settings.alert_daily_budget
    found = spells(tested, tested.risk, settings.snapshot_ms)
    regular = tested.where(tested.regular)
    update(1.0, "the plots", 1.0)
    return Story(
        judged=judged,
        told=told,
        settings=settings,
        contenders=contenders,
        budgets=by_budget(found, [budget * factor for factor in FACTORS]),
        thresholds=by_threshold(found),
        regular_budgets=by_budget(
            spells(regular, regular.risk, settings.snapshot_ms), [budget * factor / 4 for factor in FACTORS]
        ),
        people=choose(judged),
    )


def _contenders(judged: Judged, settings: Settings, update: Update) -> dict[str, Contender]:
    said, span = judged.said, judged.span
    risks = {OURS: said.risk, SILENCE: by_silence(said)}
    if settings.churn_on == "orders":  # BG/NBD is about purchases
        from_ms = span.from_ms - BEFORE_DAYS * DAY_MS
        first_ms = int(said.taken_ms.max(initial=from_ms))

        def moved(at_ms: int) -> None:
            update((at_ms - from_ms) / max(first_ms - from_ms, 1), f"BG/NBD as of {iso(at_ms)[:10]}", 1.0)

        days = order_days(said, judged.history.orders)
        risks[BGNBD] = by_bgnbd(said, days, from_ms, settings.horizon_ms / DAY_MS, moved)
    found = {name: contend(judged, risk) for name, risk in risks.items()}
    return found | {RECENCY: contend(judged, said.silence_days, probability=False)}
