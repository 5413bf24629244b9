"""The worker's web port: /metrics, /healthz and /readyz. They answer from what the worker knows and touch nothing outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import faust
from faust.web import Request, Response, View

from agents.health import Verdict
from agents.metrics import CONTENT_TYPE

MEDIA_TYPE = CONTENT_TYPE.split(";")[0]  # aiohttp adds the charset itself


@dataclass(frozen=True, slots=True)
class Answers:
    """Where the routes get their answers."""

    metrics: Callable[[], bytes]
    health: Callable[[], Verdict]
    readiness: Callable[[], Verdict]


def add_routes(app: faust.App, answers: Answers) -> None:
    """Serve the three routes on Faust's web server."""

    @app.page("/metrics", name="churnwatch-metrics")
    async def metrics(self: View, request: Request) -> Response:  # noqa: ARG001 - Faust's signature
        return self.bytes(answers.metrics(), content_type=MEDIA_TYPE)

    @app.page("/healthz", name="churnwatch-healthz")
    async def healthz(self: View, request: Request) -> Response:  # noqa: ARG001 - Faust's signature
        return _told(self, answers.health())

    @app.page("/readyz", name="churnwatch-readyz")
    async def readyz(self: View, request: Request) -> Response:  # noqa: ARG001 - Faust's signature
        return _told(self, answers.readiness())


def _told(view: View, verdict: Verdict) -> Response:
    return view.bytes(verdict.as_json(), content_type="application/json", status=verdict.http_status)
