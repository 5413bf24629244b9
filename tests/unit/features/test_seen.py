"""The run of event ids: exact, sorted, bounded."""

from hashlib import blake2b

from features.seen import LIMIT, forget_before, remember


def run(*days: int) -> bytes:
    seen = b""
    for n, day in enumerate(days):
        grown = remember(seen, f"event-{n}", day)
        assert grown is not None
        seen = grown
    return seen


def days_in(seen: bytes) -> list[int]:
    return [int.from_bytes(seen[at : at + 2], "big") for at in range(0, len(seen), 10)]


def test_days_stay_sorted_in_whatever_order_they_come() -> None:
    assert days_in(run(5, 3, 9, 3, 4)) == [3, 3, 4, 5, 9]


def test_what_is_older_than_a_day_is_forgotten_and_counts_again() -> None:
    seen = run(5, 3, 9)
    assert days_in(forget_before(seen, 5)) == [5, 9]
    assert forget_before(seen, 3) is seen
    assert forget_before(seen, 10) == b""
    assert remember(forget_before(seen, 5), "event-1", 3) is not None


def test_the_oldest_give_way_when_the_run_is_full() -> None:
    seen = b"".join(
        (1_000 + n).to_bytes(2, "big") + blake2b(bytes([n % 256, n // 256]), digest_size=8).digest()
        for n in range(LIMIT)
    )
    grown = remember(seen, "new", 2_000)
    assert grown is not None
    assert len(grown) == len(seen)
    assert days_in(grown)[0] == 1_001
    assert remember(grown, "new", 1) is None


def test_a_digest_across_two_records_is_no_match() -> None:
    """Eight bytes that happen to equal the digest, but start in the middle of a record."""
    digest = blake2b(b"event", digest_size=8).digest()
    seen = b"\x00\x05" + b"\x01" * 4 + digest[:4] + digest[4:6] + digest[6:8] + b"\x02" * 6
    assert digest in seen
    assert remember(seen, "event", 9) is not None


def test_a_day_beyond_two_bytes_is_kept_as_the_last_one() -> None:
    seen = run(10**6)
    assert days_in(seen) == [2**16 - 1]
    assert forget_before(seen, 10**6) == seen
    assert forget_before(seen, -1) == seen
