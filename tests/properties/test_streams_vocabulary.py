"""Instants, keys and files: what is written reads the same, whatever the packing and the portions."""

import contextlib
import gzip
import io
from datetime import UTC, datetime, timedelta, timezone

import zstandard
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.murmur2 import murmur2
from streams.time import DAY_MS, INSTANT_MAX_MS, day_of, day_start, iso, parse_instant
from streams.topics import partition_for
from streams.zstd_file import ZstdFile

instants = st.integers(0, INSTANT_MAX_MS)

unhurried = settings(deadline=None)  # a busy machine is no defect


@unhurried
@given(instants)
def test_an_instant_written_reads_the_same(instant_ms: int) -> None:
    assert parse_instant(iso(instant_ms)) == instant_ms == parse_instant(instant_ms)


@unhurried
@given(st.integers(DAY_MS, INSTANT_MAX_MS - DAY_MS), st.integers(-23 * 60, 23 * 60))
def test_the_offset_does_not_change_the_instant(instant_ms: int, offset_minutes: int) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))
    there = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms)).astimezone(zone)
    assert parse_instant(there.isoformat()) == instant_ms


@unhurried
@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", fullmatch=True))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 <= parse_instant(text) <= INSTANT_MAX_MS


@unhurried
@given(st.integers(-INSTANT_MAX_MS, INSTANT_MAX_MS))
def test_every_instant_lies_in_its_day(instant_ms: int) -> None:
    assert day_start(day_of(instant_ms)) <= instant_ms < day_start(day_of(instant_ms) + 1)


@unhurried
@given(st.binary(max_size=140), st.integers(1, 1000))
def test_a_key_goes_where_every_client_puts_it(key: bytes, partitions: int) -> None:
    assert murmur2(key) == murmur2_of_aiokafka(key)
    assert partition_for(key, partitions) == (murmur2_of_aiokafka(key) & 0x7FFFFFFF) % partitions


@unhurried
@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 100), st.integers(0, 3))
def test_zstandard_reads_as_gzip_does(parts: list[bytes], portion: int, repeated: int) -> None:
    plain = [part * (1 << repeated * 4) for part in parts]
    zstd = io.BufferedReader(ZstdFile(io.BytesIO(b"".join(map(zstandard.ZstdCompressor().compress, plain)))), portion)
    packed = gzip.GzipFile(fileobj=io.BytesIO(b"".join(map(gzip.compress, plain))))
    assert zstd.read() == packed.read() == b"".join(plain)
