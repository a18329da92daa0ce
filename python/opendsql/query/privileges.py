"""Whether the user may do what a statement asks: 42501, as PostgreSQL words it.

Checked when a plan is made; plans are kept per user and per catalog version, so a GRANT or REVOKE takes effect with the
next statement. Relations inside a view are the view owner's business. Column privileges count where the table's own is
missing: then every column the statement reads (or writes) needs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog import acl, updatable
from opendsql.catalog.model import FIRST_USER_OID, Function, Table, View
from opendsql.errors import DsqlError
from opendsql.query.bind_view import Through
from opendsql.query.expr import Col, ColumnId, Expr, SubLink, walk
from opendsql.query.logical import Delete, Insert, LockRows, Node, Update, sublinks_of, walk_nodes

_ADMIN = "admin"


def check_privileges(binder: Any, plan: Node, user: str) -> None:
    """Raise 42501 for the first thing the user may not do."""
    for through in binder.throughs:
        _through(binder, through, user)
    if user == _ADMIN and not binder.rights:
        return
    read = columns_read([plan, *(p for cte in binder.ctes for p in (cte.plan, cte.init, cte.step) if p is not None)])
    for relation, acting in binder.read_views:
        _schema(binder, relation, acting or user)
        _columns(binder, relation, acting or user, "r", set())
    for function, acting in binder.called:
        _schema(binder, function, acting or user)
        if not acl.holds(binder.catalog, acting or user, function, "X"):
            raise DsqlError("42501", f"permission denied for function {function.name}")
    behind = {through.scan.table.oid for through in binder.throughs}
    for rel, table in binder.read_tables.items():
        if table.oid < FIRST_USER_OID:
            continue
        reader = binder.rights.get(rel, user)
        _schema(binder, table, reader)
        columns = {table.columns[column].name for of, column in read if of == rel and column >= 0}
        target = rel in binder.written_rels
        if target and not columns:
            continue
        _columns(binder, table, reader, "r", columns)
    roots = [plan, *(p for cte in binder.ctes for p in (cte.plan, cte.init, cte.step) if p is not None)]
    for table, rel in _locked(binder, roots):
        locker = binder.rights.get(rel, user)
        names = [c.name for c in table.live_columns]
        if not any(acl.holds_column(binder.catalog, locker, table, name, "w") for name in names):
            raise DsqlError("42501", f"permission denied for table {table.name}")
    for node in _writes(binder, plan):
        if node.table.oid in behind:
            continue
        _schema(binder, node.table, user)
        names = [c.name for c in node.table.columns]
        match node:
            case Insert():
                _columns(binder, node.table, user, "a", set(binder.given_columns.get(node.rel, names)))
                if node.on_conflict is not None and node.on_conflict.assign:
                    _columns(binder, node.table, user, "w", {names[c] for c, _ in node.on_conflict.assign})
            case Update():
                _columns(binder, node.table, user, "w", {names[column] for column, _ in node.assign})
            case Delete():
                _columns(binder, node.table, user, "d", set())


def _locked(binder: Any, roots: list[Node]) -> Iterator[tuple[Table, int]]:
    """Tables whose rows the statement locks (FOR UPDATE, FOR KEY SHARE), and their rel."""
    pending = list(roots)
    while pending:
        for node in walk_nodes(pending.pop()):
            if isinstance(node, LockRows):
                yield node.table, node.rel
            pending.extend(link.plan for link in sublinks_of(node))


def _through(binder: Any, through: Through, user: str) -> None:
    """A write through views: the user's rights on the first, each view's owner's on what lies below it."""
    letter = {"INSERT": "a", "UPDATE": "w", "DELETE": "d"}[through.verb]
    table = through.scan.table
    relations: list[Table | View] = [*through.views, table]
    written = [*through.written, list(through.written[-1])]
    written[-1] = [c.name for n in through.written[-1] if (c := _under(binder, through, n)) is not None]
    for relation, names in zip(relations, written, strict=True):
        _schema(binder, relation, user)
        _columns(binder, relation, user, letter, set(names))
        if through.reads:
            _columns(binder, relation, user, "r", set())
        user = _owner(binder, relation)


def _under(binder: Any, through: Through, name: str) -> Any:
    return updatable.column_of(binder.catalog, through.views[-1], name)


def _owner(binder: Any, relation: Table | View) -> str:
    """Whose rights count below a view."""
    return acl.role_name(binder.catalog, relation.owner_oid)


def _writes(binder: Any, plan: Node) -> list[Insert | Update | Delete]:
    roots = [plan, *(cte.plan for cte in binder.ctes if cte.plan is not None)]
    return [node for node in roots if isinstance(node, Insert | Update | Delete)]


def _schema(binder: Any, relation: Table | View | Function, user: str) -> None:
    schema = binder.catalog.schemas.get(relation.schema)
    if schema is not None and not acl.holds(binder.catalog, user, schema, "U"):
        raise DsqlError("42501", f"permission denied for schema {schema.name}")


def _columns(binder: Any, relation: Table | View, user: str, letter: str, names: set[str]) -> None:
    """The relation's own privilege, or one on each of the columns; on any column where none is named."""
    if acl.holds(binder.catalog, user, relation, letter):
        return
    if letter in "raw" and relation.column_acls:
        held = {n for n in relation.column_acls if acl.holds_column(binder.catalog, user, relation, n, letter)}
        if held and (names <= held if names else letter != "w"):
            return
    raise DsqlError("42501", f"permission denied for {acl.word_of(relation)} {relation.name}")


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
