import msgspec
import pytest

from alerts.budget import DAYS_KEPT_MAX, WEEK_DAYS, WINDOW_DAYS, BudgetKeeper, choose, crossings, value_cut
from alerts.counts import BINS, EDGES, VALUE_EDGES, StatsBuilder
from alerts.policy import LANES, Policy
from streams.errors import Corrupt
from streams.time import DAY_MS

POLICY = Policy(daily_budget=10.0, shares={"loyal": 0.5, "standard": 0.5}, floors={"loyal": 0.4, "standard": 0.6})


def steady(days: range, risks: list[float], lane: str = "loyal") -> dict[int, object]:
    """On each of the days, one rise from 0 to each of the risks, and as many episodes opened as the budget allows."""
    stats = StatsBuilder()
    for day in days:
        for _ in range(round(POLICY.daily_budget) if lane == "loyal" else 0):
            stats.add_opening(day)
        for risk in risks:
            stats.add_rise(day, lane, 0.0, risk)
    return stats.take()


def thresholds(keeper: BudgetKeeper, day: int) -> dict[str, float]:
    found: dict[str, float] = keeper.at(day * DAY_MS, {})["thresholds"]
    return found


def test_a_rise_crosses_the_edges_above_its_start_up_to_its_end() -> None:
    stats = StatsBuilder()
    stats.add_rise(7, "loyal", 0.4, 0.57)
    ((rises, *_),) = stats.take().values()
    crossed = [EDGES[index] for index, count in enumerate(crossings(rises["loyal"])) if count]
    assert crossed[0] == 0.405
    assert crossed[-1] == 0.57
    assert len(crossed) == 34


def test_a_rise_within_a_bin_crosses_nothing() -> None:
    stats = StatsBuilder()
    stats.add_rise(7, "loyal", 0.401, 0.404)
    assert stats.take() == {}


def test_taking_starts_anew_and_orders_the_days() -> None:
    stats = StatsBuilder()
    for day in (9, 7, 8):
        stats.add_value(day, 10.0)
    assert list(stats.take()) == [7, 8, 9]
    assert stats.take() == {}


def test_statistics_are_plain_and_small() -> None:
    stats = StatsBuilder()
    for customer in range(500):
        stats.add_rise(10_000, "loyal", 0.1 + customer / 5_000, 0.5 + customer / 2_000)
    packed = msgspec.msgpack.encode(stats.take())
    assert len(packed) < 1_000


def test_without_statistics_thresholds_are_cold_and_the_cut_is_unknown() -> None:
    derived = BudgetKeeper(POLICY).at(10_000 * DAY_MS, {})
    cold = {lane: POLICY.cold_threshold(segment) for (segment, _), lane in LANES.items() if segment in POLICY.shares}
    without_share = {lane: 1.0 for (segment, _), lane in LANES.items() if segment not in POLICY.shares}
    assert derived["thresholds"] == cold | without_share
    assert "value_cut" not in derived


def test_the_threshold_is_cold_until_a_week_after_the_first() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 130), [0.9]))
    assert thresholds(keeper, 100 + 2 * WEEK_DAYS - 1)["loyal"] == POLICY.cold_threshold("loyal")
    assert thresholds(keeper, 100 + 2 * WEEK_DAYS)["loyal"] == 0.4


def test_the_threshold_leaves_as_many_as_the_budget_allows() -> None:
    keeper = BudgetKeeper(POLICY)
    risks = [0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8]
    keeper.absorb(0, steady(range(100, 160), risks))
    keeper.absorb(1, steady(range(100, 160), risks * 2, "standard"))
    derived = keeper.at(160 * DAY_MS, {})
    assert derived["thresholds"]["loyal"] == 0.555
    assert derived["openings_per_day"]["loyal"] == 5.0
    keeper.absorb(0, steady(range(160, 200), [0.65, 0.7]))
    assert thresholds(keeper, 200)["loyal"] == 0.4


def test_what_a_segment_cannot_use_goes_to_the_others() -> None:
    keeper = BudgetKeeper(POLICY)
    risks = [0.62, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
    keeper.absorb(0, steady(range(100, 160), [0.45, 0.5]))
    keeper.absorb(1, steady(range(100, 160), risks, "standard"))
    derived = keeper.at(160 * DAY_MS, {})
    assert derived["openings_per_day"] == {"loyal": 2.0, "standard": 8.0}
    assert (derived["thresholds"]["loyal"], derived["thresholds"]["standard"]) == (0.4, 0.6)


def test_the_share_of_a_segment_too_young_to_tell_is_kept_for_it() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 150), []))
    keeper.absorb(0, steady(range(150, 160), [0.45, 0.5]))
    keeper.absorb(1, steady(range(100, 160), [0.62, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95], "standard"))
    derived = keeper.at(160 * DAY_MS, {})
    assert derived["openings_per_day"] == {"standard": 5.0}
    assert derived["thresholds"]["loyal"] == POLICY.cold_threshold("loyal")


@pytest.mark.parametrize(("opened", "aim"), [(10, 10), (8, 12), (13, 7), (0, 15), (50, 5)])
def test_what_was_opened_too_few_or_too_many_is_made_up_for(opened: int, aim: int) -> None:
    stats = StatsBuilder()
    for day in range(100, 160):
        for step in range(20):
            stats.add_rise(day, "loyal", 0.0, 0.5 + step / 50)
        for _ in range(opened):
            stats.add_opening(day)
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, stats.take())
    assert keeper.at(160 * DAY_MS, {})["openings_per_day"]["loyal"] == aim


def test_nothing_is_made_up_for_before_a_whole_window_was_counted() -> None:
    stats = StatsBuilder()
    for day in range(100, 100 + WINDOW_DAYS - 1):
        for step in range(20):
            stats.add_rise(day, "loyal", 0.0, 0.5 + step / 50)
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, stats.take())
    assert keeper.at((100 + WINDOW_DAYS - 1) * DAY_MS, {})["openings_per_day"]["loyal"] == 10


def test_statistics_of_before_openings_were_counted_are_read() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, {100: [{"loyal": {81: 1, 101: -1}}, {}]})
    keeper.load([{100: [{"loyal": {81: 1, 101: -1}}, {}]}, {"loyal": 100}])
    assert keeper.dump() == [{100: [{"loyal": {81: 1, 101: -1}}, {}, 0, {}, {}, {}]}, {"loyal": 100}]


def test_lanes_do_not_mix() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 160), [0.9] * 20, "rule/loyal"))
    found = thresholds(keeper, 160)
    assert found["rule/loyal"] == 0.905
    assert found["loyal"] == POLICY.cold_threshold("loyal")


def test_only_whole_days_before_the_boundary_count() -> None:
    keepers = [BudgetKeeper(POLICY), BudgetKeeper(POLICY)]
    for keeper in keepers:
        keeper.absorb(0, steady(range(100, 160), [0.5, 0.9]))
    keepers[1].absorb(0, steady(range(160, 300), [0.9] * 50))
    at_ms = 160 * DAY_MS + DAY_MS // 2
    assert keepers[0].at(at_ms, {}) == keepers[1].at(at_ms, {})


def test_days_before_the_window_are_forgotten_for_good() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 300), [0.5]))
    before = keeper.at(300 * DAY_MS, {})
    keeper.absorb(1, steady(range(100, 300 - WINDOW_DAYS), [0.9] * 50))
    assert keeper.at(300 * DAY_MS, {}) == before


def test_the_days_kept_are_bounded() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 100 + DAYS_KEPT_MAX + 50), [0.5]))
    state = keeper.dump()
    assert isinstance(state, list)
    assert len(state[0]) == DAYS_KEPT_MAX
    assert min(state[0]) == 150


def test_a_segment_without_a_share_is_alerted_at_certainty_only() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 160), [0.999], "new"))
    assert thresholds(keeper, 160)["new"] == 1.0


def test_a_dip_in_the_crossings_is_not_taken_for_room() -> None:
    counts = crossings({50: 100, 90: -100, 100: 100, 120: -100})
    assert EDGES[choose(counts, 10, 0.45)] == 0.6


def test_the_cut_is_reached_by_the_share() -> None:
    stats = StatsBuilder()
    for value in range(1, 1001):
        stats.add_value(100, float(value))
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, stats.take())
    cut = keeper.at(101 * DAY_MS, {})["value_cut"]
    assert 0.05 <= sum(value >= cut for value in range(1, 1001)) / 1000 <= 0.1


def test_the_cut_of_extremes() -> None:
    assert value_cut({}, 0.1) is None
    assert value_cut({0: 50}, 0.1) == VALUE_EDGES[0]
    assert value_cut({len(VALUE_EDGES): 50}, 0.1) == VALUE_EDGES[-1]


def test_the_state_survives_a_round_trip_through_messagepack() -> None:
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, steady(range(100, 160), [0.5, 0.9]))
    keeper.at(150 * DAY_MS, {})
    again = BudgetKeeper(POLICY)
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(keeper.dump())))
    assert again.dump() == keeper.dump()
    assert again.at(165 * DAY_MS, {}) == keeper.at(165 * DAY_MS, {})


def test_damaged_statistics_are_named_so() -> None:
    keeper = BudgetKeeper(POLICY)
    with pytest.raises(Corrupt, match="partition 3"):
        keeper.absorb(3, {7: "nonsense"})
    with pytest.raises(Corrupt):
        keeper.load({"days": 3})


def test_edges_are_fine_enough() -> None:
    assert len(EDGES) == BINS + 1
    assert EDGES[0] == 0.0
    assert EDGES[-1] == 1.0


def test_what_is_typical_is_told_of_all_and_of_those_of_high_value() -> None:
    stats = StatsBuilder()
    for value in range(1, 1001):
        stats.add_value(150, float(value))
    keeper = BudgetKeeper(POLICY)
    keeper.absorb(0, stats.take())
    derived = keeper.at(160 * DAY_MS, {})
    middle, high = derived["typical_values"]
    assert middle == pytest.approx(500, rel=0.05)
    assert high == pytest.approx(950, rel=0.05)
    assert middle < derived["value_cut"] < high
