"""The targets that figures are held against: `churnwatch kpi`, the metric churnwatch_kpi_target, the dashboard's lines."""

from __future__ import annotations

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting


class GoalSettings(Chapter):
    """Goals."""

    target_retention: float | None = setting(
        "Goals", None, "share", "At least so many of the active customers stay over the horizon", ge=0, le=1
    )
    target_precision: float | None = setting(
        "Goals", None, "share", "At least so many of the alerted would leave if nobody acted", ge=0, le=1
    )
    target_lead_days: float | None = setting(
        "Goals", None, "days", "From the alert to the leaving, at least so long on average", ge=0
    )
    target_acted_share: float | None = setting(
        "Goals", None, "share", "At least so many of the alerts to be treated are acted upon", ge=0, le=1
    )
    target_time_to_action_ms: Duration | None = setting(
        "Goals", None, DURATION, "From the alert to the first outcome reported, at most so long on average", ge=0
    )
    target_value_saved: float | None = setting(
        "Goals", None, "money a month", "Acting on alerts saves at least so much revenue a month", ge=0
    )

    def goals(self) -> dict[str, float]:
        """Give the targets that are set, by the names of `alerts.goals.KPIS`."""
        targets = {name.removeprefix("target_"): getattr(self, name) for name in GoalSettings.model_fields}
        return {name.removesuffix("_ms"): float(target) for name, target in targets.items() if target is not None}
