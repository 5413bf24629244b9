"""The parts of `make study NAME=value`: what it holds the product against, and when it falls short."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churnwatch.report.bgnbd import Params
from studies import value
from studies.bgnbd_gg import Money, expected_order, expected_orders, fit_money, rival
from studies.value import MARGIN, Said, Spent, holds, judge


def lines(path: Path, *orders: tuple[str, int, float]) -> Path:
    events = [
        {"stream": "orders", "event_id": f"{n}", "customer_id": name, "order_id": f"{n}", "amount": amount, "occurred_at": day * 86_400_000}
        for n, (name, day, amount) in enumerate(orders)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_history_ends_at_the_cut_and_the_truth_at_the_horizon(tmp_path: Path) -> None:
    spent = Spent(lines(tmp_path / "log.jsonl", ("ann", 10, 5.0), ("ann", 30, 7.0), ("ann", 30, 1.0), ("bob", 40, 9.0), ("ann", 219, 2.0), ("ann", 220, 4.0)))  # fmt: skip
    columns = spent.until(40)
    assert spent.names == ["ann", "bob"]
    assert {name: column.tolist() for name, column in columns.items()} == {
        "repeats": [1.0, -1.0],
        "span": [20.0, 0.0],
        "age": [30.0, 0.0],
        "again": [8.0, 0.0],
        "spent": [2.0, 9.0],
    }
    assert max(spent.cuts()) + value.HORIZON_DAYS <= spent.end_day


def test_the_expectation_agrees_with_a_simulation() -> None:
    params, rng = Params(1.2, 60.0, 0.8, 3.0), np.random.default_rng(3)
    rates, leaving, bought = rng.gamma(1.2, size=40_000) / 60.0, rng.beta(0.8, 3.0, size=40_000), 0
    for rate, leaves in zip(rates.tolist(), leaving.tolist(), strict=True):
        day = rng.exponential(1 / rate)
        while day <= 180.0:
            bought += 1
            if rng.random() < leaves:
                break
            day += rng.exponential(1 / rate)
    new = np.zeros(1)
    assert expected_orders(params, new, new, new, 180.0)[0] == pytest.approx(bought / 40_000, rel=0.05)


def test_money_is_fitted_and_shrunk() -> None:
    rng = np.random.default_rng(5)
    repeats = rng.integers(1, 9, size=4_000).astype(np.float64)
    scale = 1.0 / rng.gamma(4.0, size=4_000)
    mean = 20.0 * scale * rng.gamma(3.0 * repeats) / repeats
    money = fit_money(repeats, mean)
    assert money.p * money.gamma / (money.q - 1.0) == pytest.approx(20.0, rel=0.1)
    told = expected_order(Money(3.0, 4.0, 20.0), np.array([0.0, 1.0, 50.0]), np.array([0.0, 80.0, 80.0]))
    assert told[0] == 20.0 < told[1] < told[2] < 80.0


def test_the_rival_expects_more_of_the_better() -> None:
    repeats, span = np.tile([0.0, 1.0, 9.0], 50), np.tile([0.0, 30.0, 190.0], 50)
    said = rival(repeats, span, np.full(150, 200.0), np.tile([0.0, 20.0, 400.0], 50), 180.0)
    assert said[1] < said[2]  # who never came again is alive for certain, by this model's book


def test_judgement_takes_everybody_and_forgets_nobody(tmp_path: Path) -> None:
    log = lines(
        tmp_path / "log.jsonl",
        *((f"c{n}", day, 10.0 + n) for n in range(30) for day in range(n % 7, 200 + 5 * n, 9 + n)),
    )
    spent, cut = Spent(log), 100
    truth = spent.until(cut)["spent"]
    said = {name: Said(amount, 0.0, amount) for name, amount in zip(spent.names, truth.tolist(), strict=True)}
    del said[spent.names[int(truth.argmax())]]
    told = judge(said, spent, cut)
    assert told["customers"] == 30
    assert told["product"]["rank"] < 1.0
    assert told["product"]["above"] == pytest.approx(1 / 30, abs=1e-4)


@pytest.mark.parametrize(("ahead", "good"), [(0.05, True), (-MARGIN, True), (-MARGIN - 0.001, False)])
def test_it_falls_short_below_the_margin(ahead: float, good: bool) -> None:
    cut: dict[str, Any] = {"product": {"rank": 0.5 + ahead}, "rival": {"rank": 0.5}}
    assert holds([{"product": {"rank": 1.0}, "rival": {"rank": 0.5}}, cut]) is good


def test_the_last_line_is_the_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(value.RETAIL, raising=False)
    monkeypatch.setattr(value, "study", lambda _: [{"product": {"rank": 0.3}, "rival": {"rank": 0.5}}])
    assert value.main([]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[-1])["passed"] is False
    assert "CDNOW alone" in told.err
