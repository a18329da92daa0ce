"""Statements that are not planned: transaction control as programs, everything else as a callable on the Python thread.

The catalog's handlers (opendsql.catalog.ddl.handler_for) take (stmt, text, session, catalog); here they are wrapped
into handler(session, params) with the result columns a Describe must know beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.catalog import ddl
from opendsql.catalog.ddl.refusals import refusal
from opendsql.catalog.result import PyResult
from opendsql.query import gate
from opendsql.query.outdated import outdated_first
from opendsql.query.parse import Statement

Node = dict[str, Any]
Handler = Callable[[Any, list[str | None]], Any]
_TEXT, _BOOL = 25, 16


def plan(planner: Any, statement: Statement, request: Any) -> Any:
    """The Planned of a utility statement."""
    from opendsql.query.copy import plan_copy
    from opendsql.query.explain import plan_explain

    match statement.kind:
        case "TransactionStmt":
            return _transaction(planner, statement)
        case "ExplainStmt":
            return plan_explain(planner, statement, request)
        case "CopyStmt":
            return plan_copy(planner, statement, request)
        case "DeallocateStmt":
            return _constant(PyResult("DEALLOCATE ALL"))
    handler = ddl.handler_for(statement.kind)
    if handler is None:
        raise refusal(statement.kind)
    return _wrapped(planner, statement, request, handler)


def _transaction(planner: Any, statement: Statement) -> Any:
    from opendsql.query.planner import Planned, simple_program

    node = statement.node
    match node["kind"]:
        case "TRANS_STMT_BEGIN" | "TRANS_STMT_START":
            read_only = gate.transaction_options(node.get("options", ()))
            tag = "BEGIN" if node["kind"] == "TRANS_STMT_BEGIN" else "START TRANSACTION"
            ir = simple_program("begin", tag, read_only=bool(read_only))
            if read_only is None:
                ir["begin_default"] = True  # the session's default_transaction_read_only decides
        case "TRANS_STMT_COMMIT":
            ir = simple_program("commit", "COMMIT")
        case _:
            ir = simple_program("rollback", "ROLLBACK")
    return Planned(program=planner.compile(ir), ir=ir, tag=ir["tag"])


def _constant(result: PyResult) -> Any:
    from opendsql.query.planner import Planned

    return Planned(python=lambda session, params: result, tag=result.tag, cacheable=False)


def _wrapped(planner: Any, statement: Statement, request: Any, handler: Callable[..., Any]) -> Any:
    from opendsql.query.planner import Planned

    node, text = statement.node, statement.own_text
    takes_params = statement.kind == "CallStmt"
    declared = [oid or _TEXT for oid in (getattr(request, "param_oids", None) or ())]
    if takes_params:
        declared += [_TEXT] * (_highest_param_ref(node) - len(declared))

    def run(session: Any, params: list[str | None]) -> Any:
        catalog = planner.catalog_provider(session)
        with outdated_first(session, node):
            if takes_params:
                return handler(node, text, session, catalog, params)
            return handler(node, text, session, catalog)

    columns = [(name, oid, -1, 0, 0) for name, oid in result_columns(statement)]
    return Planned(python=run, columns=columns, param_oids=declared, cacheable=False, tag="")


def result_columns(statement: Statement) -> list[tuple[str, int]]:
    """The columns a utility statement will return, as Describe must say before it runs."""
    node = statement.node
    match statement.kind:
        case "VariableShowStmt":
            name = node["name"]
            if name.lower() == "all":
                return [("name", _TEXT), ("setting", _TEXT), ("description", _TEXT)]
            return [(_setting_name(name), _TEXT)]
        case "CallStmt":
            return [("succeeded", _BOOL)]
        case "IndexStmt" if node.get("async"):
            return [("job_id", _TEXT)]
        case "AlterTableStmt" if node.get("async"):
            return [("job_id", _TEXT)]
    return []


def _setting_name(name: str) -> str:
    """A setting under the spelling SHOW prints: TimeZone, DateStyle ..."""
    from opendsql.catalog.settings_table import SETTINGS

    entry = SETTINGS.get(name.lower()) if isinstance(SETTINGS, dict) else None
    return getattr(entry, "name", None) or name


def _highest_param_ref(node: Any) -> int:
    if isinstance(node, dict):
        own = node["ParamRef"].get("number", 0) if isinstance(node.get("ParamRef"), dict) else 0
        return max([own, *(_highest_param_ref(v) for v in node.values())])
    if isinstance(node, list):
        return max([0, *(_highest_param_ref(v) for v in node)])
    return 0
