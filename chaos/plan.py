"""What a seed means: which attacks, how far the work is when each begins, and how long each lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from chaos.attacks import ATTACKS, Target

MOMENTS: Final = 4
TOGETHER_SHARE: Final = 0.3
FIRST_SHARE: Final = 0.03
LAST_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Moment:
    """Attacks that begin together once that share of the log is taken in, and how long each lasts, in seconds."""

    share: float
    attacks: Sequence[tuple[str, float]]


def plan(seed: int, kinds: Sequence[str]) -> list[Moment]:
    """Decide on a round's attacks, all of different kinds as far as there are enough."""
    random = Random(seed)
    deck: list[str] = []
    moments = []
    for share in sorted(random.uniform(FIRST_SHARE, LAST_SHARE) for _ in range(MOMENTS)):
        together: list[tuple[str, float]] = []
        targets: set[Target] = set()
        for _ in range(1 + (random.random() < TOGETHER_SHARE)):
            deck = deck or random.sample(list(kinds), len(kinds))
            kind = next((kind for kind in deck if _goes_with(ATTACKS[kind].target, targets)), None)
            if kind is not None:
                deck.remove(kind)
                targets.add(ATTACKS[kind].target)
                together.append((kind, random.uniform(ATTACKS[kind].least, ATTACKS[kind].most)))
        moments.append(Moment(share, together))
    return moments


def _goes_with(target: Target, others: set[Target]) -> bool:
    return not others or (target not in others and "all" not in {target, *others})
