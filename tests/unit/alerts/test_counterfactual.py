"""The smallest change that would bring the risk under the threshold."""

import msgspec
import pytest

from alerts.alert import Reason
from alerts.counterfactual import Change, outlook, with_outlook
from tests.unit.alerts.test_reasons import STEP

WARNED = msgspec.structs.replace(STEP, risk=0.83, threshold=0.6)


def changes(**risks: float) -> list[Change]:
    return [Change(what, lambda risk=risk: risk) for what, risk in risks.items()]  # type: ignore[misc]


def test_the_first_that_suffices_is_told() -> None:
    tried = changes(visit=0.7, order=0.41, both=0.2)
    assert outlook(WARNED, tried) == "order would bring the risk from 0.83 to 0.41"


def test_where_none_suffices_nothing_is_said() -> None:
    assert outlook(WARNED, changes(visit=0.7, order=0.6)) is None
    assert outlook(msgspec.structs.replace(WARNED, risk=0.4), changes(order=0.45)) is None


@pytest.mark.parametrize("told", [{"kind": "resolved"}, {"kind": "churned"}, {"basis": "rule"}])
def test_an_alert_that_warns_of_nothing_or_rests_on_the_rule_has_none(told: dict[str, str]) -> None:
    step = msgspec.structs.replace(WARNED, **told)
    assert outlook(step, changes(order=0.1)) is None


def test_what_need_not_be_asked_is_not_computed() -> None:
    def never() -> float:
        raise AssertionError

    assert outlook(WARNED, [*changes(visit=0.1), Change("order", never)]) is not None


def test_the_clause_ends_the_first_evidence() -> None:
    first, second = Reason("price", 0.7, "1 ticket", {}), Reason("engagement", 0.3, "No order", {})
    assert with_outlook([first, second], None) == [first, second]
    assert [one.evidence for one in with_outlook([first, second], "an order would do")] == [
        "1 ticket; an order would do",
        "No order",
    ]
