"""Relations and their columns: pg_class, pg_attribute, pg_attrdef, pg_index, pg_sequence, pg_description, pg_depend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import virtual
from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.model import (
    INFORMATION_SCHEMA_OID,
    PG_CATALOG_OID,
    SYS_OID,
    Catalog,
    Column,
    Index,
    Sequence,
    Table,
    View,
)
from opendsql.catalog.pg_catalog.access import BTREE_INDEX_AM, BTREE_TABLE_AM, default_opclass
from opendsql.catalog.pg_catalog.definitions import include_of

RowDict = dict[str, Any]
Rows = Iterator[RowDict | virtual.Row]
CLASS, TYPE, PROC, CONSTRAINT, NAMESPACE = 1259, 1247, 1255, 2606, 2615
ATTRDEF, AUTHID, REWRITE = 2604, 1260, 2618
_SYSTEM = {"pg_catalog": PG_CATALOG_OID, "information_schema": INFORMATION_SCHEMA_OID, "sys": SYS_OID}


def default_oid(table_oid: int, attnum: int) -> int:
    """oid of a column's default in pg_attrdef: made from its place, since nothing else needs one."""
    return 0x80000000 | (table_oid << 11 | attnum) & 0x7FFFFFFF


def schema_oid(catalog: Catalog, name: str) -> int:
    """A schema's oid by name."""
    schema = catalog.schemas.get(name)
    return schema.oid if schema is not None else _SYSTEM.get(name, 0)


def acl_of(item: Any) -> list[str] | None:
    """relacl and friends: NULL when nothing was ever granted."""
    return list(item.acl) if item.acl else None


def pg_namespace(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_namespace."""
    for schema in catalog.schemas.values():
        yield {"oid": schema.oid, "nspname": schema.name, "nspowner": schema.owner_oid, "nspacl": acl_of(schema)}


@cache
def system_classes() -> tuple[RowDict, ...]:
    """pg_class rows of the virtual relations themselves."""
    return tuple(
        {
            "oid": r.oid, "relname": r.name, "relnamespace": _SYSTEM[r.schema], "relowner": 10, "relkind": r.kind,
            "relnatts": len(r.columns), "relpersistence": "p", "relreplident": "n", "relispopulated": True,
            "reltuples": -1, "relam": BTREE_TABLE_AM if r.kind == "r" else 0, "relhasrules": r.kind == "v",
        }
        for r in virtual.relations().values()
    )  # fmt: skip


def pg_class(catalog: Catalog, session: Any) -> Rows:
    """Rows of pg_class."""
    base: RowDict = {"relpersistence": "p", "relreplident": "d", "relispopulated": True}
    for relation in catalog.relations.values():
        common = base | {
            "oid": relation.oid, "relname": relation.name, "relnamespace": schema_oid(catalog, relation.schema),
            "relowner": relation.owner_oid, "relacl": acl_of(relation),
        }  # fmt: skip
        if isinstance(relation, Table):
            yield common | {
                "relkind": "r", "relam": BTREE_TABLE_AM, "relfilenode": relation.oid, "relnatts": len(relation.columns),
                "relhasindex": bool(all_indexes(relation)), "relchecks": len(relation.checks),
                "reltuples": estimate(relation.row_estimate), "relpages": max(0, int(relation.row_estimate) // 100),
                "relhastriggers": bool(relation.foreign_keys) or is_parent(catalog, relation),
            }  # fmt: skip
            for index in all_indexes(relation):
                yield base | {
                    "oid": index.oid, "relname": index.name, "relnamespace": schema_oid(catalog, relation.schema),
                    "relowner": relation.owner_oid, "relkind": "i", "relam": BTREE_INDEX_AM, "relfilenode": index.oid,
                    "relnatts": len(index.keys) + len(include_of(relation, index)), "relreplident": "n",
                    "reltuples": estimate(relation.row_estimate),
                }  # fmt: skip
        elif isinstance(relation, View):
            yield common | {
                "relkind": "v", "relnatts": len(relation.columns), "relhasrules": True, "relreplident": "n", "reltuples": -1,
            }  # fmt: skip
        else:
            yield common | {"relkind": "S", "relfilenode": relation.oid, "relnatts": 3, "relreplident": "n", "reltuples": 1}
    yield from virtual.frozen("pg_class", system_classes)


def estimate(rows: float) -> str:
    """reltuples as float4 prints it."""
    return str(int(rows)) if rows == int(rows) else repr(rows)


def is_parent(catalog: Catalog, table: Table) -> bool:
    """Whether a foreign key refers to the table."""
    return any(
        key.parent_oid == table.oid
        for relation in catalog.relations.values()
        if isinstance(relation, Table)
        for key in relation.foreign_keys
    )


def attribute(relid: int, name: str, number: int, type_oid: int, **more: Any) -> RowDict:
    """A pg_attribute row."""
    row = dt.types_by_oid().get(type_oid)
    values: RowDict = {
        "attrelid": relid, "attname": name, "attnum": number, "atttypid": type_oid, "attstattarget": -1, "attcacheoff": -1,
        "atttypmod": -1, "attislocal": True, "attlen": row.length if row else -1,
        "attbyval": row.by_value == "t" if row else False, "attalign": row.rest[7] if row else "i",
        "attstorage": row.rest[8] if row else "x", "attcollation": int(row.rest[9]) if row else 0,
        "attndims": 1 if row and row.category == "A" else 0,
    }  # fmt: skip
    values.update(more)
    return values


@cache
def system_attributes() -> tuple[RowDict, ...]:
    """pg_attribute rows of the virtual relations."""
    return tuple(
        attribute(r.oid, fact.name, number + 1, fact.type_oid, attnotnull=fact.not_null)
        for r in virtual.relations().values()
        for number, fact in enumerate(r.facts)
    )


def column_attribute(table: Table | View, column: Column, keyed: set[str]) -> RowDict:
    """A column of a table or view."""
    if column.dropped:
        gone = f"........pg.dropped.{column.attnum}........"
        return attribute(table.oid, gone, column.attnum, column.type_oid) | {"atttypid": 0, "attisdropped": True}
    shown = attribute(table.oid, column.name, column.attnum, column.type_oid)
    storage = column.storage or shown["attstorage"]
    compressed = isinstance(table, Table) and storage in "xm" and shown["attlen"] == -1 and column.name not in keyed
    acl = table.column_acls.get(column.name)
    return shown | {
        "atttypid": column.domain_oid or column.type_oid, "atttypmod": column.typmod if not column.domain_oid else -1,
        "attnotnull": column.not_null, "atthasdef": column.default is not None or column.generated is not None,
        "attidentity": column.identity, "attgenerated": "s" if column.generated is not None else "",
        "attstorage": storage, "attcompression": "l" if compressed and column.type_oid != dt.NUMERIC else "",
        "attacl": list(acl) if acl else None,
    }  # fmt: skip


def key_columns(table: Table) -> set[str]:
    """Columns that are part of a key."""
    return {key for index in all_indexes(table) for key in index.keys}


def pg_attribute(catalog: Catalog, session: Any) -> Rows:
    """Rows of pg_attribute."""
    for relation in catalog.relations.values():
        if isinstance(relation, Sequence):
            for number, (name, oid) in enumerate((("last_value", dt.INT8), ("log_cnt", dt.INT8), ("is_called", dt.BOOL))):
                yield attribute(relation.oid, name, number + 1, oid, attnotnull=True)
            continue
        keyed = key_columns(relation) if isinstance(relation, Table) else set()
        for column in relation.columns:
            yield column_attribute(relation, column, keyed)
        if isinstance(relation, Table):
            yield from system_columns(relation.oid)
            for index in all_indexes(relation):
                yield from index_attributes(relation, index)
    yield from virtual.frozen("pg_attribute", system_attributes)


def system_columns(relid: int) -> Iterator[RowDict]:
    """tableoid is the only system column a relation has here."""
    yield attribute(relid, "tableoid", -6, dt.OID, attnotnull=True)


def index_attributes(table: Table, index: Index) -> Iterator[RowDict]:
    """Columns of an index as a relation."""
    number = 0
    expressions = 0
    for key, type_oid in zip(index.keys, index.key_types, strict=True):
        number += 1
        name = key
        typmod, domain = -1, None
        if key.startswith("("):
            name = f"expr{expressions or ''}"
            expressions += 1
        else:
            column = table.column(key)
            typmod, domain = (column.typmod, column.domain_oid) if column else (-1, None)
        yield attribute(index.oid, name, number, type_oid, atttypmod=typmod, atttypid=domain or type_oid)
    for name in include_of(table, index):
        number += 1
        column = table.column(name)
        if column is not None:
            shown = column.domain_oid or column.type_oid
            yield attribute(index.oid, name, number, column.type_oid, atttypmod=column.typmod, atttypid=shown)


def pg_attrdef(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_attrdef."""
    for relation in catalog.relations.values():
        if isinstance(relation, (Table, View)):
            for column in relation.columns:
                text = column.default if column.default is not None else column.generated
                if text is not None and not column.dropped:
                    yield {
                        "oid": default_oid(relation.oid, column.attnum), "adrelid": relation.oid,
                        "adnum": column.attnum, "adbin": text,
                    }  # fmt: skip


def attnums(table: Table, names: tuple[str, ...]) -> tuple[int, ...]:
    """attnum of each name; 0 for an expression."""
    return tuple(c.attnum if (c := table.column(name)) is not None else 0 for name in names)


def pg_index(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_index."""
    for table in catalog.relations.values():
        if not isinstance(table, Table):
            continue
        for index in all_indexes(table):
            included = include_of(table, index)
            types = [dt.types_by_oid().get(t) for t in index.key_types]
            expressions = [k[1:-1] for k in index.keys if k.startswith("(")]
            first = index.nulls_first or (False,) * len(index.keys)
            yield {
                "indexrelid": index.oid, "indrelid": table.oid, "indnatts": len(index.keys) + len(included),
                "indnkeyatts": len(index.keys), "indisunique": index.unique, "indnullsnotdistinct": not index.nulls_distinct,
                "indisprimary": index.primary, "indimmediate": True, "indisvalid": index.valid, "indisready": True,
                "indislive": True, "indkey": attnums(table, index.keys + included),
                "indcollation": tuple(int(t.rest[9]) if t else 0 for t in types),
                "indclass": tuple(default_opclass(t) for t in index.key_types),
                "indoption": tuple(2 if f else 0 for f in first), "indexprs": ", ".join(expressions) or None,
                "indpred": index.predicate,
            }  # fmt: skip


def pg_sequence(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_sequence."""
    for sequence in catalog.relations.values():
        if isinstance(sequence, Sequence):
            yield {
                "seqrelid": sequence.oid, "seqtypid": dt.INT8, "seqstart": sequence.start,
                "seqincrement": sequence.increment, "seqmax": sequence.maximum, "seqmin": sequence.minimum,
                "seqcache": sequence.cache, "seqcycle": sequence.cycle,
            }  # fmt: skip


def comments(catalog: Catalog) -> Iterator[tuple[int, int, int, str]]:
    """(object, class, sub-object, text) of every comment but those on roles."""
    for schema in catalog.schemas.values():
        if schema.comment:
            yield schema.oid, NAMESPACE, 0, schema.comment
    for relation in catalog.relations.values():
        if relation.comment:
            yield relation.oid, CLASS, 0, relation.comment
        if isinstance(relation, (Table, View)):
            for column in relation.columns:
                if column.name in relation.column_comments:
                    yield relation.oid, CLASS, column.attnum, relation.column_comments[column.name]
        if isinstance(relation, Table):
            for index in all_indexes(relation):
                if index.comment:
                    yield index.oid, CLASS, 0, index.comment
                if index.constraint_comment:
                    yield index.oid, CONSTRAINT, 0, index.constraint_comment
            constraints: tuple[Any, ...] = (*relation.checks, *relation.foreign_keys)
            for constraint in constraints:
                if constraint.comment:
                    yield constraint.oid, CONSTRAINT, 0, constraint.comment
    for domain in catalog.domains.values():
        if domain.comment:
            yield domain.oid, TYPE, 0, domain.comment
        for check in domain.checks:
            if check.comment:
                yield check.oid, CONSTRAINT, 0, check.comment
    for group in catalog.functions.values():
        for function in group:
            if function.comment:
                yield function.oid, PROC, 0, function.comment


def pg_description(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_description."""
    for objoid, classoid, sub, text in comments(catalog):
        yield {"objoid": objoid, "classoid": classoid, "objsubid": sub, "description": text}


def pg_shdescription(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_shdescription."""
    for role in catalog.roles.values():
        if role.comment:
            yield {"objoid": role.oid, "classoid": AUTHID, "description": role.comment}
    yield {"objoid": 5, "classoid": 1262, "description": "default administrative connection database"}


def depend(classid: int, objid: int, refclassid: int, refobjid: int, sub: int, kind: str, own_sub: int = 0) -> RowDict:
    """A pg_depend row."""
    return {
        "classid": classid, "objid": objid, "objsubid": own_sub, "refclassid": refclassid, "refobjid": refobjid,
        "refobjsubid": sub, "deptype": kind,
    }  # fmt: skip


def pg_depend(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_depend."""
    for relation in catalog.relations.values():
        if isinstance(relation, Sequence) and relation.owned_by is not None:
            table_oid, attnum = relation.owned_by
            yield depend(CLASS, relation.oid, CLASS, table_oid, attnum, "i" if relation.identity else "a")
        if relation.oid >= 1024:
            yield depend(CLASS, relation.oid, NAMESPACE, schema_oid(catalog, relation.schema), 0, "n")
        if isinstance(relation, Table):
            for index in all_indexes(relation):
                if index.constraint is not None:
                    yield depend(CLASS, index.oid, CONSTRAINT, index.oid, 0, "i")
                    for number in attnums(relation, index.keys):
                        yield depend(CONSTRAINT, index.oid, CLASS, relation.oid, number, "a")
                else:
                    for number in attnums(relation, index.keys):
                        yield depend(CLASS, index.oid, CLASS, relation.oid, number, "a")
            for column in relation.columns:
                if column.default is not None and not column.dropped:
                    oid = default_oid(relation.oid, column.attnum)
                    yield depend(ATTRDEF, oid, CLASS, relation.oid, column.attnum, "a")


def pg_statistic_ext(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_statistic_ext."""
    for item in catalog.statistics.values():
        table = catalog.by_oid.get(item.table_oid)
        if isinstance(table, Table):
            yield {
                "oid": item.oid, "stxrelid": item.table_oid, "stxname": item.name, "stxowner": item.owner_oid,
                "stxnamespace": schema_oid(catalog, item.schema), "stxstattarget": item.target,
                "stxkeys": attnums(table, item.columns), "stxkind": list(item.kinds),
                "stxexprs": ", ".join(item.expressions) or None,
            }  # fmt: skip


def pg_rewrite(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_rewrite."""
    for view in catalog.relations.values():
        if isinstance(view, View):
            yield {
                "oid": 0x80000000 | view.oid << 11 & 0x7FFFFFFF, "rulename": "_RETURN", "ev_class": view.oid, "ev_type": "1",
                "ev_enabled": "O", "is_instead": True, "ev_qual": "<>", "ev_action": view.query,
            }  # fmt: skip


def pg_tablespace(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_tablespace."""
    yield {"oid": 1663, "spcname": "pg_default", "spcowner": 10}
    yield {"oid": 1664, "spcname": "pg_global", "spcowner": 10}


BUILDERS = {
    "pg_namespace": pg_namespace, "pg_class": pg_class, "pg_attribute": pg_attribute, "pg_attrdef": pg_attrdef,
    "pg_index": pg_index, "pg_sequence": pg_sequence, "pg_description": pg_description, "pg_depend": pg_depend,
    "pg_shdescription": pg_shdescription, "pg_statistic_ext": pg_statistic_ext, "pg_rewrite": pg_rewrite,
    "pg_tablespace": pg_tablespace,
}  # fmt: skip
