"""`churnwatch model`: which model scores, how good it was, and going back to an earlier one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json, say_table
from streams.errors import StateError
from streams.time import iso

if TYPE_CHECKING:
    from models.candidates import Promotion
    from models.guide import Guide
    from models.redis_store import RedisLearnerStore
    from models.store import Head, Record

app = typer.Typer(help="See the model, its history and its quality; go back to an earlier one.", no_args_is_help=True)


@asynccontextmanager
async def _store() -> "AsyncIterator[RedisLearnerStore]":
    from churnwatch.learner_access import open_learner_store
    from churnwatch.redis_client import open_redis

    settings = load_settings()
    async with open_redis(settings) as client:
        store = open_learner_store(client, settings)
        try:
            yield store
        finally:
            await store.close()


@app.command()
def show(
    version: Annotated[
        int | None,
        typer.Argument(metavar="[VERSION]", help="Which of those kept; left out: the one that scores.", min=1),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show a model: how far to trust it, how good its predictions were, who its challengers are, where alerts begin.

    Try:

    - `churnwatch model show --json | jq .verdict`

    - `churnwatch model show 41`, the version that an alert names in `model.version`
    """
    from churnwatch.model_told import guide_told, say_guide

    head, guide = asyncio.run(_guide(version))
    if as_json:
        say_json(guide_told(head, guide))
    else:
        say_guide(head, guide)


async def _guide(version: int | None) -> "tuple[Head, Guide]":
    from models.guide import decode_guide
    from models.store import check_kept

    async with _store() as store:
        head = await store.head()
        if version is not None:
            check_kept(head, version)
        value = await store.guide(version or head.pinned or head.version)
    if value is None:
        raise StateError("there is no model yet: the first one comes when labels have matured and a worker has run")
    return head, decode_guide(value)


@app.command()
def history(
    *, limit: Annotated[int, typer.Option(min=1, max=500, help="The newest so many.")] = 20, as_json: Json = False
) -> None:
    """List the newest models, oldest first, with recipe, verdict and quality at the time, and who became champion when.

    Those marked `kept` can be shown, and gone back to.
    """
    from churnwatch.model_told import FIGURES, cells, promotions_told, record_told, say_changes

    head, records, promotions = asyncio.run(_history())
    records = records[-limit:]
    kept = {version for _, version in head.guides}
    if as_json:
        told = [record_told(record, kept=record.version in kept) for record in records]
        say_json({"pinned": head.pinned, "models": told, "promotions": promotions_told(promotions)})
        return
    names = [name for name in FIGURES if any(name in record.quality for record in records)]
    rows = [
        (
            record.version,
            iso(record.learnt_until_ms),
            record.examples,
            _mark(record, head, kept),
            record.recipe,
            record.band.replace("_", " "),
            *cells(record.quality, names),
        )
        for record in records
    ]
    say_table("Models", ("version", "learnt until", "examples", "", "recipe", "verdict", *names), rows)
    say_changes(promotions)


async def _history() -> "tuple[Head, list[Record], list[Promotion]]":
    from models.guide import decode_guide

    async with _store() as store:
        head = await store.head()
        newest = await store.guide(head.version)
        promotions = [] if newest is None else decode_guide(newest).standing.promotions
        return head, await store.history(), promotions


def _mark(record: "Record", head: "Head", kept: set[int]) -> str:
    if record.version == head.pinned:
        return "pinned"
    return "kept" if record.version in kept else ""


@app.command()
def rollback(
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="Which; left out: the one before the newest.", min=1)
    ] = None,
    *,
    newest: Annotated[bool, typer.Option("--newest", help="Undo it: score with the newest again.")] = False,
    pin: Annotated[
        bool, typer.Option("--pin", help="Stay with the model that scores now, whatever is learnt.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make all workers score with an earlier model, within seconds. Learning goes on meanwhile.

    Try:

    - `churnwatch model history`, then `churnwatch model rollback 41`

    - `churnwatch model rollback --pin` to stay with the one that scores now, during a campaign, say

    - `churnwatch model rollback --newest` to undo either
    """
    if newest + pin + (version is not None) > 1:
        raise typer.BadParameter("give VERSION, --newest or --pin, not both")
    pinned = asyncio.run(_rollback(version, newest=newest, pin=pin))
    if as_json:
        say_json({"pinned": pinned})
    elif pinned is None:
        say("The newest model scores again.")
    else:
        say(f"Model {pinned} scores from now on; `churnwatch model rollback --newest` undoes it.")


async def _rollback(version: int | None, *, newest: bool, pin: bool) -> int | None:
    async with _store() as store:
        head = await store.head()
        if pin:
            version = head.pinned or head.version
            if not version:
                raise StateError("there is no model yet that could be pinned: see `churnwatch model show`")
        elif not newest and version is None:
            earlier = [kept for _, kept in head.guides if kept < (head.pinned or head.version)]
            if not earlier:
                raise StateError("there is no earlier model to go back to; see `churnwatch model history`")
            version = earlier[-1]
        await store.set_pinned(None if newest else version)
    return None if newest else version
