"""Trees: gets, updates, inserts, scans, pins, checkpoints. One process, 8-byte keys, 100-byte values.

The calls come from Python in lists, so a get or put costs about 20 ns more here than from the executor or the applier.
Rows: BENCH_ROWS (default 300,000). Compare ratios between runs on one machine, not absolutes between machines.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from opendsql.storage import Checkpointer, open_arena

from dsql_core.storage import Arena, inspect

ROWS = int(os.environ.get("BENCH_ROWS", "300000"))
GETS = 20_000


def be(number: int) -> bytes:
    return number.to_bytes(8, "big")


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with Arena.create(4 << 30) as arena:
        for at in range(0, ROWS, 10_000):
            arena.begin()
            arena.put_many(1, [(be(number), b"x" * 100) for number in range(at, min(at + 10_000, ROWS))])
            arena.publish()
        yield arena


@pytest.mark.parametrize("hot", [False, True], ids=["uniform", "hot"])
def test_get(benchmark, arena: Arena, hot: bool) -> None:
    rng = random.Random(1)
    keys = [be(rng.randrange(100 if hot else ROWS)) for _ in range(GETS)]
    with arena.snapshot() as snapshot:
        found, _ = benchmark(snapshot.get_many, 1, keys)
    assert found == GETS
    benchmark.extra_info["per_second"] = GETS / benchmark.stats["median"] if benchmark.stats else None


@pytest.mark.parametrize("batch", [1, 16, 256])
def test_update(benchmark, arena: Arena, batch: int) -> None:
    rng = random.Random(2)
    rows = [[(be(rng.randrange(ROWS)), b"y" * 100) for _ in range(batch)] for _ in range(4096 // batch)]

    def work() -> None:
        for part in rows:
            arena.begin()
            arena.put_many(1, part)
            arena.publish()

    benchmark(work)
    benchmark.extra_info["per_second"] = 4096 / benchmark.stats["median"] if benchmark.stats else None


@pytest.mark.parametrize("order", ["ascending", "random"])
def test_insert(benchmark, order: str) -> None:
    numbers = list(range(100_000))
    if order == "random":
        random.Random(3).shuffle(numbers)
    rows = [[(be(number), b"z" * 100) for number in numbers[at : at + 1000]] for at in range(0, 100_000, 1000)]

    def fresh() -> tuple[tuple[Arena], dict]:
        arena = Arena.create(1 << 30)
        arena.touch_ahead(2500)
        return (arena,), {}

    def work(arena: Arena) -> None:
        for part in rows:
            arena.begin()
            arena.put_many(1, part)
            arena.publish()
        arena.close()

    benchmark.pedantic(work, setup=fresh, rounds=3)
    benchmark.extra_info["per_second"] = 100_000 / benchmark.stats["median"] if benchmark.stats else None


def test_full_scan(benchmark, arena: Arena) -> None:
    with arena.snapshot() as snapshot:
        entries, _ = benchmark(snapshot.measure, 1)
    assert entries == ROWS
    benchmark.extra_info["per_second"] = ROWS / benchmark.stats["median"] if benchmark.stats else None


def test_scan_of_100(benchmark, arena: Arena) -> None:
    with arena.snapshot() as snapshot:
        rows = benchmark(snapshot.scan, 1, be(ROWS // 2), None, False, 100)
    assert len(rows) == 100


def test_pin(benchmark, arena: Arena) -> None:
    """Snapshot object, slot, pin, unpin."""
    benchmark(lambda: arena.snapshot().close())


def test_pins_alone(benchmark, arena: Arena) -> None:
    """A million pin + unpin pairs in a kept slot."""
    benchmark.pedantic(arena.time_pins, args=(1_000_000,), rounds=3)


def test_recover(benchmark, arena: Arena) -> None:
    benchmark.pedantic(arena.recover, rounds=3)


def test_inspect(benchmark, arena: Arena) -> None:
    benchmark.pedantic(inspect, args=(arena,), rounds=3)


def test_checkpoint_and_load(benchmark, tmp_path: Path) -> None:
    """Load of a checkpoint; the write of it is in extra_info."""
    with open_arena(tmp_path, 1 << 30).arena as arena, Checkpointer(arena, tmp_path, 0) as checkpointer:
        arena.begin()
        arena.put_many(1, [(be(number), b"x" * 100) for number in range(100_000)])
        arena.publish(1, 0, 1)
        result = checkpointer.step()
    assert result is not None
    benchmark.pedantic(lambda: open_arena(tmp_path, 1 << 30).arena.close(), rounds=3)
    benchmark.extra_info["write_seconds"] = result.seconds
    benchmark.extra_info["bytes"] = result.bytes_written
