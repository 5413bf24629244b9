"""The model: how far to trust it, how that has changed, by segment, drift, champion and challengers, versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.modelling import Models
from console.replies import away, board_of, missing, page
from models.candidates import Promotion
from models.measures import ECE_BINS
from models.store import Record
from streams.errors import ChurnwatchError

FIGURES: Final = ("weekly_auc", "auc", "rule_auc", "log_loss", "ece", "lift_10", "base_rate")
VERSIONS_MAX: Final = 50
SERIES: Final = ("weekly_auc", "auc", "rule_auc")
"""Drawn over time, between 0.5 (no better than lots) and 1."""


async def show(request: Request) -> Response:
    """Show the model that scores now."""
    found = await _found(request)
    if isinstance(found, Response):
        return found
    if found is None:
        return page(request, "model.html", models=None)
    standing = found.guide.standing
    return page(
        request,
        "model.html",
        models=found,
        standing=standing,
        figures=[name for name in FIGURES if f"recent_{name}" in found.guide.quality or name in found.guide.quality],
        bins=ECE_BINS,
        warnings=standing.drift.warnings(),
        moved=sorted(standing.drift.inputs.items(), key=lambda entry: -entry[1])[:10],
        versions=versions(found.history, standing.promotions)[:VERSIONS_MAX],
        kept={version for _, version in found.head.guides},
    )


async def series(request: Request) -> Response:
    """Answer with the figures over time: seconds of event time, and a list for each of `SERIES`."""
    found = await _found(request)
    if isinstance(found, Response):
        return found
    return await missing(request, KeyError()) if found is None else JSONResponse(drawn(found.history))


def drawn(history: Sequence[Record]) -> dict[str, Any]:
    """Return the figures of the latest weeks as of each version, null where one was not defined."""
    return {"at": [record.learnt_until_ms // 1000 for record in history]} | {
        name: [record.quality.get(f"recent_{name}", record.quality.get(name)) for record in history] for name in SERIES
    }


@dataclass(frozen=True, slots=True)
class Version:
    """A version, the one before it (None for the oldest known), and the change of champion that came with it, if one did."""

    record: Record
    before: Record | None
    promotion: Promotion | None


def versions(history: Sequence[Record], promotions: Sequence[Promotion]) -> list[Version]:
    """Return the versions with what is to be noted of each, the newest first."""
    changes = {promotion.at_ms: promotion for promotion in promotions}
    told = [
        Version(record, before, changes.get(record.learnt_until_ms))
        for before, record in zip([None, *history], history, strict=False)
    ]
    return told[::-1]


async def _found(request: Request) -> Models | Response | None:
    try:
        return await board_of(request).library.models()
    except ChurnwatchError as error:  # Redis is away, or the model is of a newer schema, or forged
        return away(request, str(error))
