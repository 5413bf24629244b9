from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from streams import events
from streams.events import STREAMS, Profile, Review
from streams.forms import FORMS, event_in, event_of
from tests.bad_events import encoded, good


def read(stream: str, **changed: Any) -> Any:
    return event_in(stream, encoded(good(stream, **changed)))


@pytest.mark.parametrize("stream", STREAMS)
def test_a_good_event_is_read(stream: str) -> None:
    event = read(stream)
    assert type(event) is STREAMS[stream]
    assert (event.event_id, event.customer_id, event.occurred_at) == ("e-1", "c-1", 1_714_557_600_000)
    assert event == event_of(stream, good(stream))


@pytest.mark.parametrize("stream", STREAMS)
def test_optional_fields_may_be_left_out_or_null(stream: str) -> None:
    fields = FORMS[stream].model_fields
    kept = {name for name, field in fields.items() if field.is_required()} | {"rating"}
    bare = {name: value for name, value in good(stream).items() if name in kept}
    nulls: dict[str, Any] = dict.fromkeys(fields.keys() - bare.keys())
    assert event_of(stream, {**bare, **nulls}) == event_of(stream, bare)


@pytest.mark.parametrize("stream", STREAMS)
def test_unknown_fields_are_ignored(stream: str) -> None:
    odd = {"schema": 7, "nested": {"a": [1, None, {"b": "c"}]}, "": None}
    assert read(stream, **odd) == read(stream)


@pytest.mark.parametrize("stream", STREAMS)
def test_events_cannot_be_changed(stream: str) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        read(stream).customer_id = "c-2"


@pytest.mark.parametrize("stream", STREAMS)
def test_a_record_has_the_fields_of_its_form_and_their_defaults(stream: str) -> None:
    form, record = FORMS[stream], STREAMS[stream]
    assert form.__name__ == record.__name__ + "Form"
    assert form.model_config.get("title") == record.__name__
    assert form.__doc__ == record.__doc__
    assert list(form.model_fields) == list(record.__struct_fields__)
    for field in msgspec.structs.fields(record):
        assert form.model_fields[field.name].is_required() == field.required
        assert field.required or form.model_fields[field.name].default == field.default


def test_the_words_of_a_form_are_those_of_its_record() -> None:
    words = {name: set(get_args(held)) for name, held in vars(events).items() if "Literal[" in str(held)}
    assert len(words) == 9
    for form in FORMS.values():
        for name, hint in get_type_hints(form, include_extras=True).items():
            schema = form.model_json_schema()["properties"][name]
            listed = [part["enum"] for part in (schema, *schema.get("anyOf", ())) if "enum" in part]
            assert all(set(one) in words.values() for one in listed), (name, hint)


def test_bounds_are_within() -> None:
    read("reviews", rating=1, nps=10, topics=["price"] * 16, text="x" * 20_000)
    read("reviews", rating=..., nps=0)
    read("reviews", rating=4.5, topics=[])
    read("orders", amount=0, items=0, discount=0, event_id="é" * 256, customer_id="c" * 128)


def test_an_order_is_placed_and_a_review_is_one_where_nothing_else_is_said() -> None:
    assert read("orders").status == "placed"
    assert read("reviews").kind == "review"


def test_every_instant_is_in_epoch_milliseconds() -> None:
    profile = read("profiles", signed_up_at="1970-01-01T00:00:01Z")
    assert isinstance(profile, Profile)
    assert profile.signed_up_at == 1_000


def test_a_whole_amount_is_an_amount() -> None:
    amount = read("orders", amount=12).amount
    assert (type(amount), amount) == (float, 12.0)


def test_a_review_says_something() -> None:
    with pytest.raises(ValueError, match="rating"):
        event_of("reviews", good("reviews", rating=...))
    assert isinstance(read("reviews"), Review)
