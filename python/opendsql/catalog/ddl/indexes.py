"""CREATE INDEX ASYNC, DROP INDEX's part of a table, and names of indexes.

The order of checks is DSQL's: name grammar, CONCURRENTLY, USING, mode, key expressions, key count, index count.
"""

from __future__ import annotations

import re
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import hooks, jobs
from opendsql.catalog.ddl import constraints as rules
from opendsql.catalog.ddl import expressions
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Index, Table
from opendsql.catalog.names import choose_name, index_columns_part, strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

JOB_COLUMNS = [("job_id", 25)]
_NAME = r'''(?:"(?:[^"]|"")*"|[\w$\x80-\U0010ffff]+)'''
_USING = re.compile(rf"{_NAME}(?:\s*\.\s*{_NAME})*\s*[)*]?\s*using\s+(?P<am>\w+)\s*\(", re.I)  # right behind the table's name


def written_method(stmt: dict[str, Any], text: str) -> str | None:
    """The access method when USING was written; the parse tree has btree either way."""
    method = stmt.get("accessMethod", "btree")
    if method != "btree":
        return method
    start = len(text.encode()[: stmt["relation"].get("location", 0)].decode(errors="ignore"))
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text[start:], flags=re.S)
    match = _USING.match(bare)
    return match["am"].lower() if match else None


def create_index(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE [UNIQUE] INDEX ASYNC: the index starts invalid; a job fills it."""
    is_async = stmt.get("async", False)
    if stmt.get("concurrent"):
        raise unsupported("CONCURRENTLY not supported for CREATE INDEX")
    method = written_method(stmt, text)
    if method is not None and method != "btree_index":
        raise unsupported("USING not supported for CREATE INDEX")
    if stmt.get("options"):
        raise unsupported(says("create_index_clause", clause="WITH"))
    if stmt.get("tableSpace"):
        raise unsupported(says("create_index_clause", clause="TABLESPACE"))
    change = Change(session, catalog, "CREATE INDEX")
    if not is_async and change.settings.get("disable_sync_create_index") == "on":
        raise unsupported("unsupported mode. please use CREATE INDEX ASYNC.")
    table = change.find_table(stmt["relation"])
    change.require_owner(table, "table")
    taken = change.names_in(table.schema)
    name = stmt.get("idxname")
    if name is not None and name in taken:
        if stmt.get("if_not_exists"):
            change.notice(f'relation "{name}" already exists, skipping', "42P07")
            # guess: index_if_not_exists
            return change.nothing(JOB_COLUMNS, [(jobs.new_job_id(),)]) if is_async else change.nothing()
        raise DsqlError("42P07", f'relation "{name}" already exists')
    index = read_index(change, stmt, table)
    rules.check_index_count(len(table.indexes) + (table.primary_key is not None) + 1)
    if not is_async and next(iter(session.scan(table.oid)), None) is not None:
        raise unsupported("unsupported mode. please use CREATE INDEX ASYNC.")
    if name is None:
        parts = [column_part(node["IndexElem"]) for node in stmt["indexParams"]]
        name = choose_name(table.name, index_columns_part(parts + list(index.include)), "idx", taken)
    index = changed(index, oid=change.new_oid(), name=name, valid=not is_async)
    change.put(changed(table, indexes=(*table.indexes, index)))
    if not is_async:
        return change.done()  # guess: sync_index_result
    job_id = jobs.submit(session, "INDEX_BUILD", index.oid, table, f"{table.schema}.{name}")
    return change.done(JOB_COLUMNS, [(job_id,)])


def read_index(change: Change, stmt: dict[str, Any], table: Table) -> Index:
    """The Index of an IndexStmt, still without oid and name."""
    keys, types, nulls_first, typmods = [], [], [], []
    for node in stmt["indexParams"]:
        element = node["IndexElem"]
        if element.get("collation"):
            raise unsupported("COLLATE clause not supported")
        if element.get("opclass"):
            raise unsupported("opclass not supported for index keys")
        if element.get("ordering", "SORTBY_DEFAULT") != "SORTBY_DEFAULT":
            raise unsupported("specifying sort order not supported for index keys")
        key, type_oid, typmod = read_key(change, element, table)
        keys.append(key)
        types.append(type_oid)
        typmods.append(typmod)
        nulls_first.append(element.get("nulls_ordering") == "SORTBY_NULLS_FIRST")
    include = []
    for node in stmt.get("indexIncludingParams") or ():
        element = node["IndexElem"]
        if "expr" in element:
            raise unsupported("expressions are not supported in included columns")
        if element.get("collation"):
            raise unsupported("COLLATE clause not supported")
        if table.column(element["name"]) is None:
            raise DsqlError("42703", f'column "{element["name"]}" does not exist')
        include.append(element["name"])
    rules.check_key(list(zip(types, typmods, strict=True)))
    predicate = None
    if stmt.get("whereClause"):
        predicate = expressions.stored_expression(change, stmt["whereClause"], table.columns, "predicate", table.name)
    return Index(
        0,
        "",
        table.oid,
        tuple(keys),
        tuple(types),
        tuple(nulls_first),
        tuple(include),
        unique=bool(stmt.get("unique")),
        nulls_distinct=not stmt.get("nulls_not_distinct", False),
        predicate=predicate,
        valid=False,
    )


def read_key(change: Change, element: dict[str, Any], table: Table) -> tuple[str, int, int]:
    """(text, type, typmod) of one key: a column's name, or an expression in parentheses."""
    if "expr" not in element:
        column = table.column(element["name"])
        if column is None:
            raise DsqlError("42703", f'column "{element["name"]}" does not exist')
        return column.name, column.type_oid, column.typmod
    node = element["expr"]
    text = expressions.stored_expression(change, node, table.columns, "index", table.name)
    type_oid = None
    if hooks.check_expression is not None:
        found = hooks.check_expression(node, table.columns, change.catalog, change.session, "index")
        type_oid = found.type_oid if found is not None else None
    if type_oid in (None, dt.UNKNOWN):
        type_oid = Deparser(expressions.column_types(table.columns)).type_of(node)
    if type_oid in (None, dt.UNKNOWN):
        type_oid = dt.TEXT
    return f"({text})", type_oid, -1


def column_part(element: dict[str, Any]) -> str:
    """What an index element contributes to a default name."""
    if "expr" not in element:
        return element["name"]
    kind, body = next(iter(element["expr"].items()))
    if kind == "FuncCall":
        return strings(body["funcname"])[-1]
    if kind == "TypeCast":
        return strings(body["typeName"]["names"])[-1]
    if kind == "CoalesceExpr":
        return "coalesce"
    return "expr"


def drop_index(change: Change, table: Table, index: Index, cascade: bool) -> Table:
    """The table without the index; its tree is dropped and its job cancelled."""
    if index.primary or index.constraint is not None:
        word = index.constraint or index.name
        raise DsqlError(
            "2BP01",
            f"cannot drop index {index.name} because constraint {word} on table {table.name} requires it",
            hint=f"You can drop constraint {word} on table {table.name} instead.",
        )
    change.session.drop_tree(index.oid)
    jobs.cancel(change.session, index.oid)
    return changed(table, indexes=tuple(i for i in table.indexes if i.oid != index.oid))
