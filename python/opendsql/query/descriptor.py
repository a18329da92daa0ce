"""Tables as the executor needs them: the trees a scan may read, and the descriptor a write needs.

Expressions kept as text in the catalog (checks, generated columns, index keys and predicates) are bound here over the
full stored row: column i of the row is stored column i.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.model import Column, ForeignKey, Index, Table
from opendsql.query.access import TreeShape
from opendsql.query.expr import BOOL, Col, Expr, conjuncts
from opendsql.query.logical import Scan
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

    checks = []
    for check in table.checks:
        condition = binder.coerce(bound(check.expression, "check"), BOOL)
        checks.append({"name": check.name, "expr": emit(condition)})
    for domain_check in domain_checks(binder, table):
        checks.append({**domain_check, "expr": emit(domain_check["expr"])})
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
        "foreign_keys": [_foreign_key(binder, table, key) for key in table.foreign_keys],
        "referenced_by": _referenced_by(binder, table),
        "indexes": [_index_descriptor(binder, table, i, scope, emit) for i in table.indexes],
    }


def _places(table: Table, names: tuple[str, ...]) -> list[int]:
    return [c.attnum - 1 for c in (table.column(n) for n in names) if c is not None]


def _foreign_key(binder: Any, table: Table, key: ForeignKey) -> dict[str, Any]:
    """A constraint the table's rows must satisfy: which tree of the parent to look up, by which key."""
    parent = table if key.parent_oid == table.oid else binder.catalog.by_oid[key.parent_oid]
    binder.tables[parent.oid] = parent
    candidates = [
        i for i in (parent.primary_key, *parent.indexes) if i is not None and i.unique and i.predicate is None
    ]
    chosen = next((i for i in candidates if set(i.keys) == set(key.parent_columns)), None)
    by_parent = dict(zip(key.parent_columns, key.columns, strict=True))
    ordered = tuple(by_parent[k] for k in chosen.keys) if chosen is not None else key.columns
    return {
        "name": key.name,
        "cols": _places(table, key.columns),
        "match": key.match,
        "deferrable": key.deferrable,
        "deferred": key.deferred,
        "parent_oid": parent.oid,
        "parent_schema": parent.schema,
        "parent_name": parent.name,
        "parent_cols": _places(parent, key.parent_columns),
        "parent_names": list(key.parent_columns),
        "tree": parent.oid if chosen is None or chosen.primary else chosen.oid,
        "is_primary": chosen is not None and chosen.primary,
        "key_cols": _places(table, ordered),
        "key_types": list(chosen.key_types) if chosen is not None else [],
        "nulls_first": list(chosen.nulls_first) if chosen is not None else [],
    }


def _referenced_by(binder: Any, table: Table) -> list[dict[str, Any]]:
    """The foreign keys of other tables (and its own) that name this table."""
    found = []
    for child in binder.catalog.relations.values():
        for key in getattr(child, "foreign_keys", ()):
            if key.parent_oid != table.oid:
                continue
            binder.tables[child.oid] = child
            index = next((i for i in (child.primary_key, *child.indexes) if _leads(i, key.columns)), None)
            found.append(
                {
                    "name": key.name,
                    "child_oid": child.oid,
                    "child_schema": child.schema,
                    "child_name": child.name,
                    "child_row": [c.type_oid for c in child.columns],
                    "child_cols": _places(child, key.columns),
                    "cols": _places(table, key.parent_columns),
                    "names": list(key.parent_columns),
                    "on_delete": key.on_delete,
                    "on_update": key.on_update,
                    "deferrable": key.deferrable,
                    "deferred": key.deferred,
                    "index_oid": index.oid if index is not None and not index.primary else 0,
                    "is_keyed": index is not None,
                }
            )
    return found


def _leads(index: Index | None, columns: tuple[str, ...]) -> bool:
    """Whether an index's first key columns are these, in some order."""
    return (
        index is not None
        and index.valid
        and index.predicate is None
        and set(index.keys[: len(columns)]) == set(columns)
    )


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
        "key_cols": list(index.keys),
        "valid": index.valid,
    }


def domain_checks(binder: Any, table: Table) -> list[dict[str, Any]]:
    """Checks of the domains a table's columns have, over the row."""
    found: list[dict[str, Any]] = []
    for column in table.columns:
        domain = binder.catalog.by_oid.get(column.domain_oid) if column.domain_oid and not column.dropped else None
        if domain is None:
            continue
        value = Col(column.type_oid, 0, column.attnum - 1, typmod=column.typmod)
        if getattr(domain, "not_null", False):
            found.append({"name": "", "domain": domain.name, "not_null": True, "expr": _not_null(value)})
        for check in getattr(domain, "checks", ()):
            found.append(
                {
                    "name": check.name,
                    "domain": domain.name,
                    "expr": _domain_check(binder, check.expression, column, value),
                }
            )
    return found


def _not_null(value: Col) -> Expr:
    from opendsql.query.expr import NullTest

    return NullTest(BOOL, value, False)


def _domain_check(binder: Any, text: str, column: Column, value: Col) -> Expr:
    from opendsql.query.scope import RangeItem, ScopeColumn

    item = ScopeColumn("value", value)
    scope = Scope(star=[item], tables=[RangeItem("", [item])])
    del column
    return binder.coerce(binder.stored_expression(text, scope, "check"), BOOL)
