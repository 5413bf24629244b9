"""A look at one customer: score, segment, value, the decision on the episode. What is to be told of it, the herald tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents import steering
from agents.announce import Herald, Telling
from agents.buyers import count_buying
from agents.effects import Effects
from agents.guides import GUIDES_MAX, GuideBook
from agents.record import Customer
from agents.sight import Sight, see
from agents.touches import note_warnings
from alerts.bands import band_of, steady_band
from alerts.change import lift, worth
from alerts.decide import Assessment, decide
from alerts.episode import Basis, Transition
from alerts.policy import Policy
from alerts.reasons import Rise
from alerts.terms import Lane, Terms
from alerts.value import staying
from models.album import Album, remember
from models.guide import Guide
from models.labels import Pending, pack_vector
from models.question import Question
from models.rule import silence_risk
from models.scorer import Scorer
from streams.codec import RawRecord
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
    _known: dict[Scorer, Terms] = field(default_factory=dict, init=False, repr=False, compare=False)

    def look(
        self,
        customer_id: str,
        customer: Customer,
        record: RawRecord | None,
        guides: GuideBook,
        effects: Effects,
        *,
        snapshot: bool = False,
        cancellation: str | None = None,
        ahead: bool = False,
    ) -> None:
        """Score the customer as of `customer.as_of_ms`, and bring episode, band and (where `snapshot`) pending labels up to date.

        `record` is what has come from the customer; None for silence.
        """
        at_ms, episode, policy = customer.as_of_ms, customer.episode, self.policy
        scorer = guides.at(at_ms)
        terms = self._known.get(scorer) or self._terms(scorer)
        sight = see(customer, self.question.churn_on, terms.buying, silence=record is None)
        risk = customer.risk = scorer.risk(sight.figures) if scorer.guide.ready else _risk_by_rule(customer, sight)
        lane = _lane(customer, sight, terms)
        # Nobody with too few order days is warned, and the next order makes their past old news: then no shift is needed.
        warned = episode.open or sight.order_days >= policy.min_order_days
        before_it = customer.pending
        shift, shift_since_ms, before = _shift(before_it, scorer) if warned and before_it.heads else _NO_SHIFT
        if snapshot:
            self._put_aside(customer, sight, risk, lane.segment, scorer.guide, terms, effects)
        valued = news = 0.0
        if terms.basis == "model":
            valued = policy.value_weight * worth(sight.value, lane.typical)
            news = policy.earliness * lift(risk, before, sight.silence_days, self.question.horizon_days)
        assessment = Assessment(
            customer_id=customer_id,
            as_of_ms=at_ms,
            risk=risk,
            segment=lane.segment,
            order_days=sight.order_days,
            last_seen_ms=sight.stayed_ms,
            basis=terms.basis,
            value=sight.value,
            gone=at_ms >= self.question.gone_ms(customer.present_ms),
            cancelled=customer.cancelled_ms is not None,
            shift=shift,
            shift_since_ms=shift_since_ms,
            lift=news + valued,
            held=ahead and self.held(),
            heard=terms.heard,
        )
        was_open = episode.open
        transitions = decide(episode, assessment, lane.threshold, policy, effects.stats)
        level = lane.level(valued)
        if transitions:
            effects.episodes_opened += episode.open - was_open
            note_warnings(customer, transitions)
            early = before is not None and round(before, 2) < round(risk, 2) and risk < level
            rise = Rise(before or 0.0, (at_ms - shift_since_ms) / DAY_MS) if early else None
            past = before_it.first_vector if before_it.heads else None
            told = Telling(sight, past, record, scorer, cancellation, rise)
            self.herald.announce(customer_id, customer, transitions, told, effects)
        bar = min(level, episode.threshold) if episode.open else level
        if band_of(risk, bar) != customer.band:
            band = steady_band(risk, bar, customer.band or None, policy.hysteresis)
            if band != customer.band:
                self.herald.publish_score(customer_id, customer, band, lane.segment, terms.basis, scorer.guide, effects)

    def snapshot(self, customer: Customer, guides: GuideBook, effects: Effects) -> None:
        """Put a snapshot of the customer aside, as of `customer.as_of_ms`, and do nothing else."""
        scorer = guides.at(customer.as_of_ms)
        terms = self._terms(scorer)
        sight = see(customer, self.question.churn_on, terms.buying, silence=True)
        risk = scorer.risk(sight.figures) if scorer.guide.ready else _risk_by_rule(customer, sight)
        segment = _lane(customer, sight, terms).segment
        self._put_aside(customer, sight, risk, segment, scorer.guide, terms, effects)

    def _put_aside(
        self,
        customer: Customer,
        sight: Sight,
        risk: float,
        segment: str,
        guide: Guide,
        terms: Terms,
        effects: Effects,
    ) -> None:
        at_ms, said = customer.as_of_ms, guide.version if guide.ready else 0
        day, history = day_of(at_ms), sight.history
        asked = Pending(at_ms, pack_vector(sight.figures), risk, said, segment)
        customer.pending = remember(customer.pending, asked, self.question)
        effects.stats.add_value(day, sight.value)
        count_buying(customer.activity, history, day, self.question.snapshot_days, effects)
        steering.book_look(customer, sight.value * staying(history, terms.buying), segment, effects)
        effects.inputs.add(day, asked.vector)

    def announce(
        self,
        customer_id: str,
        customer: Customer,
        transitions: Sequence[Transition],
        record: RawRecord,
        guides: GuideBook,
        effects: Effects,
    ) -> None:
        """Turn transitions of the episode that no look has caused (an outcome's) into alerts."""
        if transitions:
            past = customer.pending.first_vector if customer.pending else None
            scorer = guides.at(customer.as_of_ms)
            sight = see(customer, self.question.churn_on, self._terms(scorer).buying, silence=False)
            self.herald.announce(customer_id, customer, transitions, Telling(sight, past, record, scorer), effects)

    def _terms(self, scorer: Scorer) -> Terms:
        """Return what the scorer's guide says in the terms of alerting. In a replay several guides speak within one step."""
        known = self._known.get(scorer)
        if known is None:
            if len(self._known) >= GUIDES_MAX:
                self._known.clear()
            guide = scorer.guide
            basis: Basis = "model" if guide.ready else "rule"
            known = Terms(self.policy, basis, guide.thresholds, guide.value_cut, guide.extra)
            self._known[scorer] = known
        return known


def _risk_by_rule(customer: Customer, sight: Sight) -> float:
    """Return the risk as the rule has it, until the model is ready."""
    return silence_risk(sight.silence_days, sight.mean_gap_days(customer.activity), sight.order_days)


def _lane(customer: Customer, sight: Sight, terms: Terms) -> Lane:
    override = None if customer.attributes is None else customer.attributes.segment
    return terms.lane(tenure_days=sight.tenure_days, order_days=sight.order_days, value=sight.value, override=override)


_NO_SHIFT: Final[tuple[float, int, float | None]] = (0.0, 0, None)


def _shift(pending: Album, scorer: Scorer) -> tuple[float, int, float | None]:
    """How far the model alone has moved the customer since the latest snapshot, when that was, and the risk then by the model of now."""
    base = pending.latest
    if not base.version or not scorer.guide.ready:
        return _NO_SHIFT
    if base.version == scorer.guide.version:
        return 0.0, base.taken_ms, base.risk
    before = scorer.risk_then(pending.latest_vector)
    return before - base.risk, base.taken_ms, before
