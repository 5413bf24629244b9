import pytest

from models.explain import causes

NAMES = ["silence", "orders", "returns", "rating"]
VALUES = [40.0, 0.0, 2.0, 5.0]
CONTRIBUTIONS = [1.5, 0.5, 0.0, -2.0]


def test_the_strongest_come_first_and_weights_are_shares() -> None:
    found = causes(NAMES, VALUES, CONTRIBUTIONS, limit=5)
    assert [(cause.name, cause.value, cause.weight) for cause in found] == [
        ("silence", 40.0, 0.75),
        ("orders", 0.0, 0.25),
    ]


def test_a_limit_does_not_change_the_weights() -> None:
    assert [cause.weight for cause in causes(NAMES, VALUES, CONTRIBUTIONS, limit=1)] == [0.75]


def test_what_lowers_the_risk() -> None:
    (only,) = causes(NAMES, VALUES, CONTRIBUTIONS, limit=5, rising=False)
    assert (only.name, only.contribution, only.weight) == ("rating", -2.0, 1.0)


def test_equal_contributions_come_in_the_order_of_the_names() -> None:
    assert [cause.name for cause in causes(NAMES, VALUES, [1.0] * 4, limit=3)] == NAMES[:3]


def test_nothing_moves_nothing() -> None:
    assert causes(NAMES, VALUES, [0.0] * 4, limit=5) == []


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        causes(NAMES, VALUES, [1.0], limit=5)
