"""The result file: what all scenarios have found, where and when, and how two such files compare."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from bench.scenario import Outcome, Scenario
from churnwatch.services import Services
from features import vector
from streams.errors import ChurnwatchError

RESULT: Final = Path(__file__).resolve().parent / "results" / "latest.json"
PACKAGES: Final = (
    "aiokafka", "churnwatch", "confluent-kafka", "faust-streaming", "hiredis", "msgspec", "numpy", "pydantic", "redis", "river",
)  # fmt: skip
QUIX: Final = "quixstreams"
LOSS_MAX: Final = 0.15
"""A ratio that has fallen by more than this share is a regression."""

Document = dict[str, Any]


def machine() -> dict[str, Any]:
    """Give what the figures depend on: processors, memory, system, Python, whether `make compile` was at work, and how busy it is now."""
    return {
        "cpus": os.cpu_count(),
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "memory": _field(Path("/proc/meminfo"), "MemTotal") or "unknown",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "compiled": not str(vector.__file__).endswith(".py"),
        "load_before": load(),
    }


def load() -> list[float]:
    """Give the machine's load averages over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def _field(path: Path, name: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def versions(quix_libraries: Path) -> dict[str, str]:
    """Give the versions of the packages that matter, the rival's included where it is there."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    for path in quix_libraries.glob(f"{QUIX}-*.dist-info"):
        found[QUIX] = path.name.removeprefix(f"{QUIX}-").removesuffix(".dist-info")
    return found


def empty(services: Services, on: Mapping[str, Any], of: Mapping[str, str]) -> Document:
    """Give a document in which no scenario has been run yet."""
    return {
        "date": now(),
        "ratios": {},
        "latency": {},
        "memory": {},
        "machine": {**on, "kafka": services.kafka_name, "redis": services.redis_name},
        "versions": dict(of),
        "scenarios": {},
    }


def now() -> str:
    """Give the date as it stands in the document."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def add(document: Document, scenario: Scenario, found: Outcome, seconds: float) -> None:
    """Put a scenario's outcome into the document, in the place of an earlier one."""
    forget(document, scenario)
    document["ratios"] |= {f"{scenario.id}.{name}": rounded(value) for name, value in found.ratios.items()}
    for part, values in (("latency", found.latency), ("memory", found.memory)):
        if values:
            document[part][scenario.id] = dict(values)
    document["scenarios"][scenario.id] = {
        "question": scenario.question,
        "date": now(),
        "seconds": round(seconds, 1),
        "load_after": load(),
        "goals": {f"{scenario.id}.{name}": goal for name, goal in found.goals.items()},
        "checks": list(found.checks),
        "tables": [asdict(table) for table in found.tables],
        "details": dict(found.details),
    }
    document["date"] = now()


def forget(document: Document, scenario: Scenario) -> None:
    """Take out what the document holds of a scenario."""
    document["ratios"] = {
        name: value for name, value in document["ratios"].items() if not name.startswith(f"{scenario.id}.")
    }
    for part in ("latency", "memory", "scenarios"):
        document[part].pop(scenario.id, None)


def rounded(value: float) -> float:
    """Round to four digits that count.

    >>> rounded(12.34567), rounded(0.000123456)
    (12.35, 0.0001235)
    """
    return float(f"{value:.4g}")


def regressions(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """Say which ratios are more than `LOSS_MAX` lower than before; those that only one of them has are not compared.

    >>> regressions({"a.x": 2.0, "a.y": 1.0}, {"a.x": 1.6, "a.y": 0.9})
    ['a.x was 2 and is 1.6: 20 % less']
    """
    return [
        f"{name} was {was:g} and is {after[name]:g}: {1 - after[name] / was:.0%} less".replace("%", " %")
        for name, was in before.items()
        if name in after and after[name] < was * (1 - LOSS_MAX)
    ]


def read(path: Path = RESULT) -> Document:
    """Read a result file; raises ChurnwatchError where there is none of this form."""
    try:
        document: Document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ChurnwatchError(f"{path}: no result of `make bench` ({error})") from error
    if not {"ratios", "latency", "memory", "machine", "versions", "scenarios"} <= document.keys():
        raise ChurnwatchError(f"{path}: this is not what `make bench` writes now; run it anew")
    return document


def save(document: Document, path: Path = RESULT) -> None:
    """Write the result file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
