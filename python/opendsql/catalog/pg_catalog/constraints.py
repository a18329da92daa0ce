"""pg_constraint. A key's oid is its index's: the two catalogs number their rows apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.ddl.dependencies import parse_expression
from opendsql.catalog.ddl.expressions import column_references
from opendsql.catalog.model import Catalog, ForeignKey, Table
from opendsql.catalog.pg_catalog.classes import attnums, schema_oid

RowDict = dict[str, Any]
# pg_operator oids of = for foreign keys between columns of one type.
EQUALITY = {
    20: 410, 21: 94, 23: 96, 25: 98, 1043: 98, 1042: 1054, 1700: 1752, 2950: 2972, 16: 91, 700: 620, 701: 670, 1082: 1093,
    1083: 1108, 1114: 2060, 1184: 1320, 26: 607, 19: 93,
}  # fmt: skip


def foreign_key(catalog: Catalog, table: Table, key: ForeignKey, base: RowDict) -> RowDict:
    """A FOREIGN KEY row."""
    parent = catalog.by_oid.get(key.parent_oid)
    parent_key: tuple[int, ...] = ()
    index_oid = 0
    if isinstance(parent, Table):
        parent_key = attnums(parent, key.parent_columns)
        for index in all_indexes(parent):
            if index.unique and sorted(index.keys) == sorted(key.parent_columns):
                index_oid = index.oid
                break
    operators = [EQUALITY.get(c.type_oid, 0) for name in key.columns if (c := table.column(name)) is not None]
    return base | {
        "oid": key.oid, "conname": key.name, "contype": "f", "condeferrable": key.deferrable,
        "condeferred": key.deferred, "convalidated": key.validated, "conindid": index_oid, "confrelid": key.parent_oid,
        "confupdtype": key.on_update, "confdeltype": key.on_delete, "confmatchtype": key.match,
        "conkey": list(attnums(table, key.columns)), "confkey": list(parent_key), "conpfeqop": operators,
        "conppeqop": operators, "conffeqop": operators,
        "confdelsetcols": list(attnums(table, key.delete_columns)) or None,
    }  # fmt: skip


def pg_constraint(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_constraint."""
    for table in catalog.relations.values():
        if not isinstance(table, Table) or table.oid < 1024:
            continue
        namespace = schema_oid(catalog, table.schema)
        blank = {"confupdtype": " ", "confdeltype": " ", "confmatchtype": " ", "convalidated": True, "conislocal": True}
        base: RowDict = blank | {"connamespace": namespace, "conrelid": table.oid, "connoinherit": True}
        for index in all_indexes(table):
            if index.constraint is not None:
                yield base | {
                    "oid": index.oid, "conname": index.constraint, "contype": "p" if index.primary else "u",
                    "conindid": index.oid, "conkey": list(attnums(table, index.keys)),
                }  # fmt: skip
        for check in table.checks:
            names = tuple(n for n in column_references(parse_expression(check.expression)) if table.column(n) is not None)
            yield base | {
                "oid": check.oid, "conname": check.name, "contype": "c", "convalidated": check.validated,
                "conkey": list(attnums(table, names)), "conbin": check.expression, "connoinherit": check.no_inherit,
            }  # fmt: skip
        for key in table.foreign_keys:
            yield foreign_key(catalog, table, key, base)
    for domain in catalog.domains.values():
        for check in domain.checks:
            yield {
                "oid": check.oid, "conname": check.name, "connamespace": schema_oid(catalog, domain.schema),
                "contype": "c", "convalidated": check.validated, "contypid": domain.oid, "conislocal": True,
                "conbin": check.expression, "confupdtype": " ", "confdeltype": " ", "confmatchtype": " ",
            }  # fmt: skip


BUILDERS = {"pg_constraint": pg_constraint}
