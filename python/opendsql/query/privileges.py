"""Whether the user may do what a statement asks: 42501, as PostgreSQL words it.

Checked when a plan is made; plans are kept per user and per catalog version, so a GRANT or REVOKE takes effect with the
next statement. Relations inside a view are the view owner's business. Column privileges count where the table's own is
missing: then every column the statement reads (or writes) needs one.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog.ddl import grants
from opendsql.catalog.model import FIRST_USER_OID, Table, View
from opendsql.errors import DsqlError
from opendsql.query.expr import Col, ColumnId, Expr, SubLink, walk
from opendsql.query.logical import Delete, Insert, Node, Update, walk_nodes

_ADMIN = "admin"


def check_privileges(binder: Any, plan: Node, user: str) -> None:
    """Raise 42501 for the first thing the user may not do."""
    if user == _ADMIN:
        return
    read = columns_read([plan, *(p for cte in binder.ctes for p in (cte.plan, cte.init, cte.step) if p is not None)])
    for relation in binder.read_views:
        _schema(binder, relation, user)
        if not grants.holds(binder.catalog, user, relation, "r"):
            raise DsqlError("42501", f"permission denied for view {relation.name}")
    writes = {node.table.oid: node for node in _writes(binder, plan)}
    for rel, table in binder.read_tables.items():
        if table.oid < FIRST_USER_OID:
            continue
        _schema(binder, table, user)
        columns = {column for of, column in read if of == rel and column >= 0}
        target = rel in binder.written_rels
        if target and not columns:
            continue
        _columns(binder, table, user, "r", columns)
    for node in writes.values():
        _schema(binder, node.table, user)
        match node:
            case Insert():
                _columns(binder, node.table, user, "a", set())
            case Update():
                _columns(binder, node.table, user, "w", {column for column, _ in node.assign})
            case Delete():
                _columns(binder, node.table, user, "d", set())


def _writes(binder: Any, plan: Node) -> list[Insert | Update | Delete]:
    roots = [plan, *(cte.plan for cte in binder.ctes if cte.plan is not None)]
    return [node for node in roots if isinstance(node, Insert | Update | Delete)]


def _schema(binder: Any, relation: Table | View, user: str) -> None:
    schema = binder.catalog.schemas.get(relation.schema)
    if schema is not None and not grants.holds(binder.catalog, user, schema, "U"):
        raise DsqlError("42501", f"permission denied for schema {schema.name}")


def _columns(binder: Any, table: Table, user: str, letter: str, columns: set[int]) -> None:
    if grants.holds(binder.catalog, user, table, letter):
        return
    acls = table.column_acls
    granted = {name for name, acl in acls.items() if letter in grants.privileges_of(acl, user)}
    names = {table.columns[c].name for c in columns}
    if granted and (names <= granted if names else letter in "ra"):
        return
    raise DsqlError("42501", f"permission denied for table {table.name}")


def columns_read(plans: list[Node]) -> set[ColumnId]:
    """Every column any expression of the plans uses, subqueries included."""
    found: set[ColumnId] = set()
    pending = list(plans)
    while pending:
        for node in walk_nodes(pending.pop()):
            for expr in _expressions(node):
                for part in walk(expr):
                    if isinstance(part, Col):
                        found.add(part.id)
                    elif isinstance(part, SubLink):
                        pending.append(part.plan)
    return found


def _expressions(node: Node) -> list[Expr]:
    found = list(node.exprs())
    if isinstance(node, Insert | Update | Delete):
        found += list(node.returning or ())
    if isinstance(node, Insert) and node.on_conflict is not None:
        found += [e for _, e in node.on_conflict.assign]
        if node.on_conflict.where is not None:
            found.append(node.on_conflict.where)
    return found
