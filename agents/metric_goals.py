"""The metrics of goals and steering: what `churnwatch kpi` tells, as gauges. Declared here, computed by `agents.goal_figures`.

The worker that holds the learner exports them, over the latest three months in the ledger. A figure of too few cases has no series.
"""

from collections.abc import Mapping
from typing import Final

from agents.metric_kinds import Label, gauge
from alerts.goals import KPIS
from alerts.segments import SEGMENTS

GOAL_LABELS: Final[Mapping[str, Label]] = {
    "group": Label(("all", *SEGMENTS), "all customers, or those of one segment"),
    "horizon": Label(("90d", "365d"), "the next 3 or 12 months"),
    "at_risk": Label(("with", "without"), "with the customers at risk, or without them as if all of them left"),
    "arm": Label(("treated", "held"), "whether customers are treated or held out of treatment"),
    "bound": Label(("estimate", "low", "high"), "the figure, or an end of its interval of 95 %"),
    "kpi": Label(tuple(kpi.name for kpi in KPIS), "a figure that may have a target; spans of time are in seconds"),
}

REACHING_GOALS: Final = (
    gauge("kpi_retention_ratio", "share", "Active customers who stayed over the horizon, of those now known", "group"),
    gauge(
        "kpi_warned_retention_ratio",
        "share",
        "Likewise, of those warned about, by the top reason of the warning",
        "code",
    ),
    gauge(
        "kpi_precision_ratio",
        "share",
        "Alerted customers who left within the horizon: of those held out, or of all where those are fewer than 30",
        "group",
    ),
    gauge("kpi_lead_seconds", "seconds", "From the alert to the leaving, on average", "group"),
    gauge("kpi_alerts_acted_ratio", "share", "Alerts to be treated of which any outcome was reported", "group"),
    gauge("kpi_time_to_action_seconds", "seconds", "From the alert to the first outcome, on average", "group"),
    gauge("kpi_value_saved", "money a month", "Value saved by alerting, treated against held out", "bound"),
    gauge(
        "kpi_expected_revenue",
        "money",
        "Expected spend of the active customers, as of the latest weekly look",
        "horizon",
        "at_risk",
    ),
    gauge(
        "uplift_customers",
        "customers",
        "Customers whose trial has ended in the latest 12 months, treated or held out (`churnwatch uplift`)",
        "group",
        "arm",
    ),
    gauge(
        "uplift_retention_points",
        "points of 100",
        "By how much more of the treated stayed than of those held out, and its interval of one look",
        "group",
        "bound",
    ),
    gauge(
        "uplift_saved_amount",
        "money",
        "What the treated have spent more within the horizon than they would have, in all, and its interval",
        "group",
        "bound",
    ),
    gauge("kpi_target", "as the figure", "The target that the settings set; no series where there is none", "kpi"),
)
