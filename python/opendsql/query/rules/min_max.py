"""min or max of a key column is the first entry of its index: read one row instead of all.

    Aggregate(max(c), Scan)  ->  Aggregate(max(c), Limit 1 (Sort c DESC (Scan, c IS NOT NULL)))

Only where some tree gives that order (after leading columns that the conditions fix), so the Sort costs nothing. The
Aggregate stays: over no rows it still yields one NULL.
"""

from __future__ import annotations

from dataclasses import replace

from opendsql.query import access, descriptor
from opendsql.query.emit_scan import path_fixed, path_ordering, satisfies
from opendsql.query.expr import BOOL, INT8, Col, Const, NullTest, has_sublink
from opendsql.query.logical import Aggregate, Limit, Node, Scan, Sort, SortKey
from opendsql.query.rules.rule import Context, bottom_up, in_sublinks


def min_max(node: Node, context: Context) -> Node:
    """Rewrite every aggregate of this shape."""

    def change(item: Node) -> Node:
        item = in_sublinks(item, min_max, context)
        return _first_entry(item, context) if isinstance(item, Aggregate) else item

    return bottom_up(node, change)


def _first_entry(node: Aggregate, context: Context) -> Node:
    if node.grouped or node.sets is not None or len(node.aggs) != 1 or not isinstance(node.input, Scan):
        return node
    call, scan = node.aggs[0], node.input
    if call.name not in ("min", "max") or call.filter is not None or call.distinct or len(call.args) != 1:
        return node
    column = access.strip_binary(call.args[0])
    if not isinstance(column, Col) or column.rel != scan.rel:
        return node
    descending = call.name == "max"
    keys: tuple[SortKey, ...] = ((column, descending, descending),)
    own = access.scan_columns(scan)
    bounding = tuple(c for c in scan.conds if not has_sublink(c))
    total = access.table_rows(scan.table)
    for shape in descriptor.shapes(context.binder, scan):
        if shape.predicate:
            continue
        path = access.make_path(shape, bounding, own, total, lambda key: False)
        if path.in_ is None and satisfies(path_ordering(path), keys, path_fixed(path))[0]:
            known = scan.table.columns[column.col].not_null
            more = () if known else (NullTest(BOOL, column, False),)
            ordered = Sort(replace(scan, conds=(*scan.conds, *more)), keys)
            return replace(node, input=Limit(ordered, Const(INT8, "1"), None))
    return node
