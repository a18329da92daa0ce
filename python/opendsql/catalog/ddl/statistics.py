"""CREATE, ALTER STATISTICS: recorded and shown; the planner does not use them."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.context import current
from opendsql.catalog.ddl import expressions
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.ddl.rename import find_named
from opendsql.catalog.model import Statistics
from opendsql.catalog.names import choose_name, index_columns_part, split_name, strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.limits import reached

_KINDS = {"ndistinct": "d", "dependencies": "f", "mcv": "m"}


def create_statistics(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE STATISTICS [name] [(kinds)] ON columns and expressions FROM table."""
    change = Change(session, catalog, "CREATE STATISTICS")
    source = stmt["relations"][0]
    if len(stmt["relations"]) != 1 or "RangeVar" not in source:
        raise unsupported("only a single relation is allowed in CREATE STATISTICS")
    table = change.find_table(source["RangeVar"])
    change.require_owner(table, "table")
    columns: list[str] = []
    given: list[str] = []
    for node in stmt["exprs"]:
        element = node["StatsElem"]
        if "name" not in element:
            given.append(expressions.stored_expression(change, element["expr"], table.columns, "statistics", table.name))
            continue
        if table.column(element["name"]) is None:
            raise DsqlError("42703", f'column "{element["name"]}" does not exist')
        if element["name"] in columns:
            raise DsqlError("42701", "duplicate column name in statistics definition")
        columns.append(element["name"])
    if len(set(given)) != len(given):
        raise DsqlError("42701", "duplicate expression in statistics definition")
    if given and not columns and len(given) == 1 and stmt.get("stat_types"):
        raise DsqlError("42601", "when building statistics on a single expression, statistics kinds may not be specified")
    if len(columns) + len(given) < 2 and not given:
        raise DsqlError("42P17", "extended statistics require at least 2 columns")
    kinds = []
    for word in strings(stmt.get("stat_types")):
        if word not in _KINDS:
            raise DsqlError("42601", f'unrecognized statistics kind "{word}"')
        kinds.append(_KINDS[word])
    taken = {name for (schema, name) in catalog.statistics if schema == table.schema}
    if stmt.get("defnames"):
        written, name = split_name(strings(stmt["defnames"]))
        schema = change.creation_schema(written)
        if (schema, name) in catalog.statistics:
            if stmt.get("if_not_exists"):
                change.notice(f'statistics object "{name}" already exists, skipping', "42710")
                return change.nothing()
            raise DsqlError("42710", f'statistics object "{name}" already exists')
    else:
        schema = table.schema
        name = choose_name(table.name, index_columns_part([*columns, *(["expr"] if given else [])]), "stat", taken)
    most = current.limits.statistics_per_table_max
    if reached(sum(s.table_oid == table.oid for s in catalog.statistics.values()), most):
        raise DsqlError("54000", f"more than {most} extended statistics per table are not allowed")
    kinds = kinds or (["d", "f", "m"] if len(columns) + len(given) > 1 else [])
    if given:
        kinds.append("e")
    item = Statistics(change.new_oid(), schema, name, table.oid, tuple(columns), tuple(kinds), expressions=tuple(given))
    change.put(changed(item, owner_oid=change.user_oid))
    return change.done()


def alter_statistics(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER STATISTICS s SET STATISTICS n."""
    target = stmt.get("stxstattarget", -1)
    if isinstance(target, dict):  # libpg_query 17 gives a node
        target = target.get("Integer", {}).get("ival", 0)
    most = current.limits.statistics_target_max
    if target > most:
        raise DsqlError("22023", f"statistics target {target} exceeds maximum allowed value of {most}")
    change = Change(session, catalog, "ALTER STATISTICS")
    item = find_named(change, catalog.statistics, strings(stmt["defnames"]), "statistics object")
    change.require_owner(item, "statistics object")
    change.put(changed(item, target=target))
    return change.done()
