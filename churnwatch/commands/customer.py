"""`churnwatch customer`: what is known of one customer, and why the risk is what it is."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnwatch.commands.options import CustomerId, Json, instant_ms
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json, say_table
from streams.errors import StateError
from streams.time import iso

if TYPE_CHECKING:
    from agents.record import Customer
    from churnwatch.inspection import Found, Inspection


def customer(
    customer_id: CustomerId,
    *,
    at: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Score as of then, as if they stayed silent (default: the last look)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a customer's state, features, score, reasons and episode.

    Try:

    - `churnwatch customer 00042`

    - `churnwatch customer 00042 --at 1998-06-01T00:00:00Z --json | jq .reasons`
    """
    from churnwatch.inspection import find, inspect

    settings = load_settings()
    found = asyncio.run(find(settings, customer_id))
    known = found.customer
    if known is None:
        raise StateError(
            f"nothing is known of customer {customer_id!r} (partition {found.partition}): is the id right, "
            f"is a worker running, has it read that far?"
        )
    at_ms = known.as_of_ms if at is None else instant_ms(at)
    if at_ms < known.as_of_ms:
        raise typer.BadParameter(f"the state has moved on to {iso(known.as_of_ms)}; choose a later instant")
    seen = inspect(known, found.guide, settings.churn_on, at_ms)
    told = _told(customer_id, found, known, seen)
    if as_json:
        say_json(told)
    else:
        _draw(told, seen)


def _told(customer_id: str, found: "Found", known: "Customer", seen: "Inspection") -> dict[str, Any]:
    import msgspec

    from churnwatch.inspection import episode_of, state_of
    from churnwatch.worth import worth_of

    worth = worth_of(known, found.guide, [value for _, value, _ in seen.features], seen.risk)
    return {
        "customer_id": customer_id,
        "partition": found.partition,
        "as_of": iso(seen.at_ms),
        "risk": round(seen.risk, 4),
        "basis": seen.basis,
        "model": {"version": found.guide.version, "examples": found.guide.examples},
        "reasons": [msgspec.to_builtins(reason) for reason in seen.reasons],
        "worth": msgspec.to_builtins(worth),
        "episode": episode_of(known),
        "state": state_of(known),
        "features": {
            feature.name: {"value": value, "unit": feature.unit, "contribution": share, "meaning": feature.meaning}
            for feature, value, share in seen.features
        },
    }


def _draw(told: dict[str, Any], seen: "Inspection") -> None:
    said = f"model {told['model']['version']}" if seen.basis == "model" else "the silence rule (too few labels yet)"
    say(f"Customer {told['customer_id']}, partition {told['partition']}")
    say(f"Risk {seen.risk:.2f} as of {told['as_of']}, by {said}")
    for reason in seen.reasons:
        say(f"  {reason.weight:4.0%} {reason.code}: {reason.evidence}")
    for line in told["worth"]["words"]:
        say(line)
    for title, part in (("Episode", told["episode"]), ("State", told["state"])):
        rows = [(name.replace("_", " "), "" if value is None else value) for name, value in (part or {}).items()]
        if rows:
            say_table(title, ("", ""), rows)
        else:
            say(f"{title}: none so far")
    strongest = sorted(seen.features, key=lambda entry: -abs(entry[2]))
    lines = [(f.name, f"{value:g}", f.unit, f"{share:+.2f}", f.meaning) for f, value, share in strongest]
    say_table("Features, the strongest first", ("feature", "value", "unit", "effect", "meaning"), lines)
