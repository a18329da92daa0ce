"""Functions and types PostgreSQL has and DSQL refuses by name.

    refuse_function(name)      0A000 `function <name> not supported`, or the type's refusal for a constructor of one
    REFUSED_TYPES              types there are no values of, not even in expressions

Recorded are the advisory locks and the network functions; the others follow their pattern (guess: function). Sizes are
reported unavailable (sys.cluster_size() is there); files, replication, large objects and NOTIFY have nothing to work on.
"""

from __future__ import annotations

from opendsql.errors import DsqlError
from opendsql.guesses import says

_LOCKS = {
    prefix + name + suffix
    for prefix, names in (("pg_advisory_", ("lock", "xact_lock", "unlock")), ("pg_try_advisory_", ("lock", "xact_lock")))
    for name in names
    for suffix in ("", "_shared")
} | {"pg_advisory_unlock_all"}
_OTHERS = """
inet_server_addr inet_server_port pg_notify pg_listening_channels pg_notification_queue_usage pg_export_snapshot
pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size
pg_read_file pg_read_binary_file pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir pg_ls_archive_statusdir
pg_reload_conf pg_rotate_logfile pg_promote pg_switch_wal pg_create_restore_point pg_backup_start pg_backup_stop
pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
pg_wal_replay_pause pg_wal_replay_resume pg_walfile_name pg_create_physical_replication_slot
pg_create_logical_replication_slot pg_drop_replication_slot pg_logical_emit_message pg_logical_slot_get_changes
pg_logical_slot_peek_changes pg_replication_origin_create pg_replication_origin_drop pg_stat_reset
pg_log_backend_memory_contexts lo_create lo_creat lo_open lo_close lo_unlink lo_import lo_export lo_get lo_put
lo_from_bytea loread lowrite query_to_xml table_to_xml database_to_xml schema_to_xml cursor_to_xml xpath xmlcomment
"""
_FUNCTIONS = frozenset(_LOCKS | set(_OTHERS.split()))
# Constructors of geometric types: the type is what is refused.
_CONSTRUCTORS = frozenset("point line lseg box path polygon circle".split())
# Oid: money, xml, bit, varbit, point, lseg, path, box, polygon, line, circle, cidr, macaddr, macaddr8, pg_lsn, tsvector, tsquery.
REFUSED_TYPES = frozenset((790, 142, 1560, 1562, 600, 601, 602, 603, 604, 628, 718, 650, 829, 774, 3220, 3614, 3615))
# Text search knows the configuration `simple` only; without one, PostgreSQL's default is meant.
TEXT_SEARCH = {
    "to_tsvector": "tsvector", "to_tsquery": "tsquery", "plainto_tsquery": "tsquery", "phraseto_tsquery": "tsquery",
    "websearch_to_tsquery": "tsquery", "ts_headline": "tsquery",
}  # fmt: skip
TEXT_SEARCH_DEFAULT = "english"


def refused_type(display: str) -> DsqlError:
    """The refusal of a type in an expression."""
    return DsqlError("0A000", says("type_in_expression", type=display))


def refuse_function(name: str) -> None:
    """Raises the refusal of a function DSQL does not have, whatever its arguments."""
    if name in _FUNCTIONS:
        raise DsqlError("0A000", says("function", name=name))
    if name in _CONSTRUCTORS:
        raise refused_type(name)


def refuse_text_search(name: str, configuration: str | None) -> None:
    """Raises 42704 for a text search function in a configuration that is not there (None = not a constant)."""
    if configuration is not None and configuration.removeprefix("pg_catalog.") != "simple":
        raise DsqlError("42704", f'text search configuration "{configuration}" does not exist')
    raise refused_type(TEXT_SEARCH[name])
