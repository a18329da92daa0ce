"""Checkpoints: equal after loading, whole whatever was torn, and everything wrong with a file said in words."""

import errno
import os
import random
import resource
import shutil
import signal
from pathlib import Path

import pytest
from opendsql.errors import OperatorError
from opendsql.storage import CHECKPOINT_FILE, Checkpointer, open_arena, verify_checkpoint

from dsql_core.storage import PAGE_BYTES, Arena, Checkpoint, StorageError, inspect, read_metas

ARENA = 256 << 20
SECTOR = 512
Trees = dict[int, dict[bytes, bytes]]


def be(number: int) -> bytes:
    return number.to_bytes(8, "big")


def change(arena: Arena, trees: Trees, rng: random.Random, batches: int = 10, commits: int = 60) -> None:
    for _ in range(batches):
        arena.begin()
        for _ in range(commits):
            tree = rng.choice([1, 1, 9, 1 << 33])
            rows = trees.setdefault(tree, {})
            if rows and rng.random() < 0.3:
                key = rng.choice(list(rows))
                arena.delete(tree, key)
                del rows[key]
            else:
                key = be(rng.randrange(5000))
                rows[key] = rng.randbytes(rng.choice([0, 30, 300, 1500, 9000 if rng.random() < 0.1 else 5]))
                arena.put(tree, key, rows[key])
        arena.publish(arena.visible_ts + 10, 3, arena.visible_ts // 10 + 1)


def contents(arena: Arena) -> Trees:
    with arena.snapshot() as snapshot:
        return {tree: dict(snapshot.scan(tree)) for tree in snapshot.trees()}


def without_empty(trees: Trees) -> Trees:
    return {tree: dict(rows) for tree, rows in trees.items() if rows}


def test_reload_is_equal_round_after_round(tmp_path: Path) -> None:
    rng = random.Random(1)
    trees: Trees = {}
    opened = open_arena(tmp_path, ARENA)
    assert opened.is_new and opened.journal_seq == 0
    for round_no in range(10):
        change(opened.arena, trees, rng)
        held = opened.arena.snapshot() if round_no % 2 else None
        with Checkpointer(opened.arena, tmp_path, bytes_per_second=0) as checkpointer:
            result = checkpointer.step()
            assert result is not None and result.visible_ts == opened.arena.visible_ts
            assert checkpointer.step() is None, "nothing is new"
        if held is not None:
            held.close()
        again = open_arena(tmp_path, ARENA)
        assert not again.is_new
        assert (again.journal_seq, again.visible_ts, again.catalog_version) == (
            result.journal_seq, opened.arena.visible_ts, 3)
        assert contents(again.arena) == without_empty(trees)
        report = verify_checkpoint(tmp_path, ARENA)
        assert report.problems == [] and report.entries == sum(map(len, trees.values()))
        if round_no % 3 == 2:
            opened.arena.close()
            opened = again
        else:
            again.arena.close()
    opened.arena.close()


def test_only_what_is_new_is_written(tmp_path: Path) -> None:
    opened = open_arena(tmp_path, ARENA)
    opened.arena.begin()
    opened.arena.put_many(1, [(be(number), b"x" * 100) for number in range(50_000)])
    opened.arena.publish(1, 0, 1)
    with Checkpointer(opened.arena, tmp_path, bytes_per_second=0) as checkpointer:
        first = checkpointer.step()
        opened.arena.begin()
        opened.arena.put(1, be(7), b"new")
        opened.arena.publish(2, 0, 2)
        second = checkpointer.step()
        opened.arena.begin()
        opened.arena.publish(3, 0, 3)
        third = checkpointer.step()
    assert first is not None and second is not None and third is not None
    assert first.bytes_written > 5_000_000
    assert second.bytes_written < 10 * PAGE_BYTES
    assert third.bytes_written == 0 and third.journal_seq == 3
    opened.arena.close()


def test_pace(tmp_path: Path) -> None:
    opened = open_arena(tmp_path, ARENA)
    opened.arena.begin()
    opened.arena.put_many(1, [(be(number), b"x" * 100) for number in range(10_000)])
    opened.arena.publish(1, 0, 1)
    waits: list[float] = []
    with Checkpointer(opened.arena, tmp_path, bytes_per_second=1 << 20, pause=waits.append) as checkpointer:
        result = checkpointer.step()
    assert result is not None and waits
    assert waits == sorted(waits), "the time owed grows, as nothing waited"
    assert waits[-1] > result.bytes_written / (1 << 20) * 0.5
    opened.arena.close()


def test_a_second_checkpointer_is_refused(tmp_path: Path) -> None:
    opened = open_arena(tmp_path, ARENA)
    with Checkpointer(opened.arena, tmp_path), pytest.raises(OperatorError, match="another process"):
        Checkpointer(opened.arena, tmp_path)
    opened.arena.close()


def test_another_arenas_file_is_not_touched(tmp_path: Path) -> None:
    rng = random.Random(2)
    first = open_arena(tmp_path, ARENA)
    change(first.arena, {}, rng)
    with Checkpointer(first.arena, tmp_path, 0) as checkpointer:
        checkpointer.step()
    stranger = Arena.create(ARENA)
    before = (tmp_path / CHECKPOINT_FILE).read_bytes()
    with Checkpointer(stranger, tmp_path, 0) as checkpointer, pytest.raises(OperatorError, match="not this arena's"):
        checkpointer.step()
    assert (tmp_path / CHECKPOINT_FILE).read_bytes() == before
    stranger.close()
    first.arena.close()


def test_a_checkpointer_that_dies_is_continued(tmp_path: Path) -> None:
    """Given up before the meta, and again between the meta and the move of the pin (K3)."""
    rng = random.Random(3)
    trees: Trees = {}
    opened = open_arena(tmp_path, ARENA)
    change(opened.arena, trees, rng)
    with Checkpointer(opened.arena, tmp_path, 0) as checkpointer:
        checkpointer.step()
    durable = without_empty(trees)
    for _ in range(5):
        change(opened.arena, trees, rng)
        fd = os.open(tmp_path / CHECKPOINT_FILE, os.O_RDWR)
        half = Checkpoint(opened.arena, fd)
        half.begin()
        half.write()
        del half  # as its death would: the pin of the attempt stays
        os.close(fd)
        with open_arena(tmp_path, ARENA).arena as reloaded:
            assert contents(reloaded) == durable
    # The meta is on disk but the pin did not move: put the control words back as they were.
    change(opened.arena, trees, rng)
    control = os.pread(opened.arena.fds[0], 1 << 20, 0)
    with Checkpointer(opened.arena, tmp_path, 0) as checkpointer:
        result = checkpointer.step()
        assert result is not None
    after = os.pread(opened.arena.fds[0], 1 << 20, 0)
    restore_before_move(opened.arena, control, after, result.epoch)
    durable = without_empty(trees)
    change(opened.arena, trees, rng, batches=40)
    for _ in range(3):
        # Attempts that never finish must not hand the durable pages to the writer, nor write over them.
        fd = os.open(tmp_path / CHECKPOINT_FILE, os.O_RDWR)
        half = Checkpoint(opened.arena, fd)
        half.begin()
        change(opened.arena, trees, rng, batches=40)
        while half.write():
            pass
        del half
        os.close(fd)
        with open_arena(tmp_path, ARENA).arena as reloaded:
            assert contents(reloaded) == durable
    with Checkpointer(opened.arena, tmp_path, 0) as checkpointer:
        assert checkpointer.step() is not None
    with open_arena(tmp_path, ARENA).arena as reloaded:
        assert contents(reloaded) == without_empty(trees)
    opened.arena.close()


def restore_before_move(arena: Arena, before: bytes, after: bytes, epoch: int) -> None:
    """Undoes finish()'s last stores: durable_slot and the old durable pin return, the new pin stays."""
    fd = arena.fds[0]
    new_pin = epoch.to_bytes(8, "little")
    for at in range(0, len(after), 8):
        old, new = before[at : at + 8], after[at : at + 8]
        if old != new and new != new_pin and not is_root_of_pin(after, at, new_pin):
            os.pwrite(fd, old, at)


def is_root_of_pin(control: bytes, at: int, pin: bytes) -> bool:
    """Whether the word before `at` is that pin: a slot is {pin, root, ...}."""
    return control[at - 8 : at] == pin


def test_file_system_without_direct_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path, flags: int, *rest: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "no direct writes here")
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    trees: Trees = {}
    with open_arena(tmp_path, ARENA).arena as arena, Checkpointer(arena, tmp_path, 0) as checkpointer:
        change(arena, trees, random.Random(4))
        assert checkpointer.step() is not None
    with open_arena(tmp_path, ARENA).arena as reloaded:
        assert contents(reloaded) == without_empty(trees)


def test_a_failing_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """The disk fills up in the middle (a size limit on the process); the next step succeeds."""
    rng = random.Random(5)
    trees: Trees = {}
    with open_arena(tmp_path, ARENA).arena as arena, Checkpointer(arena, tmp_path, 0) as checkpointer:
        change(arena, trees, rng)
        checkpointer.step()
        durable = without_empty(trees)
        arena.begin()
        arena.put(1, b"large", bytes(20 << 20))
        arena.publish(arena.visible_ts + 1, 3, 1000)
        trees[1][b"large"] = bytes(20 << 20)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10 << 20, limits[1]))
        try:
            with pytest.raises(OperatorError, match="File too large"):
                checkpointer.step()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        with open_arena(tmp_path, ARENA).arena as reloaded:
            assert contents(reloaded) == durable
        assert checkpointer.step() is not None
    with open_arena(tmp_path, ARENA).arena as reloaded:
        assert contents(reloaded) == without_empty(trees)


# -- torn writes -------------------------------------------------------------------------------------------------------


def mix(old: bytes, new: bytes, size: int, rng: random.Random, share: float) -> bytes:
    """Each `size` bytes from one or the other, as an unflushed write may leave them."""
    return b"".join(
        (new if rng.random() < share else old)[at : at + size] for at in range(0, len(new), size)
    )


@pytest.mark.parametrize("seed", range(4))
def test_torn_writes(tmp_path: Path, seed: int) -> None:
    """Power cut anywhere in a checkpoint: before the first flush any sector of any page may be old or new; before the
    second the meta may be torn at eight bytes. What loads is the old checkpoint or the new one, whole."""
    rng = random.Random(seed)
    trees: Trees = {}
    live = tmp_path / "live"
    torn = tmp_path / "torn"
    live.mkdir()
    torn.mkdir()
    opened = open_arena(live, ARENA)
    checkpointer = Checkpointer(opened.arena, live, 0)
    landed = {"old": 0, "new": 0}
    for _ in range(6):
        before = without_empty(trees)
        old_file = (live / CHECKPOINT_FILE).read_bytes()
        change(opened.arena, trees, rng, batches=8)
        after = without_empty(trees)
        checkpointer.step()
        new_file = (live / CHECKPOINT_FILE).read_bytes()
        old_file = old_file.ljust(len(new_file), b"\0")
        metas = 2 * PAGE_BYTES
        for _ in range(4):
            pages = mix(old_file[metas:], new_file[metas:], SECTOR, rng, rng.random())
            (torn / CHECKPOINT_FILE).write_bytes(old_file[:metas] + pages)
            with open_arena(torn, ARENA).arena as arena:
                assert contents(arena) == before
            meta = mix(old_file[:metas], new_file[:metas], 8, rng, rng.choice([0.5, 0.99, 1.0]))
            (torn / CHECKPOINT_FILE).write_bytes(meta + new_file[metas:])
            with open_arena(torn, ARENA).arena as arena:
                found = contents(arena)
                assert found in (before, after)
                landed["new" if found == after else "old"] += 1
    assert landed["old"] and landed["new"]
    checkpointer.close()
    opened.arena.close()


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A data directory with two checkpoints in its file."""
    rng = random.Random(7)
    trees: Trees = {}
    with open_arena(tmp_path, ARENA).arena as arena, Checkpointer(arena, tmp_path, 0) as checkpointer:
        for _ in range(2):
            change(arena, trees, rng)
            checkpointer.step()
    return tmp_path


def flip(path: Path, offset: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def test_every_byte_of_a_meta_counts(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    fd = os.open(path, os.O_RDWR)
    try:
        for offset in range(2 * PAGE_BYTES):
            before = os.pread(fd, 1, offset)
            os.pwrite(fd, bytes([before[0] ^ 1 << offset % 8]), offset)
            assert read_metas(fd)[offset // PAGE_BYTES]["status"] != "valid", offset
            os.pwrite(fd, before, offset)
        assert [meta["status"] for meta in read_metas(fd)] == ["valid", "valid"]
    finally:
        os.close(fd)


def test_every_byte_of_a_page_counts(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    fd = os.open(path, os.O_RDONLY)
    meta = max(read_metas(fd), key=lambda meta: meta["epoch"])
    os.close(fd)
    rng = random.Random(1)
    base = meta["directory_root"] * PAGE_BYTES
    offsets = [*range(80), *sorted(rng.sample(range(80, PAGE_BYTES), 120))]
    for offset in offsets:
        bit = rng.randrange(8)
        flip(path, base + offset, bit)
        with pytest.raises(OperatorError) as refused:
            open_arena(whole, ARENA)
        assert str(refused.value) == f"{path}: page {meta['directory_root']} at offset {base}: checksum mismatch"
        assert verify_checkpoint(whole, ARENA).problems == [str(refused.value)]
        flip(path, base + offset, bit)
    open_arena(whole, ARENA).arena.close()


def test_any_page_damaged_is_found(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    report = verify_checkpoint(whole, ARENA)
    fd = os.open(path, os.O_RDONLY)
    meta = max(read_metas(fd), key=lambda meta: meta["epoch"])
    os.close(fd)
    rng = random.Random(2)
    found = 0
    for page_no in range(2, meta["pages"]):
        offset = page_no * PAGE_BYTES + rng.randrange(PAGE_BYTES)
        flip(path, offset, 3)
        problems = verify_checkpoint(whole, ARENA).problems
        if problems:
            assert problems == [f"{path}: page {page_no} at offset {page_no * PAGE_BYTES}: checksum mismatch"]
            found += 1
        flip(path, offset, 3)
    assert found == report.pages, "every page in use, and no other"


def test_both_metas_torn(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    flip(path, 100, 0)
    open_arena(whole, ARENA).arena.close()
    flip(path, PAGE_BYTES + 100, 0)
    with pytest.raises(OperatorError, match="no usable checkpoint: meta 0 at offset 0 is damaged, meta 1 at offset 8192"):
        open_arena(whole, ARENA)
    assert "no usable checkpoint" in verify_checkpoint(whole, ARENA).problems[0]


def test_truncated_and_empty_files(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    size = path.stat().st_size
    os.truncate(path, 40 * PAGE_BYTES + 100)
    with pytest.raises(OperatorError, match=r"page \d+ at offset \d+: lies beyond the end of the file"):
        open_arena(whole, ARENA)
    os.truncate(path, 0)
    with pytest.raises(OperatorError, match="meta 0 at offset 0 is empty"):
        open_arena(whole, ARENA)
    os.truncate(path, size)
    with pytest.raises(OperatorError, match="is empty"):
        open_arena(whole, ARENA)


def crc32c(block: bytes) -> int:
    """Bit by bit, independent of the code under test."""
    crc = 0xFFFFFFFF
    for byte in block:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def rewrite(path: Path, page_no: int, patch: dict[int, bytes]) -> None:
    """Changes bytes of a page (or meta) and makes its checksum right again."""
    with path.open("r+b") as file:
        file.seek(page_no * PAGE_BYTES)
        block = bytearray(file.read(PAGE_BYTES))
        for offset, replacement in patch.items():
            block[offset : offset + len(replacement)] = replacement
        block[12:16] = bytes(4)
        block[12:16] = crc32c(bytes(block)).to_bytes(4, "little")
        file.seek(page_no * PAGE_BYTES)
        file.write(block)


def test_other_versions_are_named(whole: Path) -> None:
    path = whole / CHECKPOINT_FILE
    for offset, patch, words in (
        (8, (2).to_bytes(4, "little"), "format version 2, this build reads 1"),
        (16, (4096).to_bytes(4, "little"), "pages of 4096 bytes, this build has 8192"),
    ):
        kept = path.read_bytes()
        rewrite(path, 1, {offset: patch})
        with pytest.raises(OperatorError, match=words):
            open_arena(whole, ARENA)
        path.write_bytes(kept)


def test_too_small_an_arena_is_said(whole: Path) -> None:
    with pytest.raises(OperatorError, match="the arena room for"):
        open_arena(whole, 1 << 20)


def test_structure_is_checked_behind_the_checksum(tmp_path: Path) -> None:
    """Wrong content with a right checksum: order, heads, prefix, bounds, counts, births, sharing."""
    with open_arena(tmp_path, ARENA).arena as arena, Checkpointer(arena, tmp_path, 0) as checkpointer:
        arena.begin()
        arena.put_many(1, [(be(number), b"v" * 100) for number in range(500)])
        arena.publish(1, 0, 1)
        checkpointer.step()
        with arena.snapshot() as snapshot:
            root, directory = snapshot.root(1), snapshot.directory_root
    path = tmp_path / CHECKPOINT_FILE
    block = path.read_bytes()[root * PAGE_BYTES : (root + 1) * PAGE_BYTES]
    assert block[18] == 2, "an inner page"
    slots = [block[32 + 8 * n : 40 + 8 * n] for n in range(4)]
    child = int.from_bytes(slots[1][4:6], "little")
    leaf_page = int.from_bytes(block[child : child + 4], "little")
    leaf = path.read_bytes()[leaf_page * PAGE_BYTES : (leaf_page + 1) * PAGE_BYTES]
    record = int.from_bytes(leaf[36:38], "little")
    cases = [
        (leaf_page, {32: leaf[40:48], 40: leaf[32:40]}, "keys out of order"),
        (leaf_page, {32: b"\xff\xff\xff\xff"}, "wrong key head"),
        (leaf_page, {20: (9).to_bytes(2, "little")}, "without the page's prefix"),
        (leaf_page, {36: (8191).to_bytes(2, "little")}, "outside its records"),
        (leaf_page, {record: (8000).to_bytes(2, "little")}, "ends outside the page"),
        (leaf_page, {24: (17).to_bytes(2, "little")}, "does not add up"),
        (leaf_page, {16: (1020).to_bytes(2, "little")}, "overlap"),
        (leaf_page, {18: b"\x03"}, "wrong kind or level"),
        (leaf_page, {19: b"\x01"}, "wrong kind or level"),
        (leaf_page, {8: (root).to_bytes(4, "little")}, "another page's number"),
        (leaf_page, {0: (1 << 40).to_bytes(8, "little")}, "younger"),
        (root, {child: (1 << 30).to_bytes(4, "little")}, "outside the arena"),
        (root, {child: root.to_bytes(4, "little")}, "referred to twice"),
        (root, {40: slots[2], 48: slots[1]}, "keys out of order"),
    ]
    clean = path.read_bytes()
    for page_no, patch, words in cases:
        rewrite(path, page_no, patch)
        problems = verify_checkpoint(tmp_path, ARENA).problems
        assert len(problems) == 1 and words in problems[0], (words, problems)
        path.write_bytes(clean)
    entry = clean[directory * PAGE_BYTES : (directory + 1) * PAGE_BYTES]
    record = int.from_bytes(entry[36:38], "little")
    rewrite(path, directory, {record + 18: (501).to_bytes(8, "little")})
    assert "wrong entry count" in verify_checkpoint(tmp_path, ARENA).problems[0]
    shutil.rmtree(tmp_path)


def test_inspection_of_memory(tmp_path: Path) -> None:
    with Arena.create(ARENA) as arena:
        arena.begin()
        arena.put_many(1, [(be(number), b"v" * 100) for number in range(500)])
        arena.publish()
        inspect(arena)
        with arena.snapshot() as snapshot:
            root = snapshot.root(1)
        os.pwrite(arena.fds[1], b"\x00", root * PAGE_BYTES + 19)
        with pytest.raises(StorageError, match=f"page {root} at offset"):
            inspect(arena)
