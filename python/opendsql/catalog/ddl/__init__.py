"""Data definition: one file per family of statements; `handler_for` finds the one for a parse node.

    handler = handler_for("CreateStmt")          # None: not a utility statement of the catalog's
    result = handler(stmt, text, session, catalog)

stmt is the dict inside the node (``tree[0]["stmt"]["CreateStmt"]``), text the statement's own source, session the
SessionHandle (parked), catalog the Catalog at the session's snapshot. A handler opens the transaction it needs through
the session, enforces the rules "one DDL per transaction" and "no DDL with DML", writes catalog rows, and returns a
PyResult or a Pending. It raises DsqlError; the caller aborts the transaction then. Commit of an implicit transaction is
the caller's.

Words DSQL adds to the grammar reach a handler as extra keys of stmt, put there by the parser:
    IndexStmt["async"], AlterTableStmt["async"]         True when ASYNC was written
    AwsIamGrantStmt, AwsIamRevokeStmt: {"role", "arn"}  AWS IAM GRANT / REVOKE
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.catalog.result import Pending, PyResult

Handler = Callable[[dict[str, Any], str, Any, Any], PyResult | Pending]


def handler_for(node: str) -> Handler | None:
    """The handler of a parse node's name ('CreateStmt'), or None: not the catalog's business, or refused (refusals.py)."""
    return _handlers().get(node)


_table: dict[str, Handler] | None = None


def _handlers() -> dict[str, Handler]:
    global _table
    if _table is None:
        _table = _assemble()
    return _table


def _assemble() -> dict[str, Handler]:
    from opendsql.catalog import settings
    from opendsql.catalog.ddl import (
        alter_table,
        analyze,
        calls,
        comments,
        create_table,
        domains,
        drop,
        grants,
        indexes,
        rename,
        roles,
        routines,
        schemas,
        sequences,
        set_constraints,
        statistics,
        views,
    )

    return {
        "CreateStmt": create_table.create_table,
        "AlterTableStmt": alter_table.alter_table,
        "IndexStmt": indexes.create_index,
        "DropStmt": drop.drop,
        "CreateSchemaStmt": schemas.create_schema,
        "ViewStmt": views.create_view,
        "CommentStmt": comments.comment,
        "RenameStmt": rename.rename,
        "AlterObjectSchemaStmt": rename.set_schema,
        "AlterOwnerStmt": rename.set_owner,
        "CreateSeqStmt": sequences.create_sequence,
        "AlterSeqStmt": sequences.alter_sequence,
        "CreateDomainStmt": domains.create_domain,
        "AlterDomainStmt": domains.alter_domain,
        "CreateFunctionStmt": routines.create_function,
        "AlterFunctionStmt": routines.alter_function,
        "CreateStatsStmt": statistics.create_statistics,
        "AlterStatsStmt": statistics.alter_statistics,
        "CreateRoleStmt": roles.create_role,
        "AlterRoleStmt": roles.alter_role,
        "DropRoleStmt": roles.drop_role,
        "GrantRoleStmt": roles.grant_role,
        "GrantStmt": grants.grant,
        "AlterDefaultPrivilegesStmt": grants.alter_default_privileges,
        "AwsIamGrantStmt": roles.iam_grant,
        "AwsIamRevokeStmt": roles.iam_revoke,
        "CallStmt": calls.call,
        "VacuumStmt": analyze.vacuum,
        "ConstraintsSetStmt": set_constraints.set_constraints,
        "VariableSetStmt": settings.set_variable,
        "VariableShowStmt": settings.show_variable,
    }
