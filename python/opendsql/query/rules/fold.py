"""Simplify boolean expressions whose outcome is known, so that nothing below plans for what cannot happen.

TRUE AND x -> x      FALSE AND x -> FALSE      NOT TRUE -> FALSE      CASE WHEN TRUE ... -> its value
WHERE TRUE disappears; constant calls are folded by the core when it compiles
"""

from __future__ import annotations

from dataclasses import replace

from opendsql.query.expr import BOOL, FALSE, TRUE, BoolOp, Case, Const, Expr, Not, NullTest
from opendsql.query.logical import Filter, Node, Scan
from opendsql.query.rules.rule import Context, bottom_up


def fold(node: Node, context: Context) -> Node:
    """Fold every expression of the tree."""
    del context

    def change(item: Node) -> Node:
        if not item.exprs():
            return item
        item = item.map_exprs(simplify)
        if isinstance(item, Filter):
            conds = tuple(c for c in item.conds if c != TRUE)
            return Filter(item.input, conds) if conds else item.input
        if isinstance(item, Scan):
            return replace(item, conds=tuple(c for c in item.conds if c != TRUE))
        return item

    return bottom_up(node, change)


def simplify(expr: Expr) -> Expr:
    """The expression with known parts folded."""
    children = expr.children()
    if children:
        rebuilt = tuple(simplify(c) for c in children)
        if any(new is not old for new, old in zip(rebuilt, children, strict=True)):
            expr = expr.rebuild(rebuilt)
    match expr:
        case BoolOp():
            return _bool_op(expr)
        case Not():
            if _is(expr.arg, "true"):
                return FALSE
            if _is(expr.arg, "false"):
                return TRUE
        case NullTest():
            if isinstance(expr.arg, Const):
                return TRUE if (expr.arg.text is None) == expr.is_null else FALSE
        case Case():
            return _case(expr)
    return expr


def _is(expr: Expr, text: str) -> bool:
    return isinstance(expr, Const) and expr.type_oid == BOOL and expr.text == text


def _bool_op(expr: BoolOp) -> Expr:
    neutral, decisive = ("true", "false") if expr.op == "and" else ("false", "true")
    parts: list[Expr] = []
    for arg in expr.args:
        if _is(arg, decisive):
            return Const(BOOL, decisive)
        if _is(arg, neutral):
            continue
        if isinstance(arg, BoolOp) and arg.op == expr.op:
            parts.extend(arg.args)
        else:
            parts.append(arg)
    if not parts:
        return Const(BOOL, neutral)
    return parts[0] if len(parts) == 1 else replace(expr, args=tuple(parts))


def _case(expr: Case) -> Expr:
    whens: list[tuple[Expr, Expr]] = []
    for condition, value in expr.whens:
        if _is(condition, "false") or (isinstance(condition, Const) and condition.text is None):
            continue
        if _is(condition, "true"):
            return value if not whens else replace(expr, whens=tuple(whens), default=value)
        whens.append((condition, value))
    if not whens:
        return expr.default if expr.default is not None else Const(expr.type_oid, None)
    return replace(expr, whens=tuple(whens))
