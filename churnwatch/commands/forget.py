"""`churnwatch forget`: erase a customer."""

import asyncio
from dataclasses import asdict

from churnwatch.commands.options import CustomerId, Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say, say_json


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
    if as_json:
        say_json({"customer_id": customer_id, **asdict(done), "remains": left})
    else:
        found = "state, wake-up and unsent messages erased" if done.erased else "there was no state"
        say(f"Customer {customer_id}: {found} (Redis, partition {done.partition}).")
        for topic in done.tombstones:
            say(f"Tombstone written to {topic}.")
        for line in left:
            say(f"Remains: {line}")
    if not done.read_by_worker:
        note("No worker has read the tombstone yet: run this once more when one has, or an empty record may come back.")
