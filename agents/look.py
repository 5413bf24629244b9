"""A look at one customer: score, segment, value, the decision on the episode. What is to be told of it, the herald tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents import steering
from agents.announce import Herald, Telling
from agents.buyers import count_buying
from agents.effects import Effects
from agents.guides import GuideBook
from agents.record import Customer
from agents.sight import Sight, see
from agents.touches import note_warnings
from alerts.alert import SILENCE, Trigger
from alerts.bands import steady_band
from alerts.change import lift, own_threshold, typical_in, worth
from alerts.decide import Assessment, decide
from alerts.episode import Basis, Transition
from alerts.heard import is_heard
from alerts.policy import Policy, threshold_for
from alerts.reasons import Rise
from alerts.segments import frequent_in, segment_of
from models.guide import Guide
from models.labels import Pending, pack_vector, remember
from models.question import Question
from models.rule import silence_risk
from models.scorer import Scorer
from streams.time import DAY_MS, day_of


@dataclass(frozen=True, slots=True)
class Desk:
    """What a look goes by, and `herald`, who tells what comes of it.

    `held` tells whether a source is silent as a whole, so that nobody is warned about on the strength of that silence: asked at
    looks that are `ahead` of what is known to be silence (`PartitionClock.hold_ms`).
    """

    policy: Policy
    herald: Herald
    question: Question
    held: Callable[[], bool] = lambda: False

    def look(
        self,
        customer_id: str,
        customer: Customer,
        trigger: Trigger,
        since_ms: int | None,
        guides: GuideBook,
        effects: Effects,
        *,
        snapshot: bool = False,
        cancellation: str | None = None,
        ahead: bool = False,
    ) -> None:
        """Score the customer as of `customer.as_of_ms`, and bring episode, band and (where `snapshot`) pending labels up to date."""
        at_ms = customer.as_of_ms
        scorer = guides.at(at_ms)
        guide = scorer.guide
        sight = see(customer, self.question.churn_on, guide, silence=trigger is SILENCE)
        risk, basis = _risk(scorer, sight)
        segment = _segment(customer, sight, guide)
        customer.risk = risk
        # Nobody with too few order days is warned, and the next order makes their past old news: then no shift is needed.
        warned = customer.episode.open or sight.order_days >= self.policy.min_order_days
        shift, shift_since_ms, before = _shift(customer, scorer) if warned else (0.0, 0, None)
        past = customer.pending[0].vector if customer.pending else None
        if snapshot:
            self._put_aside(customer, sight, risk, guide, segment, effects)
        threshold = threshold_for(guide.thresholds, segment, basis, self.policy)
        valued = (
            0.0 if basis == "rule" else self.policy.value_weight * worth(sight.value, typical_in(guide.extra, segment))
        )
        news = 0.0 if basis == "rule" else self._news(risk, before, sight)
        assessment = Assessment(
            customer_id=customer_id,
            as_of_ms=at_ms,
            risk=risk,
            segment=segment,
            order_days=sight.order_days,
            last_seen_ms=sight.stayed_ms,
            basis=basis,
            value=sight.value,
            gone=at_ms >= self.question.gone_ms(customer.present_ms),
            cancelled=customer.cancelled_ms is not None,
            shift=shift,
            shift_since_ms=shift_since_ms,
            lift=news + valued,
            held=ahead and self.held(),
            heard=is_heard(guide.extra),
        )
        was_open = customer.episode.open
        transitions = decide(customer.episode, assessment, threshold, self.policy, effects.stats)
        level = own_threshold(threshold, valued, 1.0, self.policy.floor(segment))
        if transitions:
            effects.episodes_opened += customer.episode.open - was_open
            note_warnings(customer, transitions)
            early = before is not None and round(before, 2) < round(risk, 2) and risk < level
            rise = Rise(before or 0.0, (at_ms - shift_since_ms) / DAY_MS) if early else None
            told = Telling(sight, past, trigger, since_ms, scorer, cancellation, rise)
            self.herald.announce(customer_id, customer, transitions, told, effects)
        bar = min(level, customer.episode.threshold) if customer.episode.open else level
        band = steady_band(risk, bar, customer.band or None, self.policy.hysteresis)
        if band != customer.band:
            self.herald.publish_score(customer_id, customer, band, segment, basis, guide, effects)

    def _news(self, risk: float, before: float | None, sight: Sight) -> float:
        return self.policy.earliness * lift(risk, before, sight.silence_days, self.question.horizon_days)

    def snapshot(self, customer: Customer, guides: GuideBook, effects: Effects) -> None:
        """Put a snapshot of the customer aside, as of `customer.as_of_ms`, and do nothing else."""
        scorer = guides.at(customer.as_of_ms)
        sight = see(customer, self.question.churn_on, scorer.guide, silence=True)
        risk, _ = _risk(scorer, sight)
        segment = _segment(customer, sight, scorer.guide)
        self._put_aside(customer, sight, risk, scorer.guide, segment, effects)

    def _put_aside(
        self, customer: Customer, sight: Sight, risk: float, guide: Guide, segment: str, effects: Effects
    ) -> None:
        at_ms, said = customer.as_of_ms, guide.version if guide.ready else 0
        asked = Pending(at_ms, pack_vector(sight.figures), risk, said, segment)
        customer.pending = remember(customer.pending, asked, self.question)
        effects.stats.add_value(day_of(at_ms), sight.value)
        count_buying(customer.activity, sight, day_of(at_ms), self.question.snapshot_days, effects)
        steering.book_look(customer, sight, segment, guide, effects)
        effects.inputs.add(day_of(at_ms), asked.vector)

    def announce(
        self,
        customer_id: str,
        customer: Customer,
        transitions: Sequence[Transition],
        trigger: Trigger,
        since_ms: int | None,
        guides: GuideBook,
        effects: Effects,
    ) -> None:
        """Turn transitions of the episode that no look has caused (an outcome's) into alerts."""
        if transitions:
            past = customer.pending[0].vector if customer.pending else None
            scorer = guides.at(customer.as_of_ms)
            sight = see(customer, self.question.churn_on, scorer.guide, silence=trigger is SILENCE)
            told = Telling(sight, past, trigger, since_ms, scorer)
            self.herald.announce(customer_id, customer, transitions, told, effects)


def _risk(scorer: Scorer, sight: Sight) -> tuple[float, Basis]:
    """Return the risk, and what it rests on: the model once it is ready, the rule until then."""
    if scorer.guide.ready:
        return scorer.risk(sight.figures), "model"
    return silence_risk(sight.silence_days, sight.mean_gap_days, sight.order_days), "rule"


def _segment(customer: Customer, sight: Sight, guide: Guide) -> str:
    return segment_of(
        tenure_days=sight.tenure_days,
        order_days=sight.order_days,
        value=sight.value,
        value_cut=guide.value_cut,
        frequent_days=frequent_in(guide.extra),
        override=None if customer.attributes is None else customer.attributes.segment,
    )


def _shift(customer: Customer, scorer: Scorer) -> tuple[float, int, float | None]:
    """How far the model alone has moved the customer since the latest snapshot, when that was, and the risk then by the model of now."""
    base = customer.pending[-1] if customer.pending else None
    if base is None or not base.version or not scorer.guide.ready:
        return 0.0, 0, None
    if base.version == scorer.guide.version:
        return 0.0, base.taken_ms, base.risk
    before = scorer.risk_then(base.vector)
    return before - base.risk, base.taken_ms, before
