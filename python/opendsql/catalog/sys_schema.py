"""Relations of schema sys that are computed. sys.jobs is stored: it is a table of every Catalog (load.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendsql.catalog.model import Catalog


def iam_pg_role_mappings(catalog: Catalog, session: Any) -> Iterator[dict[str, Any]]:
    """Rows of iam_pg_role_mappings."""
    for mapping in catalog.mappings:
        role, grantor = catalog.by_oid.get(mapping.role_oid), catalog.by_oid.get(mapping.grantor_oid)
        yield {
            "iam_oid": mapping.oid, "arn": mapping.arn, "pg_role_oid": mapping.role_oid,
            "pg_role_name": getattr(role, "name", None), "grantor_pg_role_oid": mapping.grantor_oid,
            "grantor_pg_role_name": getattr(grantor, "name", None),
        }  # fmt: skip


BUILDERS = {"iam_pg_role_mappings": iam_pg_role_mappings}
