"""What the bandit learns from: sums by context and action, up to the guide's boundary."""

import msgspec
import pytest

from alerts.bandit import RATES
from alerts.counts import StatsBuilder
from alerts.rewards import DAYS_MAX, PERIOD_DAYS, PERIODS_MAX, Rewards, book_reward
from streams.errors import Corrupt
from streams.time import DAY_MS


def booked(day: int, action: str, kept: int, left: int) -> dict[str, int]:
    stats = StatsBuilder()
    for number in range(kept + left):
        book_reward(stats, day, "loyal", "price", action, kept=number < kept)
    entries: dict[str, int] = stats.take()[day][3]
    return entries


def offer(rewards: Rewards, day: int) -> float:
    mean: float = rewards.at(day * DAY_MS).get(RATES, {}).get("loyal|price", {"offer": (0.0, 0.0)})["offer"][0]
    return mean


def learning() -> Rewards:
    return Rewards({"offer", "call"}, learns=True)


def test_what_workers_book_is_learnt() -> None:
    rewards = learning()
    assert rewards.add(100, booked(100, "offer", 90, 10)) == {}
    assert offer(rewards, 101) == pytest.approx(0.9, abs=0.03)


def test_only_days_before_the_boundary_count() -> None:
    rewards = learning()
    rewards.add(100, booked(100, "offer", 90, 10))
    before = rewards.at(105 * DAY_MS)
    rewards.add(105, booked(105, "offer", 0, 500))
    assert rewards.at(105 * DAY_MS + DAY_MS // 2) == before
    assert offer(rewards, 106) < 0.5


def test_order_and_cut_do_not_matter() -> None:
    parts = [(100, booked(100, "offer", 3, 2)), (131, booked(131, "call", 1, 2)), (100, booked(100, "offer", 0, 1))]
    one, other = learning(), learning()
    for day, entries in parts:
        one.add(day, entries)
    for day, entries in reversed(parts):
        other.add(day, entries)
    assert one.at(140 * DAY_MS) == other.at(140 * DAY_MS)
    assert one.dump() == other.dump()


def test_off_nothing_travels_but_it_is_summed() -> None:
    rewards = Rewards({"offer"})
    rewards.add(100, booked(100, "offer", 9, 1))
    assert rewards.at(101 * DAY_MS) == {}
    on = learning()
    on.load(msgspec.msgpack.decode(msgspec.msgpack.encode(rewards.dump()), strict=False))
    assert offer(on, 101) > 0.5


def test_what_is_old_is_forgotten() -> None:
    rewards = learning()
    rewards.add(100, booked(100, "offer", 500, 0))
    for period in range(1, PERIODS_MAX + 1):
        day = 100 + period * PERIOD_DAYS
        known = rewards.at(day * DAY_MS)[RATES]["loyal|price"]
        assert "offer" in known
        rewards.add(day, booked(day, "call", 1, 1))
    assert list(rewards.at((day + 1) * DAY_MS)[RATES]["loyal|price"]) == ["", "call"]


@pytest.mark.parametrize(
    "key",
    [
        "play|loyal|price|none|kept",
        "play|vip|price|offer|kept",
        "play|loyal|weather|offer|kept",
        "play|loyal|price|offer|maybe",
    ],
)
def test_what_is_not_the_playbooks_is_left_out(key: str) -> None:
    rewards = learning()
    assert rewards.add(100, {key: 5, "opened|loyal": 1}) == {"opened|loyal": 1}
    assert rewards.add(100, {"play|loyal|price|offer|kept": -5}) == {}
    assert rewards.at(101 * DAY_MS) == {}


def test_the_days_ahead_are_bounded() -> None:
    rewards = learning()
    for day in range(DAYS_MAX + 50):
        rewards.add(day, booked(day, "offer", 1, 0))
    state = rewards.dump()
    assert isinstance(state, list)
    assert len(state[0]) == DAYS_MAX


def test_the_state_survives_a_round_trip_and_damage_is_named() -> None:
    rewards = learning()
    rewards.add(100, booked(100, "offer", 9, 1))
    rewards.at(100 * DAY_MS)
    rewards.add(150, booked(150, "call", 2, 1))
    again = learning()
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(rewards.dump()), strict=False))
    assert again.dump() == rewards.dump()
    assert again.at(160 * DAY_MS) == rewards.at(160 * DAY_MS)
    with pytest.raises(Corrupt, match="start the learner anew"):
        again.load([{"x": 1}, {}])
