"""What the reasons of an alert are made of; and an alert that tells them."""

import pytest
from msgspec.structs import replace

from agents.why import changes_of, effects_of
from churnwatch.compose import NAMES, SCALES
from features.catalog import CATALOG, INDEX
from features.state import Activity, apply
from models.guide import Guide, Linear, initial_guide
from models.labels import pack_vector
from models.scorer import Scorer
from streams.forms import event_of
from streams.time import DAY_MS

NOW_MS = 19_000 * DAY_MS


def guide(**slopes: float) -> Guide:
    """A model that knows of these features only; both parts alike."""
    told = tuple(slopes.get(name, 0.0) for name in NAMES)
    return replace(initial_guide(NAMES, SCALES), logistic=Linear(0.0, told), weights=(1.0, 0.0))


def figures(**values: float) -> list[float]:
    return [values.get(feature.name, feature.default) for feature in CATALOG]


def someone(*events: tuple[str, dict[str, object]]) -> Activity:
    activity = Activity.empty()
    for place, (stream, fields) in enumerate(events):
        event = {"event_id": f"e{place}", "customer_id": "c"} | fields
        apply(activity, stream, event_of(stream, event))
    return activity


def test_against_the_own_past_and_against_the_segment() -> None:
    means = [0] * len(NAMES)
    means[INDEX["discount_share_90d"]] = 300
    scorer = Scorer(replace(guide(discount_share_90d=2.0), peers={"loyal": tuple(means)}))
    past = pack_vector(figures(discount_share_90d=0.1))
    effect = effects_of(figures(discount_share_90d=0.5), past, "loyal", scorer)[INDEX["discount_share_90d"]]
    assert effect.contribution == pytest.approx(0.8)
    assert effect.apart == pytest.approx(0.4)
    assert (effect.family, effect.value) == ("price", 0.5)


def test_who_has_no_past_is_held_against_the_segment() -> None:
    scorer = Scorer(guide(discount_share_90d=2.0))
    effect = effects_of(figures(discount_share_90d=0.5), None, "new", scorer)[INDEX["discount_share_90d"]]
    assert effect.contribution == effect.apart == pytest.approx(1.0)


def test_changes_from_the_smallest_on_with_the_risk_that_the_model_sees() -> None:
    activity = someone(
        ("orders", {"occurred_at": NOW_MS - 50 * DAY_MS, "order_id": "o", "amount": 10.0}),
        ("logins", {"occurred_at": NOW_MS - 40 * DAY_MS}),
        ("tickets", {"occurred_at": NOW_MS - 20 * DAY_MS, "ticket_id": "t", "status": "opened"}),
        ("tickets", {"occurred_at": NOW_MS - 10 * DAY_MS, "ticket_id": "u", "status": "opened"}),
    )
    scorer = Scorer(guide(order_silence_days=0.3, activity_silence_days=0.1, open_tickets=1.0))
    changes = list(changes_of(activity, NOW_MS, scorer))
    assert [change.what for change in changes] == [
        "a visit now",
        "closing the 2 open tickets",
        "an order now",
        "an order now and closing the 2 open tickets",
    ]
    risks = [change.risk() for change in changes]
    assert risks[3] == pytest.approx(0.5)  # nothing that the model knows of is left
    assert risks[3] < risks[2] < risks[1] < risks[0]


def test_only_what_could_be_done_is_tried() -> None:
    activity = someone(("orders", {"occurred_at": NOW_MS - 50 * DAY_MS, "order_id": "o", "amount": 10.0}))
    assert [change.what for change in changes_of(activity, NOW_MS, Scorer(guide()))] == ["an order now"]
