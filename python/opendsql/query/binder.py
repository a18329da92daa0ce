"""The binder: one object per statement, put together from its mixins, holding what binding a statement accumulates.

binder = Binder(catalog, params=..., statement=..., search_path=...)
query = binder.statement_query()          # Query(plan, columns)

binder.ctes, binder.tables, binder.volatile_rows, binder.names ... are then ready for the planner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from opendsql.catalog.acl import role_name
from opendsql.catalog.model import Catalog, Function, Sequence, Table, View
from opendsql.errors import DsqlError
from opendsql.limits import RELATIONS_MAX
from opendsql.query.bind_cast import CastBinder
from opendsql.query.bind_expr import ExprBinder
from opendsql.query.bind_from import FromBinder
from opendsql.query.bind_function import FunctionBinder
from opendsql.query.bind_group import GroupBinder
from opendsql.query.bind_insert import InsertBinder
from opendsql.query.bind_json import JsonBinder
from opendsql.query.bind_modify import ModifyBinder
from opendsql.query.bind_operator import OperatorBinder
from opendsql.query.bind_query import QueryBinder
from opendsql.query.bind_record import RecordBinder
from opendsql.query.bind_routine import RoutineBinder
from opendsql.query.bind_select import Query, SelectBinder
from opendsql.query.bind_sublink import SublinkBinder
from opendsql.query.bind_view import Through, ViewBinder
from opendsql.query.bind_walk import WalkBinder
from opendsql.query.expr import Const, Expr, SubLink
from opendsql.query.logical import Cte, Names, Node
from opendsql.query.params import Params
from opendsql.query.parse import Statement

N = TypeVar("N", bound=Node)
Q = TypeVar("Q")


class Binder(
    ExprBinder,
    OperatorBinder,
    FunctionBinder,
    JsonBinder,
    RecordBinder,
    RoutineBinder,
    CastBinder,
    SublinkBinder,
    FromBinder,
    GroupBinder,
    SelectBinder,
    QueryBinder,
    WalkBinder,
    InsertBinder,
    ModifyBinder,
    ViewBinder,
):
    """Names and types of one statement."""

    def __init__(
        self,
        catalog: Catalog,
        statement: Statement,
        params: Params | None = None,
        search_path: tuple[str, ...] = ("public",),
        literal_check: Any = None,
    ) -> None:
        self.catalog = catalog
        self.statement = statement
        self.params = params or Params()
        self.search_path = search_path
        self.literal_check = literal_check  # (type oid, text) -> None, raises DsqlError for text the type refuses
        self.names = Names()
        self.ctes: list[Cte] = []
        self.events: dict[tuple[int, str], Any] = {}  # of foreign keys: (table oid, kind) -> foreign_keys.Events
        self.afters: list[Any] = []  # foreign_keys.After
        self.tables: dict[int, Any] = {}  # every stored relation used, by oid
        self.volatile_rows = False  # reads something that depends on more than the catalog version
        self.uses_rows = False  # has catalog rows built in
        self.read_tables: dict[int, Table] = {}  # rel -> table, of every row the statement itself names
        self.read_views: list[tuple[View, str | None]] = []  # with whose rights
        self.called: list[tuple[Function, str | None]] = []  # functions of the database, likewise
        self.acting: str | None = None  # whose rights count for what is being bound; None = the user's
        self.rights: dict[int, str] = {}  # rel -> who reads it, where that is not the user
        self.throughs: list[Through] = []  # views the statement writes through
        self.view_defaults: dict[int, str] = {}  # attnum -> default of a view's column, while its INSERT is bound
        self.given_columns: dict[int, list[str]] = {}  # rel of an INSERT's row -> columns it names
        self.written_rels: set[int] = set()  # the targets among them
        self.locks = False
        self.writes = False
        self.column_types: dict[tuple[int, int], tuple[int, int]] = {}
        self.origins: dict[tuple[int, int], tuple[int, int]] = {}
        self.seen_at: dict[tuple[int, int], int] = {}
        self.sort_keys: dict[tuple[int, int], Expr] = {}  # columns that sort by another one (SEARCH)
        self.settled: dict[int, tuple[Expr, Expr]] = {}
        self.explained: list[Node] = []  # the final plans, for EXPLAIN
        self.subplan_of: dict[SubLink, int] = {}  # and which subplan a sublink became
        self.depth = 0
        self.view_depth = 0
        self.routine_args = None  # list of Expr: of the SQL function whose body is being bound
        self._next_rel = 1

    def statement_query(self) -> Query:
        """Bind the statement: SELECT or DML."""
        if self.statement.kind == "SelectStmt":
            return self.query(self.statement.node, None)
        return self.modify(self.statement.kind, self.statement.node, None)

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def new_rel(self, alias: str, columns: tuple[str, ...] = ()) -> int:
        """A fresh relation number, and what to call it; 54001 when one statement has too many."""
        rel = self._next_rel
        if rel > RELATIONS_MAX:
            raise DsqlError("54001", "stack depth limit exceeded")
        self._next_rel += 1
        self.names.aliases[rel] = alias
        self.names.columns[rel] = columns
        return rel

    def remember(self, node: N) -> N:
        """Note the types of a node's columns; returns the node."""
        for column in node.columns():
            self.column_types[column.id] = (column.type_oid, column.typmod)
        return node

    def position(self, location: int | None) -> int | None:
        """Character position of a byte location in the statement being bound."""
        if self.view_depth:
            return None
        return self.statement.position(location)

    def as_owner(self, item: View | Function, bind: Callable[[], Q]) -> Q:
        """What bind gives, with the rights of a view's or function's owner counting inside."""
        saved, self.acting = self.acting, role_name(self.catalog, item.owner_oid)
        try:
            return bind()
        finally:
            self.acting = saved

    def note_relation(self, relation: Any) -> None:
        """Remember that the plan depends on a relation."""
        if isinstance(relation, Table | View | Sequence):
            self.tables[relation.oid] = relation
            return
        self.uses_rows = True
        if getattr(relation, "volatile", False):
            self.volatile_rows = True

    def note_function(self, name: str, match: Any) -> None:
        """Remember stable and volatile functions (nothing depends on them yet)."""
        del name, match

    def check_literal(self, literal: Const, oid: int) -> None:
        """Refuse a literal its type cannot read, at its position."""
        if self.literal_check is None or literal.text is None:
            return
        try:
            self.literal_check(oid, literal.text)
        except DsqlError as error:
            if error.position is None and literal.location >= 0:
                error.position = self.position(literal.location)
            raise
