"""From a seed to a verdict: draw the world, run it with faults and without, and say what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from simulation.faults import NO_FAULTS, draw_faults
from simulation.shop import draw_shop
from simulation.verdict import judge
from simulation.workload import Author, Workload
from simulation.world import Run, Scene
from streams.time import DAY_MS, HOUR_MS

LIVE_SPEED_MS = 4 * DAY_MS
SKEW_MS = 3 * HOUR_MS
TAIL_DAYS = (5, 30, 75)
"""How long the clock runs on after the last record, in replay."""


@dataclass(frozen=True, slots=True)
class World:
    """What a seed stands for."""

    seed: int
    workload: Workload
    scene: Scene
    undisturbed: Scene


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a seed: `wrong` is empty where all promises held."""

    seed: int
    kind: str
    wrong: tuple[str, ...]
    struck: tuple[str, ...]
    last: tuple[str, ...]
    digest: str


def draw_world(seed: int) -> World:
    """Draw everything that happens from the seed."""
    rng = Random(f"world {seed}")
    live, learns = rng.random() < 0.15, rng.random() < 0.25
    workload = Author(rng, live=live).write()
    if live:
        until_ms = None
        end_ms = (workload.end_ms // (7 * DAY_MS) + 2) * 7 * DAY_MS + 12 * HOUR_MS
    else:
        until_ms = workload.end_ms + rng.choice(TAIL_DAYS) * DAY_MS + 7 * HOUR_MS
        end_ms = until_ms + DAY_MS
    shop = draw_shop(rng, live=live, learns=learns, until_ms=until_ms)
    scene = Scene(
        shop,
        workload.records(shop.partitions),
        workers=rng.randint(1, 3),
        faults=draw_faults(rng, SKEW_MS if live else 0),
        rng_seed=f"run {seed}",
        wall_end_ms=end_ms,
        speed_ms=LIVE_SPEED_MS if live else 0,
    )
    calm = replace(scene, shop=shop.undisturbed(), workers=1, faults=NO_FAULTS)
    return World(seed, workload, scene, calm)


def play(seed: int, *, show: Callable[[str], None] | None = None, alone: bool = False) -> Result:
    """Play a seed; `alone`: without the undisturbed run, and so by the log alone."""
    logging.disable(logging.CRITICAL)  # what workers complain of is what is done to them
    world = draw_world(seed)
    run = Run(world.scene, show).play()
    wrong = list(run.watch.violations)
    if not wrong:
        other = None if alone else Run(world.undisturbed).play()
        if other is not None and other.watch.violations:
            wrong += [f"undisturbed: {what}" for what in other.watch.violations]
        else:
            wrong += judge(run, world.workload, other)
    shop = world.scene.shop
    kind = f"{'live' if shop.live else 'replay'}, {'learning' if shop.learns else 'frozen'}"
    return Result(seed, kind, tuple(wrong), tuple(run.faults.struck), tuple(run.trace.last), run.trace.digest)
