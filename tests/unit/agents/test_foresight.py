"""The week's looks of many customers: what is computed for all at once is what each look would have computed for itself."""

from msgspec.structs import replace as with_fields

from agents.foresight import WORTH_IT
from agents.guides import GuideBook
from agents.record import encode_customer
from features.catalog import CATALOG
from models.album import Album
from models.labels import Pending, pack_vector
from models.scorer import Scorer
from streams.time import DAY_MS
from tests.unit.agents.samples import QUESTION, START_MS, order, silence_guide
from tests.unit.agents.shop import NOON_MS, Shop

CROWD = [f"customer {number:02d}" for number in range(2 * WORTH_IT)]
MONDAY_MS = START_MS + 21 * DAY_MS


def crowd(version: int = 1) -> Shop:
    """Everybody orders once in the first week, at an hour of their own; the model learns something two weeks later."""
    shop = Shop(guides=GuideBook(silence_guide(version), DAY_MS))
    shop.guides.add(START_MS + 16 * DAY_MS, silence_guide(version + 1, slope=0.9))
    items = [order(name, NOON_MS + place * DAY_MS // 10, event_id=name) for place, name in enumerate(CROWD)]
    shop.take(*items, until_ms=MONDAY_MS - 1)
    return shop


def scorer(shop: Shop) -> Scorer:
    return shop.guides.at(MONDAY_MS)


def states(shop: Shop) -> dict[str, bytes]:
    return {name: encode_customer(customer) for name, customer in shop.customers.items()}


def test_all_at_once_is_each_by_itself() -> None:
    together, alone = crowd(), crowd()
    told = together.take(until_ms=MONDAY_MS).outgoing
    assert len(scorer(together)._foreseen) > 1
    single = []
    for name in CROWD:
        step = alone.pipe.step(alone.customers, [], [name], MONDAY_MS - 1, MONDAY_MS, alone.guides, START_MS)
        single += step.outgoing
    assert scorer(alone)._foreseen == {}
    assert states(together) == states(alone)
    assert {pending.version for one in together.customers.values() for pending in one.pending} == {1, 2}
    assert sorted(map(repr, told)) == sorted(map(repr, single))


def test_nothing_is_foreseen_where_the_same_model_speaks_still() -> None:
    shop = crowd()
    shop.guides.pin(silence_guide(1))
    shop.take(until_ms=MONDAY_MS)
    assert shop.guides.latest._foreseen == {}


def test_a_snapshot_of_other_features_troubles_nobody_else() -> None:
    shop, whole = crowd(), crowd()
    odd = shop.customers[CROWD[3]]
    odd.pending = Album.of([Pending(MONDAY_MS - 7 * DAY_MS, pack_vector([1.0] * (len(CATALOG) - 1)), 0.5, 1, "new")])
    effects = shop.take(until_ms=MONDAY_MS)
    whole.take(until_ms=MONDAY_MS)
    assert effects.failures == 1
    after, expected = states(shop), states(whole)
    assert {name for name in CROWD if after[name] != expected[name]} == {CROWD[3]}


def test_a_guide_that_is_not_ready_is_not_asked() -> None:
    shop = crowd()
    shop.guides.pin(with_fields(silence_guide(9), ready=False))
    assert shop.take(until_ms=MONDAY_MS).failures == 0
    assert shop.guides.latest._foreseen == {}
    assert QUESTION.on_grid(MONDAY_MS)
