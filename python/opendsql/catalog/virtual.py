"""Relations that are computed from the Catalog instead of stored: pg_catalog, information_schema and most of sys.

    relation = find("pg_catalog", "pg_class")             # None: no such virtual relation
    relation.columns                                      # ((name, type_oid), ...)
    relation.rows(catalog, session)                       # [(text | None, ...), ...]

schema None searches pg_catalog only (as the implicit head of every search path). `volatile` relations depend on more
than the catalog version (settings, activity): a plan over them must not be cached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opendsql.catalog.model import Catalog

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class VirtualRelation:
    """One virtual relation; rows are made when asked for."""

    oid: int
    schema: str
    name: str
    columns: tuple[tuple[str, int], ...]
    build: Callable[[Catalog, Any], list[Row]]
    volatile: bool = False
    kind: str = "r"

    def rows(self, catalog: Catalog, session: Any = None) -> list[Row]:
        """All rows, values in text form."""
        return self.build(catalog, session)


def find(schema: str | None, name: str) -> VirtualRelation | None:
    """The virtual relation of that name, or None."""
    return None
