"""What travels beside an alert, so that consumers can route it without reading it: the customer's owner and plan, as Kafka headers.

They are of the profile, not of the alert, so they stand in no field of its format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the command line reads the names of the headers, and is not to wait for what a record takes
    from agents.record import Attributes

OWNER_HEADER: Final = "churnwatch.owner"
PLAN_HEADER: Final = "churnwatch.plan"


def routing_headers(attributes: Attributes | None) -> list[tuple[str, bytes]]:
    r"""Return the headers, UTF-8, of an alert on a customer of whom the business has told this; none of what it has not.

    >>> from agents.record import Attributes
    >>> routing_headers(Attributes(0, owner="Zoë", plan="gold"))
    [('churnwatch.owner', b'Zo\xc3\xab'), ('churnwatch.plan', b'gold')]
    >>> routing_headers(None)
    []
    """
    if attributes is None:
        return []
    told = ((OWNER_HEADER, attributes.owner), (PLAN_HEADER, attributes.plan))
    # A lone surrogate is a valid JSON string and no valid UTF-8: it must not stop an alert.
    return [(name, text.encode(errors="replace")) for name, text in told if text]
