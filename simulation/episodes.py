"""The grammar of alerts, as a consumer of the topic sees it who drops the ids that it knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Episodes:
    """Takes alerts as they come; `broken` is told what is wrong."""

    def __init__(self, broken: Callable[[str], None]) -> None:
        self._broken = broken
        self.contents: dict[str, bytes] = {}
        """Every alert by its id, as it first came."""

        self.ids: dict[str, list[str]] = {}
        """By customer, in the order in which they first came."""

        self.alerts: dict[str, list[dict[str, Any]]] = {}
        self.is_strict = True
        """Whether alerts that are found anew must be the same: live, and with a model that begins anew, they need not."""

        self._open: dict[str, str] = {}
        self._closed: set[str] = set()
        self._lost: dict[str, str] = {}
        """By customer, the episode that ended in `churned`, until their return closes the case."""

    def alert(self, key: bytes | None, value: bytes | None) -> None:
        """An alert has come, perhaps again."""
        told = json.loads(value or b"")
        customer, name = told["customer_id"], told["alert_id"]
        if key != customer.encode():
            self._broken(f"alerts: {name} has the key {key!r}, its customer is {customer}")
        known = self.contents.setdefault(name, value or b"")
        if known != value and self.is_strict:
            self._broken(f"alerts: {name} has two contents: {known!r} and {value!r}")
        if name in self.ids.get(customer, ()):
            return
        self.ids.setdefault(customer, []).append(name)
        self.alerts.setdefault(customer, []).append(told)
        self._follow(customer, told["episode_id"], told["kind"])

    def _follow(self, customer: str, episode: str, kind: str) -> None:
        if not self.is_strict:
            return
        now_open = self._open.get(customer)
        lost = self._lost.pop(customer, None)
        if kind == "resolved" and now_open is None and lost == episode:
            return
        if kind == "opened":
            if now_open is not None or episode in self._closed:
                self._broken(f"alerts: {customer}: an episode opens while {now_open} is open, or opens again")
            self._open[customer] = episode
            return
        alone = kind == "churned" and now_open is None and episode not in self._closed  # an explicit cancellation
        if now_open != episode and not alone:
            self._broken(f"alerts: {customer}: {kind} of {episode}, open is {now_open}")
        if kind == "churned":
            self._lost[customer] = episode
        if kind in ("resolved", "churned"):
            self._open.pop(customer, None)
            self._closed.add(episode)

    def is_open(self, customer: str) -> bool:
        """Whether an episode is open by what was said."""
        return customer in self._open
