"""A worker's /metrics, read: for commands that tell how it goes."""

from __future__ import annotations

from math import isinf

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """What a worker's /metrics said: sums over labels, by name and by the labels asked for."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float:
        """Sum the samples of a metric that carry these labels."""
        return sum(self.values(name, **labels))

    def values(self, name: str, **labels: str) -> list[float]:
        """Give the samples of a metric that carry these labels."""
        return [s.value for s in self._samples if s.name == name and labels.items() <= s.labels.items()]

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """Give the sums of a metric for each value of a label, of the samples that carry `labels`."""
        found: dict[str, float] = {}
        for sample in self._samples:
            if sample.name == name and label in sample.labels and labels.items() <= sample.labels.items():
                found[sample.labels[label]] = found.get(sample.labels[label], 0.0) + sample.value
        return found

    def quantile(self, name: str, share: float, **labels: str) -> float | None:
        """Give a quantile of a histogram as Prometheus estimates it, None of an empty one; beyond the last bound it is that bound."""
        buckets = sorted((float(bound), count) for bound, count in self.by(f"{name}_bucket", "le", **labels).items())
        if not buckets or not buckets[-1][1]:
            return None
        rank, low, below = share * buckets[-1][1], 0.0, 0.0
        for bound, count in buckets:
            if count >= rank:
                return low if isinf(bound) else low + (bound - low) * (rank - below) / (count - below)
            low, below = bound, count
        return low

    def having(self, name: str, label: str, value: float) -> set[str]:
        """Give the values of a label where the metric has this value."""
        return {s.labels[label] for s in self._samples if s.name == name and s.value == value and label in s.labels}

    def label(self, name: str, label: str) -> str:
        """Give the value of a label of a metric with one sample; empty where there is none."""
        return next((s.labels[label] for s in self._samples if s.name == name and label in s.labels), "")
