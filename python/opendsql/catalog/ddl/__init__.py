"""Data definition: one file per family of statements; `handler_for` finds the one for a parse node.

    handler = handler_for("CreateStmt")          # None: not a utility statement of the catalog's
    result = handler(stmt, text, session, catalog)

stmt is the dict inside the node (``tree[0]["stmt"]["CreateStmt"]``), text the statement's own source, session the
SessionHandle (parked), catalog the Catalog at the session's snapshot. A handler opens the transaction it needs through
the session, enforces the rules "one DDL per transaction" and "no DDL with DML", writes catalog rows, and returns a
PyResult or a Pending. It raises DsqlError; the caller aborts the transaction then. Commit of an implicit transaction is
the caller's.

Words DSQL adds to the grammar reach a handler as extra keys of stmt, put there by the parser:
    IndexStmt["dsql_async"], AlterTableStmt["dsql_async"]        True when ASYNC was written
    IndexStmt["dsql_using"]                                     True when USING was written (the tree cannot tell)
    {"AwsIamGrantStmt": {"role": r, "arn": a, "revoke": bool}}  AWS IAM GRANT / REVOKE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.catalog.result import Pending, PyResult

Handler = Callable[[dict, str, Any, Any], PyResult | Pending]


def handler_for(node: str) -> Handler | None:
    """The handler of a parse node's name ('CreateStmt'), or None when the node is not the catalog's business."""
    return _handlers().get(node)


_table: dict[str, Handler] | None = None


def _handlers() -> dict[str, Handler]:
    global _table
    if _table is None:
        _table = _assemble()
    return _table


def _assemble() -> dict[str, Handler]:
    return {}
