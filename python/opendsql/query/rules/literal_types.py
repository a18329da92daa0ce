"""Give a lifted number the type its one use casts it to, so that no cast runs per execution.

`bigint_column = 5` is int8 = int4 with the literal widened; as a parameter the literal may as well be read as a bigint.
Only when every use of the parameter is that same widening cast.
"""

from __future__ import annotations

from opendsql.query.expr import FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, Cast, Expr, Param, has_sublink, transform
from opendsql.query.logical import Delete, Insert, Node, Update, walk_nodes
from opendsql.query.rules.rule import Context

_WIDER = {
    INT2: (INT4, INT8, NUMERIC),
    INT4: (INT8, NUMERIC, FLOAT8, FLOAT4),
    INT8: (NUMERIC,),
    NUMERIC: (FLOAT8, FLOAT4),
}


def literal_types(node: Node, context: Context) -> Node:
    """Retype lifted parameters of the tree."""
    params = context.binder.params
    if params.lifted_from >= len(params.types) or any(c.events is None for c in context.binder.ctes):
        return node
    uses: dict[int, set[int]] = {}

    def look(part: Expr) -> Expr | None:
        if isinstance(part, Cast) and isinstance(part.arg, Param) and part.arg.lifted and not part.extra:
            uses.setdefault(part.arg.index, set()).add(part.type_oid)
            return part
        if isinstance(part, Param) and part.lifted:
            uses.setdefault(part.index, set()).add(part.type_oid)
        return None

    for item in walk_nodes(node):
        if _hidden_exprs(item):
            return node
        for expr in item.exprs():
            if has_sublink(expr):
                return node
            transform(expr, look)
    chosen = {
        index: next(iter(types))
        for index, types in uses.items()
        if len(types) == 1 and next(iter(types)) in _WIDER.get(params.types[index], ())
    }
    if not chosen:
        return node

    def change(part: Expr) -> Expr | None:
        if isinstance(part, Cast) and isinstance(part.arg, Param) and part.arg.index in chosen and not part.extra:
            return Param(part.type_oid, part.arg.index, lifted=True)
        return None

    for index, oid in chosen.items():
        params.types[index] = oid
    return _rewrite(node, change)


def _rewrite(node: Node, change: object) -> Node:
    inputs = node.inputs()
    if inputs:
        node = node.with_inputs(tuple(_rewrite(i, change) for i in inputs))
    return node.map_exprs(lambda e: transform(e, change))  # type: ignore[arg-type]


def _hidden_exprs(node: Node) -> bool:
    """Writes keep expressions that exprs() does not show: their parameters stay as they are."""
    if isinstance(node, Insert):
        return node.on_conflict is not None or bool(node.returning)
    return isinstance(node, Update | Delete) and bool(node.returning)
