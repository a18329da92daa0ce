"""Statements refused as a whole: by the name of their parse node, a few in words of their own.

The default is the node's name (`unsupported statement: <Node>`); whatever statement has no handler gets it. This is the one
place that knows: the gate asks before anything a statement names is looked up, CREATE SCHEMA for its elements.
"""

from __future__ import annotations

from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

WORDS = {
    "AlterCompositeStmt": "ALTER TYPE not supported",  # ALTER TYPE ... ADD ATTRIBUTE parses as an ALTER TABLE
    "AlterEnumStmt": "ALTER TYPE not supported",
    "AlterTypeStmt": "ALTER TYPE not supported",  # guess: alter_type
    "CreateEnumStmt": "CREATE TYPE not supported",
    "CreateTrigStmt": "CREATE TRIGGER not supported",
    "IndexStmt": "unsupported mode. please use CREATE INDEX ASYNC.",  # inside CREATE SCHEMA; guess: schema_element
    "MergeStmt": "unsupported statement type: MERGE",
    "VacuumStmt": "unsupported VACUUM statement",
}


def refusal(kind: str) -> DsqlError:
    """DSQL's refusal of a whole statement, by its parse node (`TruncateStmt`)."""
    return unsupported(WORDS.get(kind) or says("statement", node=kind.removesuffix("Stmt")))
