"""A look at one customer: score, segment, value, the decision on the episode, and the messages that follow from it.

Everything costly (reasons, actions, JSON) is done only where an alert or a score really goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.effects import AlertNote, Effects
from agents.guides import GuideBook
from agents.record import Customer
from alerts import alert as alerts
from alerts import score as scores
from alerts.alert import Trigger, model_stamp
from alerts.bands import steady_band
from alerts.decide import Assessment, decide
from alerts.episode import Basis, Transition
from alerts.playbook import Play, suggest
from alerts.policy import Policy, threshold_for
from alerts.reasons import FeatureEffect, Silence, explain_step
from alerts.segments import segment_of
from alerts.value import annual_value, at_risk
from features.catalog import CATALOG
from features.vector import vector
from models.guide import Guide
from models.labels import Pending, pack_vector, remember
from models.question import Question
from models.rule import silence_risk
from models.scorer import Scorer
from streams.outgoing import Outgoing
from streams.time import DAY_MS, day_of


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
        figures = vector(customer.activity, at_ms)
        risk, basis = self._risk(customer, figures, scorer)
        value = self._value(customer)
        segment = self._segment(customer, at_ms, value, guide)
        customer.risk = risk
        if snapshot:
            said = guide.version if basis == "model" else 0
            asked = Pending(at_ms, pack_vector(figures), risk, said, segment)
            customer.pending = remember(customer.pending, asked, self.question)
            effects.stats.add_value(day_of(at_ms), value)
        threshold = threshold_for(guide.thresholds, segment, basis, self.policy)
        assessment = Assessment(
            customer_id=customer_id,
            as_of_ms=at_ms,
            risk=risk,
            segment=segment,
            order_days=customer.activity.order_days,
            last_seen_ms=self._stayed_ms(customer),
            basis=basis,
            value=value,
            gone=at_ms >= self.question.gone_ms(customer.present_ms),
            cancelled=customer.cancelled_ms is not None,
        )
        was_open = customer.episode.open
        transitions = decide(customer.episode, assessment, threshold, self.policy, effects.stats)
        if transitions:
            effects.episodes_opened += customer.episode.open - was_open
            self.announce(customer_id, customer, transitions, trigger, since_ms, guides, effects, cancellation)
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
        cancellation: str | None = None,
    ) -> None:
        """Turn the episode's transitions into alerts; `cancellation` is the reason that the customer gave, if any."""
        if not transitions:
            return
        at_ms = customer.as_of_ms
        scorer = guides.at(at_ms)
        figures = vector(customer.activity, at_ms)
        value = self._value(customer)
        attributes = customer.attributes
        effect = [
            FeatureEffect(feature.name, feature.family, share, figure, feature.default, feature.unit, feature.meaning)
            for feature, share, figure in zip(CATALOG, scorer.contributions(figures), figures, strict=True)
        ]
        silence = Silence(self._silence_days(customer), customer.activity.mean_gap_days())
        for transition in transitions:
            reasons = explain_step(transition, effect, silence, cancellation)
            actions = suggest(
                transition,
                reasons,
                value_at_risk=at_risk(value, transition.risk),
                do_not_contact=attributes is not None and attributes.do_not_contact,
                plays=self.plays,
            )
            message = alerts.build(
                transition,
                annual_value=value,
                currency=customer.activity.currency,
                reasons=reasons,
                actions=actions,
                model=model_stamp(transition.basis, scorer.guide.version, scorer.guide.examples),
                trigger=trigger,
            )
            effects.outgoing.append(Outgoing(self.alerts_topic, customer_id.encode(), alerts.encode(message)))
            codes = tuple(reason.code for reason in reasons)
            effects.alerts.append(AlertNote(transition.kind, transition.band, transition.segment, codes, since_ms))

    # -- the parts of a look -------------------------------------------------------------------------------------------

    def _risk(self, customer: Customer, figures: list[float], scorer: Scorer) -> tuple[float, Basis]:
        if scorer.guide.ready:
            return scorer.risk(figures), "model"
        activity = customer.activity
        return silence_risk(self._silence_days(customer), activity.mean_gap_days(), activity.order_days), "rule"

    def _value(self, customer: Customer) -> float:
        activity = customer.activity
        last_ms = activity.last_order_ms
        stated = customer.attributes.annual_value if customer.attributes is not None else None
        return annual_value(
            order_days=activity.order_days,
            amount=activity.amount,
            span_days=(last_ms - customer.first_ms) / DAY_MS if last_ms is not None else 0.0,
            override=stated,
        )

    def _segment(self, customer: Customer, at_ms: int, value: float, guide: Guide) -> str:
        return segment_of(
            tenure_days=(at_ms - customer.first_ms) / DAY_MS,
            order_days=customer.activity.order_days,
            mean_gap_days=customer.activity.mean_gap_days(),
            value=value,
            value_cut=guide.value_cut or 0.0,
            override=customer.attributes.segment if customer.attributes is not None else None,
        )

    def _stayed_ms(self, customer: Customer) -> int:
        activity = customer.activity
        return (activity.last_order_ms if self.question.churn_on == "orders" else activity.last_activity_ms) or 0

    def _silence_days(self, customer: Customer) -> float:
        return (customer.as_of_ms - (self._stayed_ms(customer) or customer.first_ms)) / DAY_MS

    def _publish_score(
        self, customer_id: str, customer: Customer, band: str, segment: str, basis: Basis, guide: Guide, effects: Effects
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
