"""INSERT, UPDATE and DELETE through views: the write goes to the table below, under the view's names.

A Through says how a view's columns read over a row of the base table, which of them can be written, and under which
conditions a row belongs to the view. The binder of a write takes names from it instead of from the table.

Invariants
  W1  `scan` is never part of a plan of INSERT: its columns only spell the view's columns (row() puts another rel in).
  W2  rows outside the view are not reached by UPDATE and DELETE; INSERT may make them (no CHECK OPTION).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from opendsql.catalog import updatable
from opendsql.catalog.model import Column, Table, View
from opendsql.errors import DsqlError
from opendsql.query.expr import Col, Expr, substitute
from opendsql.query.logical import Filter, Project, Scan, Sort
from opendsql.query.parts import Part
from opendsql.query.scope import ScopeColumn

_WORDS = {"INSERT": "insert into", "UPDATE": "update", "DELETE": "delete from"}
_HINTS = {
    "INSERT": "To enable inserting into the view, provide an INSTEAD OF INSERT trigger or an unconditional "
    "ON INSERT DO INSTEAD rule.",
    "UPDATE": "To enable updating the view, provide an INSTEAD OF UPDATE trigger or an unconditional "
    "ON UPDATE DO INSTEAD rule.",
    "DELETE": "To enable deleting from the view, provide an INSTEAD OF DELETE trigger or an unconditional "
    "ON DELETE DO INSTEAD rule.",
}


@dataclass(slots=True)
class Through:
    """A view as the target of a write. views: outermost first."""

    verb: str
    views: list[View]
    scan: Scan
    columns: list[ScopeColumn]
    conds: tuple[Expr, ...]
    catalog: Any
    written: list[list[str]] = field(default_factory=list)  # per view: its columns the statement writes
    reads: bool = False  # the statement looks at rows of the view

    @property
    def view(self) -> View:
        """The view the statement names."""
        return self.views[0]

    def base_name(self, name: str, position: int | None) -> str:
        """The table's column behind a view's column that is to be written."""
        for level, view in enumerate(self.views):
            if all(c.name != name for c in view.columns):
                raise DsqlError("42703", f'column "{name}" of relation "{view.name}" does not exist', position=position)
            column = updatable.column_of(self.catalog, view, name)
            if column is None:
                words = "insert into" if self.verb == "INSERT" else "update"
                raise DsqlError(
                    "0A000",
                    f'cannot {words} column "{name}" of view "{view.name}"',
                    detail="View columns that are not columns of their base relation are not updatable.",
                )
            self.written[level].append(name)
            name = column.name
        return name

    def row(self, rel: int) -> list[ScopeColumn]:
        """The view's columns over a row of the table known as rel."""
        values: dict[Any, Expr] = {
            c.id: Col(c.type_oid, rel, c.col, typmod=c.typmod) for c in (*self.scan.row(), self.scan.key())
        }
        return [replace(c, expr=substitute(c.expr, values)) for c in self.columns]

    def defaults(self) -> dict[int, str]:
        """Defaults ALTER VIEW gave: attnum of the table's column -> expression text; the outermost view's counts."""
        found: dict[int, str] = {}
        for view in reversed(self.views):
            for column in view.columns:
                below = updatable.base_column(self.catalog, view, column.name) if column.default is not None else None
                if below is not None and column.default is not None:
                    found[below.attnum] = column.default
        return found


class ViewBinder(Part):
    """Mixin of Binder."""

    def through_view(self, view: View, verb: str, item: dict[str, Any]) -> Through:
        """A view as a target; 55000 with PostgreSQL's DETAIL when it is not one."""
        views: list[View] = []
        below: Table | View | None = view
        while isinstance(below, View):
            reason = updatable.refusal(self.catalog, below)
            if reason is not None:
                raise DsqlError(
                    "55000", f'cannot {_WORDS[verb]} view "{below.name}"', detail=reason, hint=_HINTS[verb]
                )
            views.append(below)
            self.note_relation(below)
            below = updatable.base_of(self.catalog, below)
        query = self.as_owner(view, lambda: self.stored_query(view.query))
        plan, columns = query.plan, [replace(c, name=v.name) for c, v in zip(query.columns, view.columns, strict=True)]
        conds: tuple[Expr, ...] = ()
        while not isinstance(plan, Scan):
            if isinstance(plan, Project):
                values = {c.id: e for c, e in zip(plan.columns(), plan.exprs_, strict=True)}
                columns = [replace(c, expr=substitute(c.expr, values)) for c in columns]
                conds = tuple(substitute(e, values) for e in conds)
            elif isinstance(plan, Filter):
                conds = (*conds, *plan.conds)
            elif not isinstance(plan, Sort):
                raise DsqlError("55000", f'cannot {_WORDS[verb]} view "{view.name}"', hint=_HINTS[verb])
            plan = plan.input
        self.read_views[:] = [entry for entry in self.read_views if entry[0] not in views]
        self.read_tables.pop(plan.rel, None)  # whether it may be read depends on the statement: see `reads`
        through = Through(verb, views, plan, columns, (*conds, *plan.conds), self.catalog, [[] for _ in views])
        through.reads = any(k in item for k in ("whereClause", "returningList", "onConflictClause"))
        self.throughs.append(through)
        return through

    def written_column(self, table: Table, name: str, through: Through | None, position: int | None) -> Column:
        """The table's column that an assignment to `name` means; 42703 when there is none."""
        column = table.column(through.base_name(name, position) if through is not None else name)
        if column is None:
            raise DsqlError("42703", f'column "{name}" of relation "{table.name}" does not exist', position=position)
        return column
