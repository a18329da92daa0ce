"""Access methods and operator classes: pg_am, pg_opclass, pg_opfamily, pg_amop, pg_amproc.

DSQL names its methods btree_table and btree_index; PostgreSQL's btree is there too, for clients that look for it. One
default operator class per indexable type, with PostgreSQL's oids and names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.model import PG_CATALOG_OID, Catalog

RowDict = dict[str, Any]
BTREE_AM = 403
BTREE_TABLE_AM = 15581
BTREE_INDEX_AM = 15582

# type -> (opclass oid, opfamily oid, name, family name)
OPCLASSES = {
    dt.BOOL: (10003, 424, "bool_ops", "bool_ops"), dt.BPCHAR: (10004, 426, "bpchar_ops", "bpchar_ops"),
    dt.CHAR: (10007, 429, "char_ops", "char_ops"), dt.DATE: (3122, 434, "date_ops", "datetime_ops"),
    dt.FLOAT4: (10012, 1970, "float4_ops", "float_ops"), dt.FLOAT8: (3123, 1970, "float8_ops", "float_ops"),
    dt.INT2: (1979, 1976, "int2_ops", "integer_ops"), dt.INT4: (1978, 1976, "int4_ops", "integer_ops"),
    dt.INT8: (3124, 1976, "int8_ops", "integer_ops"), dt.NAME: (10028, 1994, "name_ops", "text_ops"),
    dt.NUMERIC: (3125, 1988, "numeric_ops", "numeric_ops"), dt.OID: (1981, 1989, "oid_ops", "oid_ops"),
    dt.TEXT: (3126, 1994, "text_ops", "text_ops"), dt.TIME: (10046, 1996, "time_ops", "time_ops"),
    dt.TIMESTAMP: (3128, 434, "timestamp_ops", "datetime_ops"), dt.TIMESTAMPTZ: (3127, 434, "timestamptz_ops", "datetime_ops"),
    dt.UUID: (10065, 2968, "uuid_ops", "uuid_ops"), dt.INTERVAL: (10023, 1982, "interval_ops", "interval_ops"),
    dt.TIMETZ: (10049, 2000, "timetz_ops", "timetz_ops"), dt.BYTEA: (10006, 428, "bytea_ops", "bytea_ops"),
    dt.JSONB: (10094, 4033, "jsonb_ops", "jsonb_ops"),
}  # fmt: skip


def default_opclass(type_oid: int) -> int:
    """The default btree operator class of a type."""
    found = OPCLASSES.get(dt.TEXT if type_oid == dt.VARCHAR else type_oid)
    return found[0] if found else 0


def pg_am(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_am."""
    yield {"oid": BTREE_TABLE_AM, "amname": "btree_table", "amtype": "t"}
    yield {"oid": BTREE_INDEX_AM, "amname": "btree_index", "amtype": "i"}
    yield {"oid": BTREE_AM, "amname": "btree", "amhandler": 330, "amtype": "i"}


def pg_opclass(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_opclass."""
    for type_oid, (oid, family, name, _) in OPCLASSES.items():
        yield {
            "oid": oid, "opcmethod": BTREE_INDEX_AM, "opcname": name, "opcnamespace": PG_CATALOG_OID, "opcowner": 10,
            "opcfamily": family, "opcintype": type_oid, "opcdefault": True,
        }  # fmt: skip


def pg_opfamily(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_opfamily."""
    for family, name in sorted({(entry[1], entry[3]) for entry in OPCLASSES.values()}):
        yield {
            "oid": family, "opfmethod": BTREE_INDEX_AM, "opfname": name, "opfnamespace": PG_CATALOG_OID, "opfowner": 10,
        }  # fmt: skip


BUILDERS = {"pg_am": pg_am, "pg_opclass": pg_opclass, "pg_opfamily": pg_opfamily}
