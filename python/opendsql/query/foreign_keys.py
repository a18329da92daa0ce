"""Foreign keys: after plans for the rows a statement changes (dsql_core.execute.after runs them).

    child row written      the child check: its parent is looked up by key and locked FOR KEY SHARE; a missing one is 23503
    parent row deleted     NO ACTION, RESTRICT: a child that still refers to it is 23503
      or its key changed   CASCADE, SET NULL, SET DEFAULT: a write of the child rows, noted in turn

plan_foreign_keys() adds to binder.events, per table and kind of change, the CTE that notes the changed rows, and to
binder.afters what is done about them. Follow-up writes note rows of their own tables in the same CTEs, so one plan per
table, kind and constraint is enough for cascades of any depth, self references and circles of tables.

Order of PostgreSQL's triggers: what a parent's constraints do comes before the checks of the row's own foreign keys, each
in the order of their oids.

Invariants
  K1  a NULL in any referencing column means no parent (MATCH SIMPLE); MATCH FULL wants all or none.
  K2  NO ACTION holds when another parent row has the old key by the time of the check; RESTRICT does not look.
  K3  a check that may come late (deferrable, or another write of the statement may reach the row) looks at the row as it
      is then, found by its key; a row that is gone needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opendsql.catalog.model import ForeignKey, Table
from opendsql.query.expr import (
    BOOL,
    BYTEA,
    FALSE,
    TEXT,
    TRUE,
    BoolOp,
    Call,
    Case,
    Cast,
    Col,
    Const,
    Expr,
    NullTest,
    conjuncts,
)
from opendsql.query.logical import Cte, CteScan, Delete, Filter, Insert, Join, LockRows, Node, Scan, Update

_KEY = -1  # code of the row's raw key among the columns of an event


@dataclass(frozen=True, slots=True)
class After:
    """One plan over noted rows. context: of errors in a follow-up write; None = a check."""

    plan: Node
    cte: int
    key: ForeignKey
    deferrable: bool = False
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """The rows of one table changed in one way ('insert', 'update', 'delete'), noted in CTE number cte.

    codes: what the CTE's columns are: 2 * place of an old value, 2 * place + 1 of a new one, -1 the row's raw key.
    """

    cte: int
    table: Table
    kind: str
    codes: tuple[int, ...]

    def types(self) -> tuple[tuple[int, int], ...]:
        """(type oid, typmod) of its columns."""
        columns = self.table.columns
        return tuple((BYTEA, -1) if c == _KEY else (columns[c >> 1].type_oid, columns[c >> 1].typmod) for c in self.codes)


@dataclass(frozen=True, slots=True)
class Noted:
    """One reading of Events."""

    events: Events
    scan: CteScan

    def old(self, names: Sequence[str]) -> list[Expr]:
        """Values before the change."""
        return [self._value(2 * place(self.events.table, n)) for n in names]

    def new(self, names: Sequence[str]) -> list[Expr]:
        """Values after it."""
        return [self._value(2 * place(self.events.table, n) + 1) for n in names]

    def key(self) -> Expr:
        """The row's raw key after the change."""
        return self._value(_KEY)

    def _value(self, code: int) -> Expr:
        return self.scan.columns()[self.events.codes.index(code)]


def plan_foreign_keys(binder: Any, roots: Iterable[Node]) -> None:
    """Fill binder.events and binder.afters for the writes of a statement (its plan and its WITH queries)."""
    work = _Work(binder)
    for node in roots:
        work.note(node)
    work.close()


class _Work:
    """The closure of a statement's writes over the actions of foreign keys."""

    def __init__(self, binder: Any) -> None:
        self.binder = binder
        self.writes: dict[int, int] = {}  # table oid -> writes that may reach it
        self.seen: set[tuple[int, str, bool]] = set()  # constraint, kind of change, whether at the parent's side
        self.queue: list[tuple[Events, ForeignKey, Table]] = []  # parents' sides to be planned
        self.checks: list[tuple[Events, ForeignKey]] = []  # children's sides
        self.afters: list[tuple[int, bool, int, After]] = []

    def note(self, node: Node) -> None:
        """What a write asks for."""
        match node:
            case Insert():
                self._inserted(node)
            case Update():
                self._count(node.table)
                self._updated(node.table, {c for c, _ in node.assign})
            case Delete():
                self._count(node.table)
                self._deleted(node.table)

    def close(self) -> None:
        """Plan the actions, which may ask for more, then the checks."""
        while self.queue:
            events, key, child = self.queue.pop(0)
            self._parent_side(events, key, child)
        for events, key in self.checks:
            self._add(events, False, After(_child_check(self, events, key), events.cte, key, key.deferrable))
        self.afters.sort(key=lambda a: a[:3])
        self.binder.afters = [a[3] for a in self.afters]

    def _count(self, table: Table) -> None:
        self.writes[table.oid] = self.writes.get(table.oid, 0) + 1

    def _inserted(self, node: Insert) -> None:
        self._count(node.table)
        for key in node.table.foreign_keys:
            self._want_check(self._events(node.table, "insert"), key)
        if node.on_conflict is not None and node.on_conflict.assign:
            self._updated(node.table, {c for c, _ in node.on_conflict.assign})

    def _updated(self, table: Table, assigned: set[int]) -> None:
        touched = {table.columns[c].name for c in assigned}
        touched |= {c.name for c in table.live_columns if c.generated is not None}
        for child, key in self._referring(table):
            if touched & set(key.parent_columns):
                self._want_action(self._events(table, "update"), key, child)
        for key in table.foreign_keys:
            own = set(key.columns)
            if key.deferrable and table.primary_key is not None:
                own |= set(table.primary_key.keys)  # the row a pending check waits for moves
            if touched & own:
                self._want_check(self._events(table, "update"), key)

    def _deleted(self, table: Table) -> None:
        for child, key in self._referring(table):
            self._want_action(self._events(table, "delete"), key, child)

    def _referring(self, table: Table) -> list[tuple[Table, ForeignKey]]:
        found = [
            (child, key)
            for child in self.binder.catalog.relations.values()
            if isinstance(child, Table)
            for key in child.foreign_keys
            if key.parent_oid == table.oid
        ]
        return sorted(found, key=lambda pair: pair[1].oid)

    def _want_check(self, events: Events, key: ForeignKey) -> None:
        if (key.oid, events.kind, False) not in self.seen:
            self.seen.add((key.oid, events.kind, False))
            self.checks.append((events, key))

    def _want_action(self, events: Events, key: ForeignKey, child: Table) -> None:
        if (key.oid, events.kind, True) not in self.seen:
            self.seen.add((key.oid, events.kind, True))
            self.queue.append((events, key, child))

    def _events(self, table: Table, kind: str) -> Events:
        """The CTE that notes this kind of change of the table's rows."""
        binder = self.binder
        found = binder.events.get((table.oid, kind))
        if found is None:
            found = Events(len(binder.ctes), table, kind, _codes(table, kind, self._referring(table)))
            binder.ctes.append(Cte("", None, found.types(), events=found.codes))
            binder.events[table.oid, kind] = found
        return found

    def read(self, events: Events) -> Noted:
        """A scan of noted rows."""
        types = events.types()
        rel = self.binder.new_rel("", tuple(str(i) for i in range(len(types))))
        return Noted(events, self.binder.remember(CteScan(rel, events.cte, "", types)))

    def table(self, oid: int) -> Table:
        """A table the statement comes to use."""
        found = self.binder.catalog.by_oid[oid]
        assert isinstance(found, Table)
        self.binder.tables[oid] = found
        return found

    def _add(self, events: Events, parent_side: bool, after: After) -> None:
        self.afters.append((events.cte, not parent_side, after.key.oid, after))

    # -- at the parent's side ------------------------------------------------------------------------------------------

    def _parent_side(self, events: Events, key: ForeignKey, child: Table) -> None:
        self.table(child.oid)
        action = key.on_delete if events.kind == "delete" else key.on_update
        if action in "ar":
            check = _parent_check(self, events, key, child, action == "a")
            self._add(events, True, After(check, events.cte, key, key.deferrable and action == "a"))
            return
        write = _cascade(self, events, key, child) if action == "c" else _clear(self, events, key, child, action)
        self._add(events, True, After(write, events.cte, key, context=_context(write, key, child, action)))
        self.note(write)
        if action == "d":
            # Rows that had the default already were not changed, so no check of theirs would see that it is gone.
            self._add(events, True, After(_parent_check(self, events, key, child, True), events.cte, key))


def _codes(table: Table, kind: str, referring: list[tuple[Table, ForeignKey]]) -> tuple[int, ...]:
    names = {n for _, key in referring for n in key.parent_columns} | {n for k in table.foreign_keys for n in k.columns}
    if table.primary_key is not None:
        names |= set(table.primary_key.keys)
    places = sorted(place(table, n) for n in names)
    old = [2 * p for p in places] if kind != "insert" else []
    new = [2 * p + 1 for p in places] if kind != "delete" else []
    return (*old, *new, _KEY)


# --- checks -----------------------------------------------------------------------------------------------------------


def _child_check(work: _Work, events: Events, key: ForeignKey) -> Node:
    """The noted child rows, refusing those whose parent does not exist; the parents are locked FOR KEY SHARE."""
    binder, table = work.binder, events.table
    noted = work.read(events)
    plan: Node = noted.scan
    names = list(key.columns)
    values: list[Expr]
    if events.kind == "update":
        watched = names
        if key.deferrable and table.primary_key is not None:
            watched = [*names, *(n for n in table.primary_key.keys if n not in names)]
        plan = Filter(plan, (_changed(noted.old(watched), noted.new(watched), binder),))
    values = noted.new(names)
    if key.deferrable or work.writes.get(table.oid, 0) > 1:  # K3
        now = binder.scan(work.table(table.oid), table.name)
        if table.primary_key is not None:
            same = tuple(_pairs(now, table, table.primary_key.keys, noted.new(table.primary_key.keys), binder))
        else:
            same = conjuncts(binder.comparison("=", now.key(), noted.key(), None))
        plan = Join("inner", plan, now, same)
        values = [_row(now, table, n) for n in names]
    parent = work.table(key.parent_oid)
    scan = binder.scan(parent, parent.name)
    joined = Join("left", plan, scan, tuple(_pairs(scan, parent, key.parent_columns, values, binder)))
    locked = LockRows(joined, scan.rel, parent, "key_share")
    given = [NullTest(BOOL, v, False) for v in values]
    missing = BoolOp(BOOL, "and", (*given, NullTest(BOOL, scan.key(), True)))
    detail = _detail(binder, key.columns, values, f' is not present in table "{parent.name}".')
    message = f'insert or update on table "{table.name}" violates foreign key constraint "{key.name}"'
    whens: list[tuple[Expr, Expr]] = [(missing, _refusal(message, detail, table, key.name))]
    if key.match == "f" and len(values) > 1:
        some = BoolOp(BOOL, "or", tuple(given))
        none = BoolOp(BOOL, "or", tuple(NullTest(BOOL, v, True) for v in values))
        mixed = Const(TEXT, "MATCH FULL does not allow mixing of null and nonnull key values.")
        whens.append((BoolOp(BOOL, "and", (some, none)), _refusal(message, mixed, table, key.name)))
    return Filter(locked, (Case(BOOL, tuple(whens), TRUE),))


def _parent_check(work: _Work, events: Events, key: ForeignKey, child: Table, replaceable: bool) -> Node:
    """The noted parent rows, refusing those that a child row still refers to."""
    binder, table = work.binder, events.table
    plan, old, _ = _left_keys(work, events, key)
    scan = binder.scan(child, child.name)
    plan = Join("inner", plan, scan, tuple(_pairs(scan, child, key.columns, old, binder)))
    if replaceable:  # K2
        again = binder.scan(work.table(table.oid), table.name)
        plan = Join("left", plan, again, tuple(_pairs(again, table, key.parent_columns, old, binder)))
        plan = Filter(plan, (NullTest(BOOL, again.key(), True),))
    detail = _detail(binder, key.parent_columns, old, f' is still referenced from table "{child.name}".')
    message = f'update or delete on table "{table.name}" violates foreign key constraint "{key.name}" on table "{child.name}"'
    always = NullTest(BOOL, old[0], False)
    return Filter(plan, (Case(BOOL, ((always, _refusal(message, detail, child, key.name)),), TRUE),))


# --- follow-up writes -------------------------------------------------------------------------------------------------


def _cascade(work: _Work, events: Events, key: ForeignKey, child: Table) -> Update | Delete:
    """ON DELETE CASCADE, ON UPDATE CASCADE."""
    binder = work.binder
    source, old, new = _left_keys(work, events, key)
    scan = binder.scan(child, child.name)
    plan = Join("inner", source, scan, tuple(_pairs(scan, child, key.columns, old, binder)))
    if events.kind == "delete":
        return Delete(plan, scan.rel, child, None, binder.new_rel(""))
    columns = [child.columns[place(child, n)] for n in key.columns]
    assign = tuple((c.attnum - 1, binder.assign(c, v, -1)) for c, v in zip(columns, new, strict=True))
    return _update(binder, plan, scan, child, assign)


def _clear(work: _Work, events: Events, key: ForeignKey, child: Table, action: str) -> Update:
    """SET NULL or SET DEFAULT of the referencing columns, or of those ON DELETE names."""
    binder = work.binder
    source, old, _ = _left_keys(work, events, key)
    scan = binder.scan(child, child.name)
    plan = Join("inner", source, scan, tuple(_pairs(scan, child, key.columns, old, binder)))
    assign: list[tuple[int, Expr]] = []
    for name in _cleared(key, events.kind):
        column = child.columns[place(child, name)]
        value = Const(column.type_oid, None) if action == "n" else binder.column_default(child, column)
        assign.append((column.attnum - 1, value))
    return _update(binder, plan, scan, child, tuple(assign))


def _cleared(key: ForeignKey, kind: str) -> tuple[str, ...]:
    return key.delete_columns if kind == "delete" and key.delete_columns else key.columns


def _update(binder: Any, plan: Node, scan: Scan, table: Table, assign: tuple[tuple[int, Expr], ...]) -> Update:
    new_rel = binder.new_rel(table.name, tuple(c.name for c in table.columns))
    return Update(plan, scan.rel, new_rel, table, assign, None, binder.new_rel(""))


def _left_keys(work: _Work, events: Events, key: ForeignKey) -> tuple[Node, list[Expr], list[Expr]]:
    """Noted parent rows whose key is gone: plan, the old key, the new one (an update's)."""
    noted = work.read(events)
    old = noted.old(key.parent_columns)
    if events.kind == "delete":
        return noted.scan, old, []
    new = noted.new(key.parent_columns)
    return Filter(noted.scan, (_changed(old, new, work.binder),)), old, new


def _context(write: Update | Delete, key: ForeignKey, child: Table, action: str) -> str:
    """CONTEXT of an error in the write: the statement PostgreSQL runs for it."""
    name = f"{_quoted(child.schema)}.{_quoted(child.name)}"
    number = 0
    if isinstance(write, Delete):
        text = f"DELETE FROM ONLY {name} WHERE "
    else:
        sets = []
        for column, _ in write.assign:
            number += action == "c"
            value = {"n": "NULL", "d": "DEFAULT"}.get(action, f"${number}")
            sets.append(f"{_quoted(child.columns[column].name)} = {value}")
        text = f"UPDATE ONLY {name} SET {', '.join(sets)} WHERE "
    conds = []
    for column_name in key.columns:
        number += 1
        cast = "::pg_catalog.text" if child.columns[place(child, column_name)].type_oid == 1043 else ""
        conds.append(f"${number}{cast} OPERATOR(pg_catalog.=) {_quoted(column_name)}{cast}")
    return f'SQL statement "{text}{" AND ".join(conds)}"'


# --- pieces -----------------------------------------------------------------------------------------------------------


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def place(table: Table, name: str) -> int:
    """A live column's place in the row."""
    column = table.column(name)
    assert column is not None
    return column.attnum - 1


def _row(scan: Scan, table: Table, name: str) -> Col:
    column = table.columns[place(table, name)]
    return Col(column.type_oid, scan.rel, column.attnum - 1, typmod=column.typmod)


def _pairs(scan: Scan, table: Table, names: Sequence[str], values: Sequence[Expr], binder: Any) -> list[Expr]:
    """column = value for each pair."""
    found: list[Expr] = []
    for name, value in zip(names, values, strict=True):
        found.extend(conjuncts(binder.comparison("=", _row(scan, table, name), value, None)))
    return found


def _changed(old: Sequence[Expr], new: Sequence[Expr], binder: Any) -> Expr:
    parts = [binder.distinct(o, n, None) for o, n in zip(old, new, strict=True)]
    if not parts:
        return FALSE
    return parts[0] if len(parts) == 1 else BoolOp(BOOL, "or", tuple(parts))


def _detail(binder: Any, names: tuple[str, ...], values: Sequence[Expr], tail: str) -> Expr:
    """Key (a, b)=(1, 2)<tail>."""
    text: Expr = Const(TEXT, f"Key ({', '.join(names)})=(")
    for number, value in enumerate(values):
        shown = value if value.type_oid in (TEXT, 1043) else Cast(TEXT, value, "cast_io")  # as the client would see it
        if number:
            text = binder.operator("||", text, Const(TEXT, ", "), None)
        text = binder.operator("||", text, shown, None)
    return binder.operator("||", text, Const(TEXT, ")" + tail), None)


def _refusal(message: str, detail: Expr, table: Table, constraint: str) -> Expr:
    """An expression that raises 23503 when it is evaluated."""
    fixed = [Const(TEXT, t) for t in ("23503", message)]
    names = [Const(TEXT, t) for t in (table.schema, table.name, constraint)]
    return Call(BOOL, "raise_refusal", (*fixed, detail, *names), "raise_refusal", volatile="v", strict=False)
