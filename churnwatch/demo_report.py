"""What the demo has to say at the end: the books, the learning, the alerts, and who to call first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from agents.metric_catalog import LABELS
from alerts.alert import Alert, decode
from churnwatch.terminal import say, say_table
from models.verdict import judge
from streams.time import DAY_MS, parse_instant

if TYPE_CHECKING:
    from churnwatch.scrape import Scrape

TOP: Final = 10
EVIDENCE_MAX: Final = 70


@dataclass(slots=True)
class Heard:
    """The alerts heard so far: ids, counts, the open ones by customer, and how long before the end warnings came."""

    ids: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    segments: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    open: dict[str, Alert] = field(default_factory=dict)
    lead_days: list[float] = field(default_factory=list)
    _opened_ms: dict[str, int] = field(default_factory=dict)

    def take(self, value: bytes) -> None:
        """Count one message; one that was heard before (a redelivery) changes nothing."""
        alert = decode(value)
        if alert.alert_id in self.ids:
            return
        self.ids.add(alert.alert_id)
        self.kinds[alert.kind] += 1
        at_ms = parse_instant(alert.raised_at)
        if alert.kind == "opened":
            self._opened_ms[alert.episode_id] = at_ms
            self.bands[alert.band] += 1
            self.segments[alert.segment] += 1
            self.reasons[alert.reasons[0].code if alert.reasons else "none"] += 1
        if alert.kind in ("opened", "escalated"):
            self.open[alert.customer_id] = alert
            return
        self.open.pop(alert.customer_id, None)
        opened_ms = self._opened_ms.pop(alert.episode_id, None)
        if alert.kind == "churned" and opened_ms is not None:
            self.lead_days.append((at_ms - opened_ms) / DAY_MS)


def report(scrape: Scrape, heard: Heard, published: int) -> None:
    """Say it all."""
    _books(scrape, published)
    _learning(scrape)
    _alerts(heard)
    _top(heard)
    say(
        "\nTry next:\n"
        "  churnwatch backtest data/cdnow.jsonl.gz     the same log offline, without Kafka and Redis\n"
        "  make services-up                            a Kafka and a Redis to play with, then:\n"
        "  churnwatch topics create && churnwatch publish FILE && churnwatch worker\n"
        "  churnwatch --help                           everything else"
    )


def _books(scrape: Scrape, published: int) -> None:
    outcomes = ("read", "applied", "duplicate", "late", "dead_lettered")
    counts = {outcome: int(scrape.sum("churnwatch_events_total", outcome=outcome)) for outcome in outcomes}
    balanced = counts["read"] == published == sum(counts[outcome] for outcome in outcomes[1:])
    say_table(
        "Events: what was published is what was read, and all of it is accounted for"
        if balanced
        else "Events DO NOT ADD UP",
        ("published", *outcomes),
        [[f"{published:,}", *(f"{counts[outcome]:,}" for outcome in outcomes)]],
    )


def _learning(scrape: Scrape) -> None:
    figures = {
        name: next(iter(scrape.values("churnwatch_model_quality", metric=name, window="all")), None)
        for name in ("auc", "log_loss", "ece", "base_rate")
    }
    said = [f"{value:.4f}" if value is not None else "-" for value in figures.values()]
    churned = int(scrape.sum("churnwatch_examples_total", label="churned"))
    stayed = int(scrape.sum("churnwatch_examples_total", label="stayed"))
    say_table(
        "\nLearnt from the truth as it came in, judged on what had been said before (prequential)",
        ("customers", "outcomes", "churned", "stayed", "ROC AUC", "log loss", "ECE", "base rate"),
        [
            [
                f"{int(scrape.sum('churnwatch_customers')):,}",
                f"{churned + stayed:,}",
                f"{churned:,}",
                f"{stayed:,}",
                *said,
            ]
        ],
    )
    verdict = judge({f"recent_{name}": value for name, value in _recent(scrape)})
    say(f"How far to trust it: {verdict.words.upper()}. {verdict.reason}")


def _recent(scrape: Scrape) -> Iterator[tuple[str, float]]:
    for name in LABELS["metric"].values:
        for value in scrape.values("churnwatch_model_quality", metric=name, window="recent"):
            yield name, value


def _alerts(heard: Heard) -> None:
    lead = f"median {median(heard.lead_days):.0f} days" if heard.lead_days else "no warned customer has gone yet"
    say(
        f"\nAlerts: {_counts(heard.kinds)}\n"
        f"  opened by band     {_counts(heard.bands)}\n"
        f"  opened by segment  {_counts(heard.segments)}\n"
        f"  opened by reason   {_counts(heard.reasons)}\n"
        f"  lead time          {lead} from the warning to the day the customer counts as gone"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1])) or "none"


def _top(heard: Heard) -> None:
    most = sorted(heard.open.values(), key=lambda alert: (-alert.value_at_risk.amount, alert.customer_id))[:TOP]
    rows = [
        (
            alert.customer_id,
            f"{alert.value_at_risk.amount:,.0f} {alert.value_at_risk.currency or ''}".strip(),
            f"{alert.risk:.2f}",
            alert.band,
            alert.segment,
            _cut(alert.reasons[0].evidence if alert.reasons else ""),
            alert.actions[0].title if alert.actions else ("held out of treatment" if alert.holdout else "-"),
        )
        for alert in most
    ]
    columns = ("customer", "at stake in a year", "risk", "band", "segment", "why", "what to do")
    say_table(
        f"\nThe {len(rows)} customers at risk with the most at stake, of {len(heard.open):,} open warnings",
        columns,
        rows,
    )


def _cut(text: str) -> str:
    return text if len(text) <= EVIDENCE_MAX else text[: EVIDENCE_MAX - 1] + "…"
