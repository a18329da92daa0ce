"""Sizes and statistics.

DSQL is reported not to offer the size functions; how it refuses them nobody has recorded, and psql's \\dt+ asks for them.
So they answer with what the last ANALYZE knows: rows times DSQL's smallest accounted row, 0 when there was none.
"""

from __future__ import annotations

from opendsql.catalog import updatable
from opendsql.catalog.functions.naming import catalog, find_relation
from opendsql.catalog.functions.sys import cluster_size
from opendsql.catalog.model import Index, Sequence, Table, View

ROW_BYTES = 128  # DSQL accounts every row with at least this


def pg_relation_size(oid: str, fork: str = "main") -> str | None:
    """SQL: pg_relation_size(oid, fork)."""
    found = find_relation(oid)
    if isinstance(found, Index):
        found = catalog().by_oid.get(found.table_oid)
    if found is None:
        return None
    return str(int(max(0.0, getattr(found, "row_estimate", 0.0))) * ROW_BYTES)


def pg_indexes_size(oid: str) -> str | None:
    """SQL: pg_indexes_size(oid)."""
    found = find_relation(oid)
    size = pg_relation_size(oid)
    return str(int(size) * len(found.indexes)) if isinstance(found, Table) and size is not None else size


def pg_total_relation_size(oid: str) -> str | None:
    """SQL: pg_total_relation_size(oid)."""
    size, indexes = pg_relation_size(oid), pg_indexes_size(oid)
    return None if size is None or indexes is None else str(int(size) + int(indexes))


def pg_relation_filenode(oid: str) -> str | None:
    """SQL: pg_relation_filenode(oid)."""
    found = find_relation(oid)
    return str(found.oid) if isinstance(found, (Table, Index, Sequence)) else None


def pg_relation_is_updatable(oid: str, with_triggers: str) -> str:
    """SQL: pg_relation_is_updatable(oid, with_triggers)."""
    found = catalog().by_oid.get(int(oid))
    if isinstance(found, View):
        return str(updatable.events(catalog(), found))
    return "28" if isinstance(found, Table) else "0"


def pg_column_is_updatable(oid: str, number: str, with_triggers: str) -> str:
    """SQL: pg_column_is_updatable(oid, number, with_triggers)."""
    found = catalog().by_oid.get(int(oid))
    if isinstance(found, View):
        column = next((c for c in found.columns if c.attnum == int(number)), None)
        if column is None or not updatable.events(catalog(), found):
            return "f"
        return "t" if updatable.base_column(catalog(), found, column.name) is not None else "f"
    return "t" if isinstance(found, Table) and int(number) > 0 else "f"


def pg_indexam_has_property(oid: str, name: str) -> str | None:
    """SQL: pg_indexam_has_property(oid, name)."""
    known = {"can_order": "t", "can_unique": "t", "can_multi_col": "t", "can_exclude": "f", "can_include": "t"}
    return known.get(name.lower())


def pg_index_has_property(oid: str, name: str) -> str | None:
    """SQL: pg_index_has_property(oid, name)."""
    known = {"clusterable": "f", "index_scan": "t", "bitmap_scan": "f", "backward_scan": "t"}
    return known.get(name.lower())


def pg_index_column_has_property(oid: str, number: str, name: str) -> str | None:
    """SQL: pg_index_column_has_property(oid, number, name)."""
    known = {"asc": "t", "desc": "f", "nulls_first": "f", "nulls_last": "t", "orderable": "t", "returnable": "t"}
    known |= {"distance_orderable": "f", "search_array": "t", "search_nulls": "t"}
    return known.get(name.lower())


def zero(*args: str | None) -> str:
    """SQL: zero()."""
    return "0"


FUNCTIONS = {
    "pg_relation_size": pg_relation_size, "pg_table_size": pg_relation_size, "pg_indexes_size": pg_indexes_size,
    "pg_total_relation_size": pg_total_relation_size, "pg_database_size": lambda name: cluster_size(),
    "pg_tablespace_size": lambda name: cluster_size(),
    "pg_relation_filenode": pg_relation_filenode, "pg_relation_is_updatable": pg_relation_is_updatable,
    "pg_column_is_updatable": pg_column_is_updatable, "pg_indexam_has_property": pg_indexam_has_property,
    "pg_index_has_property": pg_index_has_property, "pg_index_column_has_property": pg_index_column_has_property,
    "pg_stat_get_numscans": zero, "pg_stat_get_tuples_inserted": zero,
    "pg_filenode_relation": lambda tablespace, node: node,
}  # fmt: skip
