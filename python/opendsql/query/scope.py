"""Which names an expression may use: relations by alias, columns by name, level by level.

A query level has one Scope. `star` is what an unqualified name or * sees (a JOIN ... USING shows its merged columns
there once), `tables` what a qualified name sees. Lookups that fail go on in the parent: the outer query, or for a
lateral item the part of FROM on its left.

Invariants
  S1  a name found at an inner level hides all outer ones; twice at one level is ambiguous (42702).
  S2  a ScopeColumn's expr is a Col, or an expression over Cols for merged columns of a FULL JOIN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opendsql.errors import DsqlError
from opendsql.query.expr import Expr


@dataclass(frozen=True, slots=True)
class ScopeColumn:
    """A column under the name an expression uses, and where it comes from."""

    name: str
    expr: Expr
    table_oid: int = 0
    attnum: int = 0


@dataclass(slots=True)
class RangeItem:
    """One relation a query level can name."""

    alias: str
    columns: list[ScopeColumn]
    schema: str | None = None  # of a table or view written without an alias
    relation: str | None = None  # its real name, for the hint about aliases
    rel: int = 0
    composite: bool = True  # a bare alias means the whole row (False: a function's scalar)
    table: Any = None  # the Table, for locking clauses and functional dependency
    system: tuple[ScopeColumn, ...] = ()

    def find(self, name: str) -> list[ScopeColumn]:
        """Its columns of that name."""
        return [c for c in self.columns if c.name == name]


@dataclass(slots=True)
class Scope:
    """The names of one query level."""

    parent: Scope | None = None
    star: list[ScopeColumn] = field(default_factory=list)
    tables: list[RangeItem] = field(default_factory=list)
    ctes: dict[str, Any] = field(default_factory=dict)
    clause: str = ""  # words of the clause being bound, for error texts
    level: Any = None  # the QueryLevel that collects aggregates and windows
    order: dict[str, int] = field(default_factory=dict)  # the WITH queries of this level, known or to come, by place
    place: int = 0  # those of a lower place are known here
    barred: list[tuple[str, str]] = field(default_factory=list)  # (alias, reason) present but not usable here

    def column(self, name: str, position: int | None) -> ScopeColumn | None:
        """The column an unqualified name means, or None."""
        scope: Scope | None = self
        while scope is not None:
            found = [c for c in scope.star if c.name == name]
            if len(found) > 1:
                raise DsqlError("42702", f'column reference "{name}" is ambiguous', position=position)
            if found:
                return found[0]
            scope = scope.parent
        return None

    def table(self, name: str, schema: str | None, position: int | None = None) -> RangeItem | None:
        """The range item an alias (or schema.table) means, or None."""
        scope: Scope | None = self
        while scope is not None:
            found = [t for t in scope.tables if t.alias == name and (schema is None or t.schema == schema)]
            if len(found) > 1:
                raise DsqlError("42P09", f'table reference "{name}" is ambiguous', position=position)
            if found:
                return found[0]
            scope = scope.parent
        return None

    def cte(self, name: str) -> Any:
        """The WITH query of that name, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes and scope.order.get(name, -1) < scope.place:
                return scope.ctes[name]
            scope = scope.parent
        return None

    def is_future(self, name: str) -> bool:
        """Whether a WITH query of that name comes later."""
        scope: Scope | None = self
        while scope is not None:
            if scope.order.get(name, -1) >= scope.place:
                return True
            scope = scope.parent
        return False

    def all_tables(self) -> list[RangeItem]:
        """Every range item, inner levels first."""
        found = []
        scope: Scope | None = self
        while scope is not None:
            found.extend(scope.tables)
            scope = scope.parent
        return found

    def missing_column(self, name: str, qualifier: str | None, position: int | None) -> DsqlError:
        """42703 with PostgreSQL's hint about a similar name."""
        shown = f"{qualifier}.{name}" if qualifier else f'"{name}"'
        return DsqlError(
            "42703", f"column {shown} does not exist", hint=self._similar(name, qualifier), position=position
        )

    def missing_table(self, name: str, schema: str | None, position: int | None) -> DsqlError:
        """42P01 for a qualifier that names nothing in FROM."""
        shown = f"{schema}.{name}" if schema else name
        for item in self.all_tables():
            if item.relation == name and item.alias != name and schema in (None, item.schema):
                return DsqlError(
                    "42P01",
                    f'invalid reference to FROM-clause entry for table "{shown}"',
                    hint=f'Perhaps you meant to reference the table alias "{item.alias}".',
                    position=position,
                )
        for alias, detail in self._all_barred():
            if alias == name:
                return DsqlError(
                    "42P01",
                    f'invalid reference to FROM-clause entry for table "{shown}"',
                    detail=f'There is an entry for table "{name}", but it cannot be referenced from this part of the query.',
                    hint=detail or None,
                    position=position,
                )
        return DsqlError("42P01", f'missing FROM-clause entry for table "{shown}"', position=position)

    def _all_barred(self) -> list[tuple[str, str]]:
        found = []
        scope: Scope | None = self
        while scope is not None:
            found.extend(scope.barred)
            scope = scope.parent
        return found

    def _similar(self, name: str, qualifier: str | None) -> str | None:
        best: list[tuple[str, str]] = []
        least = 4
        for item in self.all_tables():
            extra = 0 if qualifier is None or qualifier == item.alias else _distance(qualifier, item.alias)
            if extra > 3:
                continue
            for column in item.columns:
                if not column.name:
                    continue
                distance = _distance(name, column.name)
                if distance > len(name) // 2:
                    continue
                distance += extra
                if distance < least:
                    best, least = [(item.alias, column.name)], distance
                elif distance == least and best:
                    best.append((item.alias, column.name))
        if not best or len(best) > 2:
            return None
        if len(best) == 2:
            (a, b), (c, d) = best
            return f'Perhaps you meant to reference the column "{a}.{b}" or the column "{c}.{d}".'
        return f'Perhaps you meant to reference the column "{best[0][0]}.{best[0][1]}".'


def _distance(left: str, right: str) -> int:
    """Levenshtein distance."""
    if left == right:
        return 0
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
