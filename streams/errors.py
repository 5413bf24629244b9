"""Everything that Churnwatch raises by name. Each message says what is wrong, where, and what to do.

ChurnwatchError
├── ConfigError          a setting, a playbook or a topic layout cannot be used as it is
├── InputFileError       a line of an input file cannot be used; names file and line
├── TransportError       Kafka does not answer, or does not hold what the state says it should
└── StateError           the stored state cannot be used
    ├── FenceLost        another writer has changed it: this one must read anew or stop
    ├── StoreUnavailable the store does not answer or refuses for now: wait and try again
    │   ├── LogUnavailable   nor does Kafka what must be known before the state can go on
    │   └── NotOpened        it answers, but no worker has yet stored what is waited for
    ├── CommitUnknown    the connection broke during a commit: read anew to learn whether it was applied
    ├── NewerSchema      a newer Churnwatch wrote it
    └── Corrupt          it is not what Churnwatch writes
"""

from __future__ import annotations


class ChurnwatchError(Exception):
    """The root: catch it to tell Churnwatch's own errors, which are worded for people, from bugs."""


class ConfigError(ChurnwatchError):
    """A setting, a playbook or a topic layout cannot be used as it is."""


class InputFileError(ChurnwatchError):
    """A line of an input file cannot be used.

    >>> str(InputFileError("orders.jsonl", 12, "not JSON"))
    'orders.jsonl:12: not JSON'
    """

    def __init__(self, path: object, line: int | None, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


class TransportError(ChurnwatchError):
    """Kafka does not answer, or does not hold what the state says it should."""


class StateError(ChurnwatchError):
    """The stored state cannot be used."""


class FenceLost(StateError):
    """Another writer has changed the state since it was read: read it anew, or stop."""


class StoreUnavailable(StateError):
    """The store cannot be reached or refuses for now: wait and make the same call again, a commit too."""


class LogUnavailable(StoreUnavailable):
    """Kafka does not answer what must be known before a partition's state can go on: wait and ask again."""


class NotOpened(StoreUnavailable):
    """No worker has opened a partition yet whose state must be known: wait and ask again."""


class CommitUnknown(StateError):
    """The connection was lost while a commit was under way: open the store again to learn whether it was applied."""


class NewerSchema(StateError):
    """A newer Churnwatch wrote this value: upgrade this one rather than lose what it does not know."""


class Corrupt(StateError):
    """A stored value is not what Churnwatch writes."""
