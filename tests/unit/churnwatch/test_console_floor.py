"""What is read from a worker's /metrics, and what becomes of one that does not answer."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from agents.metric_catalog import BUILD_LABELS
from agents.metrics import Metrics
from churnwatch.child import free_port
from churnwatch.console_floor import _ask, _rate, _worker
from churnwatch.scrape import Scrape
from console.working import Operations, Worker


def test_a_worker_is_what_its_metrics_say() -> None:
    metrics = Metrics(CollectorRegistry(), ["customer.orders"], dict.fromkeys(BUILD_LABELS, "1.2.3"))
    metrics.assigned([0, 3])
    metrics.lag("customer.orders", 0, events=70, seconds=1.5)
    metrics.lag("customer.orders", 3, events=5, seconds=4.0)
    for seconds in (0.001, 0.001, 0.3):
        metrics.stage("commit", seconds)
    worker, letters = _worker("http://a", metrics.render().decode())
    assert (worker.version, worker.partitions, worker.lag_events, worker.lag_seconds) == ("1.2.3", 2, 75, 4.0)
    assert (worker.trouble, worker.events, worker.stages) == ("", 0, {})
    assert not letters
    assert worker.alert_seconds is None
    assert worker.slow.keys() == {"commit"}
    assert 0.1 < worker.slow["commit"] <= 0.5


@pytest.mark.parametrize(("share", "found"), [(0.5, 1.0), (0.75, 1.5), (1.0, 2.0)])
def test_a_quantile_lies_within_its_bucket(share: float, found: float) -> None:
    text = "\n".join(f'a_bucket{{le="{bound}"}} {count}' for bound, count in (("1", 2), ("2", 4), ("+Inf", 4)))
    told = Scrape(f"# TYPE a histogram\n{text}\na_count 4\na_sum 5\n")
    assert told.quantile("a", share) == found
    assert told.quantile("b", share) is None


async def test_one_that_does_not_answer_is_shown_as_such() -> None:
    async with aiohttp.ClientSession() as client:
        worker, letters = await _ask(client, f"http://127.0.0.1:{free_port()}")
    assert worker.trouble
    assert not worker.ready
    assert not letters


@pytest.mark.parametrize(
    ("before", "now", "rate"), [([100.0], [300.0], 20.0), ([100.0], [40.0], 0.0), ([], [50.0], 5.0)]
)
def test_the_rate_is_of_what_came_since_the_last_look(before: list[float], now: list[float], rate: float) -> None:
    def workers(events: list[float]) -> list[Worker]:
        return [Worker(f"http://{place}", events=count) for place, count in enumerate(events)]

    known = 5.0, Operations(workers(before), None, {}, [])
    assert _rate(known, workers(now), 15.0) == rate
    assert _rate(None, workers(now), 15.0) is None
