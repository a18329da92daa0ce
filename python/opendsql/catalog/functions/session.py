"""Who and where: version, database, users, settings, transaction ids, the connection."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from opendsql.catalog.context import current
from opendsql.catalog.settings import apply_format, in_transaction, settings_of
from opendsql.errors import DsqlError

STARTED = datetime.now(UTC)


def version() -> str:
    """SQL: version()."""
    return "PostgreSQL 16"


def current_database() -> str:
    """SQL: current_database()."""
    return "postgres"


def current_user() -> str:
    """SQL: current_user()."""
    return current.user


def session_user() -> str:
    """SQL: session_user()."""
    return settings_of(current.session).session_user


def utf8() -> str:
    """SQL: utf8()."""
    return "UTF8"


def current_setting(name: str, missing_ok: str = "f") -> str | None:
    """SQL: current_setting(name, missing_ok)."""
    try:
        return settings_of(current.session).get(name)
    except DsqlError:
        if missing_ok in ("t", "true"):
            return None
        raise


def set_config(name: str | None, value: str | None, is_local: str | None) -> str:
    """SQL: set_config(name, value, is_local)."""
    if name is None:
        raise DsqlError("22004", "SET requires parameter name")
    settings = settings_of(current.session)
    local = is_local in ("t", "true")
    if local and not in_transaction(current.session):
        return settings.get(name) if value is None else settings.set(name, value, True, False)
    shown = settings.set(name, value, local, in_transaction(current.session))
    if current.session is not None:
        apply_format(current.session, settings)
    return shown


def pg_backend_pid() -> str:
    """SQL: pg_backend_pid()."""
    connection = settings_of(current.session).connection
    return str(getattr(connection, "backend_pid", None) or os.getpid())


def started() -> str:
    """SQL: started()."""
    return f"{STARTED:%Y-%m-%d %H:%M:%S.%f}+00"


def false(*args: str | None) -> str:
    """SQL: false()."""
    return "f"


def zero(*args: str | None) -> str:
    """SQL: zero()."""
    return "0"


def nothing(*args: str | None) -> None:
    """SQL: nothing()."""
    return


def empty_array(*args: str | None) -> str:
    """SQL: empty_array()."""
    return "{}"


def transaction_id() -> str:
    """A number that grows with every transaction: the snapshot's timestamp without its counter's reach."""
    session = current.session
    return str(session.snapshot_ts >> 12) if session is not None else "1"


FUNCTIONS = {
    "version": version, "current_database": current_database, "current_user": current_user,
    "session_user": session_user, "pg_client_encoding": utf8, "getdatabaseencoding": utf8,
    "current_setting": current_setting, "set_config": set_config, "pg_backend_pid": pg_backend_pid,
    "pg_postmaster_start_time": started, "pg_conf_load_time": started, "pg_is_in_recovery": false,
    "pg_is_other_temp_schema": false, "pg_my_temp_schema": zero, "pg_trigger_depth": zero,
    # guess: other_backends
    "row_security_active": false, "pg_cancel_backend": false, "pg_terminate_backend": false,
    "pg_blocking_pids": empty_array, "txid_current": transaction_id, "txid_current_if_assigned": transaction_id,
    "pg_current_xact_id": transaction_id, "pg_current_xact_id_if_assigned": transaction_id,
    "inet_client_addr": nothing, "inet_client_port": nothing, "current_query": nothing,
    "pg_tablespace_location": nothing, "pg_collation_for": nothing,
}  # fmt: skip
