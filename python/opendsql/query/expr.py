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
  E1  PARTS names the fields that hold a node's inputs; children() and rebuild() follow from it.
  E2  the plan inside a SubLink is not a child; its outer columns are: SubLink.outer pairs each with its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from opendsql.query.logical import Node

BOOL, BYTEA, NAME, INT8, INT2, INT4, TEXT, OID = 16, 17, 19, 20, 21, 23, 25, 26
FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR = 700, 701, 705, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC = 1082, 1083, 1114, 1184, 1186, 1266, 1700
REGCLASS, RECORD, VOID, UUID, JSON, JSONB, JSONPATH = 2205, 2249, 2278, 2950, 114, 3802, 4072

ColumnId = tuple[int, int]


class Holder:
    """Something immutable that holds expressions, in fields named by PARTS: an Expr, or tuples of them at any depth."""

    __slots__ = ()
    PARTS: ClassVar[tuple[str, ...]] = ()

    def children(self) -> tuple[Expr, ...]:
        """The expressions held, in order."""
        found: list[Expr] = []
        for name in self.PARTS:
            _collect(getattr(self, name), found)
        return tuple(found)

    def rebuild(self, children: Iterable[Expr]) -> Any:
        """The same thing holding other expressions."""
        source = iter(children)
        changes = {name: _refilled(getattr(self, name), source) for name in self.PARTS}
        return replace(self, **changes) if changes else self  # type: ignore[type-var]


def _collect(value: Any, found: list[Expr]) -> None:
    if isinstance(value, Expr):
        found.append(value)
    elif isinstance(value, tuple):
        for part in value:
            _collect(part, found)
    elif isinstance(value, Holder):
        found.extend(value.children())


def _refilled(value: Any, source: Iterator[Expr]) -> Any:
    if isinstance(value, Expr):
        return next(source)
    if isinstance(value, tuple):
        return tuple(_refilled(part, source) for part in value)
    if isinstance(value, Holder):
        return value.rebuild([next(source) for _ in value.children()])
    return value


@dataclass(frozen=True, slots=True)
class Expr(Holder):
    """Base of all: the type of the value."""

    type_oid: int
    typmod: int = field(default=-1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Col(Expr):
    """One column of a row."""

    rel: int
    col: int

    @property
    def id(self) -> ColumnId:
        """(rel, col)."""
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

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    kernel: str
    args: tuple[Expr, ...]
    name: str = ""
    operator: bool = False
    kind: str = "call"
    volatile: str = "i"  # i, s, v
    strict: bool = True
    spelled: str = field(default="", compare=False, kw_only=True)  # spelling.py


@dataclass(frozen=True, slots=True)
class Cast(Expr):
    """arg converted. kind: 'call' kernel, 'py', or 'binary' (same representation, no work)."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg",)

    arg: Expr
    kernel: str
    kind: str = "call"
    implicit: bool = True
    volatile: str = "i"
    extra: tuple[Expr, ...] = ()
    spelled: str = field(default="", compare=False, kw_only=True)  # spelling.py


@dataclass(frozen=True, slots=True)
class BoolOp(Expr):
    """AND or OR of any number of conditions."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    op: str  # 'and' | 'or'
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Not(Expr):
    """NOT of a condition."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg",)

    arg: Expr


@dataclass(frozen=True, slots=True)
class NullTest(Expr):
    """IS NULL, IS NOT NULL."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg",)

    arg: Expr
    is_null: bool


@dataclass(frozen=True, slots=True)
class BoolTest(Expr):
    """x IS TRUE / FALSE / UNKNOWN; negation is a Not around it."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg",)

    arg: Expr
    test: str  # 'true' | 'false' | 'unknown'


@dataclass(frozen=True, slots=True)
class Distinct(Expr):
    """left IS DISTINCT FROM right, by the kernel of the = operator."""

    PARTS: ClassVar[tuple[str, ...]] = ("left", "right")

    kernel: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Case(Expr):
    """CASE: the value of the first condition that holds."""

    PARTS: ClassVar[tuple[str, ...]] = ("whens", "default")

    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr | None
    has_subject: bool = field(default=False, compare=False, kw_only=True)  # CASE x WHEN y: every condition is x = y


@dataclass(frozen=True, slots=True)
class Coalesce(Expr):
    """The first argument that is not NULL."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class NullIf(Expr):
    """kernel compares left and right (after casts); the value is the uncast left."""

    PARTS: ClassVar[tuple[str, ...]] = ("left", "right", "value")

    kernel: str
    left: Expr
    right: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class MinMax(Expr):
    """GREATEST (kernel is >) or LEAST (kernel is <), NULLs ignored."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    op: str  # 'greatest' | 'least'
    kernel: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class InList(Expr):
    """arg IN (items), by the kernel of the = operator."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg", "items")

    kernel: str  # of =
    arg: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ArrayTest(Expr):
    """arg op ANY|ALL (array)."""

    PARTS: ClassVar[tuple[str, ...]] = ("arg", "array")

    quantifier: str  # 'any' | 'all'
    kernel: str
    name: str
    arg: Expr
    array: Expr
    elem_oid: int


@dataclass(frozen=True, slots=True)
class ArrayCtor(Expr):
    """ARRAY[...]."""

    PARTS: ClassVar[tuple[str, ...]] = ("items",)

    elem_oid: int
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class RowExpr(Expr):
    """ROW(...) or a whole row; comparisons take it apart, anything else prints it."""

    PARTS: ClassVar[tuple[str, ...]] = ("items",)

    items: tuple[Expr, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SubLink(Expr):
    """A subquery as a value. kind: scalar, exists, any, all, array.

    plan yields the compared (or returned) columns out; outer pairs every column the plan takes from outside with its
    value there. For any / all: op(lhs, out) per kernel; with several lhs all must hold (row comparison, = only).
    """

    PARTS: ClassVar[tuple[str, ...]] = ("lhs", "outer")

    kind: str
    plan: Node
    out: tuple[Col, ...]
    outer: tuple[tuple[ColumnId, Expr], ...] = ()
    lhs: tuple[Expr, ...] = ()
    kernels: tuple[str, ...] = ()
    op_name: str = "="
    shape: str = ""  # its parse tree as text

    # (Expr's own comparison would look at the types alone.)
    def __eq__(self, other: object) -> bool:
        """Whether both are the same text over the same values from outside."""
        if self is other or not isinstance(other, SubLink) or not self.shape:
            return self is other
        mine = (self.shape, self.kind, self.type_oid, self.outer, self.lhs)
        return mine == (other.shape, other.kind, other.type_oid, other.outer, other.lhs)

    def __hash__(self) -> int:
        return hash(self.shape) if self.shape else id(self)


@dataclass(frozen=True, slots=True)
class AggCall(Expr):
    """An aggregate call until it is moved into an Aggregate node."""

    PARTS: ClassVar[tuple[str, ...]] = ("args", "order", "filter")

    fn: str  # name in the aggregate registry
    args: tuple[Expr, ...]
    name: str = ""
    distinct: bool = False
    filter: Expr | None = None
    order: tuple[tuple[Expr, bool, bool], ...] = ()
    star: bool = False


@dataclass(frozen=True, slots=True)
class WindowCall(Expr):
    """A window call until it is moved into a WindowNode."""

    PARTS: ClassVar[tuple[str, ...]] = ("args", "partition", "order", "filter")

    fn: str
    args: tuple[Expr, ...]
    name: str
    partition: tuple[Expr, ...]
    order: tuple[tuple[Expr, bool, bool], ...]
    frame: Any  # (mode, start, start offset, end, end offset, exclusion)
    filter: Expr | None = None
    aggregate: bool = False
    star: bool = False


@dataclass(frozen=True, slots=True)
class GroupingCall(Expr):
    """GROUPING(...) until the aggregate node exists."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class SrfCall(Expr):
    """A set-returning function in a select list."""

    PARTS: ClassVar[tuple[str, ...]] = ("args",)

    fn: str
    args: tuple[Expr, ...]
    name: str
    plan: Any = None  # of a function of the database: its body, bound with these arguments


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
