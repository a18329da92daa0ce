"""SET CONSTRAINTS: when the deferrable foreign keys of this transaction are checked."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.ddl.constraints import constraint_names
from opendsql.catalog.model import Catalog, ForeignKey, Table
from opendsql.catalog.result import Notice, PyResult
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError


def set_constraints(stmt: dict[str, Any], text: str, session: Any, catalog: Catalog) -> PyResult:
    """ALL or named constraints become deferred, or immediate: then what is pending is checked at once."""
    del text
    result = PyResult("SET CONSTRAINTS")
    if not session.in_transaction:
        message = "SET CONSTRAINTS can only be used in transaction blocks"
        result.notices.append(Notice(message, "25P01", "WARNING"))
    deferred = bool(stmt.get("deferred"))
    if "constraints" not in stmt:
        session.set_constraints(deferred)
        return result
    oids: list[int] = []
    for item in stmt["constraints"]:
        oids += _named(catalog, session, item["RangeVar"], deferred)
    session.set_constraints(deferred, oids)
    return result


def _named(catalog: Catalog, session: Any, name: dict[str, Any], deferred: bool) -> list[int]:
    """Oids of the deferrable constraints of one name, in the first schema that has any of that name."""
    schema, wanted = name.get("schemaname"), name["relname"]
    if schema is not None and schema not in catalog.schemas:
        raise DsqlError("3F000", f'schema "{schema}" does not exist')
    for candidate in (schema,) if schema is not None else settings_of(session).search_path:
        found: list[int] = []
        is_known = False
        for table in catalog.relations.values():
            if not isinstance(table, Table) or table.schema != candidate or wanted not in constraint_names(table):
                continue
            is_known = True
            key = next((k for k in table.foreign_keys if k.name == wanted), None)
            if isinstance(key, ForeignKey) and key.deferrable:
                found.append(key.oid)
            elif deferred:
                raise DsqlError("42809", f'constraint "{wanted}" is not deferrable')
        if is_known:
            return found
    raise DsqlError("42704", f'constraint "{wanted}" does not exist')
