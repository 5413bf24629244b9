"""A look at one customer: score, segment, value, the decision on the episode, and the messages that follow from it.

Everything costly (reasons, actions, JSON) is done only where an alert or a score really goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from agents.effects import AlertNote, Effects
from agents.guides import GuideBook
from agents.record import Customer
from alerts import alert as alerts
from alerts import score as scores
from alerts.alert import SILENCE, Trigger, model_stamp
from alerts.bands import Band, steady_band
from alerts.decide import Assessment, decide
from alerts.episode import Basis, Transition
from alerts.playbook import Play, suggest
from alerts.policy import Policy, threshold_for
from alerts.reasons import FeatureEffect, Silence, explain_step
from alerts.segments import segment_of
from alerts.value import annual_value, at_risk
from features.catalog import CATALOG, INDEX
from features.vector import vector
from models.guide import Guide
from models.labels import Pending, pack_vector, remember
from models.question import Question
from models.rule import silence_risk
from models.scorer import Scorer
from streams.outgoing import Outgoing
from streams.time import DAY_MS, day_of

_ORDER_DAYS, _GAP_MEAN_DAYS, _AMOUNT = INDEX["order_days"], INDEX["gap_mean_days"], INDEX["amount_lifetime"]


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What a look sees of a customer.

    Attributes:
        figures: the feature vector.
        order_days: distinct days with an order.
        mean_gap_days: mean days between those, or between login days where there are none; None below two.
        stayed_ms: the last sign of staying (an order, by default); 0 where there is none.
        silence_days: days since then, or since the first record.
        value: expected annual spend.
    """

    figures: list[float]
    order_days: int
    mean_gap_days: float | None
    stayed_ms: int
    silence_days: float
    value: float


@dataclass(frozen=True, slots=True)
class Desk:
    """What a look goes by; `alerts_topic` and `scores_topic` are where its messages go."""

    policy: Policy
    plays: tuple[Play, ...]
    question: Question
    alerts_topic: str
    scores_topic: str

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
    ) -> None:
        """Score the customer as of `customer.as_of_ms`, and bring episode, band and (where `snapshot`) pending labels up to date."""
        at_ms = customer.as_of_ms
        scorer = guides.at(at_ms)
        guide = scorer.guide
        sight = self._see(customer, trigger)
        basis: Basis = "model" if guide.ready else "rule"
        if guide.ready:
            risk = scorer.risk(sight.figures)
        else:
            risk = silence_risk(sight.silence_days, sight.mean_gap_days, sight.order_days)
        segment = segment_of(
            tenure_days=(at_ms - customer.first_ms) / DAY_MS,
            order_days=sight.order_days,
            mean_gap_days=sight.mean_gap_days,
            value=sight.value,
            value_cut=guide.value_cut,
            override=None if customer.attributes is None else customer.attributes.segment,
        )
        customer.risk = risk
        if snapshot:
            said = guide.version if guide.ready else 0
            asked = Pending(at_ms, pack_vector(sight.figures), risk, said, segment)
            customer.pending = remember(customer.pending, asked, self.question)
            effects.stats.add_value(day_of(at_ms), sight.value)
        threshold = threshold_for(guide.thresholds, segment, basis, self.policy)
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
        )
        transitions = decide(customer.episode, assessment, threshold, self.policy, effects.stats)
        if transitions:
            self._announce(customer_id, customer, transitions, sight, trigger, since_ms, scorer, effects, cancellation)
        band = steady_band(risk, threshold, customer.band or None, self.policy.hysteresis)
        if band != customer.band:
            self._publish_score(customer_id, customer, band, segment, basis, guide, effects)

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
            sight, scorer = self._see(customer, trigger), guides.at(customer.as_of_ms)
            self._announce(customer_id, customer, transitions, sight, trigger, since_ms, scorer, effects, None)

    # -- the parts of a look -------------------------------------------------------------------------------------------

    def _see(self, customer: Customer, trigger: Trigger) -> Sight:
        """Compute once what score, segment, value, decision and alerts all go by."""
        activity, at_ms = customer.activity, customer.as_of_ms
        # An event at midnight sharp belongs to the day that begins; a snapshot at midnight sees the days before it only.
        figures = vector(activity, at_ms if trigger is SILENCE else at_ms + 1)
        order_days = int(figures[_ORDER_DAYS])
        last_order_ms = activity.last_order_ms
        stayed_ms = (last_order_ms if self.question.churn_on == "orders" else activity.last_activity_ms) or 0
        return Sight(
            figures=figures,
            order_days=order_days,
            mean_gap_days=figures[_GAP_MEAN_DAYS] if order_days > 1 else activity.mean_gap_days(),
            stayed_ms=stayed_ms,
            silence_days=(at_ms - (stayed_ms or customer.first_ms)) / DAY_MS,
            value=annual_value(
                order_days=order_days,
                amount=figures[_AMOUNT],
                span_days=0.0 if last_order_ms is None else (last_order_ms - customer.first_ms) / DAY_MS,
                override=None if customer.attributes is None else customer.attributes.annual_value,
            ),
        )

    def _announce(
        self,
        customer_id: str,
        customer: Customer,
        transitions: Sequence[Transition],
        sight: Sight,
        trigger: Trigger,
        since_ms: int | None,
        scorer: Scorer,
        effects: Effects,
        cancellation: str | None,
    ) -> None:
        """Turn transitions into alerts; `cancellation` is the reason that the customer gave, if any."""
        attributes = customer.attributes
        effect = [
            FeatureEffect(feature.name, feature.family, share, figure, feature.default, feature.unit, feature.meaning)
            for feature, share, figure in zip(CATALOG, scorer.contributions(sight.figures), sight.figures, strict=True)
        ]
        silence = Silence(sight.silence_days, sight.mean_gap_days)
        for transition in transitions:
            reasons = explain_step(transition, effect, silence, cancellation)
            actions = suggest(
                transition,
                reasons,
                value_at_risk=at_risk(sight.value, transition.risk),
                do_not_contact=attributes is not None and attributes.do_not_contact,
                plays=self.plays,
            )
            message = alerts.build(
                transition,
                annual_value=sight.value,
                currency=customer.activity.currency,
                reasons=reasons,
                actions=actions,
                model=model_stamp(transition.basis, scorer.guide.version, scorer.guide.examples),
                trigger=trigger,
            )
            effects.outgoing.append(Outgoing(self.alerts_topic, customer_id.encode(), alerts.encode(message)))
            codes = tuple(reason.code for reason in reasons)
            effects.alerts.append(AlertNote(transition.kind, transition.band, transition.segment, codes, since_ms))

    def _publish_score(
        self,
        customer_id: str,
        customer: Customer,
        band: Band,
        segment: str,
        basis: Basis,
        guide: Guide,
        effects: Effects,
    ) -> None:
        message = scores.build(
            customer_id=customer_id,
            at_ms=customer.as_of_ms,
            risk=customer.risk,
            band=band,
            previous_band=customer.band or None,
            segment=segment,
            model=model_stamp(basis, guide.version, guide.examples),
        )
        customer.band = band
        effects.outgoing.append(Outgoing(self.scores_topic, customer_id.encode(), scores.encode(message)))
