"""The planner: what the gateway calls on a plan-cache miss.

    planner = Planner(catalog_provider)
    planned = planner.plan(request)           # Planned, or DsqlError

plan(): parse -> gate -> bind -> rules -> emit -> Program.compile. Literals lifted by the gateway's normaliser are planned
as parameters first; whenever that fails, for whatever reason, the original text is planned instead (exact positions,
constants where the grammar wants them) and the plan is keyed by text.

Statements that are not planned (DDL, SET, SHOW, CALL, EXPLAIN ...) become a callable run on the Python thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog import versions
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError
from opendsql.query import catalog_hooks, gate, utility
from opendsql.query.bind_select import Query
from opendsql.query.binder import Binder
from opendsql.query.emit import Emitter
from opendsql.query.expr import JSONPATH, TEXT, Expr
from opendsql.query.foreign_keys import After, plan_foreign_keys
from opendsql.query.logical import Delete, Insert, Node, Project, Update
from opendsql.query.outdated import outdated_first
from opendsql.query.params import NeedsOriginal, Params
from opendsql.query.parse import Statement, parse
from opendsql.query.privileges import check_privileges
from opendsql.query.rules import RULES
from opendsql.query.rules.rule import Context
from opendsql.registry import jsonpath
from opendsql.registry.resolve import REG_TYPES

Column = tuple[str, int, int, int, int]  # name, type oid, typmod, table oid, attnum


@dataclass(slots=True)
class Planned:
    """How a statement is executed, and what the client is told about it.

    Exactly one of program, python and copy is set (none for an empty statement). ir is what program was compiled from.
    """

    program: Any = None
    python: Callable[..., Any] | None = None
    columns: list[Column] = field(default_factory=list)
    param_oids: list[int] = field(default_factory=list)  # all, lifted ones included
    key_by_text: bool = False
    cacheable: bool = True
    tag: str = ""
    kind: str = ""  # parse node name
    writes: bool = False
    copy: Any = None
    ir: dict[str, Any] | None = None
    tables: tuple[int, ...] = ()


class Planner:
    """Plans statements against the catalog of the session that asks."""

    def __init__(
        self,
        catalog_provider: Callable[[Any], Any],
        *,
        compile_program: Callable[[dict[str, Any]], Any] | None = None,
        literal_check: Callable[[int, str], None] | None = None,
    ) -> None:
        # catalog_provider(session) -> Catalog at the session's snapshot
        self.catalog_provider = catalog_provider
        self.compile_program = compile_program if compile_program is not None else default_compiler()
        self.compiles_with_session = compile_program is None
        self.literal_check = literal_check if literal_check is not None else default_literal_check()
        catalog_hooks.install(self)

    def plan(self, request: Any) -> Planned:
        """The plan of one request (see the PlanRequest contract); raises DsqlError."""
        literals = list(getattr(request, "literals", None) or ())
        if literals:
            try:
                return self._plan_text(request.normalized, request, lifted=[kind for kind, _ in literals])
            except (DsqlError, NeedsOriginal):
                pass
        planned = self._plan_text(request.text, request, lifted=())
        planned.key_by_text = bool(literals)
        return planned

    def _plan_text(self, text: str, request: Any, lifted: Any) -> Planned:
        statements = parse(text)
        if not statements:
            return Planned(program=self.compile_program(empty_program()), ir=empty_program())
        if len(statements) > 1:
            raise DsqlError("42601", "cannot insert multiple commands into a prepared statement")
        return self.plan_statement(statements[0], request, lifted)

    def plan_statement(self, statement: Statement, request: Any, lifted: Any = ()) -> Planned:
        """The plan of one parsed statement."""
        gate.check_statement(statement)
        if lifted:
            return self._plan_parsed(statement, request, lifted)
        with outdated_first(getattr(request, "session", None), statement.node):
            return self._plan_parsed(statement, request, lifted)

    def _plan_parsed(self, statement: Statement, request: Any, lifted: Any) -> Planned:
        declared = list(getattr(request, "param_oids", None) or ())
        if statement.kind not in gate.PLANNED:
            if lifted:
                raise NeedsOriginal
            planned = utility.plan(self, statement, request)
            planned.kind = statement.kind
            return planned
        session = getattr(request, "session", None)
        params = Params(declared)
        if lifted:
            params.lift(self._first_lifted(request, len(declared)), lifted)
        ir, binder = self.program_ir(statement, session, params)
        return Planned(
            program=self.compile(ir, session),
            columns=ir["columns"],
            param_oids=ir["params"],
            cacheable=not binder.volatile_rows,
            tag=ir["tag"],
            kind=statement.kind,
            writes=ir["writes"],
            ir=ir,
            tables=tuple(ir["tables"]),
        )

    def _first_lifted(self, request: Any, declared: int) -> int:
        """Index of the first lifted parameter: the literals are the last ones."""
        highest = highest_param(request.normalized)
        return max(highest - len(request.literals), declared)

    def compile(self, ir: dict[str, Any], session: Any = None) -> Any:
        """The compiled program, its constants read with the session's settings; what the core cannot do yet is an 0A000."""
        try:
            if session is not None and self.compiles_with_session:
                return self.compile_program(ir, session)  # type: ignore[call-arg]
            return self.compile_program(ir)
        except LookupError as error:
            raise DsqlError("0A000", f"not supported yet: {error.args[0] if error.args else error}") from error
        except NotImplementedError as error:
            raise DsqlError("0A000", f"not supported yet: {error}") from error

    # -- SELECT and DML ------------------------------------------------------------------------------------------

    def bind(self, statement: Statement, session: Any, params: Params) -> tuple[Binder, Query]:
        """The bound statement."""
        catalog = self.catalog_provider(session)
        binder = Binder(catalog, statement, params, search_path_of(session), self.literal_check)
        try:
            query = binder.statement_query()
        except RecursionError:
            raise DsqlError("54001", "stack depth limit exceeded") from None
        check_privileges(binder, query.plan, user_of(session))
        return binder, query

    def program_ir(
        self, statement: Statement, session: Any, params: Params, *, explaining: bool = False
    ) -> tuple[dict[str, Any], Binder]:
        """The program IR of a SELECT or DML statement, and its binder.

        Explaining, every plan node carries "x": what it was made from, for explain_tree.py.
        """
        binder, query = self.bind(statement, session, params)
        params.finish()
        declared = query.plan.columns()
        context = Context(binder)
        plan = readable_output(binder, query.plan)
        wanted = plan.columns()
        if binder.writes:
            plan_foreign_keys(binder, [plan, *(c.plan for c in binder.ctes if c.plan is not None)])
        for rule in RULES:
            plan = rule(plan, context)
        binder.ctes = [context.apply_to_cte(cte, RULES) for cte in binder.ctes]
        binder.explained = [plan, *(p for c in binder.ctes for p in (c.plan, c.init, c.step) if p is not None)]
        emitter = Emitter(binder, session, explaining=explaining)
        emitter.emit_ctes()
        phys = emitter.emit_exactly(plan, [c.id for c in wanted])
        afters = [emit_after(emitter, after, context) for after in binder.afters]
        emitter.finish_ctes()
        binder.subplan_of = emitter.subplan_of
        columns = [
            (c.name, e.type_oid, e.typmod, c.table_oid, c.attnum) for c, e in zip(query.columns, declared, strict=True)
        ]
        number_nodes(phys.ir, emitter, afters)
        ir = {
            "kind": "query",
            "plan": phys.ir,
            "columns": columns,
            "params": list(emitter.param_types),
            "tag": _TAGS[statement.kind],
            "catalog_version": binder.catalog.version,
            "writes": binder.writes or binder.locks,
            "tables": sorted(binder.tables),
            "names": versions.used(binder.catalog, binder.tables.values(), user_of(session)),
            "subplans": emitter.subplans,
            "ctes": emitter.ctes,
            "afters": afters,
            "begin_read_only": False,
            "param_slots": emitter.next_slot,
            "needs_gil": emitter.needs_gil,
            "explain": explaining,
        }
        return ir, binder


def emit_after(emitter: Emitter, after: After, context: Context) -> dict[str, Any]:
    """The IR of what a foreign key does after the statement."""
    plan = after.plan
    for rule in RULES:
        plan = rule(plan, context)
    return {
        "plan": emitter.emit_exactly(plan, []).ir, "cte": after.cte, "constraint": after.key.oid,
        "deferrable": after.deferrable, "deferred": after.key.deferred, "context": after.context,
    }  # fmt: skip


def readable_output(binder: Binder, plan: Node) -> Node:
    """The plan with its reg* output columns turned into names; their type stays what it is for the client."""
    columns = plan.columns()
    if not any(c.type_oid in REG_TYPES for c in columns) or isinstance(plan, Insert | Update | Delete):
        return plan
    exprs: list[Expr] = []
    for column in columns:
        named = binder.coerce(column, TEXT, context="e") if column.type_oid in REG_TYPES else None
        exprs.append(column if named is None else named)
    return binder.remember(Project(plan, binder.new_rel("", tuple(str(i) for i in range(len(exprs)))), tuple(exprs)))


_TAGS = {"SelectStmt": "SELECT", "InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE"}


def number_nodes(plan: dict[str, Any], emitter: Emitter, afters: Sequence[dict[str, Any]] = ()) -> int:
    """Give every plan node an id, top down: the order EXPLAIN ANALYZE reports in, what foreign keys ask for last."""
    count = 0
    roots = [plan, *(s["plan"] for s in emitter.subplans), *(c["plan"] for c in emitter.ctes if c["plan"])]
    roots += [a["plan"] for a in afters]
    for root in roots:
        stack = [root]
        while stack:
            node = stack.pop()
            node["id"] = count
            count += 1
            stack.extend(reversed(child_nodes(node)))
    return count


def child_nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The plan nodes directly below an IR node."""
    found = [node[k] for k in ("input", "left", "right", "init", "step") if isinstance(node.get(k), dict)]
    return [*found, *node.get("inputs", ())]


def simple_program(kind: str, tag: str, *, read_only: bool = False) -> dict[str, Any]:
    """BEGIN, COMMIT, ROLLBACK or nothing as a program."""
    return {
        "kind": kind, "plan": None, "columns": [], "params": [], "tag": tag, "catalog_version": 0, "writes": False,
        "tables": [], "names": [], "subplans": [], "ctes": [], "begin_read_only": read_only, "param_slots": 0, "needs_gil": False,
        "explain": False,
    }  # fmt: skip


def empty_program() -> dict[str, Any]:
    """The program of an empty statement."""
    return simple_program("empty", "")


def highest_param(text: str) -> int:
    """The highest $n in a text."""
    from opendsql.query.parse import tokens

    best = 0
    parts = tokens(text)
    for place, (kind, word, offset) in enumerate(parts):
        if word == "$" and kind == "other" and place + 1 < len(parts):
            digits = ""
            at = offset + 1
            while at < len(text) and text[at].isdigit():
                digits += text[at]
                at += 1
            if digits:
                best = max(best, int(digits))
    return best


def user_of(session: Any) -> str:
    """Who is asking."""
    return str(settings_of(session).user)


def search_path_of(session: Any) -> tuple[str, ...]:
    """The schemas unqualified names are looked up in."""
    return tuple(settings_of(session).search_path)


def _uncompiled(ir: dict[str, Any], session: Any = None) -> Any:
    return None


def default_compiler() -> Callable[[dict[str, Any]], Any]:
    """Program.compile of the core, or the IR itself where the core is not built."""
    try:
        from dsql_core.execute import Program
    except ImportError:
        return _uncompiled
    return Program.compile


def default_literal_check() -> Callable[[int, str], None] | None:
    """Reads a literal as its type with the core's input functions, where the core is built."""
    try:
        from dsql_core.types import TypeFormatError, encode
    except ImportError:
        return None
    plain = {18, 19, 25, 1042, 1043, 705}

    def check(oid: int, text: str) -> None:
        if oid in plain:
            return
        if oid == JSONPATH:
            jsonpath.parse(text)
        try:
            encode(oid, text)
        except TypeFormatError as error:
            if error.sqlstate == "0A000":
                return  # no input function yet
            raise DsqlError(error.sqlstate, error.message, detail=error.detail or None) from None
        except (LookupError, ValueError, TypeError):
            return  # a type the core has no input for yet

    return check
