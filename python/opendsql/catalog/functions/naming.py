"""Names and oids: to_reg*, visibility, owners, comments."""

from __future__ import annotations

from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import virtual
from opendsql.catalog.context import current
from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.model import Catalog, Index, Table
from opendsql.catalog.pg_catalog.classes import comments
from opendsql.errors import DsqlError


def catalog() -> Catalog:
    """The catalog of the session that asks."""
    assert current.catalog is not None, "no context"
    return current.catalog


def parts_of(name: str) -> list[str]:
    """The parts of a dotted, possibly quoted name."""
    parts, rest = [], name.strip()
    while rest:
        if rest.startswith('"'):
            end = rest.find('"', 1)
            while end >= 0 and rest[end + 1 : end + 2] == '"':
                end = rest.find('"', end + 2)
            if end < 0:
                raise DsqlError("42602", "invalid name syntax")
            parts.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 1 :]
        else:
            head, dot, tail = rest.partition(".")
            parts.append(head.strip().lower())
            rest = dot + tail
        if rest and not rest.startswith("."):
            raise DsqlError("42602", "invalid name syntax")
        rest = rest[1:]
    return parts


def find_relation(text: str) -> Any:
    """The relation or index a name or oid means, or None."""
    if text.isdigit():
        return catalog().by_oid.get(int(text)) or virtual.by_oid(int(text))
    parts = parts_of(text)
    schema, name = (parts[-2] if len(parts) > 1 else None), parts[-1]
    if schema is None or schema in ("pg_catalog", "information_schema", "sys"):
        computed = virtual.find(schema, name)
        if computed is not None:
            return computed
    found = catalog().find(name, schema, current.search_path)
    if found is not None:
        return found
    for where in (schema,) if schema else current.search_path:
        for relation in catalog().relations.values():
            if relation.schema == where and isinstance(relation, Table):
                for index in all_indexes(relation):
                    if index.name == name:
                        return index
    return None


def relation(text: str) -> Any:
    """The relation a name or oid means; 42P01 when there is none."""
    found = find_relation(text)
    if found is None:
        if text.isdigit():
            raise DsqlError("42P01", f"relation with OID {text} does not exist")
        raise DsqlError("42P01", f'relation "{".".join(parts_of(text))}" does not exist')
    return found


def schema_of(item: Any) -> str | None:
    """The schema of a relation or index."""
    if isinstance(item, Index):
        return getattr(catalog().by_oid.get(item.table_oid), "schema", None)
    return getattr(item, "schema", None)


def to_regclass(name: str) -> str | None:
    """SQL: to_regclass(name)."""
    found = find_relation(name)
    return str(found.oid) if found is not None else None


def to_regtype(name: str) -> str | None:
    """SQL: to_regtype(name)."""
    text = name.strip()
    is_array = text.endswith("[]")
    text = text.removesuffix("[]").strip()
    base = text.partition("(")[0].strip().lower()
    row = dt.types_by_name().get(parts_of(text)[-1]) or _by_display().get(base)
    if row is not None:
        return str(row.array_oid if is_array else row.oid)
    parts = parts_of(text)
    for where in (parts[-2],) if len(parts) > 1 else current.search_path:
        domain = catalog().domains.get((where, parts[-1]))
        if domain is not None:
            return str(domain.oid)
    return None


def _by_display() -> dict[str, dt.TypeRow]:
    table = {row.display: row for row in dt.type_rows()}
    aliases = {"int": "int4", "varchar": "varchar", "decimal": "numeric", "float": "float8", "char": "bpchar"}
    aliases |= {"timestamp": "timestamp", "timestamptz": "timestamptz", "time": "time", "boolean": "bool"}
    return table | {name: dt.types_by_name()[target] for name, target in aliases.items()}


def functions_named(text: str) -> list[int]:
    """oids of functions of a name."""
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    parts = parts_of(text)
    found = [f.oid for f in FUNCTIONS_BY_OID.values() if f.name == parts[-1] and parts[:-1] in ([], ["pg_catalog"])]
    for (schema, name), group in catalog().functions.items():
        if name == parts[-1] and (schema in current.search_path if len(parts) == 1 else schema == parts[-2]):
            found.extend(f.oid for f in group)
    if not found:
        found = [row["oid"] for row in _type_procs() if row["proname"] == parts[-1]]
    return found


def _type_procs() -> tuple[dict[str, Any], ...]:
    from opendsql.catalog.pg_catalog.types import builtin_procs

    return builtin_procs()


def to_regproc(name: str) -> str | None:
    """SQL: to_regproc(name)."""
    found = functions_named(name)
    return str(found[0]) if len(found) == 1 else None


def to_regprocedure(name: str) -> str | None:
    """SQL: to_regprocedure(name)."""
    head, paren, tail = name.partition("(")
    if not paren:
        return None
    wanted = tuple(int(to_regtype(t) or 0) for t in tail.rstrip(") ").split(",") if t.strip())
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    for oid in functions_named(head):
        function = FUNCTIONS_BY_OID.get(oid) or catalog().by_oid.get(oid)
        if function is not None and tuple(function.arg_types) == wanted:
            return str(oid)
    return None


def to_regnamespace(name: str) -> str | None:
    """SQL: to_regnamespace(name)."""
    schema = catalog().schemas.get(parts_of(name)[-1])
    return str(schema.oid) if schema is not None else None


def to_regrole(name: str) -> str | None:
    """SQL: to_regrole(name)."""
    role = catalog().roles.get(parts_of(name)[-1])
    return str(role.oid) if role is not None else None


def pg_get_userbyid(oid: str) -> str:
    """SQL: pg_get_userbyid(oid)."""
    if oid == "10":
        return "admin"
    role = catalog().by_oid.get(int(oid))
    return getattr(role, "name", None) or f"unknown (OID={oid})"


def pg_table_is_visible(oid: str) -> str | None:
    """SQL: pg_table_is_visible(oid)."""
    found = find_relation(oid)
    if found is None:
        return None
    schema = schema_of(found)
    if schema == "pg_catalog":
        return "t"
    if schema not in current.search_path or virtual.find(None, found.name) is not None:
        return "f"
    for where in current.search_path:
        if where == schema:
            return "t"
        if (where, found.name) in catalog().relations:
            return "f"
    return "f"


def _in_path(schema: str | None) -> str:
    return "t" if schema == "pg_catalog" or schema in current.search_path else "f"


def pg_type_is_visible(oid: str) -> str | None:
    """SQL: pg_type_is_visible(oid)."""
    if int(oid) in dt.types_by_oid():
        return "t"
    found = catalog().by_oid.get(int(oid))
    return None if found is None else _in_path(getattr(found, "schema", None))


def pg_function_is_visible(oid: str) -> str | None:
    """SQL: pg_function_is_visible(oid)."""
    found = catalog().by_oid.get(int(oid))
    return "t" if found is None else _in_path(getattr(found, "schema", None))


def always_visible(oid: str) -> str:
    """Objects that exist in pg_catalog only."""
    return "t"


def statistics_visible(oid: str) -> str | None:
    """SQL: statistics_visible(oid)."""
    found = catalog().by_oid.get(int(oid))
    return None if found is None else _in_path(getattr(found, "schema", None))


_CLASSES = {"pg_class": 1259, "pg_namespace": 2615, "pg_type": 1247, "pg_proc": 1255, "pg_constraint": 2606}


def obj_description(oid: str, class_name: str | None = None) -> str | None:
    """SQL: obj_description(oid, class_name)."""
    wanted = _CLASSES.get(class_name) if class_name else None
    for objoid, classoid, sub, text in comments(catalog()):
        if objoid == int(oid) and sub == 0 and (class_name is None or classoid == wanted):
            return text
    return None


def col_description(oid: str, number: str) -> str | None:
    """SQL: col_description(oid, number)."""
    found: Any = catalog().by_oid.get(int(oid))
    for column in getattr(found, "columns", ()):
        if column.attnum == int(number):
            return found.column_comments.get(column.name)
    return None


def shobj_description(oid: str, class_name: str) -> str | None:
    """SQL: shobj_description(oid, class_name)."""
    if class_name == "pg_database" and oid == "5":
        return "default administrative connection database"
    found = catalog().by_oid.get(int(oid))
    return getattr(found, "comment", None) if class_name == "pg_authid" else None


def current_schema() -> str | None:
    """SQL: current_schema()."""
    for name in current.search_path:
        if name in catalog().schemas:
            return name
    return None


def current_schemas(implicit: str) -> str:
    """SQL: current_schemas(implicit)."""
    found = [name for name in current.search_path if name in catalog().schemas]
    if implicit in ("t", "true") and "pg_catalog" not in found:
        found.insert(0, "pg_catalog")
    return virtual.text(found) or "{}"


def format_type(oid: str | None, typmod: str | None = None) -> str | None:
    """format_type that knows domains too."""
    if oid is None:
        return None
    shown = None if typmod is None else int(typmod)
    return dt.format_type(int(oid), shown, catalog(), current.search_path)


FUNCTIONS = {
    "to_regclass": to_regclass, "to_regtype": to_regtype, "to_regproc": to_regproc, "to_regprocedure": to_regprocedure,
    "to_regnamespace": to_regnamespace, "to_regrole": to_regrole, "pg_get_userbyid": pg_get_userbyid,
    "pg_table_is_visible": pg_table_is_visible, "pg_type_is_visible": pg_type_is_visible,
    "pg_function_is_visible": pg_function_is_visible, "pg_operator_is_visible": always_visible,
    "pg_opclass_is_visible": always_visible, "pg_opfamily_is_visible": always_visible,
    "pg_collation_is_visible": always_visible, "pg_conversion_is_visible": always_visible,
    "pg_ts_config_is_visible": always_visible, "pg_ts_dict_is_visible": always_visible,
    "pg_ts_parser_is_visible": always_visible, "pg_ts_template_is_visible": always_visible,
    "pg_statistics_obj_is_visible": statistics_visible, "obj_description": obj_description,
    "col_description": col_description, "shobj_description": shobj_description, "current_schema": current_schema,
    "current_schemas": current_schemas, "format_type": format_type,
}  # fmt: skip
