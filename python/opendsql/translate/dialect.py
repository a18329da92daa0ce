"""DSQL as a dialect of sqlglot: PostgreSQL's, with DSQL's DDL.

The tree is rewritten and PostgreSQL's own generator writes it: with sqlglotc installed the parser and the generator are
compiled classes, and nothing can inherit from those.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from opendsql.translate.script import Script


class DSQL(Postgres):
    """Registers `dsql`: sqlglot.transpile(sql, read="mysql", write="dsql"). Notes are only in opendsql.translate.translate."""

    def generate(self, expression: exp.Expr, copy: bool = True, **opts: Any) -> str:
        """The statement for DSQL; one that becomes several is joined by semicolons."""
        if not isinstance(expression, (exp.Create, exp.Alter, exp.TruncateTable)):
            return super().generate(expression, copy=copy, **opts)
        script = Script("postgres")
        script.add(expression.copy(), super().generate(expression, copy=True, **opts))
        return ";\n".join(one.sql for one in script.finish() if one.sql)
