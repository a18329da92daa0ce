"""What the catalog asks of the query processor, filled in by it when it starts (the catalog never imports it).

    check_expression(expr, columns, catalog, session, what) -> ExpressionType
        expr: parse tree; columns: the Column tuple it may name; what: 'default', 'check', 'index', 'predicate',
        'generated'. Raises the binder's error (42703, 42883, 42804, 42P17 ...); None in `columns` = none may be named.
    describe_query(query, catalog, session) -> list of (name, type_oid, typmod)
        query: parse tree of a SELECT; raises the binder's error.
    expand_query(query, catalog, session) -> query
        the same tree with every * replaced by column references; optional.
    execute(sql, session, catalog) -> list of rows (text | None)
        runs one internal statement in the session's transaction; optional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class ExpressionType:
    """Type of a bound expression and whether it may be stored in an index or generated column."""

    type_oid: int
    typmod: int = -1
    immutable: bool = True


check_expression: Callable | None = None
describe_query: Callable | None = None
expand_query: Callable | None = None
execute: Callable | None = None
# check_function(function, catalog, session): binds the body of a function about to be made; raises the binder's error.
check_function: Callable | None = None
# index_descriptor(table, index, catalog, session) -> dict: the table descriptor of the IR with that one index, as modify
# nodes take it; what the compiled backfill computes entries with.
index_descriptor: Callable | None = None
