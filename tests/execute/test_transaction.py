"""Transactions: what a snapshot sees, which commits are refused (spec 3.2), limits of age, read-only, state changes."""

from __future__ import annotations

import pytest

from tests.execute.support import CATALOG, INT4, INT8, Table, i4, i8, program, refused, rows, run

T = Table(36000, [("id", INT4), ("k", INT4), ("v", INT8)], indexes=[{"oid": 36001, "cols": [1], "unique": True}])


def at(key):
    return {"eq": [i4(key)]}


def insert(key, k=None):
    return T.insert(T.values([(key, key * 100 if k is None else k, 0)])), "INSERT"


def update(key, column=2, value=None):
    return T.update(T.target(at(key)), [(column, value or i8(7))]), "UPDATE"


def delete(key):
    return T.delete(T.target(at(key))), "DELETE"


def lock(key, mode):
    return {"op": "lock", "table": T.ir, "input": T.target(at(key)), "row_key": 0, "mode": mode}, "SELECT"


def do(session, action):
    plan, tag = action
    return session.execute(program(plan, tag=tag, writes=True, tables=[36000]))[2]


@pytest.fixture
def two(database):
    first, second = database.session(), database.session()
    run(first, T.insert(T.values([(i, i * 10, 0) for i in range(1, 6)])))
    yield first, second
    first.close()
    second.close()


ACTIONS = {
    "insert": lambda: insert(9), "delete": lambda: delete(1), "update key": lambda: update(1, 1, i4(77)),
    "update": lambda: update(1), "for update": lambda: lock(1, "update"), "key share": lambda: lock(1, "key_share"),
}  # fmt: skip
STRONG = {"delete", "update key", "for update"}
CONFLICTS = {(a, b) for a in STRONG for b in STRONG} | {(a, "update") for a in STRONG} | {("update", a) for a in STRONG}
CONFLICTS |= {(a, "key share") for a in STRONG} | {("key share", a) for a in STRONG} | {("update", "update"), ("insert", "insert")}


@pytest.mark.parametrize("held", ACTIONS)
@pytest.mark.parametrize("committed", ACTIONS)
def test_conflict_matrix(two, held, committed):
    mine, other = two
    mine.begin()
    do(mine, ACTIONS[held]())
    other.begin()
    do(other, ACTIONS[committed]())
    assert other.commit()
    if (held, committed) in CONFLICTS:
        with refused("40001") as failure:
            mine.commit()
        assert failure.error.message == "change conflicts with another transaction (OC000)"
    else:
        assert mine.commit()
    assert mine.state == "idle"


def test_unique_entries_conflict(two):
    mine, other = two
    mine.begin()
    do(mine, insert(20, 555))
    other.begin()
    do(other, insert(21, 555))
    other.commit()
    with refused("40001"):
        mine.commit()
    with refused("23505"):
        do(mine, insert(22, 555))


def test_snapshot_is_stable(two):
    mine, other = two
    mine.begin()
    before = rows(mine, T.scan())
    do(other, delete(1))
    do(other, insert(8))
    assert rows(mine, T.scan()) == before
    assert mine.commit()
    assert len(rows(mine, T.scan())) == 5 and rows(mine, T.scan()) != before


def test_read_only_transaction_never_conflicts_and_sends_nothing(two, database):
    mine, other = two
    mine.begin()
    rows(mine, T.scan())
    do(other, update(1))
    sent = len(database.requests)
    assert mine.commit()
    assert len(database.requests) == sent


def test_insert_and_delete_leave_nothing(two, database):
    mine, _ = two
    mine.begin()
    do(mine, insert(50))
    do(mine, update(50))
    do(mine, delete(50))
    assert mine.commit()
    assert database.requests[-1]["ops"] == []


def test_several_changes_send_the_last_image(two, database):
    mine, _ = two
    mine.begin()
    for value in (1, 2, 3):
        do(mine, update(2, 2, i8(value)))
    assert mine.commit()
    assert len(database.requests[-1]["ops"]) == 1
    assert rows(mine, T.scan([2], at(2))) == [("3",)]


def test_write_skew_is_possible_and_for_update_prevents_it(two):
    mine, other = two
    for locking in (False, True):
        mine.begin()
        other.begin()
        for reader in (mine, other):
            if locking:
                do(reader, lock(1, "update"))
                do(reader, lock(2, "update"))
            else:
                rows(reader, T.scan())
        do(mine, update(1))
        do(other, update(2))
        assert mine.commit()
        if locking:
            with refused("40001"):
                other.commit()
        else:
            assert other.commit()


def test_lock_alone_sends_checks(two, database):
    mine, _ = two
    mine.begin()
    do(mine, lock(1, "update"))
    assert mine.commit()
    assert database.requests[-1]["ops"] == [] and len(database.requests[-1]["checks"]) == 4, "R, K, S and the catalog"


def test_catalog_change_refuses_writers_of_the_table(two, database):
    mine, other = two
    mine.begin()
    do(mine, update(1))
    other.begin()
    fingerprint = next(c for c in _requested_catalog_checks(mine, database))
    other.add_check(fingerprint | 3 | CATALOG)
    other.mark_catalog_change()
    assert other.commit()
    mine.begin()
    version = mine.catalog_version
    mine.rollback()
    assert version == database.catalog_version
    reader = database.session()
    reader.begin()
    do(reader, update(3))
    other.begin()
    other.add_check(fingerprint | 3 | CATALOG)
    other.mark_catalog_change()
    assert other.commit()
    with refused("40001") as failure:
        reader.commit()
    assert failure.error.message == "schema has been updated by another transaction (OC001)"
    reader.close()


def _requested_catalog_checks(session, database):
    assert session.commit()
    return [c & ~7 for c in database.requests[-1]["checks"] if c & CATALOG]


def test_read_only_transaction_refuses_writes(two):
    mine, _ = two
    for action, word in ((insert(30), "INSERT"), (update(1), "UPDATE"), (delete(1), "DELETE"), (lock(1, "update"), "SELECT FOR UPDATE")):
        mine.begin(True, True)
        with refused("25006") as failure:
            do(mine, action)
        assert failure.error.message == f"cannot execute {word} in a read-only transaction"
        assert mine.state == "failed"
        mine.rollback()


def test_age_limit_is_lazy(two, database):
    mine, _ = two
    mine.begin()
    do(mine, update(1))
    database.engine.clock_offset_us = 310_000_000
    with refused("54000") as failure:
        rows(mine, T.scan())
    assert failure.error.message == "transaction age limit of 300s exceeded"
    assert failure.error.detail == "Current transaction age 310s exceeds 300s"
    assert mine.state == "failed"
    assert mine.commit() is False
    mine.begin()
    do(mine, update(1))
    database.engine.clock_offset_us = 620_000_001
    with refused("54000"):
        mine.commit()
    assert mine.state == "idle"
    database.engine.clock_offset_us = 0


def test_error_fails_an_open_transaction_and_ends_an_implicit_one(two):
    mine, _ = two
    with refused("23505"):
        do(mine, insert(1))
    assert mine.state == "idle"
    mine.begin()
    do(mine, update(1))
    with refused("23505"):
        do(mine, insert(2))
    assert mine.state == "failed"
    with refused("25P02"):
        do(mine, update(1))
    assert mine.commit() is False and mine.state == "idle"
    assert rows(mine, T.scan([2], at(1))) == [("0",)]


def test_transaction_ids_differ(two, database):
    mine, _ = two
    for value in range(5):
        do(mine, update(1, 2, i8(value)))
    ids = [r["txn_id"] for r in database.requests]
    assert len(set(ids)) == len(ids) and all(len(i) == 16 for i in ids)


def test_now_is_fixed(two):
    mine, _ = two
    mine.begin()
    first = mine.transaction_us
    rows(mine, T.scan())
    assert mine.transaction_us == first


def test_catalog_trees_through_the_handle(two):
    mine, other = two
    mine.begin()
    for i in range(10):
        mine.put(5, b"k%d" % i, b"v%d" % i)
    mine.delete(5, b"k3")
    assert mine.get(5, b"k2") == b"v2" and mine.get(5, b"k3") is None
    assert [k for k, _ in mine.scan(5, b"k2", b"k6")] == [b"k2", b"k4", b"k5"]
    assert other.scan(5) == []
    mine.commit()
    assert other.scan(5) == [], "the reader's snapshot is older"
    other.rollback()
    assert len(other.scan(5)) == 9
    assert [k for k, _ in other.scan(5, backward=True, limit=2)] == [b"k9", b"k8"]
    mine.begin()
    mine.drop_tree(5)
    assert mine.scan(5) == [] and len(other.scan(5)) == 9
    mine.put(5, b"new", b"x")
    assert mine.scan(5) == [(b"new", b"x")]
    mine.commit()
    other.rollback()
    assert other.scan(5) == [(b"new", b"x")]


def test_closed_and_detached_handles_refuse(database):
    session = database.session()
    session.close()
    with pytest.raises(RuntimeError):
        session.begin()
