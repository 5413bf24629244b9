from msgspec.structs import replace

from alerts.alert import Reason
from alerts.episode import Episode, Transition
from alerts.farewell import retold
from streams.time import DAY_MS

LOST = Transition("churned", "gone", "c-1", "e", "a", 100 * DAY_MS, 1.0, 0.6, "high", "loyal", "model", holdout=False)
EPISODE = Episode(opened_ms=60 * DAY_MS, closed_ms=100 * DAY_MS)
SILENT = Reason("engagement", 1.0, "No order for 90 days; counts as gone", {"order_silence_days": 90})
RATED = Reason("service", 0.7, "Average rating 2", {"rating_90d": 2})
FEWER = Reason("engagement", 0.3, "No order for 50 days", {"order_silence_days": 50})


def test_who_is_gone_left_for_what_was_warned_of_and_the_silence_has_grown() -> None:
    told = retold(LOST, EPISODE, [SILENT], [RATED, FEWER], "order")
    assert told == [
        Reason("service", 0.7, "Warned on 1970-03-02: Average rating 2", {"rating_90d": 2}),
        Reason("engagement", 0.3, SILENT.evidence, SILENT.features),
    ]


def test_where_only_other_reasons_were_given_the_first_tells_the_silence_too() -> None:
    (told,) = retold(LOST, EPISODE, [SILENT], [RATED], "order")
    assert told.evidence == "No order for 90 days; counts as gone. Warned on 1970-03-02: Average rating 2"
    assert retold(LOST, EPISODE, [SILENT], [], "order") == [SILENT]


def test_a_cancellation_that_says_why_needs_no_guess() -> None:
    cancelled = replace(LOST, cause="cancelled")
    stated = Reason("price", 1.0, "Cancelled on 1970-04-11, because of the price", {})
    assert retold(cancelled, EPISODE, [stated], [RATED], "order") == [stated]
    mute = Reason("engagement", 1.0, "Cancelled on 1970-04-11", {})
    out_of_the_blue = Episode(opened_ms=LOST.at_ms, closed_ms=LOST.at_ms)
    (told,) = retold(cancelled, out_of_the_blue, [mute], [RATED], "order")
    assert told.evidence == "Cancelled on 1970-04-11. Average rating 2"


def test_a_reminder_says_for_how_long_nobody_has_taken_the_alert() -> None:
    step = replace(LOST, kind="escalated", cause="untaken", at_ms=63 * DAY_MS)
    first, second = retold(step, EPISODE, [RATED, FEWER], [], "order")
    assert first.evidence == "Nobody has taken this alert for 3 days. Average rating 2"
    assert second == FEWER
    snoozed = replace(EPISODE, snoozed_until_ms=62 * DAY_MS)
    assert retold(step, snoozed, [RATED], [], "order")[0].evidence.startswith("Nobody has taken this alert for 1 day. ")


def test_the_end_of_a_snooze_says_so() -> None:
    step = replace(LOST, kind="escalated", cause="snooze_over")
    assert retold(step, EPISODE, [RATED], [], "order")[0].evidence == (
        "The snooze is over, and the customer still at risk. Average rating 2"
    )


def test_a_return_says_when_the_customer_had_been_given_up() -> None:
    step = replace(LOST, kind="resolved", cause="won_back", at_ms=120 * DAY_MS)
    back = replace(EPISODE, seen_ms=119 * DAY_MS)
    (told,) = retold(step, back, [SILENT], [], "order")
    assert told.evidence == "Came back: order on 1970-04-30, after having been given up on 1970-04-11"
    (told,) = retold(step, EPISODE, [SILENT], [], "order")
    assert told.evidence == "Seen again on 1970-05-01, after having been given up on 1970-04-11"
