"""Any history of events: the vector equals the oracle, and neither order, repetition, lateness nor pruning changes it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.catalog import CATALOG, NAMES
from features.past import Past
from features.rhythm import extend
from features.state import CANCELLATIONS_MAX, Activity, apply, prune
from features.tickets import EVENTS_MAX
from features.tiles import RETENTION_DAYS, WINDOW_DAYS_MAX
from features.vector import vector
from streams.events import InputEvent, Ticket
from streams.forms import event_of
from tests.properties.features_oracle import CATEGORIES, DAY_MS, SEVERITIES, STATUSES, expected
from tests.properties.features_plain import plain

Fed = tuple[str, InputEvent]

END_DAY = 20_500
EXACT_DAYS = RETENTION_DAYS - WINDOW_DAYS_MAX
# Ages on both sides of every window's border, in days before END_DAY, where the day before it has age 1; below 1 is later.
BORDERS = [-5, 0, 1, 7, 8, 14, 15, 21, 22, 30, 31, 45, 46, 60, 61, 90, 91, 120, 121, 150, 151, 180, 181]
BORDERS += [240, 241, 305, 306, 365, 366]
AGES = st.sampled_from(BORDERS) | st.integers(1, 40) | st.integers(-20, 230) | st.integers(150, 500)
INSTANTS = st.tuples(AGES, st.sampled_from([0, 0, 1, DAY_MS // 2, DAY_MS - 1])).map(
    lambda drawn: (END_DAY - drawn[0]) * DAY_MS + drawn[1]
)
AS_OF = st.sampled_from([0, 1, DAY_MS // 2]).map(lambda earlier_ms: END_DAY * DAY_MS - earlier_ms)
MONEY = st.integers(0, 500_000).map(lambda thousandths: thousandths / 1_000)
TENTHS = st.integers(0, 100).map(lambda tenths: tenths / 10)
STARS = st.integers(10, 50).map(lambda tenths: tenths / 10)


def maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | values


LOGINS = st.fixed_dictionaries(
    {
        "occurred_at": INSTANTS,
        "channel": maybe(st.sampled_from(["web", "app", "store", "call", "other"])),
        "session_seconds": maybe(st.integers(0, 9_000).map(float)),
    }
)
ORDERS = st.fixed_dictionaries(
    {
        "occurred_at": INSTANTS,
        "amount": MONEY,
        "items": maybe(TENTHS),
        "discount": maybe(MONEY),
        "status": st.sampled_from(["placed", "placed", "placed", "cancelled", "returned"]),
    }
)
TICKETS = st.fixed_dictionaries(
    {
        "occurred_at": INSTANTS,
        "ticket_id": st.sampled_from("abcd"),
        "status": st.sampled_from(STATUSES),
        "category": st.sampled_from(CATEGORIES),
        "severity": st.sampled_from(SEVERITIES),
        "satisfaction": maybe(STARS),
    }
)
TOPICS = st.lists(st.sampled_from(["price", "service", "product", "delivery", "other"]), max_size=4)
REVIEWS = st.fixed_dictionaries(
    {"occurred_at": INSTANTS, "rating": STARS, "nps": maybe(TENTHS), "topics": maybe(TOPICS)}
)


def _within_bounds(history: list[Fed]) -> bool:
    """Beyond its bounds the state forgets on purpose; tests of the bounds are elsewhere."""
    touches = Counter(event.ticket_id for _, event in history if isinstance(event, Ticket))
    cancelled = sum(stream == "cancellations" for stream, _ in history)
    return max(touches.values(), default=0) <= EVENTS_MAX and cancelled <= CANCELLATIONS_MAX


def _a_ticket_rests(history: list[Fed]) -> bool:
    """Whether nothing happens to some ticket for so long that it is forgotten in between: what follows opens it anew."""
    times: dict[str, list[int]] = {}
    for _, event in history:
        if isinstance(event, Ticket):
            times.setdefault(event.ticket_id, []).append(event.occurred_at)
    rest_ms = (RETENTION_DAYS - 1) * DAY_MS
    return any(later - earlier >= rest_ms for at in times.values() for earlier, later in pairwise(sorted(at)))


def _named(drawn: Sequence[tuple[str, Mapping[str, object]]]) -> list[Fed]:
    return [
        (stream, event_of(stream, {"event_id": f"e{n}", "customer_id": "c", "order_id": "o", **fields}))
        for n, (stream, fields) in enumerate(drawn)
    ]


EVENTS: Mapping[str, st.SearchStrategy[Mapping[str, object]]] = {
    "orders": ORDERS,
    "logins": LOGINS,
    "tickets": TICKETS,
    "reviews": REVIEWS,
    "cancellations": st.fixed_dictionaries({"occurred_at": INSTANTS}),
}
ONE_STREAM = st.sampled_from(list(EVENTS)).flatmap(
    lambda stream: st.lists(st.tuples(st.just(stream), EVENTS[stream]), min_size=2, max_size=20)
)
ALL_STREAMS = st.lists(st.one_of([st.tuples(st.just(stream), event) for stream, event in EVENTS.items()]), max_size=40)
HISTORIES = (ONE_STREAM | ALL_STREAMS).map(_named).filter(_within_bounds)
PACE = settings(max_examples=80, deadline=None)


def fed(history: list[Fed]) -> Activity:
    activity = Activity.empty()
    for stream, event in history:
        apply(activity, stream, event)
    return activity


def stored(activity: Activity) -> bytes:
    return msgspec.msgpack.encode(activity)


@PACE
@given(HISTORIES, AS_OF)
def test_the_vector_equals_the_oracle_and_fits_its_scales(history: list[Fed], as_of_ms: int) -> None:
    figures = vector(fed(history), as_of_ms)
    values = dict(zip(NAMES, figures, strict=True))
    wanted = expected([event for _, event in history], as_of_ms)
    wrong = {
        name: (value, wanted[name])
        for name, value in values.items()
        if not math.isclose(value, wanted[name], rel_tol=1e-9, abs_tol=1e-9)
    }
    assert not wrong
    assert all(
        type(figure) is float and math.isfinite(figure) and (figure >= 0 or feature.scale == "linear")
        for feature, figure in zip(CATALOG, figures, strict=True)
    )


@PACE
@given(st.data(), HISTORIES)
def test_any_order_of_arrival_gives_the_same_state(data: st.DataObject, history: list[Fed]) -> None:
    shuffled = data.draw(st.permutations(history))
    assert stored(fed(history)) == stored(fed(shuffled))


@PACE
@given(st.data(), HISTORIES.filter(bool))
def test_duplicates_change_nothing(data: st.DataObject, history: list[Fed]) -> None:
    activity = fed(history)
    before = stored(activity)
    again = data.draw(st.lists(st.sampled_from(history), min_size=1))
    assert [apply(activity, stream, event) for stream, event in again] == [False] * len(again)
    assert stored(activity) == before


@PACE
@given(HISTORIES, st.sampled_from([0, 7, 14]))
def test_a_vector_computed_late_is_the_one_computed_in_time(history: list[Fed], late_days: int) -> None:
    as_of_ms = END_DAY * DAY_MS
    activity = fed([fed_event for fed_event in history if fed_event[1].occurred_at < as_of_ms])
    in_time = vector(activity, as_of_ms)
    for stream, event in history:
        if event.occurred_at >= as_of_ms:
            apply(activity, stream, event)
    prune(activity, as_of_ms + late_days * DAY_MS)
    assert vector(activity, as_of_ms) == in_time


@PACE
@given(HISTORIES, AS_OF, st.lists(st.integers(0, 40), max_size=8))
def test_pruning_on_the_way_changes_no_vector(history: list[Fed], as_of_ms: int, pruned_after: list[int]) -> None:
    """Tiles folded away while events arrive in time order, and through the store and back."""
    assume(not _a_ticket_rests(history))
    in_order = sorted(history, key=lambda fed_event: fed_event[1].occurred_at)
    activity = Activity.empty()
    for n, (stream, event) in enumerate(in_order):
        apply(activity, stream, event)
        if n in pruned_after:
            prune(activity, min(event.occurred_at, as_of_ms))
            activity = msgspec.msgpack.decode(stored(activity), type=Activity)
    prune(activity, as_of_ms)
    assert vector(activity, as_of_ms) == vector(fed(history), as_of_ms)
    if history:
        assert activity.mean_gap_days() == fed(history).mean_gap_days()
        assert (activity.orders, activity.order_days) == (fed(history).orders, fed(history).order_days)


@PACE
@given(HISTORIES, st.lists(st.tuples(st.integers(-2, 40), st.booleans(), INSTANTS), max_size=12))
def test_the_vector_is_the_plain_one_to_the_last_bit_whenever_it_is_asked_for(
    history: list[Fed], looks: list[tuple[int, bool, int]]
) -> None:
    """Events in any order, prunings in between, and looks at any instant that is still exact: nothing is left over from one before."""
    activity, exact_from_ms = Activity.empty(), 0
    for n, (stream, event) in enumerate([*history, *history[:1]]):
        apply(activity, stream, event)
        for after, pruned, as_of_ms in looks:
            if after in {n, -1}:
                if pruned:
                    prune(activity, as_of_ms)
                    exact_from_ms = max(exact_from_ms, as_of_ms - EXACT_DAYS * DAY_MS)
                if as_of_ms < exact_from_ms:
                    continue
                fresh = msgspec.msgpack.decode(stored(activity), type=Activity)
                assert repr(vector(activity, as_of_ms)) == repr(plain(fresh, as_of_ms)) == repr(vector(fresh, as_of_ms))


@PACE
@given(HISTORIES, st.none() | INSTANTS)
def test_the_mean_gap_is_that_of_all_the_days(history: list[Fed], pruned_ms: int | None) -> None:
    activity = fed(history)
    if pruned_ms is not None:
        prune(activity, pruned_ms)
    past = activity.past or Past()
    ordered = extend(past.order_rhythm, [tile.day for tile in activity.order_tiles if tile.orders])
    logged_in = extend(past.login_rhythm, [tile.day for tile in activity.login_tiles])
    assert activity.mean_gap_days() == (ordered if ordered.days > 1 else logged_in).mean_gap_days
