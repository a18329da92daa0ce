"""A whole database in a few lines: an arena, a first-committer-wins commit function in Python, sessions, IR builders."""

from __future__ import annotations

import struct

from opendsql.limits import DSQL

import dsql_core.execute.kernels  # noqa: F401  (registers the kernels)
from dsql_core.execute import EngineHandle, ExecuteError, Program
from dsql_core.storage.arena import Arena

VALIDATE, STAMP, CATALOG, MASK = 1, 2, 4, 7
INT4, INT8, TEXT, BOOL, BYTEA, NUMERIC = 23, 20, 25, 16, 17, 1700


class Database:
    """Arena + commit function. `last` maps fingerprints to the timestamp of their last commit."""

    def __init__(self, limits=DSQL) -> None:
        self.arena = Arena.create(1 << 30)
        self.last: dict[int, int] = {}
        self.now = 1000
        self.catalog_version = 0
        self.requests: list[dict] = []
        self.arena.begin()
        self.arena.publish(self.now, 0, 0)
        self.engine = EngineHandle(self.arena, 3, commit=self.commit, limits=limits)

    def commit(self, request: bytes) -> int:
        size, kind, flags, _reply, txn_id, snapshot_ts, check_count, op_count = struct.unpack_from("<IHHQ16sQII", request)
        assert size == len(request) and kind == 1
        checks = struct.unpack_from(f"<{check_count}Q", request, 48)
        assert len({c & ~MASK for c in checks}) == len(checks), "checks are deduplicated"
        at = 48 + 8 * check_count
        ops = []
        for _ in range(op_count):
            op, key_size, value_size, tree = struct.unpack_from("<B3xIIQ", request, at)
            at += 20
            key = request[at : at + key_size]
            value = request[at + key_size : at + key_size + value_size]
            at += key_size + value_size
            ops.append((op, tree, key, value))
        assert at == size
        self.requests.append({"txn_id": txn_id, "checks": checks, "ops": ops, "flags": flags})
        for check in checks:
            if check & VALIDATE and self.last.get(check & ~MASK, 0) > snapshot_ts:
                return 2 if check & CATALOG else 1
        self.now += 1
        for check in checks:
            if check & STAMP:
                self.last[check & ~MASK] = self.now
        if flags & 1:
            self.catalog_version = self.now
        self.arena.begin()
        for op, tree, key, value in ops:
            if op == 1:
                self.arena.put(tree, key, value)
            elif op == 2:
                self.arena.delete(tree, key)
            else:
                self.arena.drop(tree)
        self.arena.publish(self.now, self.catalog_version, self.now)
        return 0

    def session(self):
        return self.engine.session()


class Table:
    """IR pieces of one table: descriptor, scans, inserts."""

    def __init__(self, oid, columns, pk=(0,), indexes=(), checks=(), generated=(), not_null=(), typmods=None):
        self.oid = oid
        self.names = [name for name, _ in columns]
        self.row = [oid_ for _, oid_ in columns]
        self.pk = list(pk) if pk else None
        self.indexes = list(indexes)
        self.ir = {
            "oid": oid, "tree": oid, "name": f"t{oid}", "schema": "public", "row": self.row, "names": self.names,
            "typmods": typmods or [-1] * len(self.row),
            "not_null": [i in not_null or i in (pk or ()) for i in range(len(self.row))],
            "pk": self.pk, "pk_name": f"t{oid}_pkey", "dropped": [False] * len(self.row),
            "checks": list(checks), "generated": list(generated), "indexes": [self._index(i) for i in self.indexes],
        }  # fmt: skip

    def _index(self, index):
        keys = index["cols"]
        stored = keys + index.get("include", [])
        stored = stored + [c for c in (self.pk or []) if c not in stored]
        return {
            "oid": index["oid"], "tree": index["oid"], "name": index.get("name", f"i{index['oid']}"),
            "keys": [("col", c) for c in keys], "key_types": [self.row[c] for c in keys],
            "nulls_first": [False] * len(keys), "store": [("col", c) for c in stored],
            "store_types": [self.row[c] for c in stored], "unique": index.get("unique", False),
            "nulls_distinct": index.get("nulls_distinct", True), "predicate": index.get("predicate"), "key_cols": keys,
        }  # fmt: skip

    def scan(self, cols=None, bounds=None, **more):
        key = [self.row[c] for c in self.pk] if self.pk else []
        cols = list(range(len(self.row))) if cols is None else cols
        return {"op": "scan", "tree": self.oid, "table_oid": self.oid, "row": self.row, "key": key, "cols": cols,
                "bounds": bounds or {}, "filter": None, **more}  # fmt: skip

    def index_scan(self, i, cols, bounds=None, **more):
        index = self.ir["indexes"][i]
        return {"op": "scan", "tree": index["tree"], "table_oid": self.oid, "index_oid": index["oid"],
                "row": index["store_types"], "key": index["key_types"], "cols": cols, "bounds": bounds or {},
                "filter": None, **more}  # fmt: skip

    def target(self, bounds=None, **more):
        """A scan yielding raw key, then the full row: input of update, delete, lock."""
        return self.scan([-1, *range(len(self.row))], bounds, **more)

    def insert(self, source, **more):
        return {"op": "insert", "table": self.ir, "input": source, "on_conflict": None, "returning": None, **more}

    def update(self, source, sets, **more):
        return {"op": "update", "table": self.ir, "input": source, "row_key": 0, "old": 1, "set": sets,
                "returning": None, **more}  # fmt: skip

    def delete(self, source, **more):
        return {"op": "delete", "table": self.ir, "input": source, "row_key": 0, "old": 1, "returning": None, **more}

    def values(self, rows):
        return values(self.row, rows)


def const(oid, text, typmod=-1):
    return ("const", oid, typmod, None if text is None else str(text))


def i4(value):
    return const(INT4, value)


def i8(value):
    return const(INT8, value)


def txt(value):
    return const(TEXT, value)


def col(i):
    return ("col", i)


def values(types, rows):
    return {"op": "values", "out": list(types), "rows": [[const(t, v) for t, v in zip(types, row, strict=True)] for row in rows]}


def program(plan, out=(), params=(), tag="SELECT", writes=False, **more):
    return Program.compile(
        {"kind": "query", "plan": plan, "columns": [(f"c{i}", oid, -1, 0, 0) for i, oid in enumerate(out)],
         "params": list(params), "tag": tag, "writes": writes, **more}
    )  # fmt: skip


def rows(session, plan, params=(), given=(), **more):
    """Rows of a plan."""
    return session.execute(program(plan, params=params, **more), given)[1]


def run(session, plan, params=(), given=(), tag="INSERT", **more):
    """Row count of a changing plan."""
    return session.execute(program(plan, params=params, tag=tag, writes=True, **more), given)[2]


def refused(sqlstate):
    """Context manager: the block must raise ExecuteError with the SQLSTATE."""

    class Match:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, traceback):
            assert kind is not None, f"no error, expected {sqlstate}"
            if not isinstance(error, ExecuteError):
                return False
            assert error.sqlstate == sqlstate, f"{error.sqlstate} {error.message}"
            self.error = error
            return True

    return Match()
