import gc
import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streams import files
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import InputFileError
from streams.files import read_events
from streams.zstd_file import ZstdFile

LINES = b'{"stream":"orders","event_id":"1"}\n{"stream":"logins","event_id":"2"}\n'
READ = [(1, "orders", b'{"stream":"orders","event_id":"1"}'), (2, "logins", b'{"stream":"logins","event_id":"2"}')]
EXAMPLE = Path(__file__).parents[3] / "data" / "cdnow.jsonl.gz"


def _zstd(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(plain)


PACKED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("events.jsonl", bytes),
    ("events.jsonl.gz", gzip.compress),
    ("events.jsonl.zst", _zstd),
]


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_the_ending_decides_how_a_file_is_read(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack(LINES))
    assert list(read_events(path)) == READ


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_parts_joined_into_one_file_are_one_file(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack(LINES) + pack(LINES[:20]) + pack(LINES[20:]))
    assert [stream for _, stream, _ in read_events(path)] == ["orders", "logins"] * 2


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_an_empty_file_has_no_events(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert list(read_events(path)) == []
    path.write_bytes(pack(b""))
    assert list(read_events(path)) == []


@pytest.mark.parametrize(("name", "pack"), PACKED[1:])
@pytest.mark.parametrize("missing", [1, 10])
def test_a_file_that_was_cut_off_is_told(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], missing: int
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(LINES * 5000)[:-missing])
    with pytest.raises(InputFileError, match=rf"{name}: cannot be read \(Compressed file ended"):
        list(read_events(path))


@pytest.mark.parametrize("name", ["events.jsonl.gz", "events.jsonl.zst"])
def test_a_file_that_is_not_what_its_ending_says_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(LINES)
    with pytest.raises(InputFileError, match=f"{name}: cannot be read"):
        list(read_events(path))


def test_a_damaged_gzip_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    packed = bytearray(gzip.compress(LINES * 5000))
    packed[20:24] = b"\xff\xff\xff\xff"
    path.write_bytes(packed)
    with pytest.raises(InputFileError, match="cannot be read"):
        list(read_events(path, bad=lambda _: None))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"nowhere\.jsonl: cannot be read"):
        list(read_events(tmp_path / "nowhere.jsonl"))


def test_line_ends_and_empty_lines_do_not_matter_but_count(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\r\n" + LINES.replace(b"\n", b"\r\n\r\n").rstrip())
    assert list(read_events(path)) == [(2, *READ[0][1:]), (4, *READ[1][1:])]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"stream=orders", "not an event"),
        (b"[]", "not an event"),
        (b"{}", "missing required field `stream`"),
        (b'{"stream":1}', "not an event"),
        (b'{"stream":null}', "not an event"),
        (b'{"stream":"\xff"}', "not an event"),
        (b'{"stream":"\\ud800"}', "not an event"),
        (b'{"x":' * 50_000, "not an event"),
        (b'{"stream":"order"}', "unknown stream 'order'; there are logins, orders"),
        (b'{"stream":"' + b"x" * 500 + b'"}', "unknown stream"),
        (b"\xef\xbb\xbf" + LINES[:-1].split(b"\n")[0], "not an event"),
    ],
)
def test_a_bad_line_is_named_or_passed_over(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line + b"\n" + LINES)
    with pytest.raises(InputFileError, match=said) as caught:
        list(read_events(path))
    assert str(caught.value).startswith(f"{path}:1: ")
    assert len(str(caught.value)) < len(str(path)) + 300
    told: list[InputFileError] = []
    assert [number for number, *_ in read_events(path, bad=told.append)] == [2, 3]
    assert len(told) == 1


@pytest.mark.parametrize("length", [99, 100, 101, 150, 200, 201, 202, 350])
def test_a_line_has_a_bounded_length(tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINE_BYTES_MAX", 100)
    path = tmp_path / "events.jsonl"
    long = b'{"stream":"orders","x":"' + b"x" * (length - 26) + b'"}'
    assert len(long) == length
    path.write_bytes(long + b"\n" + LINES + long)
    told: list[InputFileError] = []
    numbers = [number for number, *_ in read_events(path, bad=told.append)]
    if length <= 100:
        assert numbers == [1, 2, 3, 4]
    else:
        assert numbers == [2, 3]
        assert [str(error) for error in told] == [
            f"{path}:{number}: a line may have 100 bytes at most" for number in (1, 4)
        ]


def test_the_errors_told_do_not_keep_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes((b"x" * (1 << 20) + b"\n") * 20)
    told: list[InputFileError] = []
    gc.disable()  # What only the collector frees would come to a file's size before it runs.
    tracemalloc.start()
    try:
        assert not list(read_events(path, bad=told.append))
        kept, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert len(told) == 20
    assert kept < 1 << 20


@pytest.mark.parametrize(("name", "pack"), PACKED)
def test_progress_is_in_bytes_of_the_file_itself(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(pack(LINES * 1500))
    told: list[int] = []
    assert sum(1 for _ in read_events(path, bytes_read=told.append)) == 3000
    assert len(told) == 4
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_what_a_caller_raises_between_lines_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(LINES)

    def read() -> None:
        for _ in read_events(path):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        read()


def test_zstandard_is_read_in_any_portion() -> None:
    plain = LINES * 3000
    reader = ZstdFile(io.BytesIO(_zstd(plain[:70_000]) + _zstd(plain[70_000:])))
    portions = iter(lambda: reader.read(7_001) or b"", b"")
    assert b"".join(portions) == plain


def test_the_example_log_is_69_659_good_orders() -> None:
    count = 0
    for number, stream, line in read_events(EXAMPLE):
        result = decode(RawRecord("", 0, number, 0, None, line), stream, Limits(), 10**12, keyed=False)
        assert isinstance(result, Arrival), result
        assert stream == "orders"
        count += 1
    assert count == 69_659
