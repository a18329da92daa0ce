"""SQL-language functions: a call is replaced by the function's body, bound where it is called.

The body sees its arguments as $1.. and by name; they stand for the caller's expressions, so a body that reads them
inside a query is a correlated subquery like any other.

    scalar        the body's expression when it is a bare SELECT expression, else a scalar subquery of its first row
    set, table    the body's query as an item of FROM

Invariants
  F1  a strict function yields NULL when any argument is NULL, without evaluating its body.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.model import Function
from opendsql.errors import DsqlError, unsupported
from opendsql.query.bind_select import Query
from opendsql.query.expr import BOOL, INT8, VOID, BoolOp, Case, Const, Expr, NullTest
from opendsql.query.logical import Limit, OneRow, Project
from opendsql.query.parse import parse
from opendsql.query.parts import Part
from opendsql.query.scope import RangeItem, Scope, ScopeColumn
from opendsql.registry.resolve import FunctionMatch
from opendsql.registry.table import Function as Overload
from opendsql.registry.types import TYPES_BY_OID, format_type

_DEPTH_MAX = 30


class RoutineBinder(Part):
    """Mixin of Binder."""

    def user_functions(self, schema: str | None, name: str) -> tuple[Overload, ...]:
        """Functions of the database that a name may mean, as the resolver wants them."""
        functions = getattr(self.catalog, "functions", None)
        if not functions:
            return ()
        found: list[Overload] = []
        for candidate in (schema,) if schema else ("pg_catalog", *self.search_path):
            found.extend(_overload(f) for f in functions.get((candidate, name), ()))
        return tuple(found)

    def routine_of(self, match: FunctionMatch) -> Function:
        """The catalog's function behind a match of kind 'sql'."""
        found = self.catalog.by_oid[int(match.kernel)]
        assert isinstance(found, Function)
        self.tables[found.oid] = found
        self.called.append((found, self.acting))
        return found

    def inline_scalar(self, match: FunctionMatch, args: list[Expr]) -> Expr:
        """A call of a function that returns one value."""
        function = self.routine_of(match)
        coerced = self._arguments(match, args)
        query = self.routine_query(function, coerced)
        if function.result_type == VOID or query is None:
            return Const(VOID, None)
        columns = query.plan.columns()
        if len(columns) != 1:
            raise unsupported("functions returning a row are only supported in FROM")
        plan = query.plan
        if isinstance(plan, Project) and isinstance(plan.input, OneRow):
            value: Expr = plan.exprs_[0]
        else:
            one = Limit(plan, Const(INT8, "1"), None)
            value = self.sublink("scalar", columns[0].type_oid, one, (columns[0],))
        found = self.coerce(value, match.result_type, context="a")
        if found is None:
            raise DsqlError("42P13", "return type mismatch in function declared to return another type")
        if function.strict and coerced:
            missing = BoolOp(BOOL, "or", tuple(NullTest(BOOL, a, True) for a in coerced))
            return Case(found.type_oid, ((missing, Const(found.type_oid, None)),), found)
        return found

    def routine_query(self, function: Function, args: list[Expr]) -> Query | None:
        """The bound last query of a function's body."""
        if self.view_depth > _DEPTH_MAX:
            raise DsqlError("54001", "stack depth limit exceeded")
        saved, saved_args = self.statement, self.routine_args
        self.view_depth += 1
        try:
            statements = parse(function.body)
            if not statements:
                return None
            if any(s.kind != "SelectStmt" for s in statements):
                raise unsupported("functions with data-modifying statements are not supported")
            self.statement = statements[-1]
            self.routine_args = args
            columns = [ScopeColumn(n, a) for n, a in zip(_input_names(function), args, strict=False) if n]
            scope = Scope(star=columns, tables=[RangeItem(function.name, columns)])
            node = self.statement.node
            if function.security_definer:
                return self.as_owner(function, lambda: self.query(node, scope))
            return self.query(node, scope)
        finally:
            self.statement, self.routine_args = saved, saved_args
            self.view_depth -= 1

    def routine_in_from(self, match: FunctionMatch, args: list[Expr], label: str) -> tuple[Query, tuple[str, ...]]:
        """A call in FROM: the body's query and the names of its columns."""
        function = self.routine_of(match)
        query = self.routine_query(function, self._arguments(match, args))
        if query is None:
            raise unsupported("a function without a query cannot stand in FROM")
        if not function.returns_set:
            query = Query(Limit(query.plan, Const(INT8, "1"), None), query.columns)
        names = _output_names(function)
        types = [function.out_types[i] for i, m in enumerate(function.arg_modes) if m in "obt"] or [
            function.result_type
        ]
        if not names:
            names = (label,) if len(query.columns) == 1 else tuple(c.name for c in query.columns)
        columns = query.plan.columns()
        if len(types) == len(columns) and tuple(types) != tuple(c.type_oid for c in columns):
            exprs = [self.coerce(c, t, context="a") or c for c, t in zip(columns, types, strict=True)]
            plan = self.projection(query.plan, exprs, list(names))
            query = Query(plan, self.output_columns(list(names), plan))
        return query, names


def check_body(binder: Any, function: Function) -> None:
    """Bind a new function's body: the binder's errors, and 42P13 when its result is not what the function returns."""
    polymorphic = any(getattr(TYPES_BY_OID.get(t), "kind", "") == "p" for t in (*function.arg_types, function.result_type))
    kinds = {s.kind for s in parse(function.body)}
    if polymorphic or kinds - {"SelectStmt"}:
        return
    query = binder.routine_query(function, [Const(t, None) for t in function.arg_types])
    words = f"return type mismatch in function declared to return {format_type(function.result_type)}"
    if query is None:
        raise DsqlError(
            "42P13", words, detail="Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING."
        )
    columns = query.plan.columns()
    if function.result_type not in TYPES_BY_OID or len(columns) == 0:
        return
    if len(columns) != 1:
        raise DsqlError("42P13", words, detail="Final statement must return exactly one column.")
    if binder.coerce(columns[0], function.result_type, context="a") is None:
        raise DsqlError("42P13", words, detail=f"Actual return type is {format_type(columns[0].type_oid)}.")


def _input_names(function: Function) -> list[str]:
    if not function.arg_modes:
        return list(function.arg_names)
    return [n for n, m in zip(function.arg_names, function.arg_modes, strict=False) if m in "ibv"]


def _output_names(function: Function) -> tuple[str, ...]:
    if not function.arg_modes:
        return ()
    return tuple(n for n, m in zip(function.arg_names, function.arg_modes, strict=False) if m in "obt")


def _overload(function: Function) -> Overload:
    """A function of the catalog as the registry describes functions."""
    defaults = tuple(d.split("::")[0].strip() for d in function.arg_defaults)
    return Overload(
        oid=function.oid,
        name=function.name,
        arg_types=tuple(function.arg_types),
        result_type=function.result_type,
        kind="sql",
        implementation=str(function.oid),
        volatility=function.volatile,
        strict=function.strict,
        arg_names=tuple(_input_names(function)),
        defaults=defaults,
        returns_set=function.returns_set,
        variadic=TYPES_BY_OID[function.arg_types[-1]].elem_oid if "v" in function.arg_modes else 0,
    )
