"""Who is alerted, and who is held out of treatment."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting


class AlertSettings(Chapter):
    """Alerts."""

    alert_daily_budget: float = setting(
        "Alerts",
        40.0,
        "alerts a day",
        "About how many alerts a day are opened, if so many are above a floor; thresholds follow the risks seen",
        gt=0,
    )
    alert_share_new: float = setting(
        "Alerts", 0.1, "share", "Part for customers known for less than 60 days; what is not used goes on", ge=0, le=1
    )
    alert_share_standard: float = setting("Alerts", 0.2, "share", "Part for those with few orders", ge=0, le=1)
    alert_share_loyal: float = setting("Alerts", 0.35, "share", "Part for those with 5 order days or more", ge=0, le=1)
    alert_share_high_value: float = setting("Alerts", 0.35, "share", "Part for the tenth worth most a year", ge=0, le=1)
    alert_floor_new: float = setting("Alerts", 0.5, "risk", "No alert below, new customers", ge=0, le=1)
    alert_floor_standard: float = setting("Alerts", 0.5, "risk", "No alert below, standard customers", ge=0, le=1)
    alert_floor_loyal: float = setting("Alerts", 0.3, "risk", "No alert below, loyal customers", ge=0, le=1)
    alert_floor_high_value: float = setting("Alerts", 0.3, "risk", "No alert below, high-value customers", ge=0, le=1)
    alert_earliness: float = setting(
        "Alerts",
        0.75,
        "",
        "How much change counts: a risk that has just risen is alerted below the threshold, a long silence above; 0 is not",
        ge=0,
        le=4,
    )
    alert_value_weight: float = setting(
        "Alerts",
        0.5,
        "",
        "How much value counts: who spends more than is typical is alerted at a lower risk, who spends less at a higher; 0 is not",
        ge=0,
        le=2,
    )
    alert_hysteresis: float = setting(
        "Alerts", 0.1, "risk", "How far risk must fall below the threshold for an episode to resolve", ge=0, le=1
    )
    alert_cool_down_ms: Duration = setting("Alerts", "14d", DURATION, "Rest after an episode before the next", ge=0)
    reminder_ms: Duration = setting(
        "Alerts",
        "3d",
        DURATION,
        "An alert that nobody has taken is told again after so long, twice at most, where outcomes are reported; 0 is never",
        ge=0,
    )
    alert_min_silence_ms: Duration = setting(
        "Alerts", "7d", DURATION, "Nobody is warned about sooner after the last order", ge=0
    )
    alert_min_order_days: int = setting("Alerts", 2, "days", "Days with an order before a customer can alert", ge=0)
    alert_holdout_share: float = setting(
        "Alerts",
        0.1,
        "share",
        "Part of the customers marked as not to be treated, to measure what acting brings",
        ge=0,
        le=0.5,
    )
    playbook_file: Path | None = setting(
        "Alerts",
        None,
        "TOML file",
        "The playbook: which actions are suggested when; without one the default (`churnwatch playbook show`)",
    )
    playbook_learning: bool = setting(
        "Alerts",
        False,
        "",
        "Whether what was learnt of earlier customers may move another allowed action to the front",
    )
    playbook_exploration: float = setting(
        "Alerts",
        0.1,
        "share",
        "At most so many of the opened alerts try another action than the best known, under playbook_learning",
        ge=0,
        le=0.25,
    )
    alert_salt: SecretStr = setting(
        "Alerts", SecretStr("churnwatch"), "", "Decides who is held out; keep it to yourself"
    )
