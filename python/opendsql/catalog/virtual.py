"""Relations that are computed from the Catalog instead of stored: pg_catalog, information_schema and most of sys.

    relation = find("pg_catalog", "pg_class")             # None: no such virtual relation
    relation.columns                                      # ((name, type_oid), ...)
    relation.rows(catalog, session)                       # [(text | None, ...), ...]

schema None searches pg_catalog only (as the implicit head of every search path). `volatile` relations depend on more
than the catalog version (settings, activity): a plan over them must not be cached. Names and column types come from a
list of PostgreSQL 16's relations (pg_catalog/relations.txt); rows from the builders registered here by their modules;
a relation without a builder is empty, as it is in DSQL.

Invariant V1: every relation of PostgreSQL 16's pg_catalog and information_schema can be found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from opendsql.catalog.model import Catalog

Row = tuple[str | None, ...]
# A builder gives dicts of the columns it knows, or finished rows (frozen).
Builder = Callable[[Catalog, Any], Iterable[dict[str, Any] | Row]]


class Fact(NamedTuple):
    """A column of a system relation."""

    name: str
    type_oid: int
    not_null: bool


@dataclass(frozen=True, slots=True)
class VirtualRelation:
    """One virtual relation; rows are made when asked for."""

    oid: int
    schema: str
    name: str
    columns: tuple[tuple[str, int], ...]
    facts: tuple[Fact, ...]
    kind: str = "r"
    volatile: bool = False

    def rows(self, catalog: Catalog, session: Any = None) -> list[Row]:
        """All rows, values in text form."""
        builder = builders().get((self.schema, self.name))
        if builder is None:
            return []
        return [v if isinstance(v, tuple) else self.finish(v) for v in builder(catalog, session)]

    def finish(self, values: dict[str, Any]) -> Row:
        """A row from the columns a builder knows."""
        return tuple([text(values[f.name]) if f.name in values else blank(f) for f in self.facts])


def text(value: Any) -> str | None:
    """A Python value as the text of its column: bools t/f, tuples as vectors, lists as arrays."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, list):
        return "{" + ",".join(element(item) for item in value) + "}"
    return str(value)


def element(value: Any) -> str:
    """One array element."""
    if value is None:
        return "NULL"
    shown = text(value) or ""
    if shown == "" or any(c in shown for c in '{}",\\ \t\n') or shown.upper() == "NULL":
        return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return shown


@cache
def frozen(name: str, producer: Callable[[], Iterable[dict[str, Any]]], schema: str = "pg_catalog") -> tuple[Row, ...]:
    """Finished rows of a relation that never change, made once."""
    relation = relations()[(schema, name)]
    return tuple(relation.finish(values) for values in producer())


_BLANKS = {16: "f", 18: "", 19: "", 25: "", 22: "", 30: ""}


def blank(fact: Fact) -> str | None:
    """What a column holds when its builder does not say."""
    if not fact.not_null:
        return None
    if fact.type_oid in (1005, 1009, 1028, 1002):
        return "{}"
    return _BLANKS.get(fact.type_oid, "0")


@cache
def relations() -> dict[tuple[str, str], VirtualRelation]:
    """Every virtual relation by (schema, name)."""
    found = {}
    listing = resources.files("opendsql.catalog.pg_catalog").joinpath("relations.txt").read_text()
    for line in listing.splitlines():
        if line.startswith("#"):
            continue
        schema, name, kind, oid, *columns = line.split(" ")
        facts = []
        for column in columns:
            column_name, type_text = column.rsplit(":", 1)
            facts.append(Fact(column_name, int(type_text.rstrip("!")), type_text.endswith("!")))
        found[(schema, name)] = VirtualRelation(
            int(oid),
            schema,
            name,
            tuple((fact.name, fact.type_oid) for fact in facts),
            tuple(facts),
            kind,
            volatile=name in VOLATILE,
        )
    return found


# Rows depend on the session or the moment, not only on the catalog version.
VOLATILE = frozenset(
    ("pg_settings", "pg_stat_activity", "pg_timezone_names", "pg_timezone_abbrevs", "pg_sequences", "pg_locks", "pg_prepared_statements",
     "pg_stat_ssl", "pg_cursors", "information_schema_catalog_name", "enabled_roles", "applicable_roles")
)  # fmt: skip


@cache
def builders() -> dict[tuple[str, str], Builder]:
    """Builders of rows by (schema, name)."""
    from opendsql.catalog import information_schema, sys_schema
    from opendsql.catalog.pg_catalog import access, classes, constraints, roles, system_views, types

    table: dict[tuple[str, str], Builder] = {}
    for module in (access, classes, constraints, roles, system_views, types):
        table.update({("pg_catalog", name): builder for name, builder in module.BUILDERS.items()})
    table.update({("information_schema", name): b for name, b in information_schema.BUILDERS.items()})
    table.update({("sys", name): builder for name, builder in sys_schema.BUILDERS.items()})
    return table


def find(schema: str | None, name: str) -> VirtualRelation | None:
    """The virtual relation of that name, or None."""
    return relations().get((schema or "pg_catalog", name))


def by_oid(oid: int) -> VirtualRelation | None:
    """The virtual relation of an oid."""
    return _oids().get(oid)


@cache
def _oids() -> dict[int, VirtualRelation]:
    return {relation.oid: relation for relation in relations().values()}
