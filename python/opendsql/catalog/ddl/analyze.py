"""ANALYZE: counts rows for the planner.

The estimate is part of the table's row. It is written without stamping the table's version: nobody's plan becomes wrong
by it, so nobody gets OC001; the transaction itself is refused when a DDL changed the table meanwhile.
"""

from __future__ import annotations

from typing import Any

from opendsql.catalog import hooks, serialise, store
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.model import Table
from opendsql.catalog.names import qualified
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError
from opendsql.guesses import says


def vacuum(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ANALYZE [VERBOSE] [table [(columns)] [, ...]] (guess: analyze_forms)."""
    if session.in_transaction:
        raise DsqlError("25001", says("analyze_in_transaction"))
    change = Change(session, catalog, "ANALYZE")
    if stmt.get("rels"):
        tables = []
        for node in stmt["rels"]:
            body = node["VacuumRelation"]
            table = change.find_table(body["relation"])
            for column in body.get("va_cols") or ():
                if table.column(column["String"]["sval"]) is None:
                    name = column["String"]["sval"]
                    raise DsqlError("42703", f'column "{name}" of relation "{table.name}" does not exist')
            tables.append(table)
    else:
        tables = [r for r in catalog.relations.values() if isinstance(r, Table) and r.oid >= 1024]
    for table in tables:
        rows = count_rows(table, session, catalog)
        if rows is not None and rows != table.row_estimate:
            item = changed(table, row_estimate=float(rows))
            store.put_object(session, item.oid, "table", item.schema, item.name, serialise.dump(item))
            store.validate_version(session, item.oid)
            session.mark_catalog_change()
    session.did_ddl = True
    return PyResult("ANALYZE")


def count_rows(table: Table, session: Any, catalog: Any) -> int | None:
    """Rows of a table now; None when no query processor is there to count."""
    if hooks.execute is None:
        return None
    rows = hooks.execute(f"SELECT count(*) FROM {qualified(table.schema, table.name)}", session, catalog)
    return int(rows[0][0])
