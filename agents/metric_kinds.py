"""What a metric and a label are declared as."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

OTHER: Final = "other"
"""What a label's unlisted values are counted as."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `labels` are keys of `LABELS`; `buckets` are a histogram's upper bounds, in its unit."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    unit: str
    meaning: str
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """One label: the values it may take, empty where the installation decides; `meaning` says what it tells apart."""

    values: tuple[str, ...]
    meaning: str


def counter(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    """Declare a counter; `name` goes without `churnwatch_` and `_total`."""
    return Metric(f"churnwatch_{name}_total", "counter", labels, unit, meaning)


def gauge(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    """Declare a gauge; `name` goes without `churnwatch_`."""
    return Metric(f"churnwatch_{name}", "gauge", labels, unit, meaning)


def histogram(name: str, unit: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    """Declare a histogram; likewise, with the upper bounds of its buckets."""
    return Metric(f"churnwatch_{name}", "histogram", labels, unit, meaning, buckets)
