"""INSERT, UPDATE, DELETE: rows, index entries, constraint errors, ON CONFLICT, RETURNING, limits."""

from __future__ import annotations

import pytest
from opendsql.limits import DSQL

from tests.execute.support import BOOL, INT4, INT8, TEXT, Database, Table, col, const, i4, refused, rows, run, txt, values

ACCOUNTS = Table(30000, [("id", INT4), ("name", TEXT), ("balance", INT8)], indexes=[{"oid": 30001, "cols": [1], "unique": True}])


def point(key):
    return {"eq": [i4(key)]}


def test_insert_scan_update_delete(session):
    t = ACCOUNTS
    assert run(session, t.insert(t.values([(1, "a", 10), (2, "b", 20), (3, "c", None)]))) == 3
    assert rows(session, t.scan()) == [("1", "a", "10"), ("2", "b", "20"), ("3", "c", None)]
    assert rows(session, t.scan(bounds=point(2), key_point=True)) == [("2", "b", "20")]
    plus = ("call", "int8pl", INT8, [col(3), const(INT8, 5)])
    assert run(session, t.update(t.target(point(2)), [(2, plus)]), tag="UPDATE") == 1
    assert rows(session, t.scan(bounds=point(2), key_point=True)) == [("2", "b", "25")]
    assert run(session, t.delete(t.target(point(1))), tag="DELETE") == 1
    assert rows(session, t.scan()) == [("2", "b", "25"), ("3", "c", None)]
    assert rows(session, t.index_scan(0, [0, 1])) == [("b", "2"), ("c", "3")]


def test_update_moves_primary_key_and_index_entries(session):
    t = ACCOUNTS
    run(session, t.insert(t.values([(1, "a", 10), (2, "b", 20)])))
    assert run(session, t.update(t.target(point(1)), [(0, i4(7)), (1, txt("z"))]), tag="UPDATE") == 1
    assert rows(session, t.scan()) == [("2", "b", "20"), ("7", "z", "10")]
    assert rows(session, t.index_scan(0, [0, 1])) == [("b", "2"), ("z", "7")]
    with refused("23505") as failure:
        run(session, t.update(t.target(point(7)), [(0, i4(2))]), tag="UPDATE")
    assert failure.error.message == 'duplicate key value violates unique constraint "t30000_pkey"'
    assert failure.error.detail == "Key (id)=(2) already exists."
    assert (failure.error.schema, failure.error.table, failure.error.constraint) == ("public", "t30000", "t30000_pkey")


def test_unique_index(session):
    t = ACCOUNTS
    run(session, t.insert(t.values([(1, "a", 10)])))
    with refused("23505") as failure:
        run(session, t.insert(t.values([(2, "a", 10)])))
    assert failure.error.detail == "Key (name)=(a) already exists."
    assert failure.error.constraint == "i30001"
    assert run(session, t.insert(t.values([(2, None, 1), (3, None, 1)]))) == 2, "NULLs are distinct"
    strict = Table(30010, [("id", INT4), ("name", TEXT)], indexes=[{"oid": 30011, "cols": [1], "unique": True, "nulls_distinct": False}])
    run(session, strict.insert(strict.values([(1, None)])))
    with refused("23505") as failure:
        run(session, strict.insert(strict.values([(2, None)])))
    assert failure.error.detail == "Key (name)=(null) already exists."


def test_not_null_check_typmod(session):
    t = Table(
        30020, [("id", INT4), ("name", 1043), ("n", INT4)], typmods=[-1, 7, -1], not_null=(2,),
        checks=[{"name": "positive", "expr": ("call", "int4gt", BOOL, [col(2), i4(0)])}],
    )  # fmt: skip
    with refused("23502") as failure:
        run(session, t.insert(t.values([(1, "abc", None)])))
    assert failure.error.message == 'null value in column "n" of relation "t30020" violates not-null constraint'
    assert failure.error.detail == "Failing row contains (1, abc, null)."
    assert failure.error.column == "n"
    with refused("23514") as failure:
        run(session, t.insert(t.values([(1, "abc", -4)])))
    assert failure.error.message == 'new row for relation "t30020" violates check constraint "positive"'
    assert failure.error.detail == "Failing row contains (1, abc, -4)."
    assert failure.error.constraint == "positive"
    with refused("22001") as failure:
        run(session, t.insert(t.values([(1, "abcd", 4)])))
    assert failure.error.message == "value too long for type character varying(3)"


def test_generated_column(session):
    double = ("call", "int4pl", INT4, [col(1), col(1)])
    t = Table(30030, [("id", INT4), ("n", INT4), ("twice", INT4)], generated=[(2, double)])
    run(session, t.insert(t.values([(1, 4, None)])))
    assert rows(session, t.scan()) == [("1", "4", "8")]
    run(session, t.update(t.target(point(1)), [(1, i4(5))]), tag="UPDATE")
    assert rows(session, t.scan()) == [("1", "5", "10")]


def test_returning(session):
    t = ACCOUNTS
    got = rows(session, t.insert(t.values([(1, "a", 10), (2, "b", 20)]), returning=[col(1), col(0)]), tag="INSERT", writes=True)
    assert got == [("a", "1"), ("b", "2")]
    got = rows(session, t.update(t.target(), [(2, const(INT8, 0))], returning=[col(2), col(3 + 3)]), tag="UPDATE", writes=True)
    assert got == [("0", "10"), ("0", "20")]
    assert rows(session, t.delete(t.target(point(2)), returning=[col(1)]), tag="DELETE", writes=True) == [("b",)]


def test_on_conflict(session):
    t = ACCOUNTS
    run(session, t.insert(t.values([(1, "a", 10)])))
    nothing = {"index": None, "action": "nothing"}
    assert run(session, t.insert(t.values([(1, "x", 0), (5, "a", 0), (6, "f", 6), (6, "g", 7)]), on_conflict=nothing)) == 1
    add = ("call", "int8pl", INT8, [col(2), col(5)])
    upsert = {"index": 30000, "action": "update", "set": [(2, add)], "where": None}
    assert run(session, t.insert(t.values([(1, "a", 7), (9, "n", 9)]), on_conflict=upsert)) == 2
    assert rows(session, t.scan()) == [("1", "a", "17"), ("6", "f", "6"), ("9", "n", "9")]
    with refused("21000") as failure:
        run(session, t.insert(t.values([(1, "a", 7), (1, "a", 7)]), on_conflict=upsert))
    assert failure.error.message == "ON CONFLICT DO UPDATE command cannot affect row a second time"
    assert failure.error.hint.startswith("Ensure that no rows proposed for insertion")
    by_name = {"index": 30001, "action": "update", "set": [(2, col(5))], "where": ("call", "int8gt", BOOL, [col(5), col(2)])}
    assert run(session, t.insert(t.values([(77, "a", 3)]), on_conflict=by_name)) == 0
    assert run(session, t.insert(t.values([(77, "a", 30)]), on_conflict=by_name)) == 1
    assert rows(session, t.scan(bounds=point(1))) == [("1", "a", "30")]
    with refused("23505"):
        run(session, t.insert(t.values([(78, "f", 30)]), on_conflict={"index": 30000, "action": "nothing"}))


def test_insert_from_itself_terminates(session):
    t = ACCOUNTS
    run(session, t.insert(t.values([(i, f"n{i}", i) for i in range(1, 101)])))
    shifted = {"op": "project", "input": t.scan(), "exprs": [("call", "int4pl", INT4, [col(0), i4(1000)]), const(TEXT, None), col(2)]}
    assert run(session, t.insert(shifted)) == 100
    assert len(rows(session, t.scan())) == 200


def test_update_shifting_keys_sees_each_row_once(session):
    t = Table(30040, [("id", INT4), ("n", INT4)])
    run(session, t.insert(t.values([(i, i) for i in range(0, 200, 2)])))
    shift = [(0, ("call", "int4pl", INT4, [col(1), i4(1001)]))]
    assert run(session, t.update(t.target(), shift), tag="UPDATE") == 100
    assert [r[0] for r in rows(session, t.scan())] == [str(i + 1001) for i in range(0, 200, 2)]


def test_hidden_key_rows_keep_insertion_order(session):
    t = Table(30050, [("a", TEXT)], pk=None)
    run(session, t.insert(t.values([("x",), ("y",)])))
    run(session, t.insert(t.values([("x",)])))
    assert rows(session, t.scan()) == [("x",), ("y",), ("x",)]
    keys = rows(session, t.scan([-1]))
    assert len({k for (k,) in keys}) == 3 and all(len(k) == 2 + 32 for (k,) in keys)
    assert run(session, t.delete(t.target(filter=("call", "texteq", BOOL, [col(1), txt("x")]))), tag="DELETE") == 2
    assert rows(session, t.scan()) == [("y",)]


def test_partial_index(session):
    big = ("call", "int4gt", BOOL, [col(1), i4(10)])
    t = Table(30060, [("id", INT4), ("n", INT4)], indexes=[{"oid": 30061, "cols": [1], "unique": True, "predicate": big}])
    run(session, t.insert(t.values([(1, 5), (2, 5), (3, 50)])))
    assert rows(session, t.index_scan(0, [0, 1])) == [("50", "3")]
    run(session, t.update(t.target(point(1)), [(1, i4(60))]), tag="UPDATE")
    run(session, t.update(t.target(point(3)), [(1, i4(6))]), tag="UPDATE")
    assert rows(session, t.index_scan(0, [0, 1])) == [("60", "1")]
    with refused("23505"):
        run(session, t.update(t.target(point(2)), [(1, i4(60))]), tag="UPDATE")


def test_row_limit(database, session):
    t = Table(30070, [("id", INT4)])
    database.engine.set_limits(DSQL.with_values({"transaction_rows_max": 10}))
    session.begin()
    assert run(session, t.insert(t.values([(i,) for i in range(10)]))) == 10
    with refused("54000") as failure:
        run(session, t.insert(t.values([(11,)])))
    assert failure.error.message == "transaction row limit exceeded"
    assert session.state == "failed"
    with refused("25P02") as failure:
        rows(session, t.scan())
    assert failure.error.message == "current transaction is aborted, commands ignored until end of transaction block"
    assert session.commit() is False
    assert rows(session, t.scan()) == []


def test_byte_limit():
    database = Database(DSQL.with_values({"transaction_bytes_max": 1 << 20, "row_bytes_max": 1 << 20, "column_bytes_max": 1 << 20}))
    session = database.session()
    t = Table(30080, [("id", INT4), ("v", TEXT)])
    session.begin()
    run(session, t.insert(t.values([(i, "x" * 1000) for i in range(1100)])))
    with refused("54000") as failure:
        session.commit()
    assert failure.error.message == "transaction size limit 1mb exceeded"
    assert failure.error.detail == "Current transaction size 2mb > 1mb"
    assert session.state == "idle"
    session.close()
    database.arena.close()


def test_key_size(session):
    t = Table(30090, [("k", TEXT)])
    run(session, t.insert(t.values([("x" * 1981,)])))
    with refused("54000") as failure:
        run(session, t.insert(t.values([("x" * 1982,)])))
    assert failure.error.message == "key size too large"


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1023, 1024, 1025, 2500])
def test_batches_of_every_size(session, count):
    t = Table(31000, [("id", INT4), ("n", INT8)])
    run(session, t.insert(t.values([(i, i * i) for i in range(count)])))
    assert rows(session, t.scan()) == [(str(i), str(i * i)) for i in range(count)]
    assert rows(session, t.scan(backward=True)) == [(str(i), str(i * i)) for i in reversed(range(count))]


def test_statement_without_commit_leaves_nothing(session):
    t = ACCOUNTS
    session.begin()
    run(session, t.insert(values(t.row, [(1, "a", 1)])))
    session.rollback()
    assert rows(session, t.scan()) == []
