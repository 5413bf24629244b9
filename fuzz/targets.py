"""All targets, in the order in which they are attacked: what may take much memory last, so that its peak hides nobody else's."""

from __future__ import annotations

import math
from functools import lru_cache

from fuzz.file_targets import file_targets
from fuzz.input_targets import input_targets
from fuzz.model_targets import model_targets
from fuzz.oracle import Target
from fuzz.samples import samples
from fuzz.state_targets import state_targets
from streams.errors import ConfigError


@lru_cache(maxsize=1)
def all_targets() -> dict[str, Target]:
    """Return every target by name; takes a few seconds the first time, for the samples are made here."""
    made = samples()
    found = [*input_targets(made), *state_targets(made), *model_targets(made), *file_targets(made)]
    return {target.name: target for target in sorted(found, key=lambda target: target.memory_bytes_max)}


def chosen(name: str | None) -> list[Target]:
    """Return the targets meant: all, or the one of that name; raises ConfigError where there is none."""
    targets = all_targets()
    if name is None:
        return list(targets.values())
    if name not in targets:
        raise ConfigError(f"there is no target {name!r}: use one of {', '.join(targets)}")
    return [targets[name]]


def shares(targets: list[Target], inputs: int) -> list[int]:
    """Return how many of the inputs each target gets; one at least, and together no fewer than `inputs`."""
    total = sum(target.share for target in targets)
    return [max(1, math.ceil(inputs * target.share / total)) for target in targets]
