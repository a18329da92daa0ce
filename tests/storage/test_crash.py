"""SIGKILL of the writer while readers verify every snapshot and checkpoints run beside them; garbage under readers.

The bank: accounts whose balances sum to zero in every published root, each row carrying proof of its own key. A writer
moves money, opens and closes accounts (sum unchanged), now and then with values in overflow pages, in batches of
1-50 transfers. Readers pin, sum, keep a quarter of their pins for a while and sum again.
"""

import contextlib
import mmap
import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from opendsql.errors import OperatorError
from opendsql.storage import Checkpointer, open_arena

from dsql_core.storage import Arena, StorageError, inspect

FORK = multiprocessing.get_context("fork")
ARENA = 512 << 20
ACCOUNTS = 600
TREES = (11, 12)


def account(number: int) -> bytes:
    return b"account/" + number.to_bytes(8, "big")


def row(number: int, balance: int, size: int) -> bytes:
    proof = (number * 2654435761 % 2**32).to_bytes(4, "big")
    return balance.to_bytes(8, "big", signed=True) + proof * (size // 4)


def check(snapshot) -> str | None:
    """What is wrong with a snapshot, or None."""
    total = 0
    for tree in TREES:
        rows = snapshot.scan(tree)
        if len(rows) != snapshot.count(tree):
            return f"{len(rows)} rows, {snapshot.count(tree)} promised"
        for key, value in rows:
            number = int.from_bytes(key[8:], "big")
            total += int.from_bytes(value[:8], "big", signed=True)
            if value != row(number, int.from_bytes(value[:8], "big", signed=True), len(value) - 8):
                return f"row {number} is torn"
    return f"the sum is {total}" if total else None


def write(arena: Arena, seed: int) -> None:
    """Until killed."""
    rng = random.Random(seed)
    arena.become_writer()
    with arena.snapshot() as snapshot:
        books = {
            tree: {int.from_bytes(key[8:], "big"): int.from_bytes(value[:8], "big", signed=True)
                   for key, value in snapshot.scan(tree)}
            for tree in TREES
        }
        seq = snapshot.journal_seq
    while True:
        arena.begin()
        for _ in range(rng.randrange(1, 51)):
            for sign in (1, -1):
                tree = rng.choice(TREES)
                book = books[tree]
                number = rng.randrange(ACCOUNTS)
                size = 4 * rng.choice([2, 5, 25, 25, 100, 3000 if rng.random() < 0.1 else 8])
                book[number] = book.get(number, 0) + sign * 7
                if book[number] == 0 and rng.random() < 0.7:
                    arena.delete(tree, account(number))
                    del book[number]
                else:
                    arena.put(tree, account(number), row(number, book[number], size))
        seq += 1
        arena.publish(seq, 0, seq)


def read(arena: Arena, seed: int, out: Connection) -> None:
    """Until SIGTERM; sends (checks, first fault or None)."""
    rng = random.Random(seed)
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    reader = Arena.attach(*arena.fds)
    checks = 0
    fault = None
    last_seq = 0
    kept: list = []
    try:
        while not stop and fault is None:
            snapshot = reader.snapshot()
            checks += 1
            fault = check(snapshot)
            if snapshot.journal_seq < last_seq:
                fault = "time went backwards"
            last_seq = snapshot.journal_seq
            if rng.random() < 0.25:
                kept.append(snapshot)
            else:
                snapshot.close()
            while len(kept) > rng.randrange(6):
                with kept.pop(rng.randrange(len(kept))) as old:
                    fault = fault or check(old)
    except StorageError as error:
        fault = f"a reader met {error}"
    out.send((checks, fault))


def keep(arena: Arena, directory: Path, out: Connection) -> None:
    """Checkpoints until SIGTERM."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    count = 0
    fault = None
    try:
        with Checkpointer(Arena.attach(*arena.fds), directory, bytes_per_second=0) as checkpointer:
            while not stop:
                count += checkpointer.step() is not None
    except OperatorError as error:
        fault = str(error)
    out.send((count, fault))


def test_writer_killed_again_and_again(tmp_path: Path) -> None:
    rng = random.Random(5)
    arena = open_arena(tmp_path, ARENA).arena
    arena.become_reader()
    workers: list = []
    pipes: list[Connection] = []
    kills = 0
    try:
        for target, args in ((read, (1,)), (read, (2,)), (keep, (tmp_path,))):
            receiver, sender = FORK.Pipe(duplex=False)
            worker = FORK.Process(target=target, args=(arena, *args, sender))
            worker.start()
            sender.close()
            workers.append(worker)
            pipes.append(receiver)
        deadline = time.monotonic() + 6
        while time.monotonic() < deadline:
            writer = FORK.Process(target=write, args=(arena, kills))
            workers.append(writer)
            writer.start()
            writer.join(rng.uniform(0.001, 0.09))
            assert writer.exitcode is None, "the writer ended by itself"
            writer.kill()
            writer.join()
            workers.remove(writer)
            arena.sweep_pins()
            kills += 1
        for worker in workers:
            worker.terminate()
        results = [pipe.recv() for pipe in pipes]
        for worker in workers:
            worker.join()
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.kill()
            worker.join()
    assert [fault for _, fault in results] == [None, None, None]
    assert kills > 20 and all(count > 5 for count, _ in results), (kills, results)
    arena.sweep_pins()
    arena.become_writer()
    with arena.snapshot() as snapshot:
        assert snapshot.journal_seq > 100
        assert check(snapshot) is None
    arena.begin()
    arena.publish(arena.visible_ts)
    arena.judge()
    found = inspect(arena)
    stats = arena.stats()
    assert stats["pages_used"] == found["pages"]
    with Checkpointer(arena, tmp_path, 0) as checkpointer:
        checkpointer.step()
    with open_arena(tmp_path, ARENA).arena as reloaded, reloaded.snapshot() as after, arena.snapshot() as before:
        assert all(after.scan(tree) == before.scan(tree) for tree in TREES)
    arena.close()


def test_whole_service_killed_again_and_again(tmp_path: Path) -> None:
    """Writer and checkpointer die at once, memory is gone: the file alone must do."""
    rng = random.Random(6)
    last = 0
    for round_no in range(12):
        opened = open_arena(tmp_path, ARENA)
        assert opened.journal_seq >= last
        last = opened.journal_seq
        with opened.arena.snapshot() as snapshot:
            assert check(snapshot) is None
        opened.arena.become_reader()
        receiver, sender = FORK.Pipe(duplex=False)
        workers = [FORK.Process(target=write, args=(opened.arena, 100 + round_no)),
                   FORK.Process(target=keep, args=(opened.arena, tmp_path, sender))]
        try:
            for worker in workers:
                worker.start()
            workers[0].join(rng.uniform(0.05, 0.25))
        finally:
            for worker in workers:
                worker.kill()
                worker.join()
            receiver.close()
            sender.close()
        opened.arena.close()
    assert last > 50


def scribble(seed: int) -> None:
    """Random bytes under a reader: errors or wrong rows, but no crash and no endless walk."""
    rng = random.Random(seed)
    with Arena.create(16 << 20) as arena:
        arena.begin()
        for number in range(1500):
            arena.put(1, account(number), rng.randbytes(rng.choice([10, 100, 3000 if number % 50 == 0 else 50])))
        arena.publish()
        snapshot = arena.snapshot()
        size = arena.stats()["pages_high"] * 8192
        with mmap.mmap(arena.fds[1], size) as memory:
            clean = memory[:]
            for _ in range(150):
                for _ in range(rng.choice([1, 3, 50])):
                    page = rng.randrange(2, size // 8192) * 8192
                    at = page + (rng.randrange(8192) if rng.random() < 0.3 else rng.randrange(200))
                    memory[at] = rng.choice([0, 255, rng.randrange(256), memory[at] ^ 1])
                for act in (
                    lambda: snapshot.scan(1, limit=5000),
                    lambda: snapshot.scan(1, account(700), account(900), backward=True, limit=5000),
                    lambda: snapshot.scan(1, account(3), batch=1, limit=2000),
                    lambda: [snapshot.get(1, account(number)) for number in range(0, 1500, 7)],
                    lambda: inspect(arena),
                    lambda: snapshot.estimate(1),
                ):
                    with contextlib.suppress(StorageError):
                        act()
                memory[:] = clean
        assert len(snapshot.scan(1)) == 1500
        snapshot.close()


@pytest.mark.parametrize("seed", range(4))
def test_garbage_under_a_reader(seed: int) -> None:
    child = FORK.Process(target=scribble, args=(seed,))
    child.start()
    child.join(60)
    hung = child.is_alive()
    if hung:
        child.kill()
        child.join()
    assert not hung
    assert child.exitcode == 0, f"ended with {child.exitcode}"


def test_reader_processes_cannot_write(tmp_path: Path) -> None:
    """A stray store in a reader faults instead of reaching the arena."""
    arena = Arena.create(1 << 24)
    reader = Arena.attach(*arena.fds)
    inode = str(os.fstat(arena.fds[1]).st_ino)

    def rights() -> list[str]:
        return sorted(line.split()[1] for line in Path("/proc/self/maps").read_text().splitlines() if line.split()[4] == inode)

    assert rights() == ["r--s", "rw-s"]
    arena.become_reader()
    assert set(rights()) == {"r--s"}
    with pytest.raises(StorageError):
        arena.begin()
    assert os.fstat(arena.fds[1]).st_blocks * 512 < 1 << 20, "only pages in use take memory"
    reader.close()
    arena.close()
