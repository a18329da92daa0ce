"""What every rule gets: rule(plan, context) -> plan, and helpers to walk and rebuild logical trees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from opendsql.query.expr import Expr, SubLink, transform
from opendsql.query.logical import Cte, Node

Rule = Callable[[Node, "Context"], Node]


@dataclass(slots=True)
class Context:
    """The statement being rewritten."""

    binder: Any

    def apply_to_cte(self, cte: Cte, rules: tuple[Rule, ...]) -> Cte:
        """A materialised WITH query after all rules."""

        def run(plan: Node | None) -> Node | None:
            if plan is None:
                return None
            for rule in rules:
                plan = rule(plan, self)
            return plan

        return replace(cte, plan=run(cte.plan), init=run(cte.init), step=run(cte.step))


def bottom_up(node: Node, change: Callable[[Node], Node]) -> Node:
    """Rebuild a tree from its leaves with change applied to every node."""
    inputs = node.inputs()
    if inputs:
        rebuilt = tuple(bottom_up(i, change) for i in inputs)
        if any(new is not old for new, old in zip(rebuilt, inputs, strict=True)):
            node = node.with_inputs(rebuilt)
    return change(node)


def in_sublinks(node: Node, rule: Rule, context: Context) -> Node:
    """Apply a rule to the plans inside a node's own sublinks."""

    def change(part: Expr) -> Expr | None:
        if not isinstance(part, SubLink):
            return None
        plan = rule(part.plan, context)
        rebuilt = part.rebuild(tuple(transform(c, change) for c in part.children()))
        assert isinstance(rebuilt, SubLink)
        return replace(rebuilt, plan=plan)

    if not any(isinstance(p, SubLink) for e in node.exprs() for p in _walk(e)):
        return node
    return node.map_exprs(lambda e: transform(e, change))


def _walk(expr: Expr) -> list[Expr]:
    found = [expr]
    for item in found:
        found.extend(item.children())
    return found
