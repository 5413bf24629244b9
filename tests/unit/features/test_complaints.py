"""What a poor review complains of."""

from typing import Any

import pytest

from features.complaints import TEXT_READ_MAX, complaints_of, named_in
from streams.events import Review


def review(**fields: Any) -> Review:
    return Review(event_id="e", customer_id="c", occurred_at=1, **fields)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Way too EXPENSIVE!", {"price"}),
        ("Viel zu teuer, und der Kundendienst antwortet nicht", {"price", "service"}),
        ("Trop cher.", {"price"}),
        ("Calidad pésima, llegó roto", {"product"}),
        ("ICH BIN ZUR KONKURRENZ GEGANGEN", {"competition"}),
        ("Le rapport qualité-prix n'y est plus", {"price"}),
        ("Überteuert", {"price"}),
        ("Not expensive, but broken", {"product"}),
        ("gar nicht teuer", set()),
        ("pas cher", set()),
        ("日本語のレビュー", set()),
        ("", set()),
        ("!!! 12345 ???", set()),
        ("prices", {"price"}),
        ("surprise", set()),
    ],
)
def test_words_name_what_it_is_about(text: str, named: set[str]) -> None:
    assert named_in(text) == named


def test_only_the_beginning_of_a_text_is_read() -> None:
    assert named_in("x" * TEXT_READ_MAX + " expensive") == set()
    assert named_in("x" * (TEXT_READ_MAX - 10) + " expensive") == {"price"}


@pytest.mark.parametrize(
    "text", ["\u0301" * 5_000, "ﷺ" * 20_000, "\x00" * 100, "a-" * 10_000, "ß" * 20_000, "𝕏" * 9_999]
)
def test_hostile_text_is_borne(text: str) -> None:
    assert named_in(text) == set()


def test_only_poor_reviews_complain() -> None:
    assert complaints_of(review(rating=4.0, topics=["price"], text="expensive")) is None
    assert complaints_of(review(nps=7.0, text="expensive")) is None
    assert complaints_of(review(rating=3.0, text="expensive")) == frozenset({"price"})
    assert complaints_of(review(nps=6.0, topics=["delivery"])) == frozenset({"service"})
    assert complaints_of(review(rating=1.0, topics=["product", "price"], text="broken")) == frozenset(
        {"product", "price"}
    )
    assert complaints_of(review(rating=1.0, topics=["other"])) == frozenset()
    assert complaints_of(review(rating=1.0)) == frozenset()
