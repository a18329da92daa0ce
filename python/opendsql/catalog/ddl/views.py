"""CREATE [OR REPLACE] [RECURSIVE] VIEW: the query is kept as text with every relation's schema written out."""

from __future__ import annotations

from typing import Any

from opendsql.catalog import hooks
from opendsql.catalog.acl import SYSTEM_SCHEMAS
from opendsql.catalog.context import current
from opendsql.catalog.ddl import grants, refusals
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.ddl.dependencies import closure
from opendsql.catalog.ddl.expressions import walk
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Catalog, Column, Sequence, Table, View
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.limits import reached


def create_view(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE VIEW."""
    refuse_clauses(stmt)
    change = Change(session, catalog, "CREATE VIEW")
    schema = change.creation_schema(stmt["view"].get("schemaname"))
    make_view(change, stmt, schema)
    return change.done()


def refuse_clauses(stmt: dict[str, Any]) -> None:
    """What CREATE VIEW may not say."""
    if stmt["view"].get("relpersistence") == "t":
        raise unsupported(says("create_view_clause", clause="TEMPORARY or TEMP view"))
    if stmt.get("options"):
        raise unsupported(says("create_view_clause", clause="WITH clause"))
    if stmt.get("withCheckOption", "NO_CHECK_OPTION") != "NO_CHECK_OPTION":
        raise unsupported(says("create_view_clause", clause="WITH CHECK OPTION clause"))


def make_view(change: Change, stmt: dict[str, Any], schema: str) -> View:
    """Write the view; an existing one is replaced when OR REPLACE was said and its columns stay."""
    refuse_clauses(stmt)
    name = stmt["view"]["relname"]
    existing = change.catalog.relations.get((schema, name))
    if existing is None and name in change.names_in(schema):
        raise DsqlError("42P07", f'relation "{name}" already exists')
    if existing is not None:
        if not stmt.get("replace"):
            raise DsqlError("42P07", f'relation "{name}" already exists')
        if not isinstance(existing, View):
            raise DsqlError("42809", f'"{name}" is not a view')
        change.require_owner(existing, "view")
    elif reached(sum(isinstance(r, View) for r in change.catalog.relations.values()), current.limits.views_max):
        raise DsqlError("54000", f"creating more than {current.limits.views_max} views not allowed")
    query = stmt["query"]
    select = query.get("SelectStmt")
    if select is None:
        raise refusals.refusal(next(iter(query)))
    if any(kind == "ParamRef" for kind, _ in walk(query)):
        raise DsqlError("42P02", "there is no parameter $1")
    qualify(change, query)
    described = describe(change, query)
    aliases = strings(stmt.get("aliases"))
    if len(aliases) > len(described):
        raise DsqlError("42601", "CREATE VIEW specifies more column names than columns")
    columns = []
    for number, (shown, type_oid, typmod) in enumerate(described):
        columns.append(Column(aliases[number] if number < len(aliases) else shown, number + 1, type_oid, typmod))
    seen = set()
    for column in columns:
        if column.name in seen:
            raise DsqlError("42701", f'column "{column.name}" specified more than once')
        seen.add(column.name)
    if not expand_stars(change.catalog, select) and hooks.expand_query is not None:
        query = hooks.expand_query(query, change.catalog, change.session)
        select = query["SelectStmt"]
    name_targets(select, [c.name for c in columns])
    text = Deparser(source_types(change.catalog, query)).query(query)
    if reached(len(text.encode()) - 1, current.limits.view_bytes_max):
        raise DsqlError("54000", "view definition too large")
    if existing is not None:
        check_replacement(existing, columns)
        downstream = {existing.oid, *(view.oid for view in closure(change.catalog, existing))}
        if any(source.oid in downstream for source in sources(change.catalog, query)):
            raise DsqlError("42P17", f'infinite recursion detected in rules for relation "{name}"')
        view = changed(existing, query=text, columns=tuple(columns))
    else:
        acl = grants.initial_acl(change, schema, "r", "table")
        view = View(change.new_oid(), schema, name, text, tuple(columns), change.user_oid, acl=acl)
    change.put(view)
    return view


def describe(change: Change, query: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Names and types of the query's columns."""
    if hooks.describe_query is not None:
        return list(hooks.describe_query(query, change.catalog, change.session))
    found = guess_columns(change, query["SelectStmt"])
    return [(name, type_oid or 25, typmod) for name, type_oid, typmod in found]


def guess_columns(change: Change, select: dict[str, Any]) -> list[tuple[str, int | None, int]]:
    """Columns of a query without a binder: enough for plain column lists (used only when no hook is installed)."""
    while "larg" in select:
        select = select["larg"]
    types = source_types(change.catalog, {"SelectStmt": select})
    deparser = Deparser(types)
    found: list[tuple[str, int | None, int]] = []
    for node in select.get("targetList") or ():
        target = node["ResTarget"]
        reference = target["val"].get("ColumnRef")
        if reference and "A_Star" in reference["fields"][-1]:
            for source in star_sources(change, select, reference):
                found.extend((c.name, c.type_oid, c.typmod) for c in source.columns if not c.dropped)
            continue
        name = target.get("name") or column_name(target["val"])
        typmod = types.get(strings(reference["fields"])[-1], (0, -1))[1] if reference else -1
        found.append((name, deparser.type_of(target["val"]), typmod))
    return found


def column_name(node: dict[str, Any]) -> str:
    """The name PostgreSQL gives an unnamed target."""
    kind, body = next(iter(node.items()))
    if kind == "ColumnRef":
        return strings(body["fields"])[-1]
    if kind == "FuncCall":
        return strings(body["funcname"])[-1]
    if kind == "TypeCast":
        inner = column_name(body["arg"])
        return inner if inner != "?column?" else strings(body["typeName"]["names"])[-1]
    return {"CaseExpr": "case", "CoalesceExpr": "coalesce", "A_ArrayExpr": "array", "RowExpr": "row"}.get(kind, "?column?")


def star_sources(change: Change, select: dict[str, Any], reference: dict[str, Any]) -> list[Table | View]:
    """Relations a star of this query level stands for."""
    wanted = strings(reference["fields"])
    found = []
    for _, body in walk(select.get("fromClause")):
        if "relname" in body:
            alias = body.get("alias", {}).get("aliasname", body["relname"])
            if not wanted or wanted[-1] == alias:
                relation = change.find(body)
                if isinstance(relation, (Table, View)):
                    found.append(relation)
    return found


def cte_names(query: dict[str, Any]) -> set[str]:
    """Names WITH clauses define anywhere in the query."""
    return {body["ctename"] for kind, body in walk(query) if kind == "CommonTableExpr"}


def qualify(change: Change, query: dict[str, Any]) -> None:
    """Write the schema of every relation into the tree; 42P01 for one that is not there."""
    ctes = cte_names(query)
    for kind, body in walk(query):
        if kind != "RangeVar" or ("schemaname" not in body and body["relname"] in ctes):
            continue
        if "schemaname" in body and body["schemaname"] in SYSTEM_SCHEMAS:
            continue
        from opendsql.catalog import virtual

        if "schemaname" not in body and virtual.find(None, body["relname"]) is not None:
            body["schemaname"] = "pg_catalog"
            continue
        body["schemaname"] = change.find(body).schema


def sources(catalog: Catalog, query: dict[str, Any]) -> list[Any]:
    """Relations a qualified query names."""
    found = []
    for kind, body in walk(query):
        if kind == "RangeVar":
            relation = catalog.relations.get((body.get("schemaname", ""), body["relname"]))
            if relation is not None:
                found.append(relation)
    return found


def source_types(catalog: Catalog, query: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Types of columns by name, where every source agrees on them (for the casts the text shows)."""
    types: dict[str, tuple[int, int]] = {}
    for kind, body in walk(query):
        if kind != "RangeVar":
            continue
        for (schema, name), relation in catalog.relations.items():
            if name == body["relname"] and body.get("schemaname", schema) == schema and not isinstance(relation, Sequence):
                for column in relation.columns:
                    known = types.setdefault(column.name, (column.type_oid, column.typmod))
                    if known[0] != column.type_oid:
                        types[column.name] = (0, -1)
    return {name: kind for name, kind in types.items() if kind[0]}


def has_star(select: dict[str, Any]) -> bool:
    """Whether the target list has a star."""
    values = (node["ResTarget"]["val"] for node in select.get("targetList") or ())
    return any("A_Star" in (value.get("ColumnRef", {}).get("fields") or [{}])[-1] for value in values)


def expand_stars(catalog: Catalog, select: dict[str, Any]) -> bool:
    """Replace stars over plain relations by their columns of today, so later columns do not join the view.

    False when a star stands for something else (a subquery, a USING join): the binder's hook expands those."""
    if "larg" in select:
        left = expand_stars(catalog, select["larg"])
        return expand_stars(catalog, select["rarg"]) and left
    if not has_star(select):
        return True
    ranges: list[tuple[str, Any]] = []
    for item in select.get("fromClause") or ():
        if not plain_ranges(catalog, item, ranges):
            return False
    targets = []
    for node in select.get("targetList") or ():
        reference = node["ResTarget"]["val"].get("ColumnRef")
        if not reference or "A_Star" not in reference["fields"][-1]:
            targets.append(node)
            continue
        wanted = strings(reference["fields"])
        for alias, relation in ranges:
            if not wanted or wanted[-1] == alias:
                for column in relation.columns:
                    if not column.dropped:
                        fields = [{"String": {"sval": alias}}, {"String": {"sval": column.name}}]
                        fields = fields[1:] if len(ranges) == 1 else fields
                        targets.append({"ResTarget": {"val": {"ColumnRef": {"fields": fields}}}})
    select["targetList"] = targets
    return True


def plain_ranges(catalog: Catalog, item: dict[str, Any], ranges: list[tuple[str, Any]]) -> bool:
    """Collect (alias, relation) of a FROM item made of relations and ON joins only; False when it is not."""
    kind, body = next(iter(item.items()))
    if kind == "JoinExpr":
        if body.get("usingClause") or body.get("isNatural") or body.get("alias"):
            return False
        return plain_ranges(catalog, body["larg"], ranges) and plain_ranges(catalog, body["rarg"], ranges)
    if kind != "RangeVar" or body.get("alias", {}).get("colnames"):
        return False
    relation = catalog.relations.get((body.get("schemaname", ""), body["relname"]))
    if relation is None or isinstance(relation, Sequence):
        return False
    ranges.append((body.get("alias", {}).get("aliasname", body["relname"]), relation))
    return True


def name_targets(select: dict[str, Any], names: list[str]) -> None:
    """Give every target the view column's name, when targets and columns correspond."""
    while "larg" in select:
        select = select["larg"]
    targets = select.get("targetList") or []
    if len(targets) != len(names):
        return
    for node, name in zip(targets, names, strict=True):
        if "A_Star" not in node["ResTarget"]["val"].get("ColumnRef", {}).get("fields", [{}])[-1]:
            node["ResTarget"]["name"] = name


def check_replacement(existing: View, columns: list[Column]) -> None:
    """OR REPLACE may only add columns at the end."""
    from opendsql.catalog.datatypes import format_type

    if len(columns) < len(existing.columns):
        raise DsqlError("42P16", "cannot drop columns from view")
    for old, new in zip(existing.columns, columns, strict=False):
        if old.name != new.name:
            raise DsqlError(
                "42P16",
                f'cannot change name of view column "{old.name}" to "{new.name}"',
                hint="Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
            )
        if (old.type_oid, old.typmod) != (new.type_oid, new.typmod):
            before, after = format_type(old.type_oid, old.typmod), format_type(new.type_oid, new.typmod)
            raise DsqlError("42P16", f'cannot change data type of view column "{old.name}" from {before} to {after}')
