"""Rows merge to the same whatever the order of topics, however the messages are cut into chunks, and however often they come."""

import itertools
import random
from collections import defaultdict

import pytest

from bi.catalog import BY_NAME, TABLES
from bi.messages import Gone, Kind, Said, rows_of
from bi.rows import Row, Rows, merge
from chaos.bi_feed import Shop
from streams.codec import Limits, RawRecord
from streams.errors import StateError
from streams.topics import Topics, partition_for

NOW_MS = 1_800_000_000_000
TOPICS = Topics()


def kinds() -> dict[str, Kind]:
    names: dict[Kind, str] = {"alerts": TOPICS.alerts, "scores": TOPICS.scores}
    streams: tuple[Kind, ...] = ("outcomes", "orders", "cancellations", "tickets", "reviews", "profiles")
    return {name: kind for kind, name in (names | {stream: TOPICS.inputs[stream] for stream in streams}).items()}


def records(seed: int, count: int = 1_500) -> list[RawRecord]:
    """What a Kafka of 4 partitions would hold of a shop's messages."""
    offsets: dict[tuple[str, int], int] = defaultdict(int)
    made = []
    for number, message in enumerate(itertools.islice(Shop(TOPICS, seed).messages(), count)):
        if message.topic not in kinds():
            continue
        place = message.topic, partition_for(message.key or b"", 4)
        made.append(RawRecord(*place, offsets[place], number, message.key, message.value, tuple(message.headers)))
        offsets[place] += 1
    return made


def heard(found: list[RawRecord]) -> list[Row]:
    rows: list[Row] = []
    for record in found:
        try:
            said = rows_of(kinds()[record.topic], record, Limits(), NOW_MS)
        except StateError:
            continue
        if isinstance(said, Said):
            rows.extend(said.rows)
    return rows


def merged(rows: list[Row]) -> dict[str, object]:
    into = Rows()
    for row in rows:
        into.add(row)
    return {table.name: into.of(table.name) for table in TABLES}


def shuffled_topics(found: list[RawRecord], chance: random.Random) -> list[RawRecord]:
    """The same records with each partition's in order, but the partitions at different speeds."""
    waiting: dict[tuple[str, int], list[RawRecord]] = defaultdict(list)
    for record in found:
        waiting[record.topic, record.partition].append(record)
    order = [place for place, rest in waiting.items() for _ in rest]
    chance.shuffle(order)
    taken = {place: iter(rest) for place, rest in waiting.items()}
    return [next(taken[place]) for place in order]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_topics_makes_no_difference(seed: int) -> None:
    found = records(seed)
    wanted = merged(heard(found))
    assert all(
        wanted[name] for name in ("dim_customer", "fact_episode", "fact_daily_score", "fact_outcome", "fact_review")
    )
    assert merged(heard(shuffled_topics(found, random.Random(seed)))) == wanted


def test_what_comes_again_changes_nothing() -> None:
    found = records(3, 700)
    assert merged(heard(found + found)) == merged(heard(found))


def test_chunks_make_no_difference() -> None:
    rows = heard(records(4, 700))
    whole = merged(rows)
    for table in TABLES:
        there: dict[object, Row] = {}
        for start in range(0, len(rows), 70):
            chunk = Rows()
            for row in rows[start : start + 70]:
                chunk.add(row)
            for cells in (dict(zip(table.names, row, strict=True)) for row in chunk.of(table.name)):
                known = there.setdefault(tuple(cells[name] for name in table.key), Row(table.name, cells))
                if known.cells is not cells and not table.once:
                    merge(table, known.cells, cells)
        assert sorted(map(repr, (tuple(map(row.cells.get, table.names)) for row in there.values()))) == sorted(
            map(repr, whole[table.name])  # type: ignore[call-overload]
        )


def test_a_tombstone_on_the_scores_says_who_is_gone() -> None:
    record = RawRecord(TOPICS.scores, 0, 5, 77, b"c1", None)
    assert rows_of("scores", record, Limits(), NOW_MS) == Gone("c1", 77)


def test_a_tombstone_on_the_profiles_takes_the_profile_away() -> None:
    rows = Rows()
    value = b'{"event_id": "e", "customer_id": "c1", "occurred_at": 5, "plan": "pro"}'
    for offset, said in ((3, value), (4, None)):
        found = rows_of("profiles", RawRecord(TOPICS.inputs["profiles"], 0, offset, 77, b"c1", said), Limits(), NOW_MS)
        assert isinstance(found, Said)
        for row in found.rows:
            rows.add(row)
    [customer] = rows.of("dim_customer")
    assert dict(zip(BY_NAME["dim_customer"].names, customer, strict=True))["plan"] is None
