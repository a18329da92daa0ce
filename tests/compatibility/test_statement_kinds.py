"""Every statement of PostgreSQL 16's grammar has a probe, so none can answer with an internal error unseen."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from opendsql.errors import DsqlError
from opendsql.query.parse import parse
from probes import STEP, expand, pages

# The alternatives of `stmt` in PostgreSQL 16's gram.y, by the node each makes; AWS IAM statements are DSQL's.
KINDS = frozenset(
    """
    AlterEventTrigStmt AlterCollationStmt AlterDatabaseStmt AlterDatabaseRefreshCollStmt AlterDatabaseSetStmt
    AlterDefaultPrivilegesStmt AlterDomainStmt AlterEnumStmt AlterExtensionStmt AlterExtensionContentsStmt AlterFdwStmt
    AlterForeignServerStmt AlterFunctionStmt AlterObjectDependsStmt AlterObjectSchemaStmt AlterOwnerStmt AlterOperatorStmt
    AlterTypeStmt AlterPolicyStmt AlterSeqStmt AlterSystemStmt AlterTableStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt
    AlterPublicationStmt AlterRoleSetStmt AlterRoleStmt AlterSubscriptionStmt AlterStatsStmt AlterTSConfigurationStmt
    AlterTSDictionaryStmt AlterUserMappingStmt VacuumStmt CallStmt CheckPointStmt ClosePortalStmt ClusterStmt CommentStmt
    ConstraintsSetStmt CopyStmt CreateAmStmt CreateTableAsStmt CreateCastStmt CreateConversionStmt CreateDomainStmt
    CreateExtensionStmt CreateFdwStmt CreateForeignServerStmt CreateForeignTableStmt CreateFunctionStmt CreateOpClassStmt
    CreateOpFamilyStmt CreatePublicationStmt AlterOpFamilyStmt CreatePolicyStmt CreateSchemaStmt CreateSeqStmt CreateStmt
    CreateSubscriptionStmt CreateStatsStmt CreateTableSpaceStmt CreateTransformStmt CreateTrigStmt CreateEventTrigStmt
    CreateRoleStmt CreateUserMappingStmt CreatedbStmt CreateEnumStmt CreateRangeStmt CompositeTypeStmt DeallocateStmt
    DeclareCursorStmt DefineStmt DeleteStmt DiscardStmt DoStmt DropOwnedStmt DropStmt DropSubscriptionStmt DropTableSpaceStmt
    DropRoleStmt DropUserMappingStmt DropdbStmt ExecuteStmt ExplainStmt FetchStmt GrantStmt GrantRoleStmt
    ImportForeignSchemaStmt IndexStmt InsertStmt ListenStmt RefreshMatViewStmt LoadStmt LockStmt MergeStmt NotifyStmt
    PrepareStmt ReassignOwnedStmt ReindexStmt RenameStmt RuleStmt SecLabelStmt SelectStmt TransactionStmt TruncateStmt
    UnlistenStmt UpdateStmt VariableSetStmt VariableShowStmt ViewStmt AwsIamGrantStmt AwsIamRevokeStmt
    """.split()
)


def test_every_statement_has_a_probe() -> None:
    met = set()
    for page in pages():
        for probe in page.probes:
            for step in probe.steps:
                said = STEP.match(step)
                if said is None or said[2] != ">":
                    continue
                try:
                    met.update(statement.kind for statement in parse(expand(said[3])))
                except DsqlError:
                    continue  # probes of the grammar itself
    # CREATE LANGUAGE without a handler is an extension's in the tree.
    assert KINDS - met == set()
