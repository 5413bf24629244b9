from typing import Any

import pytest

from alerts.segments import segment_of

REGULAR: dict[str, Any] = {
    "tenure_days": 400.0, "order_days": 9, "value": 200.0, "value_cut": 300.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "segment"),
    [
        ({}, "loyal"),
        ({"tenure_days": 10.0}, "loyal"),
        ({"order_days": 5}, "loyal"),
        ({"order_days": 4}, "standard"),
        ({"order_days": 1}, "standard"),
        ({"order_days": 0}, "standard"),
        ({"frequent_days": 9}, "loyal"),
        ({"frequent_days": 10}, "standard"),
        ({"frequent_days": 2, "order_days": 4}, "standard"),
        ({"frequent_days": 10, "value": 300.0}, "high_value"),
        ({"order_days": 4, "tenure_days": 59.9}, "new"),
        ({"order_days": 1, "tenure_days": 59.9}, "new"),
        ({"order_days": 4, "tenure_days": 60.0}, "standard"),
        ({"value": 300.0}, "high_value"),
        ({"value": 300.0, "tenure_days": 10.0}, "high_value"),
        ({"value": 300.0, "order_days": 2}, "high_value"),
        ({"value": 300.0, "order_days": 1}, "standard"),
        ({"value": 300.0, "order_days": 4, "tenure_days": 10.0}, "new"),
        ({"value_cut": None}, "loyal"),
        ({"value_cut": 0.0, "value": 0.0}, "loyal"),
        ({"override": "high_value"}, "high_value"),
        ({"override": "new"}, "new"),
        ({"override": "gold"}, "loyal"),
        ({"override": ""}, "loyal"),
    ],
)
def test_who_belongs_where(change: dict[str, Any], segment: str) -> None:
    assert segment_of(**REGULAR | change) == segment
