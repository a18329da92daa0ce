"""Typed expressions: what the binder makes of the expressions in a parse tree.

Every expression is an immutable value with a type. A column is named by (rel, col): rel numbers one occurrence of a
relation (or one computing plan node) in the whole statement, col its column there; so a column of an outer query needs
no level, it is simply a column that nothing below produces.

    Col  Const  Param                leaves
    Call  Cast                       operators, functions and casts with a kernel (kind 'call'), Python (kind 'py')
    BoolOp  Not  NullTest  BoolTest  Distinct  Case  Coalesce  NullIf  MinMax  InList  ArrayTest  ArrayCtor  RowExpr
    SubLink                          a query used as a value
    AggCall  WindowCall  SrfCall     live only until the binder has moved them into plan nodes

Invariants
  E1  children() are the direct inputs, in order; rebuild(children) is the same expression over other inputs.
  E2  the plan inside a SubLink is not a child; its outer columns are: SubLink.outer pairs each with its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opendsql.query.logical import Node

BOOL, BYTEA, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 19, 20, 21, 23, 25, 26
FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR = 700, 701, 705, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC = 1082, 1083, 1114, 1184, 1186, 1266, 1700
REGCLASS, RECORD, VOID, UUID, JSON, JSONB = 2205, 2249, 2278, 2950, 114, 3802

ColumnId = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Expr:
    """Base of all: the type of the value."""

    type_oid: int
    typmod: int = field(default=-1, kw_only=True)

    def children(self) -> tuple[Expr, ...]:
        return ()

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return self


@dataclass(frozen=True, slots=True)
class Col(Expr):
    rel: int
    col: int

    @property
    def id(self) -> ColumnId:
        return (self.rel, self.col)


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant in text input form; None is NULL. type UNKNOWN = a string literal not yet given a type."""

    text: str | None
    location: int = field(default=-1, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Param(Expr):
    """The index-th (0-based) parameter; lifted = it stands for a literal of the original text."""

    index: int
    lifted: bool = field(default=False, compare=False, kw_only=True)
    location: int = field(default=-1, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """kernel over args. kind: 'call' compiled, 'py' Python. name: how SQL spells it; operator: name is an operator."""

    kernel: str
    args: tuple[Expr, ...]
    name: str = ""
    operator: bool = False
    kind: str = "call"
    volatile: str = "i"  # i, s, v
    strict: bool = True

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """arg converted. kind: 'call' kernel, 'py', or 'binary' (same representation, no work)."""

    arg: Expr
    kernel: str
    kind: str = "call"
    implicit: bool = True
    volatile: str = "i"
    extra: tuple[Expr, ...] = ()

    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0])


@dataclass(frozen=True, slots=True)
class BoolOp(Expr):
    op: str  # 'and' | 'or'
    args: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


@dataclass(frozen=True, slots=True)
class Not(Expr):
    arg: Expr

    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0])


@dataclass(frozen=True, slots=True)
class NullTest(Expr):
    arg: Expr
    is_null: bool

    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0])


@dataclass(frozen=True, slots=True)
class BoolTest(Expr):
    """x IS TRUE / FALSE / UNKNOWN; negation is a Not around it."""

    arg: Expr
    test: str  # 'true' | 'false' | 'unknown'

    def children(self) -> tuple[Expr, ...]:
        return (self.arg,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0])


@dataclass(frozen=True, slots=True)
class Distinct(Expr):
    """left IS DISTINCT FROM right, by the kernel of the = operator."""

    kernel: str
    left: Expr
    right: Expr

    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, left=children[0], right=children[1])


@dataclass(frozen=True, slots=True)
class Case(Expr):
    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr | None

    def children(self) -> tuple[Expr, ...]:
        flat = tuple(part for when in self.whens for part in when)
        return flat if self.default is None else (*flat, self.default)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        size = len(self.whens)
        whens = tuple((children[2 * i], children[2 * i + 1]) for i in range(size))
        return replace(self, whens=whens, default=children[2 * size] if self.default is not None else None)


@dataclass(frozen=True, slots=True)
class Coalesce(Expr):
    args: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


@dataclass(frozen=True, slots=True)
class NullIf(Expr):
    """kernel compares left and right (after casts); the value is the uncast left."""

    kernel: str
    left: Expr
    right: Expr
    value: Expr

    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right, self.value)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, left=children[0], right=children[1], value=children[2])


@dataclass(frozen=True, slots=True)
class MinMax(Expr):
    """GREATEST (kernel is >) or LEAST (kernel is <), NULLs ignored."""

    op: str  # 'greatest' | 'least'
    kernel: str
    args: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


@dataclass(frozen=True, slots=True)
class InList(Expr):
    kernel: str  # of =
    arg: Expr
    items: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return (self.arg, *self.items)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0], items=children[1:])


@dataclass(frozen=True, slots=True)
class ArrayTest(Expr):
    """arg op ANY|ALL (array)."""

    quantifier: str  # 'any' | 'all'
    kernel: str
    name: str
    arg: Expr
    array: Expr
    elem_oid: int

    def children(self) -> tuple[Expr, ...]:
        return (self.arg, self.array)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, arg=children[0], array=children[1])


@dataclass(frozen=True, slots=True)
class ArrayCtor(Expr):
    elem_oid: int
    items: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.items

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, items=children)


@dataclass(frozen=True, slots=True)
class RowExpr(Expr):
    """ROW(...) or a whole row; comparisons take it apart, anything else prints it."""

    items: tuple[Expr, ...]
    names: tuple[str, ...] = ()

    def children(self) -> tuple[Expr, ...]:
        return self.items

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, items=children)


@dataclass(frozen=True, slots=True, eq=False)
class SubLink(Expr):
    """A subquery as a value. kind: scalar, exists, any, all, array.

    plan yields the compared (or returned) columns out; outer pairs every column the plan takes from outside with its
    value there. For any / all: op(lhs, out) per kernel; with several lhs all must hold (row comparison, = only).
    """

    kind: str
    plan: Node
    out: tuple[Col, ...]
    outer: tuple[tuple[ColumnId, Expr], ...] = ()
    lhs: tuple[Expr, ...] = ()
    kernels: tuple[str, ...] = ()
    op_name: str = "="

    def children(self) -> tuple[Expr, ...]:
        return (*self.lhs, *(value for _, value in self.outer))

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        size = len(self.lhs)
        outer = tuple((pair[0], value) for pair, value in zip(self.outer, children[size:], strict=True))
        return replace(self, lhs=children[:size], outer=outer)


@dataclass(frozen=True, slots=True)
class AggCall(Expr):
    fn: str  # name in the aggregate registry
    args: tuple[Expr, ...]
    name: str = ""
    distinct: bool = False
    filter: Expr | None = None
    order: tuple[tuple[Expr, bool, bool], ...] = ()
    star: bool = False

    def children(self) -> tuple[Expr, ...]:
        extra = () if self.filter is None else (self.filter,)
        return (*self.args, *(key[0] for key in self.order), *extra)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        count = len(self.args)
        keys = children[count : count + len(self.order)]
        order = tuple((key, old[1], old[2]) for key, old in zip(keys, self.order, strict=True))
        condition = children[-1] if self.filter is not None else None
        return replace(self, args=children[:count], order=order, filter=condition)


@dataclass(frozen=True, slots=True)
class WindowCall(Expr):
    fn: str
    args: tuple[Expr, ...]
    name: str
    partition: tuple[Expr, ...]
    order: tuple[tuple[Expr, bool, bool], ...]
    frame: Any  # (mode, start, start offset, end, end offset, exclusion)
    filter: Expr | None = None
    aggregate: bool = False
    star: bool = False

    def children(self) -> tuple[Expr, ...]:
        extra = () if self.filter is None else (self.filter,)
        return (*self.args, *self.partition, *(key[0] for key in self.order), *extra)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        count, parts = len(self.args), len(self.partition)
        keys = children[count + parts : count + parts + len(self.order)]
        order = tuple((key, old[1], old[2]) for key, old in zip(keys, self.order, strict=True))
        condition = children[-1] if self.filter is not None else None
        return replace(
            self, args=children[:count], partition=children[count : count + parts], order=order, filter=condition
        )


@dataclass(frozen=True, slots=True)
class GroupingCall(Expr):
    """GROUPING(...) until the aggregate node exists."""

    args: tuple[Expr, ...]

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


@dataclass(frozen=True, slots=True)
class SrfCall(Expr):
    """A set-returning function in a select list."""

    fn: str
    args: tuple[Expr, ...]
    name: str

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return replace(self, args=children)


# --- walking --------------------------------------------------------------------------------------------------------


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything below it (not into the plans of sublinks)."""
    stack = [expr]
    while stack:
        item = stack.pop()
        yield item
        stack.extend(item.children())


def columns_of(expr: Expr) -> set[ColumnId]:
    """Every column the expression needs from its row."""
    return {item.id for item in walk(expr) if isinstance(item, Col)}


def columns_of_all(exprs: Iterable[Expr]) -> set[ColumnId]:
    """Union of columns_of."""
    found: set[ColumnId] = set()
    for expr in exprs:
        found |= columns_of(expr)
    return found


def transform(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """Top-down rewrite: change(e) gives the replacement (not descended into), or None to go on below."""
    changed = change(expr)
    if changed is not None:
        return changed
    children = expr.children()
    if not children:
        return expr
    rebuilt = tuple(transform(child, change) for child in children)
    if all(new is old for new, old in zip(rebuilt, children, strict=True)):
        return expr
    return expr.rebuild(rebuilt)


def substitute(expr: Expr, values: dict[ColumnId, Expr]) -> Expr:
    """The expression with columns replaced."""
    return transform(expr, lambda item: values.get(item.id) if isinstance(item, Col) else None)


def conjuncts(expr: Expr | None) -> tuple[Expr, ...]:
    """The parts of a conjunction; () for None."""
    if expr is None:
        return ()
    if isinstance(expr, BoolOp) and expr.op == "and":
        return tuple(part for arg in expr.args for part in conjuncts(arg))
    return (expr,)


def conjunction(parts: Iterable[Expr]) -> Expr | None:
    """One condition of many; None for none."""
    found = tuple(parts)
    if not found:
        return None
    return found[0] if len(found) == 1 else BoolOp(BOOL, "and", found)


def is_volatile(expr: Expr) -> bool:
    """Whether two evaluations may differ."""
    return any(
        isinstance(item, Call | Cast) and item.volatile == "v" or isinstance(item, SrfCall) for item in walk(expr)
    )


def has_sublink(expr: Expr) -> bool:
    """Whether a subquery is inside."""
    return any(isinstance(item, SubLink) for item in walk(expr))


def is_constant(expr: Expr) -> bool:
    """Whether the value is one per execution: no columns, nothing volatile, no subquery."""
    return not any(
        isinstance(item, Col | SubLink | AggCall | WindowCall | SrfCall)
        or (isinstance(item, Call | Cast) and item.volatile == "v")
        for item in walk(expr)
    )


TRUE = Const(BOOL, "true")
FALSE = Const(BOOL, "false")
NULL_BOOL = Const(BOOL, None)
