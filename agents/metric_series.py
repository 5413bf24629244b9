"""The series of one metric: found quickly, and never more of them than its labels allow."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from agents.metric_kinds import OTHER, Metric

Kind = TypeVar("Kind", Counter, Gauge, Histogram)

PARTITION: Final = "partition"


class Series(Generic[Kind]):
    """All series of a metric `made` as `declared`; a label that `allowed` lists takes those values only.

    prometheus_client takes five times as long to find a series by its labels as to count in it, so the ones in use are kept
    here. Only listed values and partitions are kept: `allowed` bounds their number, and `end_partition` drops the others.
    """

    def __init__(self, declared: Metric, made: Kind, allowed: Mapping[str, frozenset[str]]) -> None:
        self._labels = declared.labels
        self._bounds = tuple(allowed.get(label) for label in declared.labels)
        self._made: Kind = made
        self._found: dict[tuple[str | int, ...], Kind] = {} if declared.labels else {(): made}

    def of(self, *values: str | int) -> Kind:
        """Return the series with these label values; a value that is not listed is `other`."""
        series = self._found.get(values)
        if series is None:
            bounded = tuple(
                value if bound is None or value in bound else OTHER
                for value, bound in zip(values, self._bounds, strict=True)
            )
            series = self._made.labels(*bounded)
            if bounded == values:
                self._found[values] = series
        return series

    def clear(self) -> None:
        """Remove all series of a metric that has labels."""
        self._made.clear()
        self._found.clear()

    def end_partition(self, partition: int) -> None:
        """Remove the series of a partition, if the metric has any: it is exported no more."""
        if PARTITION in self._labels:
            self._made.remove_by_labels({PARTITION: str(partition)})
            at = self._labels.index(PARTITION)
            self._found = {values: series for values, series in self._found.items() if values[at] != partition}
