"""`churnwatch forget`: erase a customer."""

import asyncio
from dataclasses import asdict

from churnwatch.commands.bi import check_extra
from churnwatch.commands.options import CustomerId, Json
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say, say_json
from streams.errors import ConfigError, StateError


def forget(customer_id: CustomerId, *, as_json: Json = False) -> None:
    """Erase a customer everywhere that Churnwatch keeps data, and say what remains elsewhere, and for how long.

    Try:

    - `churnwatch forget 00042`
    """
    from churnwatch.erasure import forget as erase
    from churnwatch.erasure import remains

    settings = load_settings()
    done = asyncio.run(erase(settings, customer_id))
    left = remains(settings.topics())
    from_bi = asyncio.run(_erase_from_bi(settings, customer_id, done.at_ms)) if settings.bi_url else None
    if as_json:
        say_json({"customer_id": customer_id, **asdict(done), "bi_rows": from_bi, "remains": left})
    else:
        found = "state, wake-up and unsent messages erased" if done.erased else "there was no state"
        say(f"Customer {customer_id}: {found} (Redis, partition {done.partition}).")
        for topic in done.tombstones:
            say(f"Tombstone written to {topic}.")
        if isinstance(from_bi, int):
            say(f"{from_bi:,} rows erased from the star schema {settings.bi_schema}.")
        for line in left:
            say(f"Remains: {line}")
    if not done.read_by_worker:
        note("No worker has read the tombstone yet: run this once more when one has, or an empty record may come back.")


async def _erase_from_bi(settings: Settings, customer_id: str, at_ms: int) -> int | None:
    """Return how many rows went; None, and a line that says why, where the database cannot be reached now."""
    try:
        check_extra()
        from churnwatch.bi_erase import erase_customer

        return await erase_customer(settings, customer_id, at_ms)
    except (ConfigError, StateError) as error:
        note(
            f"The star schema still has the customer, until `churnwatch bi load` reads the tombstone ({error}); or run this once more."
        )
        return None
