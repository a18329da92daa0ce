"""Logical plan nodes: what a statement means, before it is decided how to do it.

Leaves      OneRow  Scan  Values  VirtualRows  FunctionScan  CteScan  WorkScan
One input   Filter  Project  Aggregate  WindowNode  Sort  Limit  DistinctNode  DistinctOn  LockRows
Two         Join  SetOp
Writes      Insert  Update  Delete

A node produces columns (Col expressions, each (rel, col) unique in the statement). Nodes that compute give their
results a fresh rel; nodes that only pass rows on produce what their input produces.

Invariants
  L1  a Col used above a node but produced by nothing below it belongs to an outer query (or the left side of a lateral
      join) and becomes an internal parameter when the program is emitted.
  L2  nodes are immutable; rules build new ones with with_inputs / map_exprs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from opendsql.catalog.model import Index, Table
from opendsql.query.expr import BYTEA, INT8, Col, ColumnId, Expr, SubLink, columns_of, walk

ROW_KEY = -1  # column number of an entry's raw key
ORDINALITY = -2

SortKey = tuple[Expr, bool, bool]  # (expression, descending, nulls first)
Change = Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Base of all nodes."""

    def inputs(self) -> tuple[Node, ...]:
        return ()

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return self

    def exprs(self) -> tuple[Expr, ...]:
        """Expressions of this node itself."""
        return ()

    def map_exprs(self, change: Change) -> Node:
        return self

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return self.inputs()[0].columns()


@dataclass(frozen=True, slots=True, eq=False)
class OneRow(Node):
    """One row without columns."""

    def columns(self) -> tuple[Col, ...]:
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Scan(Node):
    """One occurrence of a stored table. conds hold on its rows alone."""

    rel: int
    table: Table
    alias: str
    conds: tuple[Expr, ...] = ()

    def exprs(self) -> tuple[Expr, ...]:
        return self.conds

    def map_exprs(self, change: Change) -> Node:
        return replace(self, conds=tuple(change(c) for c in self.conds))

    def columns(self) -> tuple[Col, ...]:
        return (*self.row(), self.key())

    def row(self) -> tuple[Col, ...]:
        """Every stored column, dropped ones too, in attnum order."""
        return tuple(Col(c.type_oid, self.rel, c.attnum - 1, typmod=c.typmod) for c in self.table.columns)

    def key(self) -> Col:
        """The row's raw key."""
        return Col(BYTEA, self.rel, ROW_KEY)


@dataclass(frozen=True, slots=True, eq=False)
class Values(Node):
    rel: int
    rows: tuple[tuple[Expr, ...], ...]
    types: tuple[tuple[int, int], ...]  # (type oid, typmod)

    def exprs(self) -> tuple[Expr, ...]:
        return tuple(e for row in self.rows for e in row)

    def map_exprs(self, change: Change) -> Node:
        return replace(self, rows=tuple(tuple(change(e) for e in row) for row in self.rows))

    def columns(self) -> tuple[Col, ...]:
        return tuple(Col(oid, self.rel, i, typmod=mod) for i, (oid, mod) in enumerate(self.types))


@dataclass(frozen=True, slots=True, eq=False)
class VirtualRows(Node):
    """A catalog relation whose rows are computed when the plan is made."""

    rel: int
    relation: Any  # catalog.virtual.VirtualRelation
    alias: str

    def columns(self) -> tuple[Col, ...]:
        return tuple(Col(oid, self.rel, i) for i, (_, oid) in enumerate(self.relation.columns))


@dataclass(frozen=True, slots=True, eq=False)
class FunctionScan(Node):
    """A set-returning function in FROM. kind 'srf': by name; 'row': an ordinary expression yielding one row."""

    rel: int
    fn: str
    args: tuple[Expr, ...]
    types: tuple[int, ...]
    ordinality: bool = False
    kind: str = "srf"
    name: str = ""

    def exprs(self) -> tuple[Expr, ...]:
        return self.args

    def map_exprs(self, change: Change) -> Node:
        return replace(self, args=tuple(change(a) for a in self.args))

    def columns(self) -> tuple[Col, ...]:
        found = tuple(Col(oid, self.rel, i) for i, oid in enumerate(self.types))
        return (*found, Col(INT8, self.rel, len(found))) if self.ordinality else found


@dataclass(frozen=True, slots=True, eq=False)
class CteScan(Node):
    rel: int
    cte: int
    name: str
    types: tuple[tuple[int, int], ...]
    work: bool = False  # the working table of a recursive query

    def columns(self) -> tuple[Col, ...]:
        return tuple(Col(oid, self.rel, i, typmod=mod) for i, (oid, mod) in enumerate(self.types))


@dataclass(frozen=True, slots=True, eq=False)
class One(Node):
    """Nodes with one input that pass its columns on."""

    input: Node

    def inputs(self) -> tuple[Node, ...]:
        return (self.input,)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, input=inputs[0])


@dataclass(frozen=True, slots=True, eq=False)
class Filter(One):
    conds: tuple[Expr, ...]

    def exprs(self) -> tuple[Expr, ...]:
        return self.conds

    def map_exprs(self, change: Change) -> Node:
        return replace(self, conds=tuple(change(c) for c in self.conds))


@dataclass(frozen=True, slots=True, eq=False)
class Project(One):
    rel: int
    exprs_: tuple[Expr, ...]

    def exprs(self) -> tuple[Expr, ...]:
        return self.exprs_

    def map_exprs(self, change: Change) -> Node:
        return replace(self, exprs_=tuple(change(e) for e in self.exprs_))

    def columns(self) -> tuple[Col, ...]:
        return tuple(Col(e.type_oid, self.rel, i, typmod=e.typmod) for i, e in enumerate(self.exprs_))


@dataclass(frozen=True, slots=True)
class Agg:
    """One aggregate of an Aggregate node."""

    fn: str
    args: tuple[Expr, ...]
    type_oid: int
    name: str
    distinct: bool = False
    filter: Expr | None = None
    order: tuple[SortKey, ...] = ()
    star: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate(One):
    """Produces (rel, i) for group i, then one column per aggregate."""

    rel: int
    groups: tuple[Expr, ...]
    aggs: tuple[Agg, ...]
    grouped: bool
    sets: tuple[tuple[int, ...], ...] | None = None
    grouping: bool = False  # a last int4 column: number of the grouping set

    def exprs(self) -> tuple[Expr, ...]:
        inner = tuple(
            e for a in self.aggs for e in (*a.args, *(k[0] for k in a.order), *((a.filter,) if a.filter else ()))
        )
        return (*self.groups, *inner)

    def map_exprs(self, change: Change) -> Node:
        aggs = tuple(
            replace(
                a,
                args=tuple(change(e) for e in a.args),
                order=tuple((change(e), d, n) for e, d, n in a.order),
                filter=change(a.filter) if a.filter is not None else None,
            )
            for a in self.aggs
        )
        return replace(self, groups=tuple(change(e) for e in self.groups), aggs=aggs)

    def columns(self) -> tuple[Col, ...]:
        groups = tuple(Col(e.type_oid, self.rel, i, typmod=e.typmod) for i, e in enumerate(self.groups))
        size = len(groups)
        aggs = tuple(Col(a.type_oid, self.rel, size + i) for i, a in enumerate(self.aggs))
        return (*groups, *aggs, *((Col(23, self.rel, size + len(aggs)),) if self.grouping else ()))


@dataclass(frozen=True, slots=True)
class WindowFunction:
    fn: str
    args: tuple[Expr, ...]
    type_oid: int
    name: str
    frame: Any
    aggregate: bool
    filter: Expr | None = None
    star: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WindowNode(One):
    """Produces its input's columns, then (rel, i) for function i."""

    rel: int
    partition: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    funcs: tuple[WindowFunction, ...]

    def exprs(self) -> tuple[Expr, ...]:
        inner = tuple(e for f in self.funcs for e in (*f.args, *((f.filter,) if f.filter else ())))
        return (*self.partition, *(k[0] for k in self.order), *inner)

    def map_exprs(self, change: Change) -> Node:
        funcs = tuple(
            replace(f, args=tuple(change(e) for e in f.args), filter=change(f.filter) if f.filter is not None else None)
            for f in self.funcs
        )
        order = tuple((change(e), d, n) for e, d, n in self.order)
        return replace(self, partition=tuple(change(e) for e in self.partition), order=order, funcs=funcs)

    def columns(self) -> tuple[Col, ...]:
        own = tuple(Col(f.type_oid, self.rel, i) for i, f in enumerate(self.funcs))
        return (*self.input.columns(), *own)


@dataclass(frozen=True, slots=True, eq=False)
class Sort(One):
    keys: tuple[SortKey, ...]

    def exprs(self) -> tuple[Expr, ...]:
        return tuple(k[0] for k in self.keys)

    def map_exprs(self, change: Change) -> Node:
        return replace(self, keys=tuple((change(e), d, n) for e, d, n in self.keys))


@dataclass(frozen=True, slots=True, eq=False)
class Limit(One):
    limit: Expr | None
    offset: Expr | None

    def exprs(self) -> tuple[Expr, ...]:
        return tuple(e for e in (self.limit, self.offset) if e is not None)

    def map_exprs(self, change: Change) -> Node:
        return replace(
            self,
            limit=change(self.limit) if self.limit is not None else None,
            offset=change(self.offset) if self.offset is not None else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class DistinctNode(One):
    """Distinct rows of all its input's columns."""


@dataclass(frozen=True, slots=True, eq=False)
class DistinctOn(One):
    keys: tuple[Expr, ...]

    def exprs(self) -> tuple[Expr, ...]:
        return self.keys

    def map_exprs(self, change: Change) -> Node:
        return replace(self, keys=tuple(change(e) for e in self.keys))


@dataclass(frozen=True, slots=True, eq=False)
class LockRows(One):
    """SELECT ... FOR UPDATE | FOR KEY SHARE of the rows of one scan."""

    rel: int
    table: Table
    mode: str  # 'update' | 'key_share'


@dataclass(frozen=True, slots=True, eq=False)
class Join(Node):
    """kind: inner, left, right, full, semi, anti, null_anti (NOT IN). lateral: right refers to left's columns."""

    kind: str
    left: Node
    right: Node
    conds: tuple[Expr, ...] = ()
    lateral: bool = False

    def inputs(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, left=inputs[0], right=inputs[1])

    def exprs(self) -> tuple[Expr, ...]:
        return self.conds

    def map_exprs(self, change: Change) -> Node:
        return replace(self, conds=tuple(change(c) for c in self.conds))

    def columns(self) -> tuple[Col, ...]:
        if self.kind in ("semi", "anti", "null_anti"):
            return self.left.columns()
        return (*self.left.columns(), *self.right.columns())


@dataclass(frozen=True, slots=True, eq=False)
class SetOp(Node):
    """kind: union_all, union, intersect, intersect_all, except, except_all. Inputs agree in number and types."""

    kind: str
    rel: int
    parts: tuple[Node, ...]
    types: tuple[tuple[int, int], ...]

    def inputs(self) -> tuple[Node, ...]:
        return self.parts

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        return replace(self, parts=inputs)

    def columns(self) -> tuple[Col, ...]:
        return tuple(Col(oid, self.rel, i, typmod=mod) for i, (oid, mod) in enumerate(self.types))


@dataclass(frozen=True, slots=True)
class Cte:
    """A materialised WITH query. recursive: init and step are given instead of plan."""

    name: str
    plan: Node | None
    types: tuple[tuple[int, int], ...]
    init: Node | None = None
    step: Node | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class OnConflict:
    action: str  # 'nothing' | 'update'
    index: Index | None
    assign: tuple[tuple[int, Expr], ...] = ()  # (column, expression over existing and excluded row)
    where: Expr | None = None
    existing_rel: int = 0
    excluded_rel: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Insert(One):
    """input yields the full stored row in attnum order."""

    rel: int  # columns of the new row
    table: Table
    on_conflict: OnConflict | None = None
    returning: tuple[Expr, ...] | None = None
    out_rel: int = 0

    def columns(self) -> tuple[Col, ...]:
        return _returned(self.out_rel, self.returning)


@dataclass(frozen=True, slots=True, eq=False)
class Update(One):
    """old_rel: the scanned row (with its key); assign over the input; returning over new_rel ++ input."""

    old_rel: int
    new_rel: int
    table: Table
    assign: tuple[tuple[int, Expr], ...] = ()
    returning: tuple[Expr, ...] | None = None
    out_rel: int = 0

    def exprs(self) -> tuple[Expr, ...]:
        return tuple(e for _, e in self.assign)

    def map_exprs(self, change: Change) -> Node:
        return replace(self, assign=tuple((c, change(e)) for c, e in self.assign))

    def columns(self) -> tuple[Col, ...]:
        return _returned(self.out_rel, self.returning)


@dataclass(frozen=True, slots=True, eq=False)
class Delete(One):
    old_rel: int
    table: Table
    returning: tuple[Expr, ...] | None = None
    out_rel: int = 0

    def columns(self) -> tuple[Col, ...]:
        return _returned(self.out_rel, self.returning)


def _returned(rel: int, returning: tuple[Expr, ...] | None) -> tuple[Col, ...]:
    return tuple(Col(e.type_oid, rel, i, typmod=e.typmod) for i, e in enumerate(returning or ()))


@dataclass(slots=True)
class Names:
    """What rels are called, for EXPLAIN and messages: rel -> (alias, column names)."""

    aliases: dict[int, str] = field(default_factory=dict)
    columns: dict[int, tuple[str, ...]] = field(default_factory=dict)


def walk_nodes(node: Node) -> list[Node]:
    """The node and all below it, top down (not into sublinks)."""
    found = [node]
    for item in found:
        found.extend(item.inputs())
    return found


def produced(node: Node) -> set[ColumnId]:
    """Ids of the columns the node produces."""
    return {c.id for c in node.columns()}


def free_columns(node: Node) -> set[ColumnId]:
    """Columns used inside the node that nothing inside produces: they belong to an outer query."""
    used: set[ColumnId] = set()
    made: set[ColumnId] = set()
    for item in walk_nodes(node):
        for expr in item.exprs():
            used |= columns_of(expr)
        if isinstance(item, LockRows):
            used.add((item.rel, ROW_KEY))
        if isinstance(item, Insert | Update | Delete):
            for expr in item.returning or ():
                used |= columns_of(expr)
            if not isinstance(item, Insert):
                made |= {(item.old_rel, c) for c in range(-1, len(item.table.columns))}
            rel = item.rel if isinstance(item, Insert) else item.new_rel if isinstance(item, Update) else item.old_rel
            made |= {(rel, c) for c in range(len(item.table.columns))}
            if isinstance(item, Insert) and item.on_conflict is not None:
                for _, expr in item.on_conflict.assign:
                    used |= columns_of(expr)
                for other in (item.on_conflict.existing_rel, item.on_conflict.excluded_rel):
                    made |= {(other, c) for c in range(len(item.table.columns))}
        made |= produced(item)
    return used - made


def sublinks_of(node: Node) -> list[SubLink]:
    """Every sublink in the node's own expressions."""
    return [part for expr in node.exprs() for part in walk(expr) if isinstance(part, SubLink)]
