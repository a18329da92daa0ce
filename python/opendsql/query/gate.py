"""What DSQL refuses, by parse node, before anything is looked up.

Only statements that are not DDL: refusals inside CREATE / ALTER / DROP belong to opendsql.catalog.ddl. A statement
nobody recorded gets the node-name form, as DSQL gives it: `unsupported statement: <parse node without Stmt>`.

    check_statement(statement)   top level, by kind
    check_query(node)            clauses of one SELECT (called by the binder for every query level)
"""

from __future__ import annotations

from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.query.parse import Statement

Node = dict[str, Any]

PLANNED = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"})
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

# Statements whose refusal is not the node name.
_MESSAGES = {
    "MergeStmt": "unsupported statement type: MERGE",
    "VacuumStmt": "unsupported VACUUM statement",
}

_TRANSACTION_KINDS = {
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK TO",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}

# Always refused with the node-name form, whatever catalog.ddl knows.
_REFUSED = frozenset(
    {
        "TruncateStmt",
        "LockStmt",
        "ListenStmt",
        "NotifyStmt",
        "UnlistenStmt",
        "DoStmt",
        "PrepareStmt",
        "ExecuteStmt",
        "DiscardStmt",
        "DeclareCursorStmt",
        "FetchStmt",
        "ClosePortalStmt",
        "ReindexStmt",
        "ClusterStmt",
        "CheckPointStmt",
        "LoadStmt",
        "ImportForeignSchemaStmt",
        "CreateTableAsStmt",
        "RefreshMatViewStmt",
        "AlterSystemStmt",
        "DropOwnedStmt",
        "ReassignOwnedStmt",
        "SecLabelStmt",
        "RuleStmt",
    }
)


def node_name(kind: str) -> str:
    """The name of a parse node as DSQL prints it: without its Stmt ending."""
    return kind[:-4] if kind.endswith("Stmt") else kind


def unsupported_statement(kind: str) -> DsqlError:
    """The refusal of a whole statement."""
    return unsupported(_MESSAGES.get(kind) or says("statement", node=node_name(kind)))


def check_statement(statement: Statement) -> None:
    """Raise DSQL's refusal of this statement, if it has one."""
    kind, node = statement.kind, statement.node
    if kind == "VacuumStmt":
        if node.get("is_vacuumcmd"):
            raise unsupported_statement(kind)
        return
    if kind in _MESSAGES or kind in _REFUSED:
        raise unsupported_statement(kind)
    if kind == "TransactionStmt":
        _check_transaction(node)
    elif kind == "DeallocateStmt" and not node.get("isall"):
        raise unsupported_statement(kind)
    elif kind == "SelectStmt" and node.get("intoClause"):
        raise unsupported_statement("CreateTableAsStmt")


def _check_transaction(node: Node) -> None:
    kind = node["kind"]
    if kind in _TRANSACTION_KINDS:
        raise unsupported(says("transaction_statement", kind=_TRANSACTION_KINDS[kind]))
    if node.get("chain"):
        verb = "COMMIT" if kind == "TRANS_STMT_COMMIT" else "ROLLBACK"
        raise unsupported(f"{verb} AND CHAIN not supported")
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
                raise unsupported(f"{word} not supported for BEGIN")
    return read_only


def check_isolation_level(level: str) -> None:
    """Only REPEATABLE READ exists."""
    if level.lower() != "repeatable read":
        raise unsupported(f"Unsupported isolation level: {level.upper()}")


def check_query(node: Node) -> None:
    """Clauses of one query level that DSQL refuses."""
    if "intoClause" in node:
        raise unsupported_statement("CreateTableAsStmt")
    for item in node.get("lockingClause", ()):
        strength = item["LockingClause"]["strength"]
        if strength not in ("LCS_FORUPDATE", "LCS_FORKEYSHARE", "LCS_NONE"):
            raise unsupported("locking clauses other than FOR UPDATE/FOR KEY SHARE are not supported")
