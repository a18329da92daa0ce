"""Order inner joins: start where fewest rows are expected, then always join what is connected and smallest.

A cluster is a maximal tree of inner, not lateral joins; its leaves are anything else (scans, outer joins, subqueries).
The result is left-deep, so every leaf can be looked up by key from the rows already joined.
"""

from __future__ import annotations

from opendsql.query import access
from opendsql.query.descriptor import table_shape
from opendsql.query.expr import ColumnId, Expr, columns_of
from opendsql.query.logical import (
    Aggregate,
    CteScan,
    Filter,
    FunctionScan,
    Join,
    Limit,
    Node,
    OneRow,
    Scan,
    Values,
    VirtualRows,
    produced,
)
from opendsql.query.rules.rule import Context, in_sublinks

_SEMI = ("semi", "anti", "null_anti")


def join_order(node: Node, context: Context) -> Node:
    """Reorder every inner-join cluster of the tree."""
    if isinstance(node, Join) and node.kind == "inner" and not node.lateral:
        leaves: list[Node] = []
        conds: list[Expr] = []
        _collect(node, leaves, conds)
        leaves = [join_order(leaf, context) for leaf in leaves]
        return _ordered(leaves, [*conds])
    inputs = node.inputs()
    if inputs:
        node = node.with_inputs(tuple(join_order(i, context) for i in inputs))
    return in_sublinks(node, join_order, context)


def _collect(node: Node, leaves: list[Node], conds: list[Expr]) -> None:
    if isinstance(node, Join) and node.kind == "inner" and not node.lateral:
        _collect(node.left, leaves, conds)
        _collect(node.right, leaves, conds)
        conds.extend(node.conds)
    else:
        leaves.append(node)


def _ordered(leaves: list[Node], conds: list[Expr]) -> Node:
    remaining = list(range(len(leaves)))
    ids = [produced(leaf) for leaf in leaves]
    sizes = [estimate(leaf) for leaf in leaves]
    first = min(remaining, key=lambda i: (sizes[i], i))
    remaining.remove(first)
    plan, have = leaves[first], set(ids[first])
    pending = list(conds)
    inner_all = set().union(*ids)
    while remaining:
        best = min(remaining, key=lambda i: (_join_cost(leaves[i], ids[i], sizes[i], have, pending, inner_all), i))
        remaining.remove(best)
        both = have | ids[best]
        here = [c for c in pending if columns_of(c) & inner_all <= both]
        pending = [c for c in pending if c not in here]
        plan = Join("inner", plan, leaves[best], tuple(here))
        have = both
    if pending:
        return Filter(plan, tuple(pending))
    return plan


def _join_cost(
    leaf: Node, ids: set[ColumnId], size: float, have: set[ColumnId], conds: list[Expr], inner: set[ColumnId]
) -> tuple[int, float]:
    """(how badly connected, expected rows per row joined so far)."""
    here = [c for c in conds if columns_of(c) & ids and columns_of(c) & inner <= have | ids and columns_of(c) & have]
    if not here:
        return (1, size)
    if isinstance(leaf, Scan):
        shape = table_shape(leaf)
        own = access.scan_columns(leaf)
        path = access.make_path(shape, (*leaf.conds, *here), own, access.table_rows(leaf.table), lambda key: True)
        return (0, min(path.rows, size))
    return (0, size)


def estimate(node: Node) -> float:
    """Rows a leaf is expected to yield."""
    match node:
        case OneRow():
            return 1.0
        case Scan():
            path = access.make_path(
                table_shape(node),
                node.conds,
                access.scan_columns(node),
                access.table_rows(node.table),
                lambda key: True,
            )
            rest = tuple(c for c in node.conds if c not in path.used)
            return max(path.rows * access.selectivity(rest), 1.0)
        case Values():
            return float(len(node.rows))
        case VirtualRows():
            return 100.0
        case FunctionScan():
            return 1000.0
        case CteScan():
            return 100.0
        case Aggregate():
            return max(estimate(node.input) * 0.1, 1.0) if node.grouped else 1.0
        case Limit():
            text = getattr(node.limit, "text", None)
            rows = estimate(node.input)
            return min(rows, float(text)) if isinstance(text, str) and text.isdigit() else rows
        case Filter():
            return max(estimate(node.input) * access.selectivity(node.conds), 1.0)
        case Join() if node.kind in _SEMI:
            return max(estimate(node.left) * 0.5, 1.0)
        case Join():
            return max(estimate(node.left), estimate(node.right))
    inputs = node.inputs()
    return max((estimate(i) for i in inputs), default=1.0)
