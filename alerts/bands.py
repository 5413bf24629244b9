"""Bands: how far a risk stands above the threshold that it is held against.

         low          |   watch   |   high    |  critical  |
    0 ----------------t-----------+-----------+------------1
                      |<- (1-t)/3 ->|

Bands are relative to the threshold, not fixed figures: where loyal customers are alerted from 0.45 on, 0.65 is `high`
for them, and the same 0.65 is `low` for newcomers who are alerted from 0.7 on.
"""

from __future__ import annotations

from typing import Final, Literal

Band = Literal["low", "watch", "high", "critical"]
Raised = Literal["watch", "high", "critical"]
"""The bands that an alert can have: an episode opens at its threshold or above."""

BANDS: Final[tuple[Band, ...]] = ("low", "watch", "high", "critical")
RANK: Final[dict[Band, int]] = {band: rank for rank, band in enumerate(BANDS)}


def band_of(risk: float, threshold: float) -> Band:
    """Return the band of a risk (0 to 1) under an alerting threshold (0 to 1).

    >>> [band_of(risk, 0.4) for risk in (0.39, 0.4, 0.6, 0.99)]
    ['low', 'watch', 'high', 'critical']
    """
    if risk < threshold:
        return "low"
    third = (1.0 - threshold) / 3.0
    if risk < threshold + third:
        return "watch"
    return "high" if risk < threshold + 2.0 * third else "critical"


def steady_band(risk: float, threshold: float, previous: Band | None, hysteresis: float) -> Band:
    """Return the band to publish for a customer whose published band is `previous` (None where there is none).

    Up at once, down only once the risk has fallen `hysteresis` below the band's lower edge; so a risk that trembles on
    an edge does not write a score each time.

    >>> steady_band(0.58, 0.6, "watch", 0.1), steady_band(0.49, 0.6, "watch", 0.1)
    ('watch', 'low')
    """
    band = band_of(risk, threshold)
    if previous is None or band == previous or RANK[band] >= RANK[previous]:
        return band
    return min(previous, band_of(risk + hysteresis, threshold), key=RANK.__getitem__)
