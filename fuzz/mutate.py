"""Mutators: from bytes that the product wrote to bytes that somebody else might have.

A text that reads as MessagePack (behind a byte of schema version, or not) or as JSON is mostly changed as what it says: one node
gets another value or type, and the whole is written anew, so that the change gets past the parser to what is behind it. All else, and a part of those too, is changed as bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import msgspec

CHANGES_MAX: Final = 3
"""Changes to one input: more of them hide each other behind the first refusal."""

GROWN_BYTES_MAX: Final = 4_096
"""How much longer than its sample an input may grow, but for bombs."""

INTEGERS: Final = (
    *(0, 1, -1, 2, 7, 127, 128, 255, 256, 1_000, 32_767, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1, 2**32),
    *(
        2**53,
        2**62,
        -(2**62),
        2**63 - 1,
        -(2**63),
        2**63,
        2**64 - 1,
        86_400_000,
        253_402_300_799_999,
        253_402_300_800_000,
    ),
)
FLOATS: Final = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1e-300,
    5e-324,
    1e9,
    1e300,
    -1e300,
    float("nan"),
    float("inf"),
    float("-inf"),
)
TEXTS: Final = (
    "",
    "\0",
    "é",
    "0",
    "-1",
    "1e999",
    "NaN",
    "x" * 300,
    "\u202e",
    "orders",
    "2026-03-01T24:00:60Z",
    "💥",
    "\ud800",
)
HEADERS: Final = (
    *(
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
    ),
    *(
        b"\xdc\xff\xff",
        b"\xc1",
        b"\xc0",
        b"\xcb\x7f\xf8\0\0\0\0\0\0",
        b"\xcf" + b"\xff" * 8,
        b"\xd7\xff" + b"\xff" * 8,
        b"\x80",
        b"\x90",
    ),
)
"""Beginnings of MessagePack values that claim more than there is, or are not what is expected."""

BOMBS: Final = (b"\x91", b"\x81\x01", b"\x81\xa1a", b"[", b'{"a":', b"\xdd\0\0\0\x01")

Change = Callable[[Random, bytearray], None]


def mutate(random: Random, parts: Sequence[bytes], others: Sequence[Sequence[bytes]]) -> tuple[bytes, ...]:
    """Return an input made from the parts of a sample; `others` are samples to take pieces from."""
    changed = list(parts)
    for _ in range(random.randint(1, CHANGES_MAX)):
        place = random.randrange(len(changed))
        other = random.choice(others)
        spare = other[place] if place < len(other) else b""
        changed[place] = mutate_bytes(random, changed[place], spare)
    return tuple(changed)


def mutate_bytes(random: Random, data: bytes, spare: bytes = b"") -> bytes:
    """Return one part changed once: as what it says where it says something, else as bytes."""
    if data and random.random() < 0.6:
        grown = _restructured(random, data)
        if grown is not None:
            return grown
    if random.random() < 0.01:
        return _bomb(random, data)
    work = bytearray(data)
    random.choice(_CHANGES)(random, work)
    if spare and random.random() < 0.08:
        cut, at = random.randrange(len(work) + 1), random.randrange(len(spare))
        work[cut:] = spare[at:]
    return bytes(work[: len(data) + GROWN_BYTES_MAX])


# -- as bytes ----------------------------------------------------------------------------------------------------------


def _span(random: Random, data: bytearray) -> slice:
    first = random.randrange(len(data) + 1)
    return slice(first, min(first + random.choice((1, 2, 4, 8, 16, 64)), len(data)))


def _flip(random: Random, data: bytearray) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(random: Random, data: bytearray) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice((0, 0x22, 0x7F, 0x80, 0xC1, 0xFF, random.randrange(256)))


def _truncate(random: Random, data: bytearray) -> None:
    del data[random.randrange(len(data) + 1) :]


def _delete(random: Random, data: bytearray) -> None:
    del data[_span(random, data)]


def _double(random: Random, data: bytearray) -> None:
    span = _span(random, data)
    data[span.start : span.start] = data[span] * random.choice((1, 2, 8))


def _insert(random: Random, data: bytearray) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice(
        (random.choice(HEADERS), random.randbytes(random.randint(1, 8)), b"\xff\xfe", b"\0", b"\n")
    )


def _overwrite(random: Random, data: bytearray) -> None:
    at, size = random.randrange(len(data) + 1), random.choice((1, 2, 4, 8))
    number = random.choice(INTEGERS) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, random.choice(("big", "little")))


_CHANGES: Final[tuple[Change, ...]] = (_flip, _flip, _set, _truncate, _delete, _double, _insert, _overwrite)


def _bomb(random: Random, data: bytes) -> bytes:
    """Depth without end, behind the first byte of what was there."""
    return data[: random.choice((0, 1, 2))] + random.choice(BOMBS) * random.choice((100, 2_000, 20_000))


# -- as what it says ---------------------------------------------------------------------------------------------------


def _restructured(random: Random, data: bytes) -> bytes | None:
    if data[:1] in b"{[" and data[:1]:
        try:
            tree = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return _as_json(random, _changed(random, tree))
    for skip in (1, 0):
        try:
            tree = msgspec.msgpack.decode(data[skip:])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue
        if isinstance(tree, (list, dict)):
            return data[:skip] + _as_msgpack(random, _changed(random, tree))
    return None


def _as_json(random: Random, tree: Any) -> bytes:
    text = json.dumps(tree, ensure_ascii=random.random() < 0.5, default=repr)
    if isinstance(tree, dict) and tree and random.random() < 0.1:
        name, value = random.choice(list(tree.items()))
        text = f"{{{json.dumps(str(name))}: {json.dumps(_leaf(random, value), default=repr)}, {text[1:]}"  # the same key twice
    return text.encode(errors="surrogatepass")


def _as_msgpack(random: Random, tree: Any) -> bytes:
    try:
        written = msgspec.msgpack.encode(tree)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return random.choice(HEADERS)
    if isinstance(tree, dict) and 0 < len(tree) < 15 and random.random() < 0.1:
        name, value = random.choice(list(tree.items()))
        twice = msgspec.msgpack.encode(name) + msgspec.msgpack.encode(value)
        written = bytes((0x80 | len(tree) + 1,)) + written[1:] + twice
    return written


def _changed(random: Random, tree: Any) -> Any:
    """Change one node, found by a walk down from the root."""
    node, parent = tree, None
    key: Any = None
    while isinstance(node, (list, dict)) and node and (parent is None or random.random() < 0.8):
        parent = node
        key = random.randrange(len(node)) if isinstance(node, list) else random.choice(list(node))
        node = node[key]
    new = _grown(random, node) if isinstance(node, (list, dict)) else _leaf(random, node)
    if parent is None:
        return new
    if random.random() < 0.1:
        if isinstance(parent, dict):
            del parent[key]
            if random.random() < 0.5:
                parent[_key(random, key)] = new
        else:
            parent.pop(key)
    else:
        parent[key] = new
    return tree


def _key(random: Random, key: Any) -> Any:
    return (
        random.choice(INTEGERS)
        if isinstance(key, int)
        else random.choice(("", "x", "__class__", str(key) + "\0", str(key)[:-1]))
    )


def _grown(random: Random, node: Any) -> Any:
    """Another list or dictionary, or something that is none."""
    if random.random() < 0.3:
        return _anything(random)
    items = list(node.items()) if isinstance(node, dict) else list(node)
    if items:
        choice = random.randrange(5)
        if choice == 0:
            items.reverse()
        elif choice == 1:
            items.pop(random.randrange(len(items)))
        elif choice == 2:
            items = items[: random.randrange(len(items) + 1)]
        elif choice == 3 and not isinstance(node, dict):
            items += [random.choice(items)] * random.choice((1, 3, 20))
        else:
            random.shuffle(items)
    elif not isinstance(node, dict):
        items = [_anything(random) for _ in range(random.randint(1, 3))]
    else:
        items = [(_key(random, random.choice((0, ""))), _anything(random))]
    return dict(items) if isinstance(node, dict) else items


def _leaf(random: Random, node: Any) -> Any:  # noqa: PLR0911 - a flat list of cases
    """Another value, most often of the same type."""
    if random.random() < 0.2:
        return _anything(random)
    if isinstance(node, bool) or node is None:
        return random.choice((True, False, None))
    if isinstance(node, int):
        return random.choice(
            (random.choice(INTEGERS), node + 1, node - 1, -node, node * 1_000, random.randrange(1 << 48))
        )
    if isinstance(node, float):
        return random.choice((random.choice(FLOATS), -node, node * 1e6, float(random.choice(INTEGERS))))
    if isinstance(node, bytes):
        return mutate_bytes(random, node)
    if isinstance(node, str):
        at = random.randrange(len(node) + 1)
        return random.choice(
            (random.choice(TEXTS), node[:at], node + "\0", node[:at] + random.choice(TEXTS) + node[at:], node.upper())
        )
    return _anything(random)


def _anything(random: Random) -> Any:
    made: Sequence[Callable[[], Any]] = (
        lambda: random.choice(INTEGERS),
        lambda: random.choice(FLOATS),
        lambda: random.choice(TEXTS),
        lambda: random.randbytes(random.choice((0, 1, 4, 8, 12, 240))),
        lambda: random.choice((None, True, False)),
        lambda: [random.choice(INTEGERS)] * random.choice((0, 1, 14, 40)),
        lambda: {random.choice(INTEGERS): random.choice(FLOATS)},
        lambda: [[[]]],
    )
    return random.choice(made)()
