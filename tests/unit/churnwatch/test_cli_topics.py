"""When topics are as they must be, and what is said where they are not."""

from churnwatch.kafka import Cluster
from churnwatch.topic_layout import TopicState, _configs, layout
from streams.topics import Topics, TopicSpec

TOPICS = Topics(prefix="p.")
COMPLETE = {spec.name: spec.partitions or 6 for spec in TOPICS.specs()}


def found(partitions: dict[str, int], *, embedded: bool = False) -> dict[str, TopicState]:
    return {state.name: state for state in layout(TOPICS, Cluster(partitions, 1, embedded))}


def test_a_complete_layout_is_right() -> None:
    assert {state.status for state in found(COMPLETE).values()} == {"ok"}


def test_inputs_of_different_size_are_all_named_with_their_counts() -> None:
    states = found(COMPLETE | {"p.customer.logins": 4})
    wrong = [state for state in states.values() if state.status == "wrong"]
    assert {state.name for state in wrong} == set(TOPICS.inputs.values())
    assert all("p.customer.logins: 4" in state.advice and "p.customer.orders: 6" in state.advice for state in wrong)


def test_a_missing_topic_counts_unless_it_is_optional() -> None:
    gone = ("p.customer.orders", "p.customer.profiles", "p.churn.alerts", "p.customer.logins.dlq")
    states = found({name: count for name, count in COMPLETE.items() if name not in gone})
    assert [states[name].status for name in gone] == ["missing", "optional", "missing", "missing"]
    assert states["p.customer.orders"].wanted == 6
    assert states["p.customer.orders"].advice == "run `churnwatch topics create`"


def test_the_examples_have_one_partition_for_there_is_one_learner() -> None:
    state = found(COMPLETE | {"p.churn.examples": 6})["p.churn.examples"]
    assert (state.status, state.wanted) == ("wrong", 1)


def test_outputs_may_have_any_number() -> None:
    assert found(COMPLETE | {"p.churn.alerts": 1})["p.churn.alerts"].status == "ok"


def test_the_in_process_broker_makes_topics_by_itself() -> None:
    states = found({"p.customer.orders": 4, "p.churn.examples": 4}, embedded=True)
    assert {state.status for state in states.values()} == {"ok"}


def test_compaction_and_room_for_large_dead_letters_are_asked_for() -> None:
    assert _configs(TopicSpec("t", None)) == {}
    assert _configs(TopicSpec("t", None, compacted=True)) == {"cleanup.policy": "compact"}
    assert _configs(TopicSpec("t", None, message_bytes_max=16)) == {"max.message.bytes": "16"}
    by_name = {spec.name: _configs(spec) for spec in TOPICS.specs()}
    assert by_name["p.customer.profiles"] == by_name["p.churn.scores"] == {"cleanup.policy": "compact"}
    assert int(by_name["p.customer.orders.dlq"]["max.message.bytes"]) > 5_000_000
