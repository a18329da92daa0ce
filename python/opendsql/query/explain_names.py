"""What relations and computed columns are called in a plan.

PostgreSQL gives every relation of a statement a name of its own (t, t_1, t_2), prefixes columns when it lists more than
one relation, and prints a computed column as what it was computed from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.query.expr import AggCall, Expr, WindowCall
from opendsql.query.logical import (
    Aggregate,
    CteScan,
    FunctionScan,
    Insert,
    Node,
    Project,
    Scan,
    SetOp,
    Update,
    Values,
    VirtualRows,
    WindowNode,
    sublinks_of,
    walk_nodes,
)

# what is not a relation of the statement: plan nodes the binder numbered
_NAMELESS = frozenset({"", "aggregate", "window", "subquery"})
_FOLDED = (-1, 0)  # a VALUES list of one row: its expressions stand in the node above


def relation_count(tree: Any) -> int:
    """How many relations PostgreSQL's planner lists for a statement: with one alone, columns need no prefix.

    Tables, functions, subqueries and joins in FROM, VALUES lists, the target of a write, the empty FROM of a SELECT.
    """
    if isinstance(tree, list):
        return sum(relation_count(item) for item in tree)
    if not isinstance(tree, dict):
        return 0
    count = sum(name in tree for name in ("RangeVar", "RangeSubselect", "RangeFunction", "JoinExpr", "onConflictClause"))
    if "valuesLists" in tree:
        count += 1
    elif "targetList" in tree and "fromClause" not in tree and "relation" not in tree:
        count += 1
    if "relation" in tree and isinstance(tree["relation"], dict) and "relname" in tree["relation"]:
        count += 1
        source = tree.get("selectStmt", {}).get("SelectStmt", {})
        if len(source.get("valuesLists", ())) == 1:
            count -= 1
    return count + sum(relation_count(value) for value in tree.values())


def unique_aliases(binder: Any) -> None:
    """Gives every relation of the statement a name of its own: t, t_1, t_2 in order of appearance."""
    aliases, same = binder.names.aliases, _twins(binder)
    taken: set[str] = set()
    order = _appearance(binder)
    for rel in sorted(aliases, key=lambda rel: (order.get(rel, (9, 0)), rel)):
        alias = aliases[rel]
        if alias in _NAMELESS or rel in same or order.get(rel) == _FOLDED:
            continue
        name, number = alias, 0
        while name in taken:
            number += 1
            name = f"{alias}_{number}"
        taken.add(name)
        aliases[rel] = name
    for rel, other in same.items():
        aliases[rel] = aliases[other]


def _appearance(binder: Any) -> dict[int, tuple[int, int]]:
    """Where relations stand in the statement's list: a write's target, the main query, WITH queries, subqueries."""
    found: dict[int, tuple[int, int]] = {}
    roots = [(1 + place, plan) for place, plan in enumerate(binder.explained)]
    while roots:
        place, plan = roots.pop(0)
        for node in walk_nodes(plan):
            if isinstance(node, Values) and len(node.rows) == 1:
                found[node.rel] = _FOLDED
            elif isinstance(node, Insert):
                found[node.rel] = (0, 0)
            elif isinstance(node, Scan | Values | VirtualRows | FunctionScan | CteScan):
                found[node.rel] = (place, node.rel)
            roots += [(len(binder.explained) + 1, link.plan) for link in sublinks_of(node)]
    return found


def _twins(binder: Any) -> dict[int, int]:
    """Relations that are another under a second number: the new row of an UPDATE, the existing row of ON CONFLICT."""
    found: dict[int, int] = {}
    for node in every_node(binder):
        if isinstance(node, Update):
            found[node.new_rel] = node.old_rel
        elif isinstance(node, Insert) and node.on_conflict is not None and node.on_conflict.existing_rel:
            found[node.on_conflict.existing_rel] = node.rel
    return found


def computed(binder: Any) -> dict[tuple[int, int], Expr]:
    """What the columns of computing nodes stand for."""
    values: dict[tuple[int, int], Expr] = {}
    for node in every_node(binder):
        _note(node, values)
    return values


def every_node(binder: Any) -> Iterator[Node]:
    """Every node of the statement's plans, those of subqueries included."""
    pending = list(binder.explained)
    while pending:
        for node in walk_nodes(pending.pop()):
            yield node
            pending.extend(link.plan for link in sublinks_of(node))


def _note(node: Node, values: dict[tuple[int, int], Expr]) -> None:
    if isinstance(node, Project):
        values.update({(node.rel, i): e for i, e in enumerate(node.exprs_)})
    elif isinstance(node, Aggregate):
        values.update({(node.rel, i): g for i, g in enumerate(node.groups)})
        size = len(node.groups)
        for i, a in enumerate(node.aggs):
            values[(node.rel, size + i)] = AggCall(a.type_oid, a.fn, a.args, a.name, a.distinct, a.filter, a.order, a.star)
    elif isinstance(node, Values) and len(node.rows) == 1:
        values.update({(node.rel, i): e for i, e in enumerate(node.rows[0])})
    elif isinstance(node, SetOp):
        values.update({(node.rel, i): c for i, c in enumerate(node.parts[0].columns())})
    elif isinstance(node, WindowNode):
        for i, f in enumerate(node.funcs):
            values[(node.rel, i)] = WindowCall(f.type_oid, f.fn, f.args, f.name, (), (), None, f.filter, star=f.star)
