"""Access paths: which tree a scan reads, between which bounds, and what is left to filter.

A condition can bound a key column when one side is that key part (a column, or the very expression an expression index
was made on) and the other side needs nothing from the scanned row. Leading equalities, then one IN list or one range:

    bounds = eq* [ in | lo/hi ]

Estimates are deliberately simple: a table never analysed has ROWS_DEFAULT rows.

Invariants
  A1  bounds never lose rows: a bound may be wider than its condition, then the condition stays a filter.
  A2  an invalid index is never read; a partial one only when its predicate is among the conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from opendsql.catalog.model import Index, Table
from opendsql.query.expr import (
    BOOL,
    BPCHAR,
    INT2,
    INT4,
    INT8,
    NAME,
    TEXT,
    VARCHAR,
    ArrayCtor,
    ArrayTest,
    BoolOp,
    Call,
    Case,
    Cast,
    Col,
    ColumnId,
    Const,
    Expr,
    InList,
    Param,
    columns_of,
    is_volatile,
)
from opendsql.query.logical import ROW_KEY, Scan
from opendsql.query.params import NeedsOriginal
from opendsql.registry.resolve import find_cast, find_operator

ROWS_DEFAULT = 1_000_000.0
_FLIP = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INT_BITS = {INT2: 15, INT4: 31, INT8: 63}
_EQ_SELECTIVITY = 0.005
_RANGE_SELECTIVITY = 1 / 3


@dataclass(frozen=True, slots=True)
class TreeShape:
    """One tree a table's rows can be read from: its key parts and stored columns as expressions over the scan."""

    index: Index | None  # None: the table itself
    tree: int
    keys: tuple[Expr, ...]
    key_types: tuple[int, ...]
    nulls_first: tuple[bool, ...]
    stored: tuple[Expr, ...]  # what column i of the stored image is
    unique: bool
    predicate: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Sarg:
    """A condition usable as a bound on a key part."""

    key: Expr
    op: str  # = < <= > >= in
    values: tuple[Expr, ...]
    cond: Expr
    exact: bool = True  # False: the condition must be checked besides


@dataclass(slots=True)
class Path:
    """One way to read a scan's rows."""

    shape: TreeShape
    eq: list[Expr] = field(default_factory=list)
    in_: list[Expr] | None = None
    lo: tuple[Expr, bool] | None = None
    hi: tuple[Expr, bool] | None = None
    used: list[Expr] = field(default_factory=list)  # conditions the bounds settle
    bounding: list[Expr] = field(default_factory=list)  # conditions the bounds come from, settled or not
    point: bool = False
    rows: float = 0.0  # entries read
    covering: bool = True
    backward: bool = False

    @property
    def bounded(self) -> bool:
        """Whether it reads less than the whole tree."""
        return bool(self.eq) or self.in_ is not None or self.lo is not None or self.hi is not None


def table_rows(table: Table) -> float:
    """Estimated rows of a table."""
    return max(table.row_estimate, 1.0) if table.row_estimate >= 0 else ROWS_DEFAULT


# --- conditions as bounds -------------------------------------------------------------------------------------------


def strip_binary(expr: Expr) -> Expr:
    """The expression without casts that change nothing about order or equality of its bytes."""
    while (
        isinstance(expr, Cast)
        and expr.kind == "binary"
        and expr.arg.type_oid in (VARCHAR, TEXT)
        and expr.type_oid in (VARCHAR, TEXT)
    ):
        expr = expr.arg
    return expr


def sargs_of(conds: tuple[Expr, ...], keys: set[Expr], own: set[ColumnId]) -> list[Sarg]:
    """Every usable bound in the conditions, for the given key parts; own = the scan's columns."""
    found: list[Sarg] = []
    for cond in conds:
        if isinstance(cond, Call) and cond.operator and len(cond.args) == 2:
            if cond.name in _FLIP:
                found.extend(_comparison(cond, keys, own))
            elif cond.name in ("~~", "^@"):
                found.extend(_prefix(cond, keys))
        elif isinstance(cond, InList):
            key = strip_binary(cond.arg)
            if key in keys and not any(columns_of(i) & own or is_volatile(i) for i in cond.items):
                values = tuple(_as_key_type(i, key) for i in cond.items)
                if all(v is not None for v in values):
                    found.append(Sarg(key, "in", tuple(v for v in values if v is not None), cond))
        elif isinstance(cond, ArrayTest) and cond.quantifier == "any" and cond.name == "=":
            key = strip_binary(cond.arg)
            if key in keys and isinstance(cond.array, ArrayCtor):
                values = tuple(_as_key_type(i, key) for i in cond.array.items)
                if values and all(v is not None and not columns_of(v) & own for v in values):
                    found.append(Sarg(key, "in", tuple(v for v in values if v is not None), cond))
    return found


def _comparison(cond: Call, keys: set[Expr], own: set[ColumnId]) -> list[Sarg]:
    found = []
    for left, right, op in ((cond.args[0], cond.args[1], cond.name), (cond.args[1], cond.args[0], _FLIP[cond.name])):
        key = strip_binary(left)
        if key not in keys or columns_of(right) & own or is_volatile(right):
            continue
        value = _as_key_type(right, key)
        if value is not None:
            found.append(Sarg(key, op, (value,), cond))
            continue
        wide = _narrowed(right, key.type_oid, op)
        if wide is not None:
            found.append(Sarg(key, op if op == "=" else {"<": "<=", ">": ">="}.get(op, op), (wide,), cond, exact=False))
    return found


def _as_key_type(value: Expr, key: Expr) -> Expr | None:
    """value as the key's type when that loses nothing; None otherwise."""
    want, have = key.type_oid, value.type_oid
    if want == have:
        return value
    if want in (TEXT, VARCHAR) and have in (TEXT, VARCHAR):
        value = strip_binary(value)
        if isinstance(value, Const | Param):
            return replace(value, type_oid=want) if isinstance(value, Const) else Cast(want, value, "", kind="binary")
        return value if value.type_oid == want else Cast(want, value, "", kind="binary")
    if want in _INT_BITS and have in _INT_BITS and _INT_BITS[want] > _INT_BITS[have]:
        if isinstance(value, Const):
            return Const(want, value.text)
        match = find_cast(have, want, "i")
        return Cast(want, value, match.kernel or "") if match is not None else None
    if isinstance(value, Const) and value.text is not None and want in _INT_BITS and have in _INT_BITS:
        if -(1 << _INT_BITS[want]) <= int(value.text) < 1 << _INT_BITS[want]:
            return Const(want, value.text)
    if want == NAME and have == TEXT and isinstance(value, Const):
        return None
    return None


def _narrowed(value: Expr, want: int, op: str) -> Expr | None:
    """A wider integer as a bound on a narrower key: clamped for ranges, NULL (no rows) when out of range for =."""
    have = value.type_oid
    if want not in _INT_BITS or have not in _INT_BITS:
        return None
    size = 1 << _INT_BITS[want]
    low, high = Const(have, str(-size)), Const(have, str(size - 1))
    match = find_cast(have, want, "a")
    if match is None:
        return None
    below = find_operator("<", have, have)
    under = Call(BOOL, below.kernel, (value, low), "<", operator=True)
    over = Call(BOOL, below.kernel, (high, value), "<", operator=True)
    inside = Cast(want, value, match.kernel or "", implicit=False)
    if op == "=":
        return Case(want, ((BoolOp(BOOL, "or", (under, over)), Const(want, None)),), inside)
    return Case(want, ((under, Const(want, str(-size))), (over, Const(want, str(size - 1)))), inside)


def _prefix(cond: Call, keys: set[Expr]) -> list[Sarg]:
    """LIKE 'abc%' and ^@ 'abc' as a range."""
    key = strip_binary(cond.args[0])
    pattern = cond.args[1]
    if key not in keys or key.type_oid not in (TEXT, VARCHAR):
        return []
    if isinstance(pattern, Param) and pattern.lifted:
        raise NeedsOriginal
    if not isinstance(pattern, Const) or pattern.text is None:
        return []
    prefix, rest = (pattern.text, "%") if cond.name == "^@" else like_prefix(pattern.text)
    if not prefix and rest:
        return []
    if not rest:
        return [Sarg(key, "=", (Const(key.type_oid, prefix),), cond)]
    found = [Sarg(key, ">=", (Const(key.type_oid, prefix),), cond, exact=False)]
    after = successor(prefix)
    if after is not None:
        exact = rest == "%"
        found = [replace(found[0], exact=exact), Sarg(key, "<", (Const(key.type_oid, after),), cond, exact=exact)]
    return found


def like_prefix(pattern: str) -> tuple[str, str]:
    """(literal prefix, the rest of the pattern)."""
    prefix, index = "", 0
    while index < len(pattern):
        char = pattern[index]
        if char in "%_":
            break
        if char == "\\":
            index += 1
            if index == len(pattern):
                return prefix, "\\"
            char = pattern[index]
        prefix += char
        index += 1
    return prefix, pattern[index:]


def successor(text: str) -> str | None:
    """The smallest text after everything that starts with text (code point order is byte order in UTF-8)."""
    for size in range(len(text), 0, -1):
        point = ord(text[size - 1]) + 1
        if point == 0xD800:
            point = 0xE000
        if point <= 0x10FFFF:
            return text[: size - 1] + chr(point)
    return None


# --- paths ----------------------------------------------------------------------------------------------------------


def make_path(
    shape: TreeShape, conds: tuple[Expr, ...], own: set[ColumnId], total: float, not_null: Callable[[Expr], bool]
) -> Path:
    """The best bounds the conditions give on one tree."""
    path = Path(shape)
    by_key: dict[Expr, list[Sarg]] = {}
    for sarg in sargs_of(conds, set(shape.keys), own):
        by_key.setdefault(sarg.key, []).append(sarg)
    for place, key in enumerate(shape.keys):
        candidates = by_key.get(key, [])
        equal = next((s for s in candidates if s.op == "=" and key.type_oid != BPCHAR or s.op == "="), None)
        if equal is not None:
            path.eq.append(equal.values[0])
            path.bounding.append(equal.cond)
            if equal.exact:
                path.used.append(equal.cond)
            continue
        several = next((s for s in candidates if s.op == "in"), None)
        if several is not None:
            path.in_ = list(several.values)
            path.bounding.append(several.cond)
            path.used.append(several.cond)
            break
        _range(path, candidates, key, shape.nulls_first[place], not_null)
        break
    full = len(path.eq) == len(shape.keys) and bool(shape.keys)
    path.point = full and shape.unique
    path.rows = _estimate(path, shape, total)
    return path


def _range(path: Path, sargs: list[Sarg], key: Expr, nulls_first: bool, not_null: Callable[[Expr], bool]) -> None:
    lows = [s for s in sargs if s.op in (">", ">=")]
    highs = [s for s in sargs if s.op in ("<", "<=")]
    if lows:
        path.lo = (lows[0].values[0], lows[0].op == ">=")
    if highs:
        path.hi = (highs[0].values[0], highs[0].op == "<=")
    safe = not_null(key) or (path.lo is not None if nulls_first else path.hi is not None)
    bounds = {id(s.cond): s for s in (*lows[:1], *highs[:1])}
    for sarg in bounds.values():
        path.bounding.append(sarg.cond)
        wanted = [s for s in sargs if s.cond is sarg.cond]
        if safe and sarg.exact and all(s in (*lows[:1], *highs[:1]) for s in wanted):
            path.used.append(sarg.cond)


def _estimate(path: Path, shape: TreeShape, total: float) -> float:
    if path.point:
        return 1.0
    rows = total
    count = len(shape.keys)
    for place in range(len(path.eq)):
        left = count - place
        rows = rows ** ((left - 1) / left) if shape.unique and left > 1 else max(rows * _EQ_SELECTIVITY, 1.0)
    if path.in_ is not None:
        last = shape.unique and len(path.eq) + 1 == count
        rows = len(path.in_) if last else max(rows * _EQ_SELECTIVITY, 1.0) * len(path.in_)
    for bound in (path.lo, path.hi):
        if bound is not None:
            rows *= _RANGE_SELECTIVITY
    return max(min(rows, total), 1.0)


def selectivity(conds: tuple[Expr, ...]) -> float:
    """The share of rows a list of conditions keeps."""
    share = 1.0
    for cond in conds:
        if isinstance(cond, Call) and cond.name == "=":
            share *= _EQ_SELECTIVITY
        elif isinstance(cond, InList):
            share *= min(_EQ_SELECTIVITY * len(cond.items), 0.5)
        else:
            share *= _RANGE_SELECTIVITY
    return max(share, 1e-9)


def covers(shape: TreeShape, needed: set[ColumnId]) -> bool:
    """Whether the tree's image holds every needed column."""
    have = {e.id for e in shape.stored if isinstance(e, Col)}
    return all(c in have or (c[1] == ROW_KEY and shape.index is None) for c in needed)


def scan_columns(scan: Scan) -> set[ColumnId]:
    """Ids of a scan's columns."""
    return {c.id for c in scan.columns()}
