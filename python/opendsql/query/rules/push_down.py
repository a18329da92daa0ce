"""Push conditions towards the rows they are about: through projections, joins, aggregates' groups, into scans.

A condition moves below a node when all its columns come from there and moving it changes neither how often a volatile
function runs nor which rows an outer join pads.

    left join    WHERE conditions on the left side go left; ON conditions on the right side go right;
                 a WHERE condition that is strict in the right side's columns makes the join inner first
"""

from __future__ import annotations

from dataclasses import replace

from opendsql.query.expr import (
    BoolTest,
    Call,
    Cast,
    Col,
    ColumnId,
    Expr,
    InList,
    Not,
    NullTest,
    columns_of,
    has_sublink,
    is_volatile,
    substitute,
)
from opendsql.query.logical import (
    Aggregate,
    Delete,
    DistinctNode,
    Filter,
    Insert,
    Join,
    LockRows,
    Node,
    Project,
    Scan,
    SetOp,
    Sort,
    Update,
    produced,
)
from opendsql.query.rules.rule import Context, in_sublinks


def push_down(node: Node, context: Context) -> Node:
    """Move every condition as far down as it goes."""
    return _push(node, [], context)


def _push(node: Node, conds: list[Expr], context: Context) -> Node:
    node = in_sublinks(node, push_down, context)
    match node:
        case Filter():
            return _push(node.input, [*node.conds, *conds], context)
        case Scan():
            return replace(node, conds=(*node.conds, *conds)) if conds else node
        case Join():
            return _push_join(node, conds, context)
        case Project():
            return _push_project(node, conds, context)
        case Sort() | LockRows():
            return node.with_inputs((_push(node.input, conds, context),))
        case DistinctNode():
            return node.with_inputs((_push(node.input, conds, context),))
        case Aggregate():
            return _push_aggregate(node, conds, context)
        case SetOp():
            return _push_setop(node, conds, context)
        case Insert() | Update() | Delete():
            return node.with_inputs((_push(node.input, [], context),))
    inputs = tuple(_push(i, [], context) for i in node.inputs())
    return _filtered(node.with_inputs(inputs) if inputs else node, conds)


def _filtered(node: Node, conds: list[Expr]) -> Node:
    return Filter(node, tuple(conds)) if conds else node


def _push_project(node: Project, conds: list[Expr], context: Context) -> Node:
    values: dict[ColumnId, Expr] = {(node.rel, i): e for i, e in enumerate(node.exprs_)}
    down, stay = [], []
    for cond in conds:
        used = [values[c] for c in columns_of(cond) if c in values]
        movable = not any(is_volatile(e) or has_sublink(e) for e in used) and not is_volatile(cond)
        if movable:
            down.append(substitute(cond, values))
        else:
            stay.append(cond)
    return _filtered(node.with_inputs((_push(node.input, down, context),)), stay)


def _push_aggregate(node: Aggregate, conds: list[Expr], context: Context) -> Node:
    values: dict[ColumnId, Expr] = {(node.rel, i): e for i, e in enumerate(node.groups)}
    down, stay = [], []
    for cond in conds:
        own = {c for c in columns_of(cond) if c[0] == node.rel}
        if node.sets is None and node.grouped and own and own <= set(values) and not is_volatile(cond):
            down.append(substitute(cond, values))
        else:
            stay.append(cond)
    return _filtered(node.with_inputs((_push(node.input, down, context),)), stay)


def _push_setop(node: SetOp, conds: list[Expr], context: Context) -> Node:
    stay = [c for c in conds if is_volatile(c) or has_sublink(c)]
    down = [c for c in conds if c not in stay]
    parts = []
    for part in node.parts:
        values: dict[ColumnId, Expr] = {(node.rel, i): c for i, c in enumerate(part.columns())}
        parts.append(_push(part, [substitute(c, values) for c in down], context))
    return _filtered(node.with_inputs(tuple(parts)), stay)


def _push_join(node: Join, conds: list[Expr], context: Context) -> Node:
    left, right = produced(node.left), produced(node.right)
    kind = node.kind
    if kind in ("left", "right", "full"):
        kind = _simplified(kind, conds, left, right)
    own = list(node.conds)
    above: list[Expr] = []
    to_left: list[Expr] = []
    to_right: list[Expr] = []
    if kind == "inner":
        for cond in [*own, *conds]:
            _place(cond, left, right, to_left, to_right, above)
        stay, above = above, []
    elif kind in ("left", "semi", "anti", "null_anti"):
        stay = []
        for cond in own:
            ids = columns_of(cond)
            if kind != "null_anti" and not ids & left and ids & right and not is_volatile(cond):
                to_right.append(cond)
            elif kind == "semi" and not ids & right and ids & left and not is_volatile(cond):
                to_left.append(cond)
            else:
                stay.append(cond)
        for cond in conds:
            if not columns_of(cond) & right and not is_volatile(cond):
                to_left.append(cond)
            else:
                above.append(cond)
    elif kind == "right":
        stay = []
        for cond in own:
            ids = columns_of(cond)
            (to_left if not ids & right and ids & left and not is_volatile(cond) else stay).append(cond)
        for cond in conds:
            (to_right if not columns_of(cond) & left and not is_volatile(cond) else above).append(cond)
    else:
        stay, above = own, list(conds)
    joined = replace(
        node,
        kind=kind,
        left=_push(node.left, to_left, context),
        right=_push(node.right, to_right, context),
        conds=tuple(stay),
    )
    return _filtered(joined, above)


def _place(
    cond: Expr, left: set[ColumnId], right: set[ColumnId], to_left: list[Expr], to_right: list[Expr], stay: list[Expr]
) -> None:
    ids = columns_of(cond)
    if is_volatile(cond):
        stay.append(cond)
    elif not ids & right:
        to_left.append(cond)
    elif not ids & left:
        to_right.append(cond)
    else:
        stay.append(cond)


def _simplified(kind: str, conds: list[Expr], left: set[ColumnId], right: set[ColumnId]) -> str:
    """An outer join whose padded rows no condition above lets through is a narrower one."""
    needs_right = any(_strict_in(c, right) for c in conds)
    needs_left = any(_strict_in(c, left) for c in conds)
    if kind == "left":
        return "inner" if needs_right else "left"
    if kind == "right":
        return "inner" if needs_left else "right"
    if needs_left and needs_right:
        return "inner"
    return "left" if needs_left else "right" if needs_right else "full"


def _strict_in(cond: Expr, columns: set[ColumnId]) -> bool:
    """Whether the condition is never true when all of columns are NULL."""
    match cond:
        case NullTest():
            return not cond.is_null and _null_if(cond.arg, columns)
        case BoolTest():
            return cond.test in ("true", "false") and _null_if(cond.arg, columns)
        case Not():
            return _null_if(cond.arg, columns)
    return _null_if(cond, columns)


def _null_if(expr: Expr, columns: set[ColumnId]) -> bool:
    """Whether the expression is NULL when all of columns are."""
    match expr:
        case Col():
            return expr.id in columns
        case Call():
            return expr.strict and any(_null_if(a, columns) for a in expr.args)
        case Cast():
            return _null_if(expr.arg, columns)
        case Not():
            return _null_if(expr.arg, columns)
        case InList():
            return _null_if(expr.arg, columns)
    return False
