"""What DSQL refuses, by parse node, before anything is looked up.

Only statements that are not DDL: refusals inside CREATE / ALTER / DROP belong to opendsql.catalog.ddl. A statement
nobody recorded gets the node-name form, as DSQL gives it: `unsupported statement: <parse node without Stmt>`.

    check_statement(statement)   top level, by kind
    check_query(node)            clauses of one SELECT (called by the binder for every query level)
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog import ddl
from opendsql.catalog.ddl.refusals import refusal
from opendsql.errors import unsupported
from opendsql.guesses import says
from opendsql.query.parse import Statement

Node = dict[str, Any]

PLANNED = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"})  # TABLE t is a SELECT (guess: table_statement)
UTILITY = frozenset(
    {
        "TransactionStmt",
        "VariableSetStmt",
        "VariableShowStmt",
        "ExplainStmt",
        "CallStmt",
        "CopyStmt",
        "DeallocateStmt",
        "ConstraintsSetStmt",
    }
)

_TRANSACTION_KINDS = {
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK TO",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}


def check_statement(statement: Statement) -> None:
    """Raise DSQL's refusal of this statement, if it has one."""
    kind, node = statement.kind, statement.node
    if kind == "TransactionStmt":
        _check_transaction(node)
    elif kind == "SelectStmt" and node.get("intoClause"):
        raise refusal("CreateTableAsStmt")  # guess: select_into
    elif kind == "DeallocateStmt" and not node.get("isall"):
        raise refusal(kind)
    elif kind == "VacuumStmt" and node.get("is_vacuumcmd"):
        raise refusal(kind)
    elif kind not in PLANNED and kind not in UTILITY and ddl.handler_for(kind) is None:
        raise refusal(kind)


def _check_transaction(node: Node) -> None:
    kind = node["kind"]
    if kind in _TRANSACTION_KINDS:
        raise unsupported(says("transaction_statement", kind=_TRANSACTION_KINDS[kind]))
    if node.get("chain"):
        verb = "COMMIT" if kind == "TRANS_STMT_COMMIT" else "ROLLBACK"
        raise unsupported(says("and_chain", verb=verb))
    transaction_options(node.get("options", ()))


def transaction_options(options: Any) -> bool | None:
    """READ ONLY (True) or READ WRITE (False) of a BEGIN, None when unsaid; refuses levels and DEFERRABLE."""
    read_only = None
    for item in options:
        option = item["DefElem"]
        constant = option["arg"]["A_Const"]
        match option["defname"]:
            case "transaction_isolation":
                check_isolation_level(constant["sval"].get("sval", ""))
            case "transaction_read_only":
                read_only = bool(constant["ival"].get("ival", 0))
            case "transaction_deferrable":
                word = "DEFERRABLE" if constant["ival"].get("ival", 0) else "NOT DEFERRABLE"
                raise unsupported(says("begin_deferrable", word=word))
    return read_only


def check_isolation_level(level: str) -> None:
    """Only REPEATABLE READ exists."""
    if level.lower() != "repeatable read":
        raise unsupported(f"Unsupported isolation level: {level.upper()}")


def check_query(node: Node) -> None:
    """Clauses of one query level that DSQL refuses."""
    if "intoClause" in node:
        raise refusal("CreateTableAsStmt")
    for item in node.get("lockingClause", ()):  # NOWAIT, SKIP LOCKED: nothing waits (guess: locking_options)
        strength = item["LockingClause"]["strength"]
        if strength not in ("LCS_FORUPDATE", "LCS_FORKEYSHARE", "LCS_NONE"):
            raise unsupported("locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported")
