"""Turn subqueries in WHERE into joins.

    EXISTS (q)            semi join          NOT EXISTS (q)        anti join
    x IN (q), x = ANY (q) semi join          x NOT IN (q)          null-aware anti join (uncorrelated q only)
    x > (scalar q)        left as a subplan; an uncorrelated scalar = becomes a join when q yields at most one row

Correlated conditions inside q move into the join condition; where they stand below an aggregate, limit or set
operation they cannot, and the subquery stays a subplan.
"""

from __future__ import annotations

from dataclasses import replace

from opendsql.query.expr import (
    BOOL,
    Call,
    Col,
    ColumnId,
    Expr,
    Not,
    SubLink,
    columns_of,
    has_sublink,
    is_volatile,
    substitute,
)
from opendsql.query.logical import (
    Aggregate,
    DistinctNode,
    Filter,
    Join,
    Limit,
    Node,
    Project,
    Scan,
    Sort,
    free_columns,
    produced,
)
from opendsql.query.rules.rule import Context, bottom_up, in_sublinks


def unnest(node: Node, context: Context) -> Node:
    """Rewrite every Filter (and scan condition) of the tree."""

    def change(item: Node) -> Node:
        item = in_sublinks(item, unnest, context)
        if isinstance(item, Filter):
            return _filter(item)
        return item

    return bottom_up(node, change)


def _filter(node: Filter) -> Node:
    plan = node.input
    rest: list[Expr] = []
    for cond in node.conds:
        joined = _join_for(cond, plan)
        if joined is None:
            rest.append(cond)
        else:
            plan = joined
    return Filter(plan, tuple(rest)) if rest else plan


def _join_for(cond: Expr, plan: Node) -> Node | None:
    negated = isinstance(cond, Not)
    link = cond.arg if isinstance(cond, Not) else cond
    if isinstance(link, Call) and not negated:
        return _scalar_join(link, plan)
    if not isinstance(link, SubLink) or not _plain_outer(link, produced(plan)):
        return None
    if any(is_volatile(e) for e in (*link.lhs,)) or any(has_sublink(e) for e in link.lhs):
        return None
    if link.kind == "exists":
        return _exists(link, plan, "anti" if negated else "semi")
    if link.kind == "any" and link.op_name == "=" and not negated:
        return _quantified(link, plan, "semi")
    if link.kind == "any" and link.op_name == "=" and negated and len(link.lhs) == 1:
        return _quantified(link, plan, "null_anti")
    return None


def _plain_outer(link: SubLink, available: set[ColumnId]) -> bool:
    """Whether what the subquery takes from outside is just columns of this row (or of a query further out)."""
    return all(isinstance(value, Col) and value.id == column for column, value in link.outer) and all(
        columns_of(e) <= available or not columns_of(e) & available for e in link.lhs
    )


def _exists(link: SubLink, plan: Node, kind: str) -> Node | None:
    inner = _strip_for_exists(link.plan)
    if inner is None:
        return None
    lifted = _lift_correlation(inner, produced(plan))
    if lifted is None:
        return None
    inner, conds = lifted
    if not conds and kind == "anti":
        return None
    if not conds:
        return None  # uncorrelated: once as a subplan is best
    return Join(kind, plan, inner, tuple(conds))


def _quantified(link: SubLink, plan: Node, kind: str) -> Node | None:
    available = produced(plan)
    lifted = _lift_correlation(link.plan, available)
    if lifted is None:
        return None
    inner, conds = lifted
    if not any(columns_of(value) & available for value in link.lhs):
        return None  # one answer for all rows: a subplan computes it once
    if kind == "null_anti" and (conds or not link.lhs[0].type_oid == link.out[0].type_oid):
        return None  # only a hash join by one key tells NULL from no match
    pairs = [
        Call(
            BOOL,
            kernel.removeprefix("py:"),
            (value, out),
            "=",
            operator=True,
            kind="py" if kernel.startswith("py:") else "call",
        )
        for kernel, value, out in zip(link.kernels, link.lhs, link.out, strict=True)
    ]
    known = produced(inner)
    if not all(out.id in known for out in link.out):
        return None
    return Join(kind, plan, inner, (*pairs, *conds))


def _strip_for_exists(plan: Node) -> Node | None:
    """The rows of an EXISTS without what does not change whether there are any."""
    while True:
        match plan:
            case Project() if not any(has_sublink(e) or is_volatile(e) for e in plan.exprs_):
                plan = plan.input
            case Sort() | DistinctNode():
                plan = plan.input
            case Limit() if plan.offset is None and _positive(plan.limit):
                plan = plan.input
            case _:
                return plan


def _positive(expr: Expr | None) -> bool:
    text = getattr(expr, "text", None)
    return expr is None or (isinstance(text, str) and text.isdigit() and int(text) > 0)


def _lift_correlation(plan: Node, available: set[ColumnId]) -> tuple[Node, list[Expr]] | None:
    """(plan free of references to available columns, the conditions that held them), None when they lie too deep."""
    outside = free_columns(plan) & available
    if not outside:
        return plan, []
    found: list[Expr] = []
    rewritten = _take(plan, available, found)
    if rewritten is None or free_columns(rewritten) & available:
        return None
    return rewritten, found


def _take(node: Node, available: set[ColumnId], found: list[Expr]) -> Node | None:
    """Remove correlated conditions from the top of node, as conditions over its output."""
    match node:
        case Filter():
            stay = []
            for cond in node.conds:
                if columns_of(cond) & available:
                    if has_sublink(cond) or is_volatile(cond):
                        return None
                    found.append(cond)
                else:
                    stay.append(cond)
            below = _take(node.input, available, found)
            if below is None:
                return None
            return Filter(below, tuple(stay)) if stay else below
        case Scan():
            moved = [c for c in node.conds if columns_of(c) & available]
            found.extend(moved)
            return replace(node, conds=tuple(c for c in node.conds if c not in moved))
        case Join() if node.kind == "inner" and not node.lateral:
            moved = [c for c in node.conds if columns_of(c) & available]
            found.extend(moved)
            left, right = _take(node.left, available, found), _take(node.right, available, found)
            if left is None or right is None:
                return None
            return replace(node, left=left, right=right, conds=tuple(c for c in node.conds if c not in moved))
        case Join() if node.kind in ("left", "semi", "anti") and not node.lateral:
            left = _take(node.left, available, found)
            return None if left is None else replace(node, left=left)
        case Project():
            before = len(found)
            below = _take(node.input, available, found)
            if below is None:
                return None
            return _widen(node, below, found, before, available)
        case Sort():
            below = _take(node.input, available, found)
            return None if below is None else node.with_inputs((below,))
    return node if not free_columns(node) & available else None


def _widen(node: Project, below: Node, found: list[Expr], before: int, available: set[ColumnId]) -> Node | None:
    """A projection that also yields what the lifted conditions need from below it."""
    exprs = list(node.exprs_)
    if any(columns_of(e) & available for e in exprs):
        return None
    known = {c.id: c for c in below.columns()}
    values: dict[ColumnId, Expr] = {}
    for index in range(before, len(found)):
        for column in columns_of(found[index]) & set(known):
            if column in values:
                continue
            inner = known[column]
            place = next((i for i, e in enumerate(exprs) if e == inner), None)
            if place is None:
                exprs.append(inner)
                place = len(exprs) - 1
            values[column] = Col(inner.type_oid, node.rel, place, typmod=inner.typmod)
    for index in range(before, len(found)):
        found[index] = substitute(found[index], values)
    return replace(node, input=below, exprs_=tuple(exprs))


def _scalar_join(cond: Call, plan: Node) -> Node | None:
    """x = (uncorrelated subquery of at most one row): a join, so x can be looked up by its key."""
    if cond.name != "=" or not cond.operator:
        return None
    available = produced(plan)
    for one, other in ((cond.args[0], cond.args[1]), (cond.args[1], cond.args[0])):
        if not isinstance(one, SubLink) or one.kind != "scalar" or one.outer or has_sublink(other):
            continue
        if not columns_of(other) or not columns_of(other) <= available or not _at_most_one(one.plan):
            continue
        args = tuple(one.out[0] if a is one else a for a in cond.args)
        return Join("inner", one.plan, plan, (replace(cond, args=args),))
    return None


def _at_most_one(plan: Node) -> bool:
    match plan:
        case Aggregate():
            return not plan.grouped and plan.sets is None
        case Project() | Sort() | Filter():
            return _at_most_one(plan.input)
        case Limit():
            return getattr(plan.limit, "text", None) == "1" or _at_most_one(plan.input)
    return False
