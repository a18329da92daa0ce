"""Tables as the executor needs them: the trees a scan may read, and the descriptor a write needs.

Expressions kept as text in the catalog (checks, generated columns, index keys and predicates) are bound here over the
full stored row: column i of the row is stored column i.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.model import Index, Table
from opendsql.query import domains
from opendsql.query.access import TreeShape
from opendsql.query.expr import BOOL, TRUE, Col, Expr, conjuncts
from opendsql.query.logical import Scan
from opendsql.query.parse import parse
from opendsql.query.scope import Scope

Emit = Any  # (Expr) -> IR expression


def row_column(table: Table, rel: int, name: str) -> Col | None:
    """The column of that name in a row of table named rel."""
    column = table.column(name)
    return None if column is None else Col(column.type_oid, rel, column.attnum - 1, typmod=column.typmod)


def key_expr(binder: Any, table: Table, rel: int, key: str, scope: Scope) -> Expr:
    """An index key part: a column, or an expression in parentheses."""
    found = row_column(table, rel, key)
    return found if found is not None else binder.settle(binder.stored_expression(key, scope, "index"))


def row_scope(binder: Any, table: Table, rel: int) -> Scope:
    """A scope that sees one row of table as rel."""
    scope = Scope()
    binder._row_scope(scope, table, table.name, rel)
    return scope


def stored_exprs(binder: Any, table: Table, index: Index, rel: int, scope: Scope) -> tuple[Expr, ...]:
    """What the columns of an index entry's image are: key parts, INCLUDE, then the primary key's columns."""
    found = [key_expr(binder, table, rel, k, scope) for k in index.keys]
    names = list(index.include)
    if table.primary_key is not None:
        names += [n for n in table.primary_key.keys if n not in index.keys and n not in index.include]
    for name in names:
        column = row_column(table, rel, name)
        if column is not None:
            found.append(column)
    return tuple(found)


def table_shape(scan: Scan) -> TreeShape:
    """The table's own tree."""
    table, key = scan.table, scan.table.primary_key
    row = scan.row()
    keys: tuple[Expr, ...] = ()
    if key is not None:
        keys = tuple(c for c in (row_column(table, scan.rel, n) for n in key.keys) if c is not None)
    types = tuple(k.type_oid for k in keys)
    return TreeShape(None, table.oid, keys, types, (False,) * len(keys), row, key is not None)


def shapes(binder: Any, scan: Scan) -> list[TreeShape]:
    """Every tree the scan may read, the table first; partial indexes whose predicate does not follow are left out."""
    table = scan.table
    found = [table_shape(scan)]
    scope: Scope | None = None
    for index in table.indexes:
        if not index.valid:
            continue
        scope = scope or row_scope(binder, table, scan.rel)
        predicate: tuple[Expr, ...] = ()
        if index.predicate is not None:
            bound = binder.coerce(binder.stored_expression(index.predicate, scope, "predicate"), BOOL)
            predicate = conjuncts(bound)
        stored = stored_exprs(binder, table, index, scan.rel, scope)
        keys = stored[: len(index.keys)]
        types = tuple(index.key_types) or tuple(k.type_oid for k in keys)
        first = tuple(index.nulls_first) or (False,) * len(keys)
        found.append(TreeShape(index, index.oid, keys, types, first, stored, index.unique, predicate))
    return found


def table_descriptor(binder: Any, table: Table, emit: Emit) -> dict[str, Any]:
    """The descriptor of a table that is written to. emit turns an expression over the row (rel 0) into IR."""
    scope = row_scope(binder, table, 0)
    columns = table.columns

    def place(name: str) -> int:
        column = table.column(name)
        assert column is not None
        return column.attnum - 1

    def bound(text: str, clause: str) -> Expr:
        return binder.stored_expression(text, scope, clause)

    checks = [{"name": "", "expr": emit(condition)} for condition in domain_conditions(binder, table)]
    for check in table.checks:
        condition = binder.coerce(bound(check.expression, "check"), BOOL)
        checks.append({"name": check.name, "expr": emit(condition)})
    generated = [
        (c.attnum - 1, emit(binder.assign(c, bound(c.generated, "generated"), -1)))
        for c in columns
        if c.generated is not None and not c.dropped
    ]
    key = table.primary_key
    return {
        "oid": table.oid,
        "tree": table.oid,
        "name": table.name,
        "schema": table.schema,
        "row": [c.type_oid for c in columns],
        "typmods": [c.typmod for c in columns],
        "names": [c.name for c in columns],
        "not_null": [c.not_null and not c.dropped for c in columns],
        "dropped": [c.dropped for c in columns],
        "pk": [place(n) for n in key.keys] if key is not None else None,
        "pk_name": (key.constraint or key.name) if key is not None else None,
        "pk_oid": key.oid if key is not None else None,
        "checks": checks,
        "generated": generated,
        "indexes": [_index_descriptor(binder, table, i, scope, emit) for i in table.indexes],
    }


def _shown_key(key: str) -> str:
    """A key part as DETAIL shows it: no more parentheses than it needs."""
    if not key.startswith("("):
        return key
    plain = "FuncCall" in parse(f"SELECT {key}")[0].node["targetList"][0]["ResTarget"]["val"]
    return key[1:-1] if plain or key.startswith("((") else key


def _index_descriptor(binder: Any, table: Table, index: Index, scope: Scope, emit: Emit) -> dict[str, Any]:
    stored = stored_exprs(binder, table, index, 0, scope)
    keys = stored[: len(index.keys)]
    predicate = None
    if index.predicate is not None:
        predicate = binder.coerce(binder.stored_expression(index.predicate, scope, "predicate"), BOOL)
    return {
        "oid": index.oid,
        "tree": index.oid,
        "name": index.constraint or index.name,
        "keys": [emit(k) for k in keys],
        "key_types": [k.type_oid for k in keys],
        "nulls_first": list(index.nulls_first) or [False] * len(keys),
        "store": [emit(s) for s in stored],
        "store_types": [s.type_oid for s in stored],
        "unique": index.unique,
        "nulls_distinct": index.nulls_distinct,
        "predicate": emit(predicate) if predicate is not None else None,
        "key_cols": [_shown_key(k) for k in index.keys],
        "valid": index.valid,
    }


def domain_conditions(binder: Any, table: Table) -> list[Expr]:
    """What the domains of a table's columns ask of the row; each refuses by itself."""
    found: list[Expr] = []
    for column in table.columns:
        domain = binder.catalog.by_oid.get(column.domain_oid) if column.domain_oid and not column.dropped else None
        if domain is not None:
            value = Col(column.type_oid, 0, column.attnum - 1, typmod=column.typmod)
            ok = domains.condition(binder, domain, value)
            if ok is not TRUE:
                found.append(ok)
    return found
