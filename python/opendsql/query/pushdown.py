"""Which conditions storage can filter by: the line EXPLAIN draws between `Filters` and `Filter`.

Storage compares, it does not compute: a column or a constant on each side of = <> < <= > >=, IN, IS NULL, and AND, OR,
NOT of those. Functions, arithmetic, patterns, casts of columns and the types of `explain_unpushed_types` stay with the
query processor. Here both run in one place; the split decides what is shown and counted where.
"""

from __future__ import annotations

from opendsql.guesses import choice
from opendsql.query.expr import (
    BOOL,
    ArrayTest,
    BoolOp,
    BoolTest,
    Call,
    Cast,
    Col,
    Const,
    Distinct,
    Expr,
    InList,
    Not,
    NullTest,
    is_constant,
)

_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def is_pushed(cond: Expr) -> bool:
    """Whether storage filters by the condition."""
    match cond:
        case BoolOp():
            return all(is_pushed(arg) for arg in cond.args)
        case Not():
            return is_pushed(cond.arg)
        case NullTest() | BoolTest():
            return _is_plain(cond.arg)
        case Call():
            return cond.operator and cond.name in _COMPARISONS and all(_is_plain(arg) for arg in cond.args)
        case Distinct():
            return _is_plain(cond.left) and _is_plain(cond.right)
        case InList():
            return _is_plain(cond.arg) and all(_is_plain(item) for item in cond.items)
        case ArrayTest():
            return cond.name in _COMPARISONS and _is_plain(cond.arg) and is_constant(cond.array)
        case Col() | Const():
            return cond.type_oid == BOOL
    return False


def _is_plain(expr: Expr) -> bool:
    """A column, or a value known before the first row."""
    while isinstance(expr, Cast) and expr.kind == "binary":
        expr = expr.arg
    if expr.type_oid in choice("explain_unpushed_types"):
        return False
    return isinstance(expr, Col) or is_constant(expr)
