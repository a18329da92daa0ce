"""Pins and reclamation: what a reader holds stays, what nobody holds comes back, slots of the dead are swept."""

import contextlib
import multiprocessing
import os
import random
import resource
import signal
import threading
from collections.abc import Iterator

import pytest

from dsql_core.storage import Arena, StorageError, inspect

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def arena() -> Iterator[Arena]:
    with Arena.create(1 << 30) as arena:
        yield arena


def be(number: int) -> bytes:
    return number.to_bytes(8, "big")


def load(arena: Arena, rows: int) -> None:
    arena.begin()
    arena.put_many(1, [(be(number), b"0" * 100) for number in range(rows)])
    arena.publish(1)


def update(arena: Arena, rng: random.Random, rows: int, batches: int) -> None:
    for _ in range(batches):
        arena.begin()
        for _ in range(4):
            arena.put(1, be(rng.randrange(rows)), rng.randbytes(100))
        arena.publish(1)


def test_without_readers_the_arena_stays_its_size(arena: Arena) -> None:
    rng = random.Random(1)
    load(arena, 10_000)
    update(arena, rng, 10_000, 100)
    high = arena.stats()["pages_high"]
    update(arena, rng, 10_000, 3000)
    assert arena.stats()["pages_high"] <= high + 64


def test_one_pinned_reader_costs_one_tree(arena: Arena) -> None:
    rng = random.Random(2)
    load(arena, 10_000)
    tree = inspect(arena)["pages"]
    snapshot = arena.snapshot()
    before = snapshot.scan(1)
    update(arena, rng, 10_000, 2000)
    first = arena.stats()["pages_high"]
    assert first < 2.3 * tree + 200, "one copy of the tree, not one page per update"
    update(arena, rng, 10_000, 2000)
    assert arena.stats()["pages_high"] <= first + 64, "flat from then on"
    assert snapshot.scan(1) == before
    held = arena.stats()["pages_held"]
    assert held > tree * 0.9
    snapshot.close()
    arena.judge()
    assert arena.stats()["pages_held"] == 0


def test_many_pins_each_keep_their_own(arena: Arena) -> None:
    rng = random.Random(3)
    load(arena, 2000)
    open_: list = []
    for round_no in range(300):
        update(arena, rng, 2000, 5)
        snapshot = arena.snapshot()
        open_.append((snapshot, snapshot.scan(1)))
        while len(open_) > 20 or (open_ and rng.random() < 0.4):
            snapshot, rows = open_.pop(rng.randrange(len(open_)))
            assert snapshot.scan(1) == rows, round_no
            snapshot.close()
    for snapshot, rows in open_:
        assert snapshot.scan(1) == rows
        snapshot.close()
    arena.begin()
    arena.publish(2)
    arena.judge()
    stats = arena.stats()
    assert stats["pages_held"] == 0 and stats["bags"] == 0 and stats["pins"] == 0
    assert stats["pages_used"] == inspect(arena)["pages"]


def test_recovery_keeps_what_readers_hold(arena: Arena) -> None:
    rng = random.Random(4)
    load(arena, 3000)
    reader = Arena.attach(*arena.fds)
    held = []
    for _ in range(10):
        update(arena, rng, 3000, 20)
        snapshot = reader.snapshot()
        held.append((snapshot, snapshot.scan(1)))
    arena.begin()
    arena.put(1, be(1), b"never published")
    for _ in range(3):
        arena.recover()
        for snapshot, rows in held:
            assert snapshot.scan(1) == rows
        update(arena, rng, 3000, 300)
    for snapshot, rows in held:
        assert snapshot.scan(1) == rows
        snapshot.close()
    arena.begin()
    arena.publish(3)
    arena.judge()
    assert arena.stats()["pages_used"] == inspect(arena)["pages"]
    reader.close()


def child_pins(arena: Arena, fd: int) -> None:
    held = [arena.snapshot() for _ in range(3)]
    os.write(fd, b"r")
    signal.pause()
    del held


def test_pins_of_a_dead_process_are_swept(arena: Arena) -> None:
    load(arena, 100)
    mine = arena.snapshot()
    read_fd, write_fd = os.pipe()
    child = FORK.Process(target=child_pins, args=(arena, write_fd))
    child.start()
    try:
        assert os.read(read_fd, 1) == b"r"
        assert arena.stats()["pins"] == 4
        assert arena.sweep_pins() == 0, "its owner lives"
    finally:
        child.kill()
        child.join()
    assert arena.stats()["pins"] == 4
    assert arena.sweep_pins() == 3
    assert arena.stats()["pins"] == 1 and mine.get(1, be(5)) is not None
    os.close(read_fd)
    os.close(write_fd)


def test_an_owner_nobody_can_look_at_is_not_dead(arena: Arena) -> None:
    """Without a free descriptor /proc cannot be read; a live process keeps its pins all the same."""
    load(arena, 100)
    read_fd, write_fd = os.pipe()
    child = FORK.Process(target=child_pins, args=(arena, write_fd))
    child.start()
    taken: list[int] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert os.read(read_fd, 1) == b"r"
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.dup(0))
        assert arena.sweep_pins() == 0
        assert arena.stats()["pins"] == 3
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        child.kill()
        child.join()
        os.close(read_fd)
        os.close(write_fd)
    assert arena.sweep_pins() == 3


def child_drops(arena: Arena, inherited: list) -> None:
    with arena.snapshot():
        inherited.pop().close()
        inherited.clear()
    os._exit(0)


def test_a_child_cannot_drop_its_parents_pin(arena: Arena) -> None:
    load(arena, 1000)
    kept = arena.snapshot()
    rows = kept.scan(1)
    inherited = [kept, arena.snapshot()]
    child = FORK.Process(target=child_drops, args=(arena, inherited))
    child.start()
    child.join()
    assert child.exitcode == 0
    arena.sweep_pins()
    assert arena.stats()["pins"] == 2
    update(arena, random.Random(5), 1000, 500)
    assert kept.scan(1) == rows


def test_slots_run_out_and_come_back(arena: Arena) -> None:
    load(arena, 10)
    held = []
    with pytest.raises(StorageError, match="slot"):
        while True:
            held.append(arena.snapshot())
    assert len(held) == 16_384 - 2
    held.clear()
    assert arena.stats()["pins"] == 0
    arena.snapshot().close()


def test_a_large_stock_of_free_pages_goes_back_to_the_machine(arena: Arena) -> None:
    load(arena, 1000)
    kept = arena.snapshot()
    rows = kept.scan(1)
    arena.begin()
    for number in range(40):
        arena.put(2, be(number), bytes([number]) * (5 << 20))
    arena.publish(2)
    before = os.fstat(arena.fds[1]).st_blocks
    arena.begin()
    arena.drop(2)
    arena.publish(3)
    update(arena, random.Random(6), 1000, 4000)
    after = os.fstat(arena.fds[1]).st_blocks
    assert before * 512 > 200 << 20
    assert after < before * 0.6
    assert kept.scan(1) == rows
    inspect(arena)
    arena.begin()
    for number in range(40):
        arena.put(2, be(number), bytes([number]) * (5 << 20))
    arena.publish(4)
    with arena.snapshot() as snapshot:
        assert all(snapshot.get(2, be(number)) == bytes([number]) * (5 << 20) for number in range(40))
    inspect(arena)


def test_threads_share_the_slots(arena: Arena) -> None:
    load(arena, 200)
    expected = arena.snapshot().scan(1)
    wrong: list[int] = []

    def work() -> None:
        for _ in range(2000):
            with arena.snapshot() as snapshot:
                if snapshot.measure(1)[0] != len(expected):
                    wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert arena.stats()["pins"] == 0
