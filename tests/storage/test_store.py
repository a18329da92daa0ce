"""Trees against a dictionary: puts, deletes, drops, overflow values, long keys, cursors both ways, old snapshots."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core.storage import Arena, StorageError, inspect

KEY_MAX = 2048
Model = dict[bytes, bytes]


@pytest.fixture
def arena() -> Iterator[Arena]:
    with Arena.create(1 << 30) as arena:
        yield arena


def be(number: int) -> bytes:
    return number.to_bytes(8, "big")


def check_tree(snapshot, tree: int, model: Model, rng: random.Random) -> None:
    rows = sorted(model.items())
    assert snapshot.scan(tree, batch=rng.choice([1, 7, 256])) == rows
    assert snapshot.scan(tree, backward=True, batch=rng.choice([1, 7, 256])) == rows[::-1]
    assert snapshot.count(tree) == snapshot.estimate(tree) == len(model)
    assert snapshot.measure(tree) == (len(model), sum(len(k) + len(v) for k, v in rows))
    for _ in range(10):
        lo, hi = sorted(rng.choice(list(model) + [rng.randbytes(6)]) for _ in range(2))
        expected = [row for row in rows if lo <= row[0] < hi]
        assert snapshot.scan(tree, lo, hi) == expected
        assert snapshot.scan(tree, lo, hi, backward=True) == expected[::-1]
        assert snapshot.scan(tree, lo, limit=5) == [row for row in rows if row[0] >= lo][:5]
        assert snapshot.scan(tree, None, hi, backward=True, limit=5) == [row for row in rows if row[0] < hi][::-1][:5]
    for key in rng.sample(list(model), min(50, len(model))):
        assert snapshot.get(tree, key) == model[key]
        if key + b"\0" not in model:
            assert snapshot.get(tree, key + b"\0") is None


class Workload:
    """Random keys and values of every awkward kind."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def key(self) -> bytes:
        rng, kind = self.rng, self.rng.random()
        if kind < 0.45:
            return be(rng.randrange(20_000))
        if kind < 0.6:
            return b"tenant/%d/" % rng.randrange(3) + rng.randbytes(rng.randrange(0, 40))
        if kind < 0.7:
            return b"\0" * rng.randrange(0, 12)
        if kind < 0.8:
            return rng.randbytes(1) * rng.randrange(0, KEY_MAX + 1)
        if kind < 0.9:
            return b"p" * (KEY_MAX - 8) + be(rng.randrange(300))
        return rng.randbytes(rng.randrange(0, KEY_MAX + 1))

    def value(self) -> bytes:
        rng, kind = self.rng, self.rng.random()
        if kind < 0.8:
            return rng.randbytes(rng.randrange(0, 200))
        if kind < 0.97:
            return rng.randbytes(rng.choice([0, 1, 1999, 2000, 2001, rng.randrange(2500)]))
        return rng.randbytes(rng.choice([8159, 8160, 8161, 16320, 16321, rng.randrange(100_000)]))


@pytest.mark.parametrize("seed", range(6))
def test_random_workload(arena: Arena, seed: int) -> None:
    work = Workload(seed)
    rng = work.rng
    models: dict[int, Model] = {5: {}, 6: {}, 1 << 40: {}}
    old: list = []
    for batch in range(1, 121):
        arena.begin()
        shrinking = (batch // 20) % 2
        for _ in range(rng.randrange(1, 400)):
            tree = rng.choice(list(models))
            model = models[tree]
            if model and rng.random() < (0.75 if shrinking else 0.25):
                key = rng.choice(list(model)) if rng.random() < 0.9 else work.key()
                assert arena.delete(tree, key) == (key in model)
                model.pop(key, None)
            else:
                key = work.key() if not model or rng.random() < 0.8 else rng.choice(list(model))
                value = work.value()
                assert arena.put(tree, key, value) == (key in model)
                model[key] = value
        if rng.random() < 0.03:
            tree = rng.choice([5, 6])
            arena.drop(tree)
            models[tree] = {}
        arena.publish(batch, batch // 2, batch * 3)
        if batch % 10 == 0:
            inspect(arena)
        if rng.random() < 0.2:
            old.append((arena.snapshot(), batch, {tree: dict(model) for tree, model in models.items()}))
        if len(old) > 3:
            snapshot, then, kept = old.pop(rng.randrange(len(old)))
            assert (snapshot.visible_ts, snapshot.catalog_version, snapshot.journal_seq) == (then, then // 2, then * 3)
            for tree, model in kept.items():
                check_tree(snapshot, tree, model, rng)
            snapshot.close()
    for snapshot, _, kept in old:
        for tree, model in kept.items():
            check_tree(snapshot, tree, model, rng)
        snapshot.close()
    found = inspect(arena)
    assert found["entries"] == sum(len(model) for model in models.values())
    assert found["trees"] == sum(1 for model in models.values() if model)
    arena.begin()
    arena.publish(1000)
    arena.judge()
    assert arena.stats()["pages_used"] == found["pages"], "a page is lost or freed twice"
    arena.recover()
    assert arena.stats()["pages_used"] == found["pages"]
    arena.begin()
    for tree in models:
        arena.drop(tree)
    arena.publish(1001)
    arena.begin()
    arena.publish(1002)
    arena.judge()
    assert arena.stats()["pages_used"] == 0


small_keys = st.binary(max_size=3) | st.binary(min_size=2040, max_size=KEY_MAX)
operations = st.lists(
    st.tuples(st.sampled_from(["put", "put", "delete", "publish"]), small_keys, st.integers(0, 2500)), max_size=80
)


@settings(max_examples=150, deadline=None)
@given(operations)
def test_any_sequence(steps: list[tuple[str, bytes, int]]) -> None:
    model: Model = {}
    with Arena.create(1 << 26) as arena:
        arena.begin()
        for what, key, size in steps:
            if what == "put":
                assert arena.put(1, key, key[:1] * size) == (key in model)
                model[key] = key[:1] * size
            elif what == "delete":
                assert arena.delete(1, key) == (key in model)
                model.pop(key, None)
            else:
                arena.publish()
                arena.begin()
        arena.publish()
        inspect(arena)
        with arena.snapshot() as snapshot:
            assert snapshot.scan(1) == sorted(model.items())
            assert snapshot.scan(1, backward=True, batch=2) == sorted(model.items(), reverse=True)


@pytest.mark.parametrize("size", [0, 1, 2000, 2001, 8160, 8161, 65_535, 1 << 20, 2 << 20])
def test_value_sizes(arena: Arena, size: int) -> None:
    first, second = random.Random(size).randbytes(size), random.Random(size + 1).randbytes(size)
    arena.begin()
    arena.put(3, b"k", first)
    arena.publish()
    with arena.snapshot() as before:
        arena.begin()
        assert arena.put(3, b"k", second)
        assert arena.put(3, b"l", second) is False
        arena.publish()
        with arena.snapshot() as after:
            assert after.get(3, b"k") == second
            assert after.scan(3) == [(b"k", second), (b"l", second)]
        assert before.get(3, b"k") == first
        assert before.scan(3) == [(b"k", first)]


@pytest.mark.parametrize("step", [1, -1])
def test_ordered_inserts_fill_their_pages(arena: Arena, step: int) -> None:
    rows = [(be(number), b"v" * 100) for number in range(50_000)][::step]
    for at in range(0, len(rows), 1000):
        arena.begin()
        assert arena.put_many(7, rows[at : at + 1000]) == 1000
        arena.publish()
    pages = inspect(arena)["pages"]
    # 118 bytes a row with its slot; full pages would be 723 of them, and inner pages a few more.
    assert pages < 740
    with arena.snapshot() as snapshot:
        assert snapshot.scan(7) == sorted(rows)


def test_deletes_give_pages_back(arena: Arena) -> None:
    arena.begin()
    arena.put_many(7, [(be(number), b"v" * 100) for number in range(50_000)])
    arena.publish()
    full = inspect(arena)["pages"]
    rng = random.Random(1)
    order = list(range(50_000))
    rng.shuffle(order)
    for at in range(0, 45_000, 500):
        arena.begin()
        for number in order[at : at + 500]:
            arena.delete(7, be(number))
        arena.publish()
    assert inspect(arena)["pages"] < full * 0.5, "a tenth of the rows is left"
    with arena.snapshot() as snapshot:
        assert [key for key, _ in snapshot.scan(7)] == sorted(be(number) for number in order[45_000:])


def test_many_trees(arena: Arena) -> None:
    arena.begin()
    for tree in range(1, 3001):
        arena.put(tree * 7919, be(tree), be(tree))
    arena.publish(1)
    with arena.snapshot() as snapshot:
        assert len(snapshot.trees()) == 3000
        assert all(snapshot.get(tree * 7919, be(tree)) == be(tree) for tree in range(1, 3001))
        assert snapshot.get(5, b"x") is None and snapshot.scan(5) == [] and snapshot.root(5) == 0
    arena.begin()
    for tree in range(1, 3001):
        arena.delete(tree * 7919, be(tree))
    arena.publish(2)
    with arena.snapshot() as snapshot:
        assert snapshot.trees() == {} and snapshot.directory_root == 0


def test_full_arena_refuses_and_recovers() -> None:
    with Arena.create(1 << 20) as arena:
        arena.begin()
        arena.put(1, b"kept", b"value")
        arena.publish(5)
        arena.begin()
        with pytest.raises(StorageError, match="full"):
            for number in range(100_000):
                arena.put(1, be(number), b"x" * 1000)
        with pytest.raises(StorageError):
            arena.put(1, b"more", b"x")
        with pytest.raises(StorageError):
            arena.publish(6)
        arena.recover()
        arena.begin()
        arena.put(1, b"more", b"value")
        arena.publish(7)
        inspect(arena)
        with arena.snapshot() as snapshot:
            assert snapshot.scan(1) == [(b"kept", b"value"), (b"more", b"value")]


def test_misuse_is_refused(arena: Arena) -> None:
    with pytest.raises(StorageError, match="no batch"):
        arena.put(1, b"k", b"v")
    with pytest.raises(ValueError, match="2048"):
        arena.begin()
        arena.put(1, b"k" * 2049, b"v")
    arena.publish()
    with Arena.attach(*arena.fds) as reader:
        with pytest.raises(StorageError, match="only reads"):
            reader.begin()
        assert reader.snapshot().get(1, b"k") is None
    with pytest.raises(StorageError, match="closed"):
        reader.snapshot()
    snapshot = arena.snapshot()
    snapshot.close()
    with pytest.raises(StorageError, match="closed"):
        snapshot.get(1, b"k")


def test_unfinished_batch_is_invisible(arena: Arena) -> None:
    arena.begin()
    arena.put(1, b"a", b"1")
    arena.publish(1)
    arena.begin()
    arena.put(1, b"a", b"2")
    arena.put(1, b"b", b"2")
    with Arena.attach(*arena.fds) as reader, reader.snapshot() as snapshot:
        assert snapshot.scan(1) == [(b"a", b"1")]
        arena.publish(2)
        assert snapshot.scan(1) == [(b"a", b"1")]
        assert reader.visible_ts == 2
        with reader.snapshot() as newer:
            assert newer.scan(1) == [(b"a", b"2"), (b"b", b"2")]
