"""The functions of schema sys."""

from __future__ import annotations

import base64
import uuid

from opendsql.catalog import datatypes as dt
from opendsql.catalog import jobs
from opendsql.catalog.context import current
from opendsql.catalog.functions.naming import catalog
from opendsql.catalog.model import Domain
from opendsql.catalog.settings import settings_of


def base32_str_to_uuid(text: str) -> str:
    """SQL: base32_str_to_uuid(text)."""
    return str(jobs.job_uuid(text))


def uuid_to_base32_str(text: str) -> str:
    """SQL: uuid_to_base32_str(text)."""
    return base64.b32encode(uuid.UUID(text).bytes).decode().rstrip("=").lower()


def base_type_oid(oid: str) -> str:
    """SQL: base_type_oid(oid)."""
    found = catalog().by_oid.get(int(oid))
    return str(found.type_oid) if isinstance(found, Domain) else oid


def dsql_major_version() -> str:
    """SQL: dsql_major_version()."""
    return "1"


def current_session_id() -> str:
    """SQL: current_session_id()."""
    settings = settings_of(current.session)
    if settings.session_id is None:
        settings.session_id = jobs.new_job_id()
    return settings.session_id


def current_transaction_id() -> str:
    """SQL: current_transaction_id()."""
    session = current.session
    seed = session.snapshot_ts if session is not None else 0
    return uuid_to_base32_str(str(uuid.UUID(int=seed)))


def cluster_size() -> str:
    """Bytes of pages in use."""
    session = current.session
    arena = getattr(getattr(session, "owner", None), "arena", None)
    if arena is None:
        return "0"
    stats = arena.stats()
    return str(stats["pages_used"] * stats["page_size"])


def cluster_size_limit() -> str:
    """SQL: sys.cluster_size_limit()."""
    return str(current.limits.cluster_bytes_max)


def iam_session_user() -> str | None:
    """SQL: iam_session_user()."""
    return settings_of(current.session).session_user


def supported_datatypes() -> list[tuple[str, str]]:
    """(name, supported_in_pushdown) rows."""
    return [(dt.types_by_oid()[oid].name, "t") for oid in sorted(dt.STORABLE)]


FUNCTIONS = {
    "base32_str_to_uuid": base32_str_to_uuid, "uuid_to_base32_str": uuid_to_base32_str, "base_type_oid": base_type_oid,
    "dsql_major_version": dsql_major_version, "current_session_id": current_session_id,
    "current_transaction_id": current_transaction_id, "iam_session_user": iam_session_user,
    "cluster_size": cluster_size, "cluster_size_limit": cluster_size_limit,
}  # fmt: skip
