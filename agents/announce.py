"""Alerts and scores: what the transitions of an episode, and a new band, are told as.

Everything costly (reasons, actions, JSON) is done here, where a message really goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from agents import steering
from agents.effects import AlertNote, Effects
from agents.record import Customer
from agents.routing import routing_headers
from agents.sight import Sight
from agents.trials import begin_trial
from agents.why import changes_of, effects_of
from alerts import alert as alerts
from alerts import score as scores
from alerts.alert import SILENCE, Action, Reason, Trigger, model_stamp
from alerts.bandit import Learnt, rates_in
from alerts.bands import Band
from alerts.counterfactual import outlook, with_outlook
from alerts.episode import Basis, Transition
from alerts.farewell import retold
from alerts.play import Play
from alerts.play_budget import book_wanted, cuts_in
from alerts.playbook import Case, remember, suggest
from alerts.reasons import Rise, Silence, explain_step
from alerts.value import at_risk
from features.said import said
from features.tiles import RETENTION_DAYS
from features.vector import vector
from models.guide import Guide
from models.labels import pack_vector
from models.scorer import Scorer
from streams.codec import RawRecord
from streams.outgoing import Outgoing
from streams.time import DAY_MS, day_of

PAST_MS: Final = 30 * DAY_MS
"""Where no snapshot is kept any more, customers are held against themselves so long before."""

BACK_MS: Final = (RETENTION_DAYS - 90) * DAY_MS
"""How far back a customer can be seen as they were: whole but for sums of more than 90 days."""


class Telling(msgspec.Struct, frozen=True, gc=False):
    """What an alert is told from.

    Attributes:
        sight: the customer now.
        past: the oldest snapshot's packed vector, to hold the present against; None where there is none.
        record: what set it off; None for silence.
        scorer: who speaks.
        cancellation: the reason that the customer gave, if any.
        rise: what an episode is opened for, where the level alone would not do.
    """

    sight: Sight
    past: bytes | None
    record: RawRecord | None
    scorer: Scorer
    cancellation: str | None = None
    rise: Rise | None = None


@dataclass(frozen=True, slots=True)
class Herald:
    """Where messages go, and what they go by.

    Attributes:
        plays: the playbook.
        sign: what silence is of, in words: `order`, or `sign of life`.
        alerts_topic, scores_topic: names of topics.
        horizon_days: the question's.
        exploration: share of the opened alerts that may try another action than the best known (`bandit`); None: nothing is
            learnt of actions, and the playbook's ranks stand.
    """

    plays: tuple[Play, ...]
    sign: str
    alerts_topic: str
    scores_topic: str
    horizon_days: int
    exploration: float | None = None

    @property
    def codes(self) -> frozenset[str]:
        """The actions that the playbook knows."""
        return frozenset(play.code for play in self.plays)

    def announce(
        self, customer_id: str, customer: Customer, transitions: Sequence[Transition], told: Telling, effects: Effects
    ) -> None:
        """Turn transitions into alerts."""
        sight, guide = told.sight, told.scorer.guide
        effect = effects_of(sight.figures, told.past, customer.episode.segment, told.scorer)
        record = told.record
        trigger = SILENCE if record is None else Trigger("event", record.topic, record.partition, record.offset)
        since_ms = None if record is None else record.timestamp_ms
        heard = said(customer.activity, customer.as_of_ms + (record is not None))
        silence = Silence(sight.silence_days, sight.mean_gap_days(customer.activity), self.sign)
        for transition in transitions:
            # Silence has eaten up the value by the time a customer is given up: it is told as it was when that could be helped.
            worth = customer.episode.value if transition.kind == "churned" else sight.value
            reasons = explain_step(
                transition, effect, silence, said=heard, cancellation=told.cancellation, rise=told.rise
            )
            before = self._before(customer, transition, told) if transition.kind == "churned" else ()
            reasons = retold(transition, customer.episode, reasons, before, self.sign)
            actions = self._advise(customer, transition, reasons, worth, told, effects)
            changes = changes_of(customer.activity, transition.at_ms, told.scorer)
            message = alerts.build(
                transition,
                annual_value=worth,
                currency=customer.activity.currency,
                reasons=with_outlook(reasons, outlook(transition, changes)),
                actions=actions,
                model=model_stamp(transition.basis, guide.version, guide.examples),
                trigger=trigger,
            )
            headers = routing_headers(customer.attributes)
            effects.outgoing.append(Outgoing(self.alerts_topic, customer_id.encode(), alerts.encode(message), headers))
            steering.book_alert(customer, transition, message, worth, effects)
            if transition.cause == "won_back":
                steering.book_won_back(customer, sight.value, effects)
            codes = tuple(reason.code for reason in reasons)
            effects.alerts.append(AlertNote(transition.kind, transition.band, transition.segment, codes, since_ms))

    def _before(self, customer: Customer, lost: Transition, told: Telling) -> Sequence[Reason]:
        """Return the reasons as of the opening of the episode in which the customer was lost; none where that is too long ago."""
        then_ms = customer.episode.opened_ms
        if then_ms < lost.at_ms - BACK_MS:
            return ()
        figures, past = (vector(customer.activity, at_ms) for at_ms in (then_ms + 1, then_ms - PAST_MS))
        # Those who were not there yet are held against the average customer.
        known = customer.first_ms < then_ms - PAST_MS
        days = told.sight.silence_days - (lost.at_ms - then_ms) / DAY_MS
        quiet = Silence(max(days, 0.0), told.sight.mean_gap_days(customer.activity), self.sign)
        opened = replace(lost, kind="opened", cause="rise", at_ms=then_ms)
        effect = effects_of(figures, pack_vector(past) if known else None, lost.segment, told.scorer)
        return explain_step(opened, effect, quiet, said=said(customer.activity, then_ms + 1))

    def _advise(
        self,
        customer: Customer,
        transition: Transition,
        reasons: Sequence[Reason],
        worth: float,
        told: Telling,
        effects: Effects,
    ) -> list[Action]:
        """Choose what to suggest, and remember it of the customer; what is wanted of it goes into the budgets of tomorrow."""
        attributes, at_ms = customer.attributes, transition.at_ms
        case = Case(
            value_at_risk=at_risk(worth, transition.risk),
            currency=customer.activity.currency,
            do_not_contact=attributes is not None and attributes.do_not_contact,
            suggested=customer.suggested,
        )
        extra = told.scorer.guide.extra
        cuts = cuts_in(extra)
        learnt = None if self.exploration is None else Learnt(rates_in(extra), self.exploration)
        advice = suggest(transition, reasons, case, self.plays, cuts, learnt)
        codes = [action.code for action in advice.actions]
        for code in advice.wanted:
            book_wanted(effects.stats, day_of(at_ms), code, case.value_at_risk, given=code in codes)
        customer.suggested = remember(customer.suggested, advice.actions, at_ms, self.plays)
        if transition.kind == "opened":
            # Those held out are told apart by what would have been suggested, like the treated by what was.
            held = transition.holdout
            treated = replace(transition, holdout=False)
            wished = suggest(treated, reasons, case, self.plays, cuts, learnt) if held else advice
            begin_trial(
                customer,
                transition,
                reasons,
                wished.actions,
                annual_value=worth,
                horizon_days=self.horizon_days,
            )
        return advice.actions

    def publish_score(
        self,
        customer_id: str,
        customer: Customer,
        band: Band,
        segment: str,
        basis: Basis,
        guide: Guide,
        effects: Effects,
    ) -> None:
        """Tell of a new band."""
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
