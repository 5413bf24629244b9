import json
from typing import Any

import pytest
from pydantic import ValidationError

from streams.events import STREAMS, Order, Profile, Review
from tests.bad_events import encoded, good


@pytest.mark.parametrize("stream", STREAMS)
def test_a_good_event_is_read(stream: str) -> None:
    event = STREAMS[stream].model_validate_json(encoded(good(stream)))
    assert (event.event_id, event.customer_id, event.occurred_at) == ("e-1", "c-1", 1_714_557_600_000)


@pytest.mark.parametrize("stream", STREAMS)
def test_optional_fields_may_be_left_out_or_null(stream: str) -> None:
    model = STREAMS[stream]
    kept = {name for name, field in model.model_fields.items() if field.is_required()} | {"rating"}
    bare = {name: value for name, value in good(stream).items() if name in kept}
    nulls: dict[str, Any] = dict.fromkeys(model.model_fields.keys() - bare.keys())
    assert model.model_validate_json(encoded({**bare, **nulls})) == model.model_validate_json(encoded(bare))


@pytest.mark.parametrize("stream", STREAMS)
def test_unknown_fields_are_ignored(stream: str) -> None:
    model = STREAMS[stream]
    odd = {"schema": 7, "nested": {"a": [1, None, {"b": "c"}]}, "": None}
    assert model.model_validate_json(encoded(good(stream, **odd))) == model.model_validate_json(encoded(good(stream)))


@pytest.mark.parametrize("stream", STREAMS)
def test_events_cannot_be_changed(stream: str) -> None:
    event = STREAMS[stream].model_validate_json(encoded(good(stream)))
    with pytest.raises(ValidationError, match="frozen"):
        event.customer_id = "c-2"  # type: ignore[misc]


def test_bounds_are_within() -> None:
    Review.model_validate_json(encoded(good("reviews", rating=1, nps=10, topics=["price"] * 16, text="x" * 20_000)))
    Review.model_validate_json(encoded(good("reviews", rating=..., nps=0)))
    Review.model_validate_json(encoded(good("reviews", rating=4.5, topics=[])))
    Order.model_validate_json(
        encoded(good("orders", amount=0, items=0, discount=0, event_id="é" * 256, customer_id="c" * 128))
    )


def test_an_order_is_placed_and_a_review_is_one_where_nothing_else_is_said() -> None:
    assert Order.model_validate_json(encoded(good("orders"))).status == "placed"
    assert Review.model_validate_json(encoded(good("reviews"))).kind == "review"


def test_every_instant_is_in_epoch_milliseconds() -> None:
    profile = Profile.model_validate_json(encoded(good("profiles", signed_up_at="1970-01-01T00:00:01Z")))
    assert profile.signed_up_at == 1_000


def test_a_whole_amount_is_an_amount() -> None:
    order = Order.model_validate_json(encoded(good("orders", amount=12)))
    assert order.amount == 12
    assert json.loads(order.model_dump_json())["amount"] == 12
