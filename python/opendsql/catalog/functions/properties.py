"""What relations and indexes can do, and statistics counters: pg_..._is_updatable, pg_index..._has_property."""

from __future__ import annotations

from opendsql.catalog import updatable
from opendsql.catalog.functions.naming import catalog, find_relation
from opendsql.catalog.model import Index, Sequence, Table, View


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
    "pg_relation_filenode": pg_relation_filenode, "pg_relation_is_updatable": pg_relation_is_updatable,
    "pg_column_is_updatable": pg_column_is_updatable, "pg_indexam_has_property": pg_indexam_has_property,
    "pg_index_has_property": pg_index_has_property, "pg_index_column_has_property": pg_index_column_has_property,
    "pg_stat_get_numscans": zero, "pg_stat_get_tuples_inserted": zero,
    "pg_filenode_relation": lambda tablespace, node: node,
}  # fmt: skip
