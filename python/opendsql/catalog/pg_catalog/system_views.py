"""The system views: over tables, indexes, views and sequences, settings, activity, time zones."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opendsql.catalog import store, virtual
from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.model import Catalog, Sequence, Table, View
from opendsql.catalog.pg_catalog.definitions import index_definition, view_definition
from opendsql.catalog.pg_catalog.roles import DATABASE_OID
from opendsql.catalog.settings import settings_of
from opendsql.catalog.settings_table import SETTINGS

RowDict = dict[str, Any]


def owner(catalog: Catalog, oid: int) -> str:
    """A role's name."""
    return getattr(catalog.by_oid.get(oid), "name", "admin")


def pg_tables(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_tables."""
    for relation in catalog.relations.values():
        if isinstance(relation, Table):
            yield {
                "schemaname": relation.schema, "tablename": relation.name, "tableowner": owner(catalog, relation.owner_oid),
                "hasindexes": bool(all_indexes(relation)), "hasrules": False, "hastriggers": bool(relation.foreign_keys),
                "rowsecurity": False,
            }  # fmt: skip
    for computed in virtual.relations().values():
        if computed.kind == "r":
            yield {
                "schemaname": computed.schema, "tablename": computed.name, "tableowner": "admin", "hasindexes": False,
                "hasrules": False, "hastriggers": False, "rowsecurity": False,
            }  # fmt: skip


def pg_views(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_views."""
    path = settings_of(session).search_path
    for relation in catalog.relations.values():
        if isinstance(relation, View):
            yield {
                "schemaname": relation.schema, "viewname": relation.name, "viewowner": owner(catalog, relation.owner_oid),
                "definition": view_definition(catalog, relation, path),
            }  # fmt: skip
    for computed in virtual.relations().values():
        if computed.kind == "v":
            yield {"schemaname": computed.schema, "viewname": computed.name, "viewowner": "admin", "definition": ""}


def pg_indexes(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_indexes."""
    for relation in catalog.relations.values():
        if isinstance(relation, Table):
            for index in all_indexes(relation):
                yield {
                    "schemaname": relation.schema, "tablename": relation.name, "indexname": index.name,
                    "indexdef": index_definition(relation, index),
                }  # fmt: skip


def sequence_value(session: Any, oid: int) -> int | None:
    """The last value a sequence gave out, None before its first."""
    if session is None:
        return None
    image = session.get(store.SEQUENCE_TREE, store.row_key(store.INT8, oid))
    if image is None:
        return None
    _, last_value, is_called, _ = store.decode_row(store.SEQUENCE_TYPES, image)
    return last_value if is_called else None


def pg_sequences(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_sequences."""
    for s in catalog.relations.values():
        if isinstance(s, Sequence):
            yield {
                "schemaname": s.schema, "sequencename": s.name, "sequenceowner": owner(catalog, s.owner_oid),
                "data_type": 20, "start_value": s.start, "min_value": s.minimum, "max_value": s.maximum,
                "increment_by": s.increment, "cycle": s.cycle, "cache_size": s.cache,
                "last_value": sequence_value(session, s.oid),
            }  # fmt: skip


def pg_settings(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_settings."""
    settings = settings_of(session)
    for setting in sorted(SETTINGS.values(), key=lambda s: s.name.lower()):
        value = settings.get(setting.name)
        changed = value != setting.default
        yield {
            "name": setting.name, "setting": value, "category": setting.category, "short_desc": setting.description,
            "context": "user" if setting.settable else "internal", "vartype": setting.kind,
            "source": "session" if changed else "default", "boot_val": setting.default, "reset_val": setting.default,
            "pending_restart": False,
        }  # fmt: skip


def pg_timezone_names(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_timezone_names."""
    now = datetime.now(UTC)
    for name in sorted(zoneinfo.available_timezones()):
        try:
            local = now.astimezone(zoneinfo.ZoneInfo(name))
        except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
            continue
        offset, dst = local.utcoffset(), local.dst()
        seconds = int(offset.total_seconds()) if offset is not None else 0
        sign = "-" if seconds < 0 else ""
        shown = f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) // 60 % 60:02d}:{abs(seconds) % 60:02d}"
        yield {"name": name, "abbrev": local.tzname(), "utc_offset": shown, "is_dst": bool(dst)}




def user_tables(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of user_tables."""
    for t in catalog.relations.values():
        if isinstance(t, Table) and t.oid >= 1024:
            yield {
                "relid": t.oid, "schemaname": t.schema, "relname": t.name, "seq_scan": 0, "seq_tup_read": 0,
                "n_tup_ins": 0, "n_tup_upd": 0, "n_tup_del": 0, "n_live_tup": max(0, int(t.row_estimate)), "n_dead_tup": 0,
            }  # fmt: skip


def user_indexes(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of user_indexes."""
    for table in catalog.relations.values():
        if isinstance(table, Table) and table.oid >= 1024:
            for index in all_indexes(table):
                yield {
                    "relid": table.oid, "indexrelid": index.oid, "schemaname": table.schema, "relname": table.name,
                    "indexrelname": index.name, "idx_scan": 0, "idx_tup_read": 0, "idx_tup_fetch": 0,
                }  # fmt: skip


def pg_stat_database(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_stat_database."""
    yield {"datid": DATABASE_OID, "datname": "postgres", "numbackends": 0}


BUILDERS = {
    "pg_tables": pg_tables, "pg_views": pg_views, "pg_indexes": pg_indexes, "pg_sequences": pg_sequences,
    "pg_settings": pg_settings, "pg_timezone_names": pg_timezone_names, "pg_stat_user_tables": user_tables,
    "pg_stat_all_tables": user_tables, "pg_stat_user_indexes": user_indexes, "pg_stat_all_indexes": user_indexes,
    "pg_stat_database": pg_stat_database,
}  # fmt: skip
