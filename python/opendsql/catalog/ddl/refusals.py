"""Statements of the DDL family that DSQL refuses as a whole.

The default is the node's name (`unsupported statement: <Node>`); a few have a text of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendsql.errors import unsupported
from opendsql.guesses import says

MESSAGES = {
    "CreateEnumStmt": "CREATE TYPE not supported",
    "AlterEnumStmt": "ALTER TYPE not supported",
    "AlterTypeStmt": "ALTER TYPE not supported",
    "CreateTrigStmt": "CREATE TRIGGER not supported",
    "MergeStmt": "unsupported statement type: MERGE",
}
NODES = (
    "TruncateStmt", "CreateExtensionStmt", "AlterExtensionStmt", "AlterExtensionContentsStmt", "CreatedbStmt", "DropdbStmt",
    "AlterDatabaseStmt", "AlterDatabaseSetStmt", "AlterDatabaseRefreshCollStmt", "CreateTableAsStmt", "RefreshMatViewStmt",
    "CompositeTypeStmt", "CreateRangeStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterTableSpaceOptionsStmt",
    "AlterTableMoveAllStmt", "CreateForeignTableStmt", "CreateFdwStmt", "AlterFdwStmt", "CreateForeignServerStmt",
    "AlterForeignServerStmt", "CreateUserMappingStmt", "AlterUserMappingStmt", "DropUserMappingStmt",
    "ImportForeignSchemaStmt", "ListenStmt", "NotifyStmt", "UnlistenStmt", "AlterSystemStmt", "LockStmt", "DoStmt",
    "DeclareCursorStmt", "FetchStmt", "ClosePortalStmt", "CreatePolicyStmt", "AlterPolicyStmt", "DefineStmt",
    "AlterTSConfigurationStmt", "AlterTSDictionaryStmt", "RuleStmt", "CreateCastStmt", "CreateTransformStmt",
    "CreateConversionStmt", "CreatePLangStmt", "CreateOpClassStmt", "CreateOpFamilyStmt", "AlterOpFamilyStmt",
    "AlterOperatorStmt", "CreatePublicationStmt", "AlterPublicationStmt", "CreateSubscriptionStmt",
    "AlterSubscriptionStmt", "DropSubscriptionStmt", "CreateEventTrigStmt", "AlterEventTrigStmt", "CreateAmStmt",
    "AlterCollationStmt", "AlterObjectDependsStmt", "SecLabelStmt", "DropOwnedStmt", "ReassignOwnedStmt", "ReindexStmt",
    "ClusterStmt", "CheckPointStmt", "LoadStmt", "PrepareStmt", "ExecuteStmt", "DiscardStmt", "ReplicaIdentityStmt",
)  # fmt: skip


def message(node: str) -> str:
    """DSQL's words for a refused statement."""
    return MESSAGES.get(node) or says("statement", node=node.removesuffix("Stmt"))


def refusing(node: str) -> Callable[..., Any]:
    """A handler that refuses the node."""

    def refuse(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> Any:
        raise unsupported(message(node))

    return refuse
