"""What all workers of a run are configured with: production settings and parts, cut small so that every bound is met."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Final

from agents.limits import StepLimits
from agents.pipeline import Pipeline
from churnwatch import compose
from churnwatch.settings import Settings
from features.catalog import INDEX
from models.guide import Guide, Linear
from models.learner import Learner
from models.question import MONDAY_MS
from streams.codec import Limits
from streams.time import DAY_MS

START_MS: Final = MONDAY_MS + 1_400 * 7 * DAY_MS
"""A Monday on which the question is asked."""

VALUE_BYTES_MAX: Final = 2_048
REPLAY_IDLE_SECONDS: Final = 0.25
LIVE_IDLE_SECONDS: Final = 0.4


def silence_guide() -> Guide:
    """A ready model that looks at silence alone: risk .5 after a week or so, .8 after a month."""
    logistic, within = [0.0] * len(compose.NAMES), [0.0] * len(compose.NAMES)
    logistic[INDEX["order_silence_days"]] = 1.1
    within[INDEX["order_silence_days"]] = 0.22
    return Guide(
        version=1,
        learnt_until_ms=0,
        examples=1_000,
        base_rate=0.5,
        ready=True,
        names=compose.NAMES,
        scales=compose.SCALES,
        means=(0.0,) * len(compose.NAMES),
        logistic=Linear(-2.3, tuple(logistic)),
        within=Linear(0.05, tuple(within)),
    )


@dataclass(frozen=True)
class Shop:
    """The configuration of a run.

    Attributes:
        live: the wall's clock once caught up; else replay.
        learns: whether there is a learner; else a frozen model.
        partitions: of every input topic.
        until_ms: in replay, where the clock ends.
        events, wakes, cache, outbox, buffer_bytes: bounds of a step and of what is held.
        fetch_max: records of a chunk; batches_max: example batches of a learner's turn.
        horizon_days: the question's.
    """

    live: bool
    learns: bool
    partitions: int
    until_ms: int | None
    events: int = 500
    wakes: int = 500
    cache: int = 1_000
    outbox: int = 1_000
    buffer_bytes: int = 1 << 20
    fetch_max: int = 500
    batches_max: int = 500
    horizon_days: int = 21
    settings: Settings = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Built without validation, which would read the environment: a run is a function of its seed alone.
        settings = Settings.model_construct(
            clock="live" if self.live else "replay",
            learning_enabled=self.learns,
            lateness_ms=DAY_MS,
            horizon_ms=self.horizon_days * DAY_MS,
            active_ms=42 * DAY_MS,
            model_interval_ms=14 * DAY_MS,
            min_labels=12,
            chunk_events_max=self.events,
            wakes_per_step_max=self.wakes,
            cache_customers_max=self.cache * self.partitions,
            outbox_max=self.outbox,
            buffer_bytes_max=self.buffer_bytes,
            value_bytes_max=VALUE_BYTES_MAX,
            alert_floor_new=0.3,
            alert_floor_standard=0.3,
            alert_floor_loyal=0.3,
            alert_floor_high_value=0.3,
            alert_min_silence_ms=2 * DAY_MS,
            alert_cool_down_ms=5 * DAY_MS,
            alert_holdout_share=0.3,
        )
        object.__setattr__(self, "settings", settings)

    @cached_property
    def topics(self) -> list[str]:
        """All topics that workers read."""
        return [*self.inputs, self.examples] if self.learns else list(self.inputs)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The input topics."""
        return tuple(self.settings.topics().inputs.values())

    @cached_property
    def examples(self) -> str:
        """The example topic."""
        return self.settings.topics().examples

    def stream_of(self, topic: str) -> str:
        """The stream that an input topic carries."""
        return self._streams[topic]

    @cached_property
    def _streams(self) -> dict[str, str]:
        return {topic: stream for stream, topic in self.settings.topics().inputs.items()}

    @property
    def lateness_ms(self) -> int:
        """How far events may come behind the newest."""
        return self.settings.lateness_ms

    @cached_property
    def epoch_ms(self) -> int | None:
        """Event time between two models in replay."""
        return compose.epoch_ms(self.settings)

    @cached_property
    def guide(self) -> Guide:
        """The model at the start: a frozen one, or one that has seen nothing."""
        return compose.first_guide() if self.learns else silence_guide()

    @cached_property
    def decoding(self) -> Limits:
        """The codec's limits."""
        return Limits(VALUE_BYTES_MAX, self.settings.future_tolerance_ms)

    @cached_property
    def limits(self) -> StepLimits:
        """The bounds of a step."""
        limits = compose.step_limits(self.settings, self.partitions)
        if self.live:
            return replace(limits, idle_seconds=LIVE_IDLE_SECONDS, mark_every_ms=2 * DAY_MS)
        return replace(limits, idle_seconds=REPLAY_IDLE_SECONDS)

    def pipeline(self) -> Pipeline:
        """The pure core."""
        return compose.pipeline(self.settings)

    def learner(self) -> Learner:
        """A learner that has seen nothing."""
        return compose.learner(self.settings)

    def undisturbed(self) -> Shop:
        """The same shop with nothing cut small: what comes of a log must not depend on that."""
        return Shop(self.live, self.learns, self.partitions, self.until_ms, horizon_days=self.horizon_days)


def draw_shop(rng: Random, *, live: bool, learns: bool, until_ms: int | None) -> Shop:
    """Choose how small things are cut."""
    return Shop(
        live,
        learns,
        partitions=rng.choice((1, 2, 2, 3)),
        until_ms=until_ms,
        events=rng.choice((6, 20, 60)),
        wakes=rng.choice((2, 10, 100)),
        cache=rng.choice((1, 2, 100)),
        outbox=rng.choice((4, 30, 1_000)),
        buffer_bytes=rng.choice((1 << 13, 1 << 15, 1 << 20)),
        fetch_max=rng.choice((6, 20, 60)),
        batches_max=rng.choice((2, 500)),
    )
