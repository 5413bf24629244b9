"""The learner's shell: example batches in from Kafka, guides out through the learner's store.

1. Batches are taken in as they come, in offset order (`Learner.absorb` drops what it has seen).
2. Whatever has become certain is learnt, and guides are cut (`Learner.advance`).
3. ONE transaction stores the learner's state, the offset that it reflects and the new guides; compare-and-set, like a partition's.
4. Workers follow: this one at once, the others by reading the head of the store (`follow`).

The example topic has one partition, so there is one learner; a second one (a zombie) is refused by the compare-and-set.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agents.guides import GuideBook
from features.store import CommitUnknown, StoreUnavailable
from models.guide import Guide, decode_guide
from models.labels import decode_batch
from models.learner import Learner
from models.store import Head, LearnerStore
from streams.codec import RawRecord
from streams.errors import Corrupt, FenceLost

log = logging.getLogger("churnwatch.learner")

BATCHES_MAX = 500
