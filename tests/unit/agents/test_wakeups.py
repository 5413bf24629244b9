"""Wake-ups: silence is heard at the expected instant, at a bounded cost, and ends in being forgotten."""

from dataclasses import replace

import pytest

from agents.guides import GuideBook
from agents.record import decode_customer, encode_customer
from agents.silence import LADDER_DAYS
from features.tiles import RETENTION_DAYS
from features.vector import vector
from models.scorer import Scorer
from streams.time import DAY_MS, HOUR_MS, day_of, iso
from tests.unit.agents.samples import KEEPING, POLICY, QUESTION, START_MS, event, order, pipeline, silence_guide
from tests.unit.agents.shop import NOON_MS, Shop, said

SCORINGS_MAX = 25


def due_ms(last_ms: int) -> list[int]:
    """When a customer silent since then should be looked at: the ladder, Mondays, and the end."""
    rungs = {last_ms + days * DAY_MS for days in LADDER_DAYS}
    mondays = {START_MS + week * 7 * DAY_MS for week in range(100)}
    gone = {(day_of(last_ms) + QUESTION.active_days) * DAY_MS}
    return sorted(at_ms for at_ms in rungs | mondays | gone if last_ms < at_ms <= max(gone))


def test_a_silent_customer_is_looked_at_when_expected() -> None:
    shop = Shop()
    last_ms = NOON_MS + 2 * DAY_MS
    shop.take(order("ann", last_ms), until_ms=last_ms)
    looked = []
    while (wake_ms := shop.customers["ann"].wake_ms) < last_ms + KEEPING.expiry_ms:
        if shop.take(until_ms=wake_ms).scorings:
            looked.append(wake_ms)
    assert looked == due_ms(last_ms)


def test_the_warning_comes_with_the_first_look_above_the_threshold() -> None:
    shop = Shop(pipeline(replace(POLICY, earliness=0.0)))
    last_ms = shop.regular("ann", orders=8)
    silent = decode_customer(encode_customer(shop.customers["ann"]))
    scorer = Scorer(silence_guide())
    risks = {at_ms: scorer.risk(vector(silent.activity, at_ms)) for at_ms in due_ms(last_ms)}
    expected_ms = next(at_ms for at_ms, risk in risks.items() if risk >= POLICY.cold_threshold("loyal"))
    (opened,) = [alert for alert in said(shop.wait(30)) if alert.kind == "opened"]
    assert opened.raised_at == iso(expected_ms)
    assert (opened.trigger.kind, opened.trigger.topic, opened.trigger.offset) == ("silence", None, None)


@pytest.mark.parametrize("stream", ["orders", "logins", "tickets", "profiles"])
def test_a_spell_of_silence_costs_a_bounded_number_of_scorings(stream: str) -> None:
    shop = Shop()
    fields = {"ticket_id": "t", "status": "opened"} if stream == "tickets" else {}
    shop.take(event(stream, "ann", NOON_MS, **fields), until_ms=NOON_MS)
    effects = shop.wait(399)
    assert 0 < sum(effects.scorings.values()) <= SCORINGS_MAX
    assert effects.woken <= 2 * SCORINGS_MAX
    assert sum(shop.wait(5_000).scorings.values()) == 0


def test_one_look_at_a_time_gives_what_one_long_wait_gives() -> None:
    patient, eager = Shop(), Shop()
    for shop in (patient, eager):
        shop.regular("ann", orders=3)
    end_ms = patient.clock_ms + 150 * DAY_MS
    outgoing = list(patient.take(until_ms=end_ms).outgoing)
    pieces = []
    while eager.customers["ann"].wake_ms <= end_ms:
        pieces += eager.take(until_ms=eager.customers["ann"].wake_ms).outgoing
    assert pieces == outgoing
    assert encode_customer(eager.customers["ann"]) == encode_customer(patient.customers["ann"])


def test_a_customer_long_silent_is_deleted() -> None:
    shop = Shop()
    last_ms = shop.regular("ann")
    shop.take(until_ms=last_ms + KEEPING.expiry_ms - 1)
    assert "ann" in shop.customers
    effects = shop.take(until_ms=last_ms + KEEPING.expiry_ms)
    assert (effects.deleted, effects.touched, effects.customers_added) == ({"ann"}, set(), -1)
    assert shop.customers == {}


def test_one_who_comes_back_after_that_begins_anew() -> None:
    shop = Shop()
    last_ms = shop.regular("ann")
    back_ms = last_ms + 500 * DAY_MS
    effects = shop.take(order("ann", back_ms), until_ms=back_ms)
    assert (effects.deleted, effects.touched, effects.customers_added) == (set(), {"ann"}, 0)
    assert (shop.customers["ann"].first_ms, shop.customers["ann"].activity.order_days) == (back_ms, 1)


def test_nobody_is_deleted_while_their_event_ids_are_needed() -> None:
    shop = Shop()
    shop.take(order("ann", NOON_MS))
    ticket = event("tickets", "ann", NOON_MS + 390 * DAY_MS, ticket_id="t", status="opened")
    shop.take(ticket, until_ms=ticket.event.occurred_at)
    shop.wait(20)
    before = encode_customer(shop.customers["ann"])
    shop.take(ticket)
    assert encode_customer(shop.customers["ann"]) == before
    shop.take(until_ms=ticket.event.occurred_at + (RETENTION_DAYS + 31) * DAY_MS)
    assert shop.customers == {}


def test_a_profile_outlives_everything_else() -> None:
    shop = Shop()
    last_ms = shop.regular("ann")
    shop.take(event("profiles", "ann", last_ms, do_not_contact=True))
    shop.wait(700)
    ann = shop.customers["ann"]
    assert ann.attributes is not None
    assert ann.attributes.do_not_contact
    assert (ann.activity.orders, len(ann.pending), ann.episode.number, ann.band) == (0, 0, 0, "")
    assert sum(shop.wait(1_000).scorings.values()) == 0


def test_wake_ups_are_always_later_than_themselves() -> None:
    shop = Shop()
    shop.take(order("ann", NOON_MS), order("ann", NOON_MS - 50 * DAY_MS), until_ms=NOON_MS)
    seen = set()
    for _ in range(60):
        wake_ms = shop.customers["ann"].wake_ms
        assert wake_ms > shop.customers["ann"].as_of_ms
        assert wake_ms not in seen
        seen.add(wake_ms)
        shop.take(until_ms=wake_ms)
        if not shop.customers:
            break


def test_a_wake_up_that_comes_late_is_said_to() -> None:
    shop = Shop()
    shop.take(order("ann", NOON_MS), until_ms=NOON_MS)
    assert shop.take(until_ms=NOON_MS + DAY_MS + HOUR_MS).wake_late_ms_max == HOUR_MS


def test_guides_change_between_wake_ups_not_within_one() -> None:
    book = GuideBook(silence_guide(1), DAY_MS)
    book.add(START_MS + 10 * DAY_MS, silence_guide(2))
    shop = Shop(guides=book)
    shop.take(order("ann", NOON_MS), until_ms=NOON_MS)
    shop.wait(30)
    versions = {pending.taken_ms: pending.version for pending in shop.customers["ann"].pending}
    assert versions == {START_MS + week * 7 * DAY_MS: 1 if week == 1 else 2 for week in (1, 2, 3, 4)}
