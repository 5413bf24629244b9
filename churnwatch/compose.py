"""Settings made into the parts that the inner rooms are built from. The worker and the backtest are put together here alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from agents.announce import Herald
from agents.limits import StepLimits
from agents.look import Desk
from agents.pipeline import Pipeline
from agents.wakeups import Keeping
from alerts.ledger import Books
from alerts.play_sums import PlaySums
from alerts.policy import Policy
from churnwatch.playbook_file import playbook_in_force
from churnwatch.settings import Settings
from features.catalog import CATALOG, INDEX
from features.tiles import RETENTION_DAYS
from models.candidates import Contest
from models.examiner import Examiner
from models.guide import Guide, decode_guide, initial_guide
from models.learner import Learner
from models.question import Question
from models.rule import RuleInputs
from streams.errors import ConfigError
from streams.time import DAY_MS

NAMES = tuple(feature.name for feature in CATALOG)
SCALES = tuple(feature.scale for feature in CATALOG)
LIVE_MARK_MS = 5_000
WAITING_MAX = 50_000
"""Examples that wait in a worker's learner for other partitions; about 30 MB."""


def question(settings: Settings) -> Question:
    """The question that the model answers."""
    anchor = datetime.combine(settings.snapshot_anchor, datetime.min.time(), UTC)
    return Question(
        horizon_days=settings.horizon_ms // DAY_MS,
        active_days=settings.active_ms // DAY_MS,
        snapshot_days=settings.snapshot_ms // DAY_MS,
        anchor_ms=int(anchor.timestamp()) * 1000,
        churn_on=settings.churn_on,
    )


def policy(settings: Settings) -> Policy:
    """The figures that alerting goes by."""
    return Policy(
        floors={
            "new": settings.alert_floor_new,
            "standard": settings.alert_floor_standard,
            "loyal": settings.alert_floor_loyal,
            "high_value": settings.alert_floor_high_value,
        },
        shares={
            "new": settings.alert_share_new,
            "standard": settings.alert_share_standard,
            "loyal": settings.alert_share_loyal,
            "high_value": settings.alert_share_high_value,
        },
        earliness=settings.alert_earliness,
        value_weight=settings.alert_value_weight,
        hysteresis=settings.alert_hysteresis,
        cool_down_ms=settings.alert_cool_down_ms,
        min_silence_ms=settings.alert_min_silence_ms,
        reminder_ms=settings.reminder_ms,
        min_order_days=settings.alert_min_order_days,
        daily_budget=settings.alert_daily_budget,
        holdout_share=settings.alert_holdout_share,
        salt=settings.alert_salt.get_secret_value(),
    )


def pipeline(settings: Settings, held: Callable[[], bool] = lambda: False, heralds: type[Herald] = Herald) -> Pipeline:
    """The pure core, as these settings want it; `held` as in `Desk`, and `heralds` tell of what is found."""
    topics = settings.topics()
    asked = question(settings)
    sign = "order" if settings.churn_on == "orders" else "sign of life"
    herald = heralds(
        playbook_in_force(settings.playbook_file),
        sign,
        topics.alerts,
        topics.scores,
        asked.horizon_days,
        settings.playbook_exploration if settings.playbook_learning else None,
    )
    desk = Desk(policy(settings), herald, asked, held)
    # A day and the lateness are kept back, so that no record lands on a day whose tile is already folded away.
    retention_ms = (RETENTION_DAYS - 1) * DAY_MS - settings.lateness_ms
    return Pipeline(desk, asked, Keeping(retention_ms, settings.lateness_ms, settings.expiry_ms))


def epoch_ms(settings: Settings) -> int | None:
    """Event time between two guides in replay; None where the clock is live or nothing is learnt."""
    return settings.model_interval_ms if settings.clock == "replay" and settings.learning_enabled else None


def learner(settings: Settings, waiting_max: int = WAITING_MAX) -> Learner:
    """A learner that has seen nothing; at most `waiting_max` examples wait in it."""
    plays = PlaySums(playbook_in_force(settings.playbook_file), learns=settings.playbook_learning)
    return Learner(
        NAMES,
        SCALES,
        extra=Books(policy(settings), plays),
        grid_ms=epoch_ms(settings),
        min_labels=settings.min_labels,
        waiting_max=waiting_max,
        examiner=_examiner(settings),
    )


def _examiner(settings: Settings) -> Examiner:
    return Examiner(
        NAMES,
        SCALES,
        question=question(settings),
        rule=RuleInputs(INDEX["order_silence_days"], INDEX["gap_mean_days"], INDEX["order_days"]),
        grid_ms=epoch_ms(settings),
        contest=Contest(
            settings.model_promotion,
            settings.model_recipe,
            settings.model_promotion_margin,
            settings.model_promotion_labels,
        ),
        # Tenure, gaps and sums over a life grow by themselves with the age of the log.
        warning=[feature.name for feature in CATALOG if feature.window_days is not None],
    )


def first_guide() -> Guide:
    """The guide from before anything was learnt."""
    return initial_guide(NAMES, SCALES)


def frozen_guide(settings: Settings) -> Guide | None:
    """The model that `CHURNWATCH_MODEL_FILE` names; None where none is named.

    Raises ConfigError where the file cannot be read, StateError where it is no model.
    """
    path = settings.model_file
    if path is None:
        return None
    try:
        return decode_guide(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"CHURNWATCH_MODEL_FILE={path}: {error.strerror}; write one with `backtest --save-model`"
        ) from error


def step_limits(settings: Settings, partitions: int) -> StepLimits:
    """The bounds of a step, for a worker that may come to hold all of `partitions`."""
    return StepLimits(
        events_max=settings.chunk_events_max,
        bytes_max=settings.chunk_bytes_max,
        wakes_max=settings.wakes_per_step_max,
        buffer_bytes_max=settings.buffer_bytes_max,
        cache_max=max(1, settings.cache_customers_max // partitions),
        outbox_max=settings.outbox_max,
        partitions=partitions,
        examples_topic=settings.topics().examples,
        idle_seconds=0.05 if settings.clock == "replay" else 0.5,
        mark_every_ms=settings.model_interval_ms if settings.clock == "replay" else LIVE_MARK_MS,
    )
