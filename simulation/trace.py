"""What happened, in order: the last lines for people, a digest of all of them for the question whether two runs are the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from hashlib import blake2b

LINES_KEPT = 60


class Trace:
    """Lines of (virtual time, who, what); `show` sees each as it comes, None for nobody."""

    def __init__(self, clock: Callable[[], float], show: Callable[[str], None] | None = None) -> None:
        self._clock = clock
        self._show = show
        self._hash = blake2b(digest_size=8)
        self.last: deque[str] = deque(maxlen=LINES_KEPT)

    def __call__(self, who: str, what: str) -> None:
        """Note that something has happened."""
        line = f"{self._clock():9.3f} {who:<9} {what}"
        self._hash.update(line.encode())
        self.last.append(line)
        if self._show is not None:
            self._show(line)

    @property
    def digest(self) -> str:
        """Sixteen hex characters: the same for the same lines."""
        return self._hash.hexdigest()
