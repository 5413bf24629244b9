"""What alerts are ranked by, worked out from predictions: the risk as said, lifted by how new it was (`alerts.change`)."""

from __future__ import annotations

import numpy as np

from alerts.change import lift, lifted
from churnwatch.evaluation import Floats, Rows


def alert_scores(rows: Rows, horizon_days: int, earliness: float) -> Floats:
    """Return the lifted risk of each row, 0 to 1.

    The product holds a risk against that of the snapshot before as the model has it by now; here it is held against the one
    said then. On two public logs it makes no difference. Floors are left out: this is for ranks.

    Args:
        rows: what a model said, sorted by instant.
        horizon_days: the question's.
        earliness: as in `alerts.policy.Policy`.
    """
    before: dict[int, float] = {}
    scores = np.empty(len(rows))
    told = zip(rows.customer.tolist(), rows.risk.tolist(), rows.silence_days.tolist(), strict=True)
    for place, (customer, risk, silence_days) in enumerate(told):
        news = lift(risk, before.get(customer), silence_days, horizon_days)
        scores[place] = lifted(risk, earliness * news, 0.0)
        before[customer] = risk
    return scores
