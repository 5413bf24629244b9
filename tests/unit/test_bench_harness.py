"""The harness of `make bench`: its registry, its result file, how two results compare, the page's figures, the blown-up log."""

import gzip
import json
from collections import Counter
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench import __main__ as command
from bench import page, report, retail
from bench.contest import STOCK
from bench.fingerprints import fingerprint
from bench.measures import Run
from bench.processes import below
from bench.rivals import EVENTS, FIRST_EVENTS, LONG_EVENTS
from bench.scenario import SCENARIOS, Outcome, Table, chosen
from bench.two_workers import Turn, bound
from churnwatch.services import Services
from streams.errors import ChurnwatchError
from streams.time import DAY_MS, parse_instant

ROOT = Path(__file__).parents[2]
SERVICES = Services("b", "r", "Apache Kafka 4", "redis-server 7", real_kafka=True, real_redis=True)
FOUND = Outcome(
    ratios={"worker_to_stock": 6.54321, "silent": 0.5},
    latency={"p99_ms": 12.0},
    memory={"redis_bytes": 800},
    tables=[Table("A table", ("", "events/s"), [("worker", "10"), ("stock | Faust", "2")])],
    goals={"worker_to_stock": 10.0},
    checks=["every event once"],
    details={"why": "because"},
)


def document() -> report.Document:
    found = report.empty(SERVICES, {"cpus": 2, "processor": "P", "python": "3.11", "load_before": [0.1, 0.2, 0.3]}, {})
    report.add(found, SCENARIOS["rivals"], FOUND, 12.34)
    return found


def test_ids_are_permanent() -> None:
    """Results of years are compared by them. New ones are added; none is renamed or taken out."""
    permanent = {"one_worker", "rivals", "two_workers", "latency", "growth", "memory", "silence", "backtest"}
    assert permanent <= SCENARIOS.keys()
    assert all(scenario.id == name for name, scenario in SCENARIOS.items())


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_every_scenario_has_its_module(scenario: Any) -> None:
    assert find_spec(scenario.module) is not None


def test_the_whole_stays_short() -> None:
    assert sum(scenario.seconds_max for scenario in SCENARIOS.values()) <= 1_200


def test_scenarios_are_chosen_by_id() -> None:
    assert chosen("") == list(SCENARIOS.values())
    assert [scenario.id for scenario in chosen(" rivals, one_worker")] == ["one_worker", "rivals"]
    with pytest.raises(ChurnwatchError, match=r"no scenario fast, slow; there are one_worker, "):
        chosen("slow,fast,rivals")


def test_the_result_has_the_keys_that_others_read() -> None:
    found = document()
    assert {"date", "ratios", "latency", "memory", "machine", "versions", "scenarios"} == found.keys()
    assert found["ratios"] == {"rivals.worker_to_stock": 6.543, "rivals.silent": 0.5}
    assert found["latency"] == {"rivals": {"p99_ms": 12.0}}
    assert found["memory"] == {"rivals": {"redis_bytes": 800}}
    assert found["machine"]["kafka"] == "Apache Kafka 4"
    assert found["scenarios"]["rivals"]["goals"] == {"rivals.worker_to_stock": 10.0}
    assert found["scenarios"]["rivals"]["details"] == {"why": "because"}


def test_a_scenario_run_again_takes_the_place_of_its_earlier_self() -> None:
    found = document()
    report.add(found, SCENARIOS["latency"], Outcome(ratios={"x": 1.0}), 1.0)
    report.add(found, SCENARIOS["rivals"], Outcome(ratios={"y": 2.0}), 1.0)
    assert found["ratios"] == {"latency.x": 1.0, "rivals.y": 2.0}
    assert found["latency"] == {}


def test_the_result_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "results" / "latest.json"
    report.save(document(), path)
    assert report.read(path)["ratios"] == document()["ratios"]


@pytest.mark.parametrize("text", [None, "{", '{"ratios": {}}'])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "latest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ChurnwatchError, match=r"latest\.json"):
        report.read(path)


def test_a_ratio_that_falls_by_more_than_the_bound_is_a_regression() -> None:
    before = {"a.kept": 1.0, "a.within": 1.0, "a.fallen": 10.0, "a.gone": 1.0}
    after = {"a.kept": 1.2, "a.within": 0.86, "a.fallen": 8.4, "a.new": 0.1}
    assert report.regressions(before, after) == ["a.fallen was 10 and is 8.4: 16 % less"]


def test_the_machine_is_named() -> None:
    assert {"cpus", "processor", "system", "python", "load_before"} <= report.machine().keys()


def test_fingerprints_tell_entries_apart_and_not_their_order() -> None:
    assert fingerprint([(b"a", b"1"), (b"b", b"2")]) == fingerprint([(b"b", b"2"), (b"a", b"1")])
    assert len({fingerprint(e) for e in ([], [(b"a", b"1")], [(b"a1", b"")], [(b"a", b"1")] * 2, [(b"b", b"1")])}) == 5


def test_processor_time_is_of_our_own_services() -> None:
    tree = {
        1: (0, "x", 1.0),
        5: (1, "guard", 0.1),
        6: (5, "java", 2.0),
        7: (5, "redis-server 1", 3.0),
        8: (0, "java", 4.0),
    }
    assert below(1, tree) == {"broker": 2.0, "redis": 3.0}


def test_what_bounds_two_workers_is_told() -> None:
    run = Run(10, 1.0, {}, 1, 1, 1)
    assert bound(Turn(run, 10, 1.0, {"workers": 1.5, "broker": 0.4}), 2).startswith("the processors: ")
    assert bound(Turn(run, 10, 1.0, {"workers": 0.5, "broker": 0.4}), 2).startswith("not the processors alone: ")


# -- the blown-up log --------------------------------------------------------------------------------------------------


def original(path: Path) -> Path:
    log = path / "log.jsonl.gz"
    with gzip.open(log, "wt") as file:
        for day in range(1, 9):
            for customer in [name for name, orders in (("a", 1), ("b", 8), ("c", 3)) if day <= orders]:
                event: dict[str, Any] = {"stream": "orders", "event_id": f"{customer}{day}", "customer_id": customer}
                event |= {"occurred_at": f"2020-01-0{day}T10:00:00Z", "order_id": f"o{customer}{day}", "amount": 5.0}
                file.write(json.dumps(event) + "\n")
    return log


def test_the_log_is_blown_up_to_both_counts(tmp_path: Path) -> None:
    lives = retail.lives(original(tmp_path))
    assert [len(life) for life in lives] == [1, 8, 3]
    lines = list(retail.blown_up(lives, 400, 100))
    assert lines == list(retail.blown_up(lives, 400, 100))
    assert len(lines) == pytest.approx(400, abs=8)
    events = [json.loads(line.text) for line in lines]
    times = [parse_instant(event["occurred_at"]) for event in events]
    assert times == sorted(times)
    assert times[-1] - times[0] > retail.SPREAD_DAYS * DAY_MS / 2
    assert len({event["event_id"] for event in events}) == len(events)
    sizes = Counter(event["customer_id"] for event in events)
    assert len(sizes) == 100
    assert set(sizes.values()) <= {1, 3, 8}
    assert {line.stream for line in lines} == {"orders"}
    assert events[0].keys() == {"stream", "event_id", "customer_id", "occurred_at", "order_id", "amount"}


def test_a_sample_is_whole_customers(tmp_path: Path) -> None:
    part = tmp_path / "part.jsonl"
    assert retail.draw(original(tmp_path), part, 2) == 3
    assert retail.draw(original(tmp_path), part, 1) == 1
    assert [len(life) for life in retail.lives(part)] == [1]


def test_a_mean_that_no_customer_has_is_refused() -> None:
    with pytest.raises(ChurnwatchError, match="2 to 5 events"):
        retail.copies([2, 5], 100, 10)


def test_the_log_can_be_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(retail.VARIABLE, raising=False)
    assert retail.source().is_file()
    monkeypatch.setenv(retail.VARIABLE, str(tmp_path / "mine.jsonl"))
    assert retail.source() == tmp_path / "mine.jsonl"


def test_prefixes_lie_within_each_other() -> None:
    assert FIRST_EVENTS < LONG_EVENTS < EVENTS


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_was_found() -> None:
    text = page.figures(document())
    assert "| worker to stock | 6.54 | ≥ 10 | no |" in text
    assert "| stock \\| Faust | 2 |" in text
    assert "every event once" in text
    assert "Apache Kafka 4" in text


def test_a_scenario_that_failed_is_named_on_the_page() -> None:
    found = document()
    found["scenarios"]["latency"] = {"question": "q", "date": "d", "failed": "no broker"}
    assert "has failed: no broker" in page.figures(found)


def test_the_page_is_the_committed_result() -> None:
    """Figures written by hand would be those of another day: `python -m bench.page`."""
    if not report.RESULT.exists():
        pytest.skip("nothing has been measured yet")
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.filled(text, report.read())


def test_the_slowest_rival_is_named_on_the_page() -> None:
    assert STOCK in page.PAGE.read_text(encoding="utf-8")


# -- the command -------------------------------------------------------------------------------------------------------


def verdict(measured: report.Document, kept: report.Document | None) -> tuple[int, str]:
    console = Console(file=StringIO(), width=200)
    code = command._verdict(console, measured, kept)
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue()


def test_the_check_ends_with_1_and_names_what_has_fallen() -> None:
    kept, slower = document(), document()
    slower["ratios"]["rivals.worker_to_stock"] = 5.0
    assert verdict(document(), kept) == (
        0,
        f"2 ratios compared with those of {kept['date']}: none has fallen by more than 15 %\n",
    )
    assert verdict(slower, kept) == (1, "rivals.worker_to_stock was 6.543 and is 5: 24 % less\n")


def test_a_scenario_that_failed_ends_the_command_with_1() -> None:
    found = document()
    found["scenarios"]["latency"] = {"question": "q", "date": "d", "failed": "no broker"}
    assert verdict(found, None) == (1, "latency: no broker\n")
    assert verdict(document(), None) == (0, "")


def test_figures_of_another_machine_are_not_mixed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "read", document)
    same = {"cpus": 2, "processor": "P", "load_before": [1.0]}
    assert command._document(SERVICES, same, keep=True)["ratios"] == document()["ratios"]
    assert command._document(SERVICES, same, keep=False)["ratios"] == {}
    assert command._document(SERVICES, same | {"cpus": 8}, keep=True)["ratios"] == {}


def test_an_unknown_scenario_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "fast"]) == 1
    assert "there is no scenario fast" in capsys.readouterr().err
