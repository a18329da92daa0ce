"""A database in one process for query tests: arena, catalog, planner, executor; statements in, rows out."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from opendsql.catalog import bootstrap, context, jobs
from opendsql.catalog.load import forget, load
from opendsql.catalog.result import Pending, PyResult
from opendsql.errors import DsqlError
from opendsql.limits import DSQL
from opendsql.query.parse import parse
from opendsql.query.planner import Planner

import dsql_core.execute.kernels  # noqa: F401  (registers the kernels)
from dsql_core.execute import EngineHandle, ExecuteError
from dsql_core.storage.arena import Arena

VALIDATE, STAMP, MASK = 1, 2, 7


class Store:
    """Arena and a first-committer-wins commit function."""

    def __init__(self, size: int = 1 << 28) -> None:
        self.arena = Arena.create(size)
        self.last: dict[int, int] = {}
        self.now = 1000
        self.catalog_version = 0
        self.arena.begin()
        self.arena.publish(self.now, 0, 0)
        self.engine = EngineHandle(self.arena, 3, commit=self.commit, limits=DSQL)

    def commit(self, request: bytes) -> int:
        _, _, flags, _, _, snapshot_ts, check_count, op_count = struct.unpack_from("<IHHQ16sQII", request)
        checks = struct.unpack_from(f"<{check_count}Q", request, 48)
        for check in checks:
            if check & VALIDATE and self.last.get(check & ~MASK, 0) > snapshot_ts:
                return 2 if check & 4 else 1
        self.now += 1
        for check in checks:
            if check & STAMP:
                self.last[check & ~MASK] = self.now
        if flags & 1:
            self.catalog_version = self.now
        at = 48 + 8 * check_count
        self.arena.begin()
        for _ in range(op_count):
            op, key_size, value_size, tree = struct.unpack_from("<B3xIIQ", request, at)
            at += 20
            key, value = request[at : at + key_size], request[at + key_size : at + key_size + value_size]
            at += key_size + value_size
            if op == 1:
                self.arena.put(tree, key, value)
            elif op == 2:
                self.arena.delete(tree, key)
            else:
                self.arena.drop(tree)
        self.arena.publish(self.now, self.catalog_version, self.now)
        return 0


class Client:
    """One session; run() answers a statement the way a server would."""

    def __init__(self, store: Store | None = None) -> None:
        forget()
        self.store = store or Store()
        self.session = self.store.engine.session()
        self.planner = Planner(load)
        self.session.begin(explicit=False)
        bootstrap.bootstrap(self.session)
        self.session.commit()

    def plan(self, sql: str, params: Any = (), literals: Any = (), normalized: str | None = None) -> Any:
        request = SimpleNamespace(
            text=sql,
            normalized=normalized or sql,
            param_oids=list(params),
            literals=list(literals),
            session=self.session,
        )
        with context.use(load(self.session), self.session):
            return self.planner.plan(request)

    def run(self, sql: str, params: Any = ()) -> list[tuple[str | None, ...]]:
        """Rows of the last statement; every statement commits by itself outside BEGIN."""
        rows: list[tuple[str | None, ...]] = []
        for statement in parse(sql):
            rows = self._run_one(statement.own_text, params)
        return rows

    def _run_one(self, sql: str, params: Any) -> list[tuple[str | None, ...]]:
        inside = self.session.in_transaction
        try:
            planned = self.plan(sql)
            with context.use(load(self.session), self.session):
                rows = self._execute(planned, params)
            if not inside and self.session.state != "idle" and not self.session.in_transaction:
                self.session.commit()
            return rows
        except (DsqlError, ExecuteError):
            self.session.fail()
            raise

    def _execute(self, planned: Any, params: Any) -> list[tuple[str | None, ...]]:
        if planned.python is not None:
            result = planned.python(self.session, list(params))
            while isinstance(result, Pending):
                result = result.poll() or result
            assert isinstance(result, PyResult)
            return list(result.rows)
        answer = self.session.execute(planned.program, list(params))
        return list(answer[1]) if isinstance(answer, tuple) else []

    def run_jobs(self) -> None:
        """Finish every index build and validation."""
        while jobs.run_jobs(self.store.engine.session):
            pass

    def error(self, sql: str, params: Any = ()) -> tuple[str, str]:
        """(sqlstate, message) of a statement that must fail."""
        try:
            self.run(sql, params)
        except (DsqlError, ExecuteError) as error:
            return error.sqlstate, error.message
        raise AssertionError(f"no error: {sql}")
