import pytest

from features.redis_layout import LOAD_IDS_MAX, Layout, pairs
from features.store import Commit

LAYOUT = Layout("cw", 7)


def test_the_keys_are_those_of_the_documentation() -> None:
    assert (LAYOUT.meta, LAYOUT.timers, LAYOUT.outbox) == (b"cw:{7}:meta", b"cw:{7}:timers", b"cw:{7}:outbox")
    assert LAYOUT.state("ann") == b"cw:{7}:c:ann"
    assert LAYOUT.id_of(LAYOUT.state("c:{8}:Ünï")) == "c:{8}:Ünï"


@pytest.mark.parametrize("namespace", ["", "{x}", "a*", "a:b", "a b", "x" * 65])
def test_a_namespace_can_neither_move_the_hash_tag_nor_act_as_a_pattern(namespace: str) -> None:
    with pytest.raises(ValueError, match="no keys"):
        Layout(namespace, 0)


def test_a_commit_is_one_command_for_each_kind_of_change() -> None:
    commit = Commit(b"m", {"a": b"A", "b": b"B"}, ["c"], {"a": 5, "c": None}, [b"x", b"y"], 3)
    assert LAYOUT.changes(commit) == [
        (b"MSET", b"cw:{7}:c:a", b"A", b"cw:{7}:c:b", b"B"),
        (b"UNLINK", b"cw:{7}:c:c"),
        (b"ZADD", b"cw:{7}:timers", b"5", b"a"),
        (b"ZREM", b"cw:{7}:timers", b"c"),
        (b"LTRIM", b"cw:{7}:outbox", b"3", b"-1"),
        (b"RPUSH", b"cw:{7}:outbox", b"x", b"y"),
        (b"SET", b"cw:{7}:meta", b"m"),
    ]


def test_what_does_not_change_costs_no_command() -> None:
    assert LAYOUT.changes(Commit(b"m")) == [(b"SET", b"cw:{7}:meta", b"m")]


def test_long_loads_are_split() -> None:
    commands = LAYOUT.load([str(i) for i in range(2 * LOAD_IDS_MAX + 1)])
    assert [len(command) - 1 for command in commands] == [LOAD_IDS_MAX, LOAD_IDS_MAX, 1]
    assert LAYOUT.load([]) == []


def test_instants_come_back_whole_whatever_way_the_server_writes_them() -> None:
    assert pairs([b"a", b"1790000000123", b"b", b"1.790000000124e+12"]) == [
        ("a", 1_790_000_000_123),
        ("b", 1_790_000_000_124),
    ]
