"""Foreign keys: every write carries the checks and the follow-up writes its constraints ask for.

    child row written      its parent is looked up by key and locked FOR KEY SHARE; a missing one is 23503
    parent row deleted     NO ACTION, RESTRICT: a child that still refers to it is 23503
      or its key changed   CASCADE, SET NULL, SET DEFAULT: a write of the child rows joins the statement as a WITH query,
                           with its own constraints in turn

All checks see the statement's snapshot and the transaction's earlier statements. They are made at the statement, also for
DEFERRABLE constraints.

Invariants
  K1  a NULL in any referencing column means no parent (MATCH SIMPLE); MATCH FULL wants all or none.
  K2  the wrapped input still yields every column the write named before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from opendsql.catalog.model import ForeignKey, Table
from opendsql.errors import unsupported
from opendsql.query.expr import (
    BOOL,
    FALSE,
    TEXT,
    TRUE,
    BoolOp,
    Call,
    Case,
    Col,
    Const,
    Expr,
    NullTest,
    conjuncts,
)
from opendsql.query.logical import (
    Cte,
    CteScan,
    Delete,
    Filter,
    Insert,
    Join,
    LockRows,
    Node,
    Project,
    Scan,
    Update,
    Values,
)
from opendsql.query.rules.rule import Context

_CASCADES_MAX = 64


def foreign_keys(node: Node, context: Context) -> Node:
    """Guard the write at the top of a statement or WITH query."""
    match node:
        case Insert():
            return _insert(node, context.binder)
        case Update():
            return _update(node, context.binder)
        case Delete():
            return _delete(node, context.binder)
    return node


def _insert(node: Insert, binder: Any) -> Node:
    keys = node.table.foreign_keys
    if not keys:
        return node
    columns = node.input.columns()
    plan: Node = node.input
    for key in keys:
        values = [columns[_place(node.table, n)] for n in key.columns]
        own_row = _same_statement(node, key, values, binder)
        plan = _check_parent(plan, node.table, key, values, binder, own_row)
    names = tuple(c.name for c in node.table.columns)
    plan = binder.remember(Project(plan, binder.new_rel("", names), tuple(columns)))
    conflict = node.on_conflict
    if conflict is not None and any(_place(node.table, n) in dict(conflict.assign) for k in keys for n in k.columns):
        raise unsupported("ON CONFLICT DO UPDATE of foreign key columns is not supported")
    return replace(node, input=plan)


def _update(node: Update, binder: Any) -> Node:
    assigned = dict(node.assign)
    plan: Node = node.input
    for key in node.table.foreign_keys:
        places = [_place(node.table, n) for n in key.columns]
        if key.oid == node.handled or not any(p in assigned for p in places):
            continue
        old = [_old(node.table, node.old_rel, p) for p in places]
        values = [assigned.get(p, o) for p, o in zip(places, old, strict=True)]
        changed = _changed(old, values, binder)
        plan = _check_parent(plan, node.table, key, values, binder, None, changed)
    for child, key in _referring(binder, node.table):
        places = [_place(node.table, n) for n in key.parent_columns]
        if not any(p in assigned for p in places):
            continue
        old = [_old(node.table, node.old_rel, p) for p in places]
        new = [assigned.get(p, o) for p, o in zip(places, old, strict=True)]
        changed = _changed(old, new, binder)
        if key.on_update in "ar":
            plan = _check_children(plan, node.table, child, key, old, binder, changed)
        else:
            _follow_update(node, child, key, old, new, changed, binder)
    return replace(node, input=plan)


def _delete(node: Delete, binder: Any) -> Node:
    plan: Node = node.input
    for child, key in _referring(binder, node.table):
        if key.oid == node.handled:
            continue
        old = [_old(node.table, node.old_rel, _place(node.table, n)) for n in key.parent_columns]
        match key.on_delete:
            case "a" | "r":
                plan = _check_children(plan, node.table, child, key, old, binder, None)
            case "c":
                _cascade_delete(node, child, key, old, binder)
            case _:
                _clear_children(node.input, child, key, old, key.on_delete, binder)
    return replace(node, input=plan)


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_parent(
    plan: Node, table: Table, key: ForeignKey, values: Sequence[Expr], binder: Any, also: Expr | None, when: Expr | None = None
) -> Node:  # fmt: skip
    """plan's rows, refusing those whose parent does not exist; the parents are locked FOR KEY SHARE."""
    parent = _table(binder, key.parent_oid)
    scan = binder.scan(parent, parent.name)
    conds = _pairs(scan, parent, key.parent_columns, values, binder)
    joined = Join("left", plan, scan, tuple(conds))
    locked = LockRows(joined, scan.rel, parent, "key_share", is_check=True)
    given = [NullTest(BOOL, v, False) for v in values]
    missing: list[Expr] = [*given, NullTest(BOOL, scan.key(), True)]
    if when is not None:
        missing.append(when)
    detail = _detail(binder, key.columns, values, f' is not present in table "{parent.name}".')
    message = f'insert or update on table "{table.name}" violates foreign key constraint "{key.name}"'
    refuse = _refusal(message, detail, table, key.name)
    whens: list[tuple[Expr, Expr]] = []
    if also is not None:
        whens.append((also, TRUE))
    whens.append((BoolOp(BOOL, "and", tuple(missing)), refuse))
    if key.match == "f" and len(values) > 1:
        some = BoolOp(BOOL, "or", tuple(given))
        none = BoolOp(BOOL, "or", tuple(NullTest(BOOL, v, True) for v in values))
        mixed = Const(TEXT, "MATCH FULL does not allow mixing of null and nonnull key values.")
        whens.append((BoolOp(BOOL, "and", (some, none)), _refusal(message, mixed, table, key.name)))
    return Filter(locked, (Case(BOOL, tuple(whens), TRUE),))


def _check_children(
    plan: Node, table: Table, child: Table, key: ForeignKey, old: Sequence[Expr], binder: Any, when: Expr | None
) -> Node:  # fmt: skip
    """plan's rows, refusing those that a child row still refers to."""
    scan = binder.scan(child, child.name)
    conds = _pairs(scan, child, key.columns, old, binder)
    exists = binder.sublink("exists", BOOL, Filter(scan, tuple(conds)), ())
    found = exists if when is None else BoolOp(BOOL, "and", (when, exists))
    detail = _detail(binder, key.parent_columns, old, f' is still referenced from table "{child.name}".')
    message = (
        f'update or delete on table "{table.name}" violates foreign key constraint "{key.name}" on table "{child.name}"'
    )
    return Filter(plan, (Case(BOOL, ((found, _refusal(message, detail, child, key.name)),), TRUE),))


def _same_statement(node: Insert, key: ForeignKey, values: Sequence[Expr], binder: Any) -> Expr | None:
    """For a reference to its own table: the parent may be a row of this very INSERT."""
    if key.parent_oid != node.table.oid or not isinstance(node.input, Values):
        return None
    found: list[Expr] = []
    for row in node.input.rows:
        parent = [row[_place(node.table, n)] for n in key.parent_columns]
        same = [binder.comparison("=", v, p, None) for v, p in zip(values, parent, strict=True)]
        found.append(same[0] if len(same) == 1 else BoolOp(BOOL, "and", tuple(same)))
    return BoolOp(BOOL, "or", tuple(found)) if len(found) > 1 else found[0]


# --- follow-up writes -------------------------------------------------------------------------------------------------


def _cascade_delete(node: Delete, child: Table, key: ForeignKey, old: Sequence[Expr], binder: Any) -> None:
    if child.oid == node.table.oid:
        _cascade_tree(node, key, old, binder)
        return
    scan = binder.scan(child, child.name)
    doomed = Join("semi", scan, node.input, tuple(_pairs(scan, child, key.columns, old, binder)))
    _add(binder, Delete(doomed, scan.rel, child, None, binder.new_rel("")))


def _cascade_tree(node: Delete, key: ForeignKey, old: Sequence[Expr], binder: Any) -> None:
    """A table that refers to itself: all descendants of the deleted rows, found by a recursive query."""
    number = len(binder.ctes)
    types = tuple((e.type_oid, -1) for e in old)
    names = tuple(key.parent_columns)
    first = binder.remember(Project(node.input, binder.new_rel("", names), tuple(old)))
    scan = binder.scan(node.table, node.table.name)
    work = binder.remember(CteScan(binder.new_rel("", names), number, "descendants", types, work=True))
    conds = _pairs(scan, node.table, key.columns, list(work.columns()), binder)
    keys = tuple(_row(scan, node.table, n) for n in key.parent_columns)
    step = binder.remember(Project(Join("inner", scan, work, tuple(conds)), binder.new_rel("", names), keys))
    binder.ctes.append(Cte("", None, types, first, step, distinct=True))
    below = binder.scan(node.table, node.table.name)
    read = binder.remember(CteScan(binder.new_rel("", names), number, "descendants", types))
    doomed = Join("semi", below, read, tuple(_pairs(below, node.table, key.columns, list(read.columns()), binder)))
    _add(binder, Delete(doomed, below.rel, node.table, None, binder.new_rel(""), handled=key.oid))


def _clear_children(
    source: Node, child: Table, key: ForeignKey, old: Sequence[Expr], action: str, binder: Any, when: Expr | None = None
) -> None:  # fmt: skip
    """SET NULL or SET DEFAULT of the referencing columns."""
    scan = binder.scan(child, child.name)
    conds = _pairs(scan, child, key.columns, old, binder)
    if when is not None:
        conds.append(when)
    assign: list[tuple[int, Expr]] = []
    for name in key.columns:
        column = child.column(name)
        assert column is not None
        value = Const(column.type_oid, None) if action == "n" else binder.column_default(child, column)
        assign.append((column.attnum - 1, value))
    plan = Join("semi", scan, source, tuple(conds))
    new_rel = binder.new_rel(child.name, tuple(c.name for c in child.columns))
    _add(binder, Update(plan, scan.rel, new_rel, child, tuple(assign), None, binder.new_rel("")))


def _follow_update(
    node: Update, child: Table, key: ForeignKey, old: Sequence[Expr], new: Sequence[Expr], changed: Expr, binder: Any
) -> None:  # fmt: skip
    """ON UPDATE CASCADE, SET NULL, SET DEFAULT."""
    if key.on_update in "nd":
        _clear_children(node.input, child, key, old, key.on_update, binder, changed)
        return
    if child.oid == node.table.oid:
        raise unsupported("ON UPDATE CASCADE of a table that refers to itself is not supported")
    scan = binder.scan(child, child.name)
    conds = _pairs(scan, child, key.columns, old, binder)
    plan = Join("inner", scan, node.input, (*conds, changed))
    assign = tuple((_place(child, n), value) for n, value in zip(key.columns, new, strict=True))
    new_rel = binder.new_rel(child.name, tuple(c.name for c in child.columns))
    _add(binder, Update(plan, scan.rel, new_rel, child, assign, None, binder.new_rel(""), handled=key.oid))


def _add(binder: Any, write: Node) -> None:
    if len(binder.ctes) > _CASCADES_MAX:
        raise unsupported("cascades of foreign keys that lead back to themselves are not supported")
    binder.ctes.append(Cte("", write, ()))  # no name: not of the statement


# --- pieces -----------------------------------------------------------------------------------------------------------


def _table(binder: Any, oid: int) -> Table:
    found = binder.catalog.by_oid[oid]
    assert isinstance(found, Table)
    binder.tables[oid] = found
    return found


def _referring(binder: Any, table: Table) -> list[tuple[Table, ForeignKey]]:
    found = []
    for child in binder.catalog.relations.values():
        for key in getattr(child, "foreign_keys", ()):
            if key.parent_oid == table.oid:
                binder.tables[child.oid] = child
                found.append((child, key))
    return found


def _place(table: Table, name: str) -> int:
    column = table.column(name)
    assert column is not None
    return column.attnum - 1


def _old(table: Table, rel: int, place: int) -> Col:
    column = table.columns[place]
    return Col(column.type_oid, rel, place, typmod=column.typmod)


def _row(scan: Scan, table: Table, name: str) -> Col:
    return _old(table, scan.rel, _place(table, name))


def _pairs(scan: Scan, table: Table, names: tuple[str, ...], values: Sequence[Expr], binder: Any) -> list[Expr]:
    """column = value for each pair."""
    found: list[Expr] = []
    for name, value in zip(names, values, strict=True):
        found.extend(conjuncts(binder.comparison("=", _row(scan, table, name), value, None)))
    return found


def _changed(old: list[Any], new: Sequence[Expr], binder: Any) -> Expr:
    parts = [binder.distinct(o, n, None) for o, n in zip(old, new, strict=True) if o != n]
    if not parts:
        return FALSE
    return parts[0] if len(parts) == 1 else BoolOp(BOOL, "or", tuple(parts))


def _detail(binder: Any, names: tuple[str, ...], values: Sequence[Expr], tail: str) -> Expr:
    """Key (a, b)=(1, 2)<tail>."""
    text: Expr = Const(TEXT, f"Key ({', '.join(names)})=(")
    for number, value in enumerate(values):
        shown = binder.coerce(value, TEXT, context="e") or value
        if number:
            text = binder.operator("||", text, Const(TEXT, ", "), None)
        text = binder.operator("||", text, shown, None)
    return binder.operator("||", text, Const(TEXT, ")" + tail), None)


def _refusal(message: str, detail: Expr, table: Table, constraint: str) -> Expr:
    """An expression that raises 23503 when it is evaluated."""
    fixed = [Const(TEXT, t) for t in ("23503", message)]
    place = [Const(TEXT, t) for t in (table.schema, table.name, constraint)]
    return Call(BOOL, "raise_refusal", (*fixed, detail, *place), "raise_refusal", volatile="v", strict=False)
