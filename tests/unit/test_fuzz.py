"""The fuzzer: a few thousand inputs over everything that reads bytes, what it has found so far, and that it finds what is planted."""

import json
import logging
import resource
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from agents.meta import Meta, encode_meta
from agents.outbox import encode_outgoing
from agents.record import decode_customer, encode_customer
from features.tickets import Ticket
from fuzz import crashes
from fuzz.__main__ import main
from fuzz.campaign import Crash, attack_all, input_of, quiet
from fuzz.file_targets import PLAIN, ZST
from fuzz.oracle import Parts, Target, attack, bounded_memory
from fuzz.samples import NOW_MS, samples, small_batches, small_learner
from fuzz.targets import all_targets, shares
from models.guide import Linear, encode_guide
from models.labels import encode_batch
from models.store import Head, encode_head
from streams.errors import Corrupt
from streams.outgoing import Outgoing
from streams.time import DAY_MS, INSTANT_MAX_MS

INPUTS = 2_000
DEEP = b"\x91" * 50_000
HUGE = (1 << 64) - 1


@pytest.fixture(scope="module", autouse=True)
def _silence() -> Iterator[None]:
    quiet()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def targets() -> dict[str, Target]:
    return all_targets()


def test_nothing_crashes(targets: dict[str, Target]) -> None:
    chosen = list(targets.values())
    found = {}
    with bounded_memory():
        for target, count in zip(chosen, shares(chosen, INPUTS), strict=True):
            result = attack_all(target, 20_261_122, range(count))
            found.update(result.crashes)
            assert result.tallies[target.name].inputs == count
    assert not found, "\n".join(f"{crash.target} {crash.index}: {crash.trace}" for crash in found.values())


def test_what_the_product_wrote_comes_to_a_value(targets: dict[str, Target]) -> None:
    meant = {"codec": 1, "bombs": 9}  # a null value that is no tombstone; lines without end
    for name, target in targets.items():
        refused = [parts for parts in target.samples if attack(target, parts).outcome != "value"]
        assert len(refused) == meant.get(name, 0), (name, refused[:1])


# -- planted faults ----------------------------------------------------------------------------------------------------


def _raises(parts: Parts) -> bool:
    return bool({"a": 1}[parts[0].decode()])


def _loops(parts: Parts) -> bool:
    while parts:
        try:
            int("x")
        except Exception:  # noqa: BLE001 - as the pipeline catches everything
            continue
    return True


def _allocates(parts: Parts) -> bool:
    return bool(bytearray(int.from_bytes(parts[0], "big") << 40))


def _swells(parts: Parts) -> bool:
    # More than this process has ever had: its peak is all that the kernel tells.
    return bool(parts[0] * ((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) + (16 << 20)))


def _shrugs(parts: Parts) -> bool:
    raise Corrupt(f"something is wrong with {len(parts)} parts")


@pytest.mark.parametrize(
    ("decoder", "problem"),
    [
        (_raises, "KeyError"),
        (_loops, "TooSlowError"),
        (_allocates, "MemoryError"),
        (_swells, "MemoryError"),
        (_shrugs, "WrongAnswerError"),
    ],
)
def test_a_planted_fault_is_caught(decoder: Callable[[Parts], bool], problem: str) -> None:
    seconds_max = 0.05 if decoder is _loops else 5.0
    target = Target("planted", [(b"\x01",)], decoder, seconds_max=seconds_max, memory_bytes_max=1 << 20)
    with bounded_memory():
        verdict = attack(target, (b"\x01",))
    assert (verdict.outcome, verdict.problem.split(":")[0]) == ("crash", problem)


def test_a_crash_is_made_smaller_kept_and_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(parts: Parts) -> bool:
        return 1 // (b"\xff" not in parts[0]) == 1

    target = Target("planted", [(b"honest bytes of some length",)], breaks)
    result = attack_all(target, 3, range(1_000))
    (crash,) = result.crashes.values()
    assert 0 < result.seen["planted", crash.place] == result.tallies["planted"].crashes < 1_000
    assert input_of(target, 3, crash.index) == crash.parts, "the same seed gives the same input"
    parts = crashes.minimise(target, crash)
    assert parts == (b"\xff",)
    path = crashes.keep(tmp_path / "found", crash, parts)
    monkeypatch.setattr("fuzz.__main__.chosen", lambda _: [target])
    assert main(["--replay", str(path)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    path.write_bytes(b"no such thing")
    assert main(["--replay", str(path)]) == 2
    assert "not a crash input" in capsys.readouterr().err


def test_a_campaign_of_two_processes_tells_what_it_did(
    capsys: pytest.CaptureFixture[str], targets: dict[str, Target]
) -> None:
    assert "time" in targets
    assert main(["--inputs", "300", "--seed", "5", "--target", "time", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["inputs"], told["crashes"], told["files"]) == (300, 0, [])
    assert main(["--inputs", "300", "--target", "tine"]) == 2
    assert "use one of codec, " in capsys.readouterr().err


def test_a_crash_without_a_trace_is_kept_as_it_is(tmp_path: Path) -> None:
    crash = Crash("time", 1, 2, (b"60d",), "no end after 60 s", "no end after 60 s")
    assert crashes.load(crashes.keep(tmp_path, crash, crash.parts)) == ("time", (b"60d",))


# -- what was found ----------------------------------------------------------------------------------------------------


def _customer(change: Callable[[Any], None]) -> bytes:
    customer = decode_customer(samples().backtest.partition.states["c-0"])
    change(customer)
    return encode_customer(customer)


def _guide(**changed: Any) -> bytes:
    guide = samples().backtest.guide
    assert guide is not None
    return encode_guide(msgspec.structs.replace(guide, **changed))


def _set(path: str, value: Any) -> Callable[[Any], None]:
    def change(thing: Any) -> None:
        *way, last = path.split(".")
        for name in way:
            thing = thing[int(name)] if name.isdigit() else getattr(thing, name)
        setattr(thing, last, value)

    return change


def _snapshot(place: int, value: Any) -> bytes:
    """The small model's numbers with one part of them forged: its place in `ModelState`."""
    (value_of,) = all_targets()["snapshot"].samples[0]
    parts = msgspec.msgpack.decode(value_of[1:])
    parts[place] = value
    return value_of[:1] + msgspec.msgpack.encode(parts)


REFUSED: dict[str, tuple[str, Callable[[], Parts]]] = {
    "a meta deeper than the decoder goes": ("meta", lambda: (b"\x01\x81\xa1x" + DEEP,)),
    "a meta whose next commit could not be written": ("meta", lambda: (encode_meta(Meta(commits=HUGE)),)),
    "a clock beyond the calendar": ("meta", lambda: (encode_meta(Meta(clock_ms=1 << 60, customers=1)),)),
    "a clock of the year 9999": ("meta", lambda: (encode_meta(Meta(clock_ms=INSTANT_MAX_MS)),)),
    "a wake-up that cannot be told as a date": ("customer", lambda: (_customer(_set("wake_ms", 1 << 60)),)),
    "a wake-up of long before": ("customer", lambda: (_customer(_set("wake_ms", -(1 << 62))),)),
    "a sum that cannot grow": ("customer", lambda: (_customer(_set("activity.order_tiles.0.amount", HUGE)),)),
    "a ticket to which nothing happened": ("customer", lambda: (_customer(_ticketless),)),
    "an episode of endless alerts": ("customer", lambda: (_customer(_set("episode.seq", 1 << 40)),)),
    "a risk that is no number": ("customer", lambda: (_customer(_set("risk", float("nan"))),)),
    "an outbox entry for a partition below zero": (
        "outbox",
        lambda: (encode_outgoing(Outgoing("t", None, b"", [], -1)),),
    ),
    "an outbox entry for no topic": ("outbox", lambda: (encode_outgoing(Outgoing("a b", None, b"")),)),
    "an outbox entry that is no UTF-8": ("outbox", lambda: (b"\x93\xa2\xff\xfe\xc0\xc0",)),
    "a batch deeper than the decoder goes": ("batch", lambda: (b"\x01\x97\0\x02\x09\0\xc2\x90\x81\0" + DEEP,)),
    "a batch whose mark is beyond the calendar": ("batch", lambda: (_batch(mark_ms=1 << 61),)),
    "a guide deeper than the decoder goes": ("guide", lambda: (b"\x02\x81\xa1x" + DEEP,)),
    "a guide that scores with infinities": ("guide", lambda: (_guide(logistic=Linear(float("inf"), ())),)),
    "a guide that weighs with nothing": ("guide", lambda: (_guide(weights=(float("nan"), 1.0)),)),
    "a guide of no date": ("guide", lambda: (_guide(learnt_until_ms=1 << 60),)),
    "a head whose next commit could not be written": ("store", lambda: (encode_head(Head(HUGE)), b"", b"")),
    "a head of no date": ("store", lambda: (encode_head(Head(1, 1, 1 << 60, 1, ((1 << 60, 1),))), b"", b"")),
    "a pinned version of five thousand digits": ("store", lambda: (encode_head(Head()), b"9" * 5_000, b"")),
    "a model of HUGE rows": ("snapshot", lambda: (_snapshot(7, HUGE),)),
    "a model whose groups are empty": ("snapshot", lambda: (_snapshot(14, {5: (0, 0, bytes(24))}),)),
    "a model of negative squares": ("snapshot", lambda: (_snapshot(5, struct.pack("<3d", 1.0, -1.0, 1.0)),)),
    "a model of endless numbers": ("snapshot", lambda: (_snapshot(2, struct.pack("<3d", 1e308, 0.0, 0.0)),)),
}


def _ticketless(customer: Any) -> None:
    customer.activity.tickets = [Ticket(7, [])]


def _batch(**changed: Any) -> bytes:
    return encode_batch(msgspec.structs.replace(small_batches()[-1], **changed))


@pytest.mark.parametrize("what", REFUSED)
def test_forged_values_are_refused_with_what_to_do(what: str, targets: dict[str, Target]) -> None:
    name, parts = REFUSED[what]
    verdict = attack(targets[name], parts())
    assert verdict.outcome == "refused", verdict.trace


def test_a_model_of_impossible_correlations_loses_its_say_instead_of_stopping_the_learner(
    targets: dict[str, Target],
) -> None:
    products = struct.pack("<6d", 1.0, 900.0, 900.0, 1.0, 900.0, 1.0)
    assert attack(targets["snapshot"], (_snapshot(9, products),)).outcome != "crash"


def test_a_mark_of_the_year_9999_is_gone_through_quickly() -> None:
    learner = small_learner()
    for batch in small_batches():
        learner.absorb(batch)
    learner.advance()
    for batch in small_batches()[-2:]:
        learner.absorb(msgspec.structs.replace(batch, seq=batch.seq + 1, mark_ms=INSTANT_MAX_MS, examples=[]))
    target = Target("leap", [(b"",)], lambda _: learner.advance() is not None, seconds_max=2.0)
    assert attack(target, (b"",)).outcome == "value"
    assert learner.learnt_until_ms is not None
    assert INSTANT_MAX_MS - learner.learnt_until_ms < 3 * DAY_MS


def test_a_compressed_file_need_not_end_with_a_line_end(targets: dict[str, Target]) -> None:
    plain = b"\n".join(samples().lines[:3])
    for content in (plain, plain + b"\n", plain + b"\n\n"):
        compressed = zstandard.ZstdCompressor().compress(content)
        assert attack(targets["files"], (bytes((ZST,)), compressed)).outcome == "value"
        assert attack(targets["files"], (bytes((ZST,)), compressed[:-3])).outcome == "refused"


@pytest.mark.parametrize("at", ['"soon"', "{}", "[1]", "1.5", "true", "-5", '"0001-01-01T00:00:00Z"', str(1 << 60)])
def test_a_shift_passes_over_what_is_an_instant_by_name_only(at: str, targets: dict[str, Target]) -> None:
    event = json.loads(next(line for line in samples().lines if b'"orders"' in line))
    line = json.dumps(event | {"effective_at": "AT", "snooze_until": INSTANT_MAX_MS}).replace('"AT"', at).encode()
    shift = NOW_MS + 900 * DAY_MS
    assert attack(targets["publish"], (bytes((PLAIN,)), line, shift.to_bytes(8, "big"))).outcome == "value"
