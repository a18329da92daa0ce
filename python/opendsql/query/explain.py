"""EXPLAIN (being written)."""
from __future__ import annotations
from typing import Any
from opendsql.query import gate
def plan_explain(planner: Any, statement: Any, request: Any) -> Any:
    raise gate.unsupported_statement(statement.kind)
