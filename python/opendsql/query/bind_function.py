"""Function calls: ordinary functions, aggregates, window functions, set-returning functions.

Aggregates and window calls are bound in place as AggCall / WindowCall; bind_group and bind_select move them into plan
nodes. What a name means is the registry's business (resolve.find_function); here arguments are bound, coerced, packed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query.bind_expr import NO_AGGREGATES, location_of
from opendsql.query.bind_record import POPULATE, TO_RECORD
from opendsql.query.expr import (
    BOOL,
    BYTEA,
    INT4,
    INT8,
    JSON,
    JSONB,
    RECORD,
    TEXT,
    UNKNOWN,
    AggCall,
    ArrayCtor,
    BoolOp,
    Call,
    Case,
    Col,
    Const,
    Expr,
    NullTest,
    Param,
    RowExpr,
    SrfCall,
    WindowCall,
    walk,
)
from opendsql.query.logical import ROW_KEY
from opendsql.query.params import NeedsOriginal
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.query.spelling import spelled
from opendsql.registry import resolve
from opendsql.registry.refused import TEXT_SEARCH, TEXT_SEARCH_DEFAULT, refuse_text_search
from opendsql.registry.types import TYPES_BY_OID, format_type

Node = dict[str, Any]

# Frame option bits of the grammar (FRAMEOPTION_*), as the parse tree carries them.
_ROWS, _GROUPS = 0x00004, 0x00008
_SHOWING = ("format", "concat", "concat_ws")
_START = {0x00020: "unbounded_preceding", 0x00200: "current_row", 0x00800: "preceding", 0x02000: "following"}
_END = {0x00100: "unbounded_following", 0x00400: "current_row", 0x01000: "preceding", 0x04000: "following"}
_EXCLUDE = {0x08000: "current_row", 0x10000: "group", 0x20000: "ties"}
_OF_ARRAYS = frozenset({"concat", "concat_ws", "format", "num_nulls", "num_nonnulls", "json_build_array", "jsonb_build_array"})



def configuration_of(args: list[Expr]) -> str | None:
    """The text search configuration a call names; the default's name when it names none, None when it is no constant."""
    if len(args) < 2:
        return TEXT_SEARCH_DEFAULT
    return args[0].text if isinstance(args[0], Const) else None


class FunctionBinder(Part):
    """Mixin of Binder."""

    def call_function(self, names: list[str], args: list[Expr], location: int, **more: Any) -> Expr:
        """A call of an ordinary function with bound arguments."""
        match = self._match(names, args, location, **more)
        return self._ordinary(names[-1], match, args, location)

    def _match(
        self, names: list[str], args: list[Expr], location: int, labels: tuple = (), variadic: bool = False
    ) -> resolve.FunctionMatch:
        name = names[-1]
        schema = names[-2] if len(names) > 1 else None
        if (schema, name) == ("sys", "wait_for_job"):
            shown = ", ".join(format_type(a.type_oid) for a in args)
            text = f"sys.wait_for_job({shown}) is a procedure"
            raise DsqlError("42809", text, hint="To call a procedure, use CALL.", position=self.position(location))
        extra = self.user_functions(schema, name)
        if name in TEXT_SEARCH and not extra:
            refuse_text_search(name, configuration_of(args))
        oids = tuple(a.type_oid for a in args)
        try:
            if schema not in (None, "pg_catalog", "sys", "information_schema") and not extra:
                known = schema in self.catalog.schemas
                shown = ", ".join(format_type(o) for o in oids)
                if not known:
                    raise DsqlError("3F000", f'schema "{schema}" does not exist')
                raise DsqlError(
                    "42883",
                    f"function {schema}.{name}({shown}) does not exist",
                    hint="No function matches the given name and argument types. "
                    "You might need to add explicit type casts.",
                )
            return resolve.find_function(name, oids, arg_names=labels, variadic_call=variadic, extra=extra)
        except DsqlError as error:
            if schema is not None and error.sqlstate == "42883":
                error.message = error.message.replace(f"function {name}(", f"function {schema}.{name}(")
            error.position = error.position or self.position(location)
            raise

    def _bind_FuncCall(self, item: Node, scope: Scope) -> Expr:
        names = [n["String"]["sval"] for n in item["funcname"]]
        location = item.get("location", 0)
        nodes = item.get("args", [])
        labels: list[str | None] = []
        args: list[Expr] = []
        for node in nodes:
            label = None
            if "NamedArgExpr" in node:
                label = node["NamedArgExpr"]["name"]
                if label in labels:
                    position = self.position(node["NamedArgExpr"].get("location", 0))
                    raise DsqlError("42601", f'argument name "{label}" used more than once', position=position)
                node = node["NamedArgExpr"]["arg"]
            labels.append(label)
            args.append(self.expr(node, scope))
        within = item.get("agg_within_group", False)
        order_nodes = item.get("agg_order", [])
        if within:
            for node in order_nodes:
                args.append(self.expr(node["SortBy"]["node"], scope))
                labels.append(None)
        json_row = self._json_of_row(names[-1], args)
        if json_row is not None:
            return json_row
        if names[-1] in TO_RECORD:
            raise DsqlError(
                "0A000", f"could not determine row type for result of {names[-1]}",
                hint="Provide a non-null record argument, or call the function in the FROM clause using a column definition list.",
            )  # fmt: skip
        if names[-1] in POPULATE and args and isinstance(args[0], RowExpr):
            raise unsupported(f"set-returning function {names[-1]} with several columns is only supported in FROM")
        match = self._match(
            names,
            args,
            location,
            labels=tuple(labels) if any(labels) else (),
            variadic=item.get("func_variadic", False),
        )
        if item.get("func_variadic") and names[-1] in _OF_ARRAYS:
            return self._of_array(names[-1], args, location)
        found = self._by_kind(names[-1], match, args, item, scope, location)
        if item.get("funcformat") == "COERCE_SQL_SYNTAX" and isinstance(found, Call):
            found = replace(found, spelled=spelled(names[-1], len(found.args)))
        return found

    def _json_of_row(self, name: str, args: list[Expr]) -> Expr | None:
        """row_to_json, to_json, to_jsonb of a row; json_agg and jsonb_agg get their row as json in place."""
        if not args or not isinstance(args[0], RowExpr):
            return None
        if name in ("row_to_json", "to_json", "to_jsonb"):
            return self.row_json(args[0], JSONB if name == "to_jsonb" else JSON)
        if name in ("json_agg", "jsonb_agg"):
            args[0] = self.row_json(args[0], JSONB if name == "jsonb_agg" else JSON)
        return None

    def row_json(self, row: RowExpr, oid: int) -> Expr:
        """A row as a JSON object of its columns."""
        items = tuple(self.row_json(i, oid) if isinstance(i, RowExpr) else self.settle(i) for i in row.items)
        names = list(row.names) or [f"f{i + 1}" for i in range(len(items))]
        kernel = "row_json:" + ",".join(str(i.type_oid) for i in items)
        shown = Const(TEXT, json.dumps(names))
        return Call(oid, kernel, (shown, *items), "row_to_json", kind="py", volatile="s", strict=False)

    def _of_array(self, name: str, args: list[Expr], location: int) -> Expr:
        """A VARIADIC "any" function of the items of an array."""
        args = [self.settle(a) for a in args]
        array = args[-1]
        if not TYPES_BY_OID[array.type_oid].is_array:
            raise DsqlError("42804", "VARIADIC argument must be an array", position=self.position(location))
        if name in ("concat", "concat_ws"):
            between = args[0] if name == "concat_ws" else Const(UNKNOWN, "")
            return self.call_function(["array_to_string"], [array, between], location)
        if name.startswith("num_"):
            which = Const(BOOL, "true" if name == "num_nulls" else "false")
            return Call(INT4, "array_count_nulls", (array, which), name, kind="py")
        if name == "format":
            texts = tuple(self.explicit_cast(a, TEXT, -1, location) for a in args)
            return Call(TEXT, "array_format", texts, name, kind="py", strict=False)
        found = self.call_function(["array_to_json"], [array], location)
        return self.explicit_cast(found, JSONB, -1, location) if name.startswith("jsonb") else found

    def _by_kind(
        self, name: str, match: resolve.FunctionMatch, args: list[Expr], item: Node, scope: Scope, location: int
    ) -> Expr:
        position = self.position(location)
        over = item.get("over")
        if match.kind == "a":
            if match.kernel == "count_star" and not item.get("agg_star"):
                raise DsqlError(
                    "42809", "count(*) must be used to call a parameterless aggregate function", position=position
                )
            return self._aggregate(name, match, args, item, scope, location)
        if match.kind == "w":
            if over is None:
                raise DsqlError("42809", f"window function {name} requires an OVER clause", position=position)
            return self._window(name, match, self._arguments(match, args), item, scope, location, aggregate=False)
        for present, text in (
            (item.get("agg_star"), f"{name}(*) specified, but {name} is not an aggregate function"),
            (item.get("agg_distinct"), f"DISTINCT specified, but {name} is not an aggregate function"),
            (item.get("agg_within_group"), f"WITHIN GROUP specified, but {name} is not an aggregate function"),
            (item.get("agg_order"), f"ORDER BY specified, but {name} is not an aggregate function"),
            (item.get("agg_filter"), f"FILTER specified, but {name} is not an aggregate function"),
            (over, f"OVER specified, but {name} is not a window function nor an aggregate function"),
        ):
            if present:
                raise DsqlError("42809", text, position=position)
        if match.returns_set:
            return self._set_returning(name, match, args, scope, location)
        return self._ordinary(name, match, args, location)

    def _ordinary(self, name: str, match: resolve.FunctionMatch, args: list[Expr], location: int) -> Expr:
        if match.kind == "cast":
            return self.explicit_cast(args[0], match.result_type, -1, location)
        if match.kind == "sql":
            return self.inline_scalar(match, args)
        if name in _SHOWING:  # a regclass is shown as a name, not as its number
            args = [(self.coerce(a, TEXT, context="e") or a) if a.type_oid in resolve.REG_TYPES else a for a in args]
            match = replace(match, arg_types=tuple(TEXT if t in resolve.REG_TYPES else t for t in match.arg_types))
        special = self.special_function(name, match, args, location)
        if special is not None:
            return special
        if match.volatility != "i":
            self.note_function(name, match)
        return Call(
            match.result_type,
            match.kernel,
            tuple(self._arguments(match, args)),
            name,
            kind="py" if match.kind == "py" else "call",
            volatile=match.volatility,
            strict=match.strict,
        )

    def special_function(self, name: str, match: resolve.FunctionMatch, args: list[Expr], location: int) -> Expr | None:
        """Functions decided while planning."""
        if name == "pg_typeof" and len(args) == 1:
            oid = args[0].type_oid
            return Const(2206, str(oid))
        del match, location
        return None

    def _arguments(self, match: resolve.FunctionMatch, args: list[Expr]) -> list[Expr]:
        """Arguments in the function's order, defaults filled in, coerced, variadic ones packed."""
        order = match.order or tuple(range(len(args)))
        result: list[Expr] = []
        for place, oid in enumerate(match.arg_types):
            source = order[place] if place < len(order) else None
            if source is None:
                text = match.defaults[place] if place < len(match.defaults) else None
                result.append(self.default_argument(text, oid))
                continue
            result.append(self._argument(args[source], oid))
        if match.variadic_array:
            start = match.variadic_from
            element = TYPES_BY_OID[match.variadic_array].elem_oid
            items = tuple(self._argument(a, element) for a in result[start:])
            result[start:] = [ArrayCtor(match.variadic_array, element, items)]
        return result

    def _argument(self, arg: Expr, oid: int) -> Expr:
        if TYPES_BY_OID.get(oid) is not None and TYPES_BY_OID[oid].kind == "p" and oid != RECORD:
            return self.settle(arg)
        found = self.coerce(arg, oid)
        return self.settle(arg) if found is None else found

    def default_argument(self, text: str | None, oid: int) -> Expr:
        """A function argument's default, kept as text in the registry."""
        if text is None or text.upper() == "NULL":
            return Const(oid, None)
        if text[:1] == "'":
            text = text[1 : text.index("'", 1)]
        return Const(oid, text)

    # -- aggregates ----------------------------------------------------------------------------------------------

    def _aggregate(
        self, name: str, match: resolve.FunctionMatch, args: list[Expr], item: Node, scope: Scope, location: int
    ) -> Expr:
        position = self.position(location)
        within = item.get("agg_within_group", False)
        if within and match.aggkind == "n":
            raise DsqlError(
                "42809", f"{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", position=position
            )
        if not within and match.aggkind != "n":
            raise DsqlError("42809", f"WITHIN GROUP is required for ordered-set aggregate {name}", position=position)
        coerced = self._arguments(match, args)
        for place, arg in enumerate(coerced):
            if isinstance(arg, RowExpr) and name == "count":
                coerced[place] = self._row_present(arg)
        distinct = item.get("agg_distinct", False)
        order = []
        for node in item.get("agg_order", ()):
            sort = node["SortBy"]
            key = self.settle(self.expr(sort["node"], scope)) if not within else coerced[-1]
            descending = sort["sortby_dir"] == "SORTBY_DESC"
            nulls = sort["sortby_nulls"]
            first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
            order.append((key, descending, first))
        if distinct and order and not within and any(k[0] not in coerced for k in order):
            raise DsqlError(
                "42P10",
                "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                position=self.position(location_of(item["agg_order"][0]["SortBy"]["node"])),
            )
        condition = None
        if "agg_filter" in item:
            condition = self.condition(item["agg_filter"], scope, "FILTER")
        if "over" in item:
            if distinct:
                raise DsqlError("0A000", "DISTINCT is not implemented for window functions", position=position)
            if order:
                raise DsqlError(
                    "0A000", "aggregate ORDER BY is not implemented for window functions", position=position
                )
            found = self._window(name, match, coerced, item, scope, location, aggregate=True)
            assert isinstance(found, WindowCall)
            return replace(found, filter=condition)
        self._check_aggregate_place(scope, coerced, item, position)
        return AggCall(
            match.result_type,
            match.kernel,
            tuple(coerced),
            name,
            distinct=distinct,
            filter=condition,
            order=tuple(order),
            star=item.get("agg_star", False),
        )

    def _row_present(self, row: RowExpr) -> Expr:
        """Something that is NULL exactly when a whole row is (the padding of an outer join)."""
        rels = {e.rel for e in row.items if isinstance(e, Col)}
        if len(rels) == 1 and (rel := rels.pop(), ROW_KEY) in self.column_types:
            return Col(BYTEA, rel, ROW_KEY)
        present = BoolOp(BOOL, "or", tuple(NullTest(BOOL, e, False) for e in row.items))
        return Case(BOOL, ((present, Const(BOOL, "true")),), None)

    def _check_aggregate_place(self, scope: Scope, args: list[Expr], item: Node, position: int | None) -> None:
        words = NO_AGGREGATES.get(scope.clause)
        if words:
            raise DsqlError("42803", f"aggregate functions are not allowed in {words}", position=position)
        if scope.level is None:
            raise DsqlError("42803", "aggregate functions are not allowed here", position=position)
        found = [e for a in args for e in walk(a)]
        if any(isinstance(e, AggCall) for e in found):
            inner = next((location_of(a) for a in item.get("args", ()) if "FuncCall" in a), -1)
            where = self.position(inner) or position
            raise DsqlError("42803", "aggregate function calls cannot be nested", position=where)
        if any(isinstance(e, WindowCall) for e in found):
            inner = next((location_of(a) for a in item.get("args", ()) if "FuncCall" in a), -1)
            where = self.position(inner) or position
            raise DsqlError("42803", "aggregate function calls cannot contain window function calls", position=where)
        rels = {e.rel for e in found if isinstance(e, Col)}
        if rels and not rels & scope.level.rels:
            raise unsupported("aggregate functions of an outer query level are not supported")
        scope.level.has_aggregates = True

    # -- windows -------------------------------------------------------------------------------------------------

    def _window(
        self,
        name: str,
        match: resolve.FunctionMatch,
        args: list[Expr],
        item: Node,
        scope: Scope,
        location: int,
        *,
        aggregate: bool,
    ) -> Expr:
        position = self.position(location)
        words = NO_AGGREGATES.get(scope.clause) or (scope.clause if scope.clause == "HAVING" else None)
        if words or scope.level is None:
            raise DsqlError(
                "42P20", f"window functions are not allowed in {words or 'this context'}", position=position
            )
        if any(isinstance(e, WindowCall) for a in args for e in walk(a)):
            raise DsqlError("42P20", "window function calls cannot be nested", position=position)
        spec = self._window_spec(item["over"], scope)
        scope.level.has_windows = True
        return WindowCall(
            match.result_type,
            match.kernel,
            tuple(args),
            name,
            *self._window_parts(spec, scope),
            aggregate=aggregate,
            star=item.get("agg_star", False),
        )

    def _window_spec(self, over: Node, scope: Scope) -> Node:
        """The window definition with what it takes from a named one."""
        base_name = over.get("name") or over.get("refname")
        if not base_name:
            return over
        base = scope.level.windows.get(base_name)
        if base is None:
            raise DsqlError(
                "42704", f'window "{base_name}" does not exist', position=self.position(over.get("location", 0))
            )
        base = self._window_spec(base, scope) if base.get("refname") else base
        merged = dict(base)
        for part in ("partitionClause", "orderClause"):
            if over.get(part):
                if base.get(part):
                    word = "PARTITION BY" if part == "partitionClause" else "ORDER BY"
                    raise DsqlError("42P20", f'cannot override {word} clause of window "{base_name}"')
                merged[part] = over[part]
        if over.get("refname"):
            for part in ("frameOptions", "startOffset", "endOffset"):
                if part in over:
                    merged[part] = over[part]
        return merged

    def check_window(self, spec: Node, scope: Scope) -> None:
        """Bind a named window, whether a call uses it or not: its expressions have types, its frame has rules."""
        saved, scope.clause = scope.clause, "SELECT"
        self._window_parts(self._window_spec(spec, scope), scope)
        scope.clause = saved

    def _window_parts(self, spec: Node, scope: Scope) -> tuple[Any, Any, Any]:
        partition = tuple(self.settle(self.expr(n, scope)) for n in spec.get("partitionClause", ()))
        order = []
        for node in spec.get("orderClause", ()):
            sort = node["SortBy"]
            descending = sort["sortby_dir"] == "SORTBY_DESC"
            nulls = sort["sortby_nulls"]
            first = descending if nulls == "SORTBY_NULLS_DEFAULT" else nulls == "SORTBY_NULLS_FIRST"
            order.append((self.settle(self.expr(sort["node"], scope)), descending, first))
        options = spec.get("frameOptions", 0)
        mode = "rows" if options & _ROWS else "groups" if options & _GROUPS else "range"
        start = next((word for bit, word in _START.items() if options & bit), "unbounded_preceding")
        end = next((word for bit, word in _END.items() if options & bit), "current_row")
        exclude = next((word for bit, word in _EXCLUDE.items() if options & bit), None)
        offsets = []
        for side in ("startOffset", "endOffset"):
            offset = None
            if side in spec:
                offset = self.expr(spec[side], scope)
                wanted = INT8 if mode != "range" or not order else order[0][0].type_oid
                if mode == "range" and TYPES_BY_OID[wanted].category == "D":
                    wanted = 1186
                offset = self.coerce(offset, wanted, context="a") or offset
            offsets.append(offset)
        if mode == "groups" and not order:
            raise DsqlError("42P20", "GROUPS mode requires an ORDER BY clause")
        if mode == "range" and any(o is not None for o in offsets) and len(order) != 1:
            text = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"
            raise DsqlError("42P20", text, position=self.position(spec.get("location", -1)))
        return partition, tuple(order), (mode, start, offsets[0], end, offsets[1], exclude)

    # -- sets ----------------------------------------------------------------------------------------------------

    def _set_returning(
        self, name: str, match: resolve.FunctionMatch, args: list[Expr], scope: Scope, location: int
    ) -> Expr:
        position = self.position(location)
        if scope.clause != "SELECT" or scope.level is None:
            word = {"WHERE": "WHERE", "JOIN/ON": "JOIN conditions", "HAVING": "HAVING", "LIMIT": "LIMIT"}.get(
                scope.clause, scope.clause or "this context"
            )
            raise DsqlError("0A000", f"set-returning functions are not allowed in {word}", position=position)
        coerced = tuple(self._arguments(match, args))
        if match.kind == "sql":
            query, _ = self.routine_in_from(match, args, name)
            if len(query.columns) == 1:
                scope.level.has_sets = True
                return SrfCall(query.plan.columns()[0].type_oid, match.kernel, coerced, name, query.plan)
        if len(match.out_columns) > 1 or match.kind == "sql":
            raise unsupported(f"set-returning function {name} with several columns is only supported in FROM")
        scope.level.has_sets = True
        return SrfCall(match.result_type, match.kernel, coerced, name)

    def constant_text(self, expr: Expr) -> str | None:
        """The text of a constant; a lifted literal's is only known in the original statement."""
        if isinstance(expr, Param) and expr.lifted:
            raise NeedsOriginal
        return expr.text if isinstance(expr, Const) and expr.type_oid in (UNKNOWN, TEXT, BOOL) else None
