"""Wake-ups of a partition held in memory: the counterpart of a Redis sorted set."""

import heapq


class TimerQueue:
    """One instant per id, quick to change and to ask for the earliest.

    A heap whose stale entries are skipped when they surface. It is rebuilt when most of it is stale, so it
    stays within twice the live timers (and a few). What `get` took out of the heap goes back at the next `get`, if it
    is still true: whoever asks nearly always moves what it got, and then there is nothing to put back.

    >>> timers = TimerQueue()
    >>> timers.update("ann", 30)
    >>> timers.update("bob", 20)
    >>> timers.update("ann", 10)
    >>> timers.get(until_ms=25, limit=5)
    [('ann', 10), ('bob', 20)]
    """

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, bytes, str]] = []
        self._taken: list[tuple[int, bytes, str]] = []

    def update(self, customer_id: str, due_ms: int | None) -> None:
        """Set, move or (None) remove a timer."""
        if due_ms is None:
            self._due.pop(customer_id, None)
        elif self._due.get(customer_id) != due_ms:
            self._due[customer_id] = due_ms
            heapq.heappush(self._heap, (due_ms, customer_id.encode(), customer_id))
        if len(self._heap) + len(self._taken) > 2 * len(self._due) + 64:
            self._taken = []
            self._heap = [(due, key.encode(), key) for key, due in self._due.items()]
            heapq.heapify(self._heap)

    def get(self, until_ms: int, limit: int) -> list[tuple[str, int]]:
        """Return at most `limit` (id, instant) due at or before `until_ms`, earliest first."""
        for entry in self._taken:
            if self._due.get(entry[2]) == entry[0]:
                heapq.heappush(self._heap, entry)
        self._taken = found = list[tuple[int, bytes, str]]()
        while self._heap and len(found) < limit and self._heap[0][0] <= until_ms:
            entry = heapq.heappop(self._heap)
            # A timer moved away and back leaves two equal entries; they leave the heap one after the other.
            if self._due.get(entry[2]) == entry[0] and (not found or found[-1] != entry):
                found.append(entry)
        return [(customer_id, due_ms) for due_ms, _, customer_id in found]

    def __contains__(self, customer_id: str) -> bool:
        return customer_id in self._due
