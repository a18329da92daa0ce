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
from typing import Any, ClassVar

from opendsql.catalog.model import Index, Table
from opendsql.query.expr import BYTEA, INT8, Col, ColumnId, Expr, Holder, SubLink, columns_of, walk

ROW_KEY = -1  # column number of an entry's raw key
ORDINALITY = -2

SortKey = tuple[Expr, bool, bool]  # (expression, descending, nulls first)
Change = Callable[[Expr], Expr]


@dataclass(frozen=True, slots=True, eq=False)
class Node(Holder):
    """Base of all nodes; PARTS are the fields with its own expressions, INPUTS those with the nodes below."""

    INPUTS: ClassVar[tuple[str, ...]] = ()

    def inputs(self) -> tuple[Node, ...]:
        """The nodes below."""
        found: list[Node] = []
        for name in self.INPUTS:
            value = getattr(self, name)
            found.extend(value if isinstance(value, tuple) else (value,))
        return tuple(found)

    def with_inputs(self, inputs: tuple[Node, ...]) -> Node:
        """The same node over other inputs."""
        if not self.INPUTS:
            return self
        changes: dict[str, Any] = dict(zip(self.INPUTS, inputs, strict=False))
        if self.INPUTS == ("parts",):
            changes = {"parts": inputs}
        return replace(self, **changes)

    def exprs(self) -> tuple[Expr, ...]:
        """Expressions of this node itself."""
        return self.children()

    def map_exprs(self, change: Change) -> Node:
        """The same node with every expression of its own changed."""
        own = self.children()
        return self.rebuild([change(e) for e in own]) if own else self

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return self.inputs()[0].columns()


@dataclass(frozen=True, slots=True, eq=False)
class OneRow(Node):
    """One row without columns."""

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class Scan(Node):
    """One occurrence of a stored table. conds hold on its rows alone."""

    PARTS: ClassVar[tuple[str, ...]] = ("conds",)

    rel: int
    table: Table
    alias: str
    conds: tuple[Expr, ...] = ()

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return (*self.row(), self.key())

    def row(self) -> tuple[Col, ...]:
        """Every stored column, dropped ones too, in attnum order."""
        return tuple(Col(c.type_oid, self.rel, c.attnum - 1, typmod=c.typmod) for c in self.table.columns)

    def key(self) -> Col:
        """The row's raw key."""
        return Col(BYTEA, self.rel, ROW_KEY)


@dataclass(frozen=True, slots=True, eq=False)
class Values(Node):
    """Rows of expressions."""

    PARTS: ClassVar[tuple[str, ...]] = ("rows",)

    rel: int
    rows: tuple[tuple[Expr, ...], ...]
    types: tuple[tuple[int, int], ...]  # (type oid, typmod)

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return tuple(Col(oid, self.rel, i, typmod=mod) for i, (oid, mod) in enumerate(self.types))


@dataclass(frozen=True, slots=True, eq=False)
class VirtualRows(Node):
    """A catalog relation whose rows are computed when the plan is made."""

    rel: int
    relation: Any  # catalog.virtual.VirtualRelation
    alias: str

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return tuple(Col(oid, self.rel, i) for i, (_, oid) in enumerate(self.relation.columns))


@dataclass(frozen=True, slots=True, eq=False)
class FunctionScan(Node):
    """A set-returning function in FROM. kind 'srf': by name; 'row': an ordinary expression yielding one row."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    rel: int
    fn: str
    args: tuple[Expr, ...]
    types: tuple[int, ...]
    ordinality: bool = False
    kind: str = "srf"
    name: str = ""

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        found = tuple(Col(oid, self.rel, i) for i, oid in enumerate(self.types))
        return (*found, Col(INT8, self.rel, len(found))) if self.ordinality else found


@dataclass(frozen=True, slots=True, eq=False)
class CteScan(Node):
    """A materialised WITH query read."""

    rel: int
    cte: int
    name: str
    types: tuple[tuple[int, int], ...]
    work: bool = False  # the working table of a recursive query
    free: frozenset[ColumnId] = frozenset()  # columns of outer queries that the WITH query itself uses

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return tuple(Col(oid, self.rel, i, typmod=mod) for i, (oid, mod) in enumerate(self.types))


@dataclass(frozen=True, slots=True, eq=False)
class One(Node):
    """Nodes with one input that pass its columns on."""

    INPUTS: ClassVar[tuple[str, ...]] = ("input",)

    input: Node


@dataclass(frozen=True, slots=True, eq=False)
class Filter(One):
    """The rows for which all conditions hold."""

    PARTS: ClassVar[tuple[str, ...]] = ("conds",)

    conds: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Project(One):
    """Expressions computed over each row."""

    PARTS: ClassVar[tuple[str, ...]] = ("exprs_",)

    rel: int
    exprs_: tuple[Expr, ...]

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return tuple(Col(e.type_oid, self.rel, i, typmod=e.typmod) for i, e in enumerate(self.exprs_))


@dataclass(frozen=True, slots=True)
class Agg(Holder):
    """One aggregate of an Aggregate node."""

    PARTS: ClassVar[tuple[str, ...]] = ("args", "order", "filter")

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

    PARTS: ClassVar[tuple[str, ...]] = ("groups", "aggs")

    rel: int
    groups: tuple[Expr, ...]
    aggs: tuple[Agg, ...]
    grouped: bool
    sets: tuple[tuple[int, ...], ...] | None = None
    grouping: bool = False  # a last int4 column: number of the grouping set

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        groups = tuple(Col(e.type_oid, self.rel, i, typmod=e.typmod) for i, e in enumerate(self.groups))
        size = len(groups)
        aggs = tuple(Col(a.type_oid, self.rel, size + i) for i, a in enumerate(self.aggs))
        return (*groups, *aggs, *((Col(23, self.rel, size + len(aggs)),) if self.grouping else ()))


@dataclass(frozen=True, slots=True)
class WindowFunction(Holder):
    """One function of a WindowNode."""

    PARTS: ClassVar[tuple[str, ...]] = ("args", "filter")

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

    PARTS: ClassVar[tuple[str, ...]] = ("partition", "order", "funcs")

    rel: int
    partition: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    funcs: tuple[WindowFunction, ...]

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        own = tuple(Col(f.type_oid, self.rel, i) for i, f in enumerate(self.funcs))
        return (*self.input.columns(), *own)


@dataclass(frozen=True, slots=True, eq=False)
class Sort(One):
    """Rows in the order of keys."""

    PARTS: ClassVar[tuple[str, ...]] = ("keys",)

    keys: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Limit(One):
    """At most limit rows, after offset."""

    PARTS: ClassVar[tuple[str, ...]] = ("limit", "offset")

    limit: Expr | None
    offset: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class DistinctNode(One):
    """Distinct rows of all its input's columns."""


@dataclass(frozen=True, slots=True, eq=False)
class DistinctOn(One):
    """The first row of each group of equal keys; the input is sorted by them."""

    PARTS: ClassVar[tuple[str, ...]] = ("keys",)

    keys: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LockRows(One):
    """SELECT ... FOR UPDATE | FOR KEY SHARE of the rows of one scan."""

    rel: int
    table: Table
    mode: str  # 'update' | 'key_share'


@dataclass(frozen=True, slots=True, eq=False)
class Join(Node):
    """kind: inner, left, right, full, semi, anti, null_anti (NOT IN). lateral: right refers to left's columns."""

    PARTS: ClassVar[tuple[str, ...]] = ("conds",)
    INPUTS: ClassVar[tuple[str, ...]] = ("left", "right")

    kind: str
    left: Node
    right: Node
    conds: tuple[Expr, ...] = ()
    lateral: bool = False

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        if self.kind in ("semi", "anti", "null_anti"):
            return self.left.columns()
        return (*self.left.columns(), *self.right.columns())


@dataclass(frozen=True, slots=True, eq=False)
class SetOp(Node):
    """kind: union_all, union, intersect, intersect_all, except, except_all. Inputs agree in number and types."""

    INPUTS: ClassVar[tuple[str, ...]] = ("parts",)

    kind: str
    rel: int
    parts: tuple[Node, ...]
    types: tuple[tuple[int, int], ...]

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
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
    events: tuple[int, ...] | None = None  # no query: rows that writes have noted (foreign_keys.Events)


@dataclass(frozen=True, slots=True)
class OnConflict:
    """What an INSERT does about a row that is already there."""

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
        """What it produces, in order."""
        return _returned(self.out_rel, self.returning)


@dataclass(frozen=True, slots=True, eq=False)
class Update(One):
    """old_rel: the scanned row (with its key); assign over the input; returning over new_rel ++ input."""

    PARTS: ClassVar[tuple[str, ...]] = ("assign",)

    old_rel: int
    new_rel: int
    table: Table
    assign: tuple[tuple[int, Expr], ...] = ()
    returning: tuple[Expr, ...] | None = None
    out_rel: int = 0

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
        return _returned(self.out_rel, self.returning)


@dataclass(frozen=True, slots=True, eq=False)
class Delete(One):
    """old_rel: the scanned row (with its key); returning over it."""

    old_rel: int
    table: Table
    returning: tuple[Expr, ...] | None = None
    out_rel: int = 0

    def columns(self) -> tuple[Col, ...]:
        """What it produces, in order."""
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
        if isinstance(item, CteScan):
            used |= item.free
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
