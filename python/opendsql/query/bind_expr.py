"""Expressions of the parse tree into typed expressions: constants, names, boolean logic, CASE and their kin.

`expr(node, scope)` dispatches on the node's name to a method; operators, functions, casts and subqueries live in their
own mixins. Locations are byte offsets from the tree; errors carry 1-based character positions.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.query import domains
from opendsql.query.expr import (
    BOOL,
    DATE,
    INT4,
    INT8,
    NAME,
    NUMERIC,
    RECORD,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    UNKNOWN,
    ArrayCtor,
    BoolOp,
    BoolTest,
    Call,
    Case,
    Cast,
    Coalesce,
    Col,
    Const,
    Expr,
    GroupingCall,
    MinMax,
    Not,
    NullTest,
    RowExpr,
)
from opendsql.query.parts import Part
from opendsql.query.scope import RangeItem, Scope
from opendsql.query.spelling import value_function
from opendsql.registry import resolve
from opendsql.registry.refused import refused_type
from opendsql.registry.types import TYPES_BY_OID, format_type

Node = dict[str, Any]

# SQL's parameterless value functions: kind -> (function, type of the cast on top or 0)
_SQL_VALUES = {
    "SVFOP_CURRENT_DATE": ("now", DATE),
    "SVFOP_CURRENT_TIME": ("now", TIMETZ),
    "SVFOP_CURRENT_TIME_N": ("now", TIMETZ),
    "SVFOP_CURRENT_TIMESTAMP": ("now", TIMESTAMPTZ),
    "SVFOP_CURRENT_TIMESTAMP_N": ("now", TIMESTAMPTZ),
    "SVFOP_LOCALTIME": ("now", TIME),
    "SVFOP_LOCALTIME_N": ("now", TIME),
    "SVFOP_LOCALTIMESTAMP": ("now", TIMESTAMP),
    "SVFOP_LOCALTIMESTAMP_N": ("now", TIMESTAMP),
    "SVFOP_CURRENT_ROLE": ("current_user", NAME),
    "SVFOP_CURRENT_USER": ("current_user", NAME),
    "SVFOP_USER": ("current_user", NAME),
    "SVFOP_SESSION_USER": ("session_user", NAME),
    "SVFOP_CURRENT_CATALOG": ("current_database", NAME),
    "SVFOP_CURRENT_SCHEMA": ("current_schema", NAME),
}

# Clauses without aggregates -> what error messages call them.
NO_AGGREGATES = {
    "WHERE": "WHERE",
    "ON": "JOIN conditions",
    "JOIN/ON": "JOIN conditions",
    "GROUP BY": "GROUP BY",
    "LIMIT": "LIMIT",
    "OFFSET": "OFFSET",
    "VALUES": "VALUES",
    "RETURNING": "RETURNING",
    "UPDATE": "UPDATE",
    "FROM": "functions in FROM",
    "check": "check constraints",
    "default": "DEFAULT expressions",
    "index": "index expressions",
    "predicate": "index predicates",
    "generated": "column generation expressions",
    "CALL": "CALL arguments",
    "FILTER": "FILTER",
}


class ExprBinder(Part):
    """Mixin of Binder."""

    def expr(self, node: Node, scope: Scope) -> Expr:
        """The typed expression of one parse node."""
        ((kind, item),) = node.items()
        method = getattr(self, "_bind_" + kind, None)
        if method is None:
            raise unsupported(says("expression", node=kind))
        self.enter()
        try:
            return method(item, scope)
        finally:
            self.depth -= 1

    def enter(self) -> None:
        """Bound the recursion: deep expressions are refused as PostgreSQL does."""
        self.depth += 1
        if self.depth > 250:
            self.depth = 0
            raise DsqlError("54001", "stack depth limit exceeded")

    def condition(self, node: Node, scope: Scope, clause: str) -> Expr:
        """A boolean expression for WHERE, HAVING, ON ..."""
        saved, scope.clause = scope.clause, clause
        try:
            bound = self.expr(node, scope)
            return self.coerce_or_fail(bound, BOOL, clause, location_of(node))
        finally:
            scope.clause = saved

    # -- leaves --------------------------------------------------------------------------------------------------

    def _bind_A_Const(self, item: Node, scope: Scope) -> Expr:
        location = item.get("location", 0)
        if item.get("isnull"):
            return Const(UNKNOWN, None, location=location)
        if "ival" in item:
            return Const(INT4, str(item["ival"].get("ival", 0)), location=location)
        if "sval" in item:
            return Const(UNKNOWN, item["sval"].get("sval", ""), location=location)
        if "boolval" in item:
            return Const(BOOL, "true" if item["boolval"].get("boolval") else "false", location=location)
        if "fval" in item:
            return _number(item["fval"]["fval"], location)
        raise refused_type("bit")

    def _bind_ParamRef(self, item: Node, scope: Scope) -> Expr:
        location = item.get("location", 0)
        if self.routine_args is not None:
            number = item.get("number", 0)
            if not 1 <= number <= len(self.routine_args):
                raise DsqlError("42P02", f"there is no parameter ${number}")
            return self.routine_args[number - 1]
        return self.params.reference(item.get("number", 0), location, self.position(location))

    def _bind_ColumnRef(self, item: Node, scope: Scope) -> Expr:
        fields = item["fields"]
        position = self.position(item.get("location", 0))
        if "A_Star" in fields[-1]:
            if len(fields) > 1:
                shown = self.star(item, scope)
                return RowExpr(RECORD, tuple(c.expr for c in shown), tuple(c.name for c in shown))
            raise DsqlError("42601", 'row expansion via "*" is not supported here', position=position)
        names = [f["String"].get("sval", "") for f in fields]
        if len(names) == 1:
            column = scope.column(names[0], position)
            if column is not None:
                return self._seen(column.expr, item, scope)
            table = scope.table(names[0], None, position)
            if table is not None:
                return self._whole_row(table)
            system = [c for t in scope.tables for c in t.system if c.name == names[0]]
            if len(system) == 1:
                return system[0].expr
            raise scope.missing_column(names[0], None, position)
        schema, table_name, name = ([None, *names] if len(names) == 2 else names[-3:])[:3]
        table = scope.table(table_name, schema, position)
        if table is None:
            column = scope.column(table_name, position) if schema is None else None
            if column is not None and column.expr.type_oid == RECORD:
                return self._field(column.expr, name, position)
            raise scope.missing_table(table_name, schema, position)
        found = table.find(name)
        if len(found) > 1:
            raise DsqlError("42702", f'column reference "{name}" is ambiguous', position=position)
        if not found:
            found = [c for c in table.system if c.name == name]
        if not found:
            raise scope.missing_column(name, table_name, position)
        return self._seen(found[0].expr, item, scope)

    def _seen(self, expr: Expr, item: Node, scope: Scope) -> Expr:
        """Note where a column was first used in a select list or HAVING (42803 points there)."""
        if isinstance(expr, Col) and scope.clause in ("SELECT", "HAVING"):
            self.seen_at.setdefault(expr.id, item.get("location", 0))
        return expr

    def _whole_row(self, table: RangeItem) -> Expr:
        if not table.composite and len(table.columns) == 1:
            return table.columns[0].expr
        return RowExpr(RECORD, tuple(c.expr for c in table.columns), tuple(c.name for c in table.columns))

    def _field(self, row: Expr, name: str, position: int | None) -> Expr:
        if isinstance(row, RowExpr):
            for part, label in zip(row.items, row.names or [f"f{i + 1}" for i in range(len(row.items))], strict=False):
                if label == name:
                    return part
            rels = {i.rel for i in row.items if isinstance(i, Col)}
            if row.names and len(rels) == 1 and (alias := self.names.aliases.get(rels.pop())):
                raise DsqlError("42703", f"column {alias}.{name} does not exist", position=position)
            raise DsqlError("42703", f'could not identify column "{name}" in record data type', position=position)
        raise DsqlError(
            "42809",
            f"column notation .{name} applied to type {format_type(row.type_oid)}, which is not a composite type",
            position=position,
        )

    def _bind_SQLValueFunction(self, item: Node, scope: Scope) -> Expr:
        function, oid = _SQL_VALUES[item["op"]]
        found = self.call_function([function], [], item.get("location", 0))
        typmod = item.get("typmod", 0)
        if found.type_oid != oid:
            found = self.explicit_cast(found, oid, -1, None)
        if typmod >= 0:
            found = self.length_coercion(found, oid, min(typmod, 6), "e")
        words = value_function(item["op"], typmod)
        return replace(found, spelled=words) if isinstance(found, Call | Cast) else found

    def _bind_SetToDefault(self, item: Node, scope: Scope) -> Expr:
        raise DsqlError(
            "42601", "DEFAULT is not allowed in this context", position=self.position(item.get("location", 0))
        )

    # -- boolean -------------------------------------------------------------------------------------------------

    def _bind_BoolExpr(self, item: Node, scope: Scope) -> Expr:
        op = item["boolop"]
        word = {"AND_EXPR": "AND", "OR_EXPR": "OR", "NOT_EXPR": "NOT"}[op]
        args = []
        for arg in item["args"]:
            args.append(self.coerce_or_fail(self.expr(arg, scope), BOOL, word, location_of(arg)))
        if op == "NOT_EXPR":
            return Not(BOOL, args[0])
        return BoolOp(BOOL, word.lower(), tuple(args))

    def _bind_NullTest(self, item: Node, scope: Scope) -> Expr:
        arg = self.expr(item["arg"], scope)
        is_null = item["nulltesttype"] == "IS_NULL"
        if isinstance(arg, RowExpr):
            return BoolOp(BOOL, "and", tuple(NullTest(BOOL, self.settle(part), is_null) for part in arg.items))
        return NullTest(BOOL, self.settle(arg), is_null)

    def _bind_BooleanTest(self, item: Node, scope: Scope) -> Expr:
        test = item["booltesttype"]
        words = test.replace("_", " ")
        arg = self.coerce_or_fail(self.expr(item["arg"], scope), BOOL, words, location_of(item["arg"]))
        bound = BoolTest(BOOL, arg, test.rsplit("_", 1)[1].lower())
        return Not(BOOL, bound) if test.startswith("IS_NOT") else bound

    # -- choices -------------------------------------------------------------------------------------------------

    def _bind_CaseExpr(self, item: Node, scope: Scope) -> Expr:
        subject = self.settle(self.expr(item["arg"], scope)) if "arg" in item else None
        conditions, results = [], []
        for when in item["args"]:
            part = when["CaseWhen"]
            condition = self.expr(part["expr"], scope)
            if subject is not None:
                condition = self.operator("=", subject, condition, part.get("location", 0))
            conditions.append(self.coerce_or_fail(condition, BOOL, "CASE/WHEN", location_of(part["expr"])))
            results.append(self.expr(part["result"], scope))
        default = self.expr(item["defresult"], scope) if "defresult" in item else None
        # PostgreSQL lists ELSE first when it looks for the common type
        every = ([default] if default is not None else []) + results
        places = [location_of(item["defresult"])] if default is not None else []
        places += [location_of(when["CaseWhen"]["result"]) for when in item["args"]]
        coerced = self.to_common(every, "CASE", item.get("location", 0), places)
        oid = coerced[0].type_oid
        if default is not None:
            default, coerced = coerced[0], coerced[1:]
        return Case(oid, tuple(zip(conditions, coerced, strict=True)), default, has_subject=subject is not None)

    def _bind_CoalesceExpr(self, item: Node, scope: Scope) -> Expr:
        places = [location_of(a) for a in item["args"]]
        bound = [self.expr(a, scope) for a in item["args"]]
        args = self.to_common(bound, "COALESCE", item.get("location", 0), places)
        return Coalesce(args[0].type_oid, tuple(args))

    def _bind_MinMaxExpr(self, item: Node, scope: Scope) -> Expr:
        greatest = item["op"] == "IS_GREATEST"
        word = "GREATEST" if greatest else "LEAST"
        places = [location_of(a) for a in item["args"]]
        args = self.to_common([self.expr(a, scope) for a in item["args"]], word, item.get("location", 0), places)
        oid = args[0].type_oid
        match = self.find_operator(">" if greatest else "<", oid, oid, item.get("location", 0))
        parts = tuple(self.coerce(a, match.arg_types[0]) or a for a in args)
        return MinMax(oid, word.lower(), match.kernel, parts)

    # -- composites ----------------------------------------------------------------------------------------------

    def _bind_RowExpr(self, item: Node, scope: Scope) -> Expr:
        return RowExpr(RECORD, tuple(self.row_items(item.get("args", ()), scope)))

    def row_items(self, nodes: Any, scope: Scope) -> list[Expr]:
        """Expressions of a list, t.* expanded."""
        found: list[Expr] = []
        for node in nodes:
            if "ColumnRef" in node and "A_Star" in node["ColumnRef"]["fields"][-1]:
                found.extend(c.expr for c in self.star(node["ColumnRef"], scope))
            else:
                found.append(self.expr(node, scope))
        return found

    def _bind_A_ArrayExpr(self, item: Node, scope: Scope) -> Expr:
        return self.array_expression(item, scope, 0)

    def array_expression(self, item: Node, scope: Scope, array_oid: int) -> Expr:
        """ARRAY[...]; array_oid is the type of a cast around it, or 0."""
        location = item.get("location", 0)
        nodes = item.get("elements", ())
        if array_oid:
            wanted = TYPES_BY_OID[array_oid].elem_oid
            items = []
            for node in nodes:
                if "A_ArrayExpr" in node:
                    items.append(self.array_expression(node["A_ArrayExpr"], scope, array_oid))
                else:
                    items.append(self.explicit_cast(self.expr(node, scope), wanted, -1, location_of(node)))
            return ArrayCtor(array_oid, wanted, tuple(items))
        if not nodes:
            raise DsqlError(
                "42P18",
                "cannot determine type of empty array",
                hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
                position=self.position(location),
            )
        places = [location_of(node) for node in nodes]
        items = self.to_common([self.expr(node, scope) for node in nodes], "ARRAY", location, places)
        oid = items[0].type_oid
        entry = TYPES_BY_OID[oid]
        if entry.is_array and entry.name.startswith("_"):
            return ArrayCtor(oid, entry.elem_oid, tuple(items))
        if not entry.array_oid:
            raise DsqlError(
                "42704", f"could not find array type for data type {entry.display}", position=self.position(location)
            )
        return ArrayCtor(entry.array_oid, oid, tuple(items))

    def _bind_A_Indirection(self, item: Node, scope: Scope) -> Expr:
        body = item["arg"].get("ColumnRef", {}).get("fields", [{}])
        if "A_Star" in body[-1] and len(body) > 1:  # (t.*).x is (t).x
            shown = self.star(item["arg"]["ColumnRef"], scope)
            bound: Expr = RowExpr(RECORD, tuple(c.expr for c in shown), tuple(c.name for c in shown))
        else:
            bound = self.expr(item["arg"], scope)
        position = self.position(location_of(item["arg"]))
        subscripts: list[Node] = []
        for part in item["indirection"]:
            if "A_Indices" in part:
                subscripts.append(part["A_Indices"])
                continue
            if "A_Star" in part:
                raise DsqlError("42601", 'row expansion via "*" is not supported here', position=position)
            bound = self._field(bound, part["String"].get("sval", ""), position)
        return self._subscript(bound, subscripts, scope, position) if subscripts else bound

    def _subscript(self, bound: Expr, subscripts: list[Node], scope: Scope, position: int | None) -> Expr:
        entry = TYPES_BY_OID[bound.type_oid]
        if bound.type_oid == 3802:  # jsonb['key']
            if any(part.get("is_slice") for part in subscripts):
                raise DsqlError("42804", "jsonb subscript does not support slices", position=position)
            for part in subscripts:
                key = self.expr(part["uidx"], scope)
                bound = self.operator("->", bound, key if key.type_oid == INT4 else self.coerce(key, TEXT) or key, None)
            return bound
        if not entry.is_array:
            raise DsqlError(
                "42804",
                f"cannot subscript type {entry.display} because it does not support subscripting",
                position=position,
            )
        if any(part.get("is_slice") for part in subscripts):
            bounds: list[Expr] = []
            for part in subscripts:
                for side in ("lidx", "uidx"):
                    node = part.get(side)
                    if not part.get("is_slice") and side == "lidx":
                        bounds.append(Const(INT4, "1"))
                    else:
                        bounds.append(self._index(node, scope) if node else Const(INT4, None))
            return Call(bound.type_oid, "array_slice", (bound, *bounds), "array_slice", kind="py", strict=False)
        indexes = tuple(self._index(part["uidx"], scope) for part in subscripts)
        return Call(entry.elem_oid, "array_get", (bound, *indexes), "array_get", kind="py", strict=False)

    def _index(self, node: Node, scope: Scope) -> Expr:
        bound = self.expr(node, scope)
        found = self.coerce(bound, INT4, context="a")
        if found is None:
            raise DsqlError(
                "42804", "array subscript must have type integer", position=self.position(location_of(node))
            )
        return found

    def _bind_CollateClause(self, item: Node, scope: Scope) -> Expr:
        bound = self.expr(item["arg"], scope) if "arg" in item else Const(UNKNOWN, None)
        name = item["collname"][-1]["String"].get("sval", "")
        position = self.position(item.get("location", 0))
        if len(item["collname"]) > 1 and (schema := item["collname"][0]["String"].get("sval", "")) != "pg_catalog":
            if schema not in (*self.catalog.schemas, "information_schema", "sys", "public"):
                raise DsqlError("3F000", f'schema "{schema}" does not exist', position=position)
            raise DsqlError("42704", f'collation "{schema}.{name}" for encoding "UTF8" does not exist', position=position)
        if name not in ("C", "POSIX", "default", "ucs_basic"):
            raise DsqlError("42704", f'collation "{name}" for encoding "UTF8" does not exist', position=position)
        if bound.type_oid == UNKNOWN:
            return self.settle(bound)
        if TYPES_BY_OID[bound.type_oid].category != "S":
            raise DsqlError(
                "42804", f"collations are not supported by type {format_type(bound.type_oid)}", position=position
            )
        return bound

    def _bind_TypeCast(self, item: Node, scope: Scope) -> Expr:
        table = self.row_type(item["typeName"]) if item["arg"].get("A_Const", {}).get("isnull") else None
        if table is not None:
            return self.null_row(table)
        oid, typmod = self.type_name(item["typeName"])
        location = item.get("location", 0)
        if location < 0:
            location = location_of(item["arg"])
        if "A_ArrayExpr" in item["arg"] and TYPES_BY_OID[oid].is_array:
            bound = self.array_expression(item["arg"]["A_ArrayExpr"], scope, oid)
            bound = self.length_coercion(bound, oid, typmod, "e")
        else:
            bound = self.explicit_cast(self.expr(item["arg"], scope), oid, typmod, location)
        domain = self.domain_named(item["typeName"])
        return bound if domain is None else domains.checked(self, domain, bound)

    def _bind_GroupingFunc(self, item: Node, scope: Scope) -> Expr:
        position = self.position(item.get("location", 0))
        words = NO_AGGREGATES.get(scope.clause)
        if words:
            raise DsqlError("42803", f"grouping operations are not allowed in {words}", position=position)
        if scope.level is None:
            raise DsqlError("42803", "GROUPING must be used in a query level with GROUP BY", position=position)
        return GroupingCall(INT4, tuple(self.expr(a, scope) for a in item["args"]))

    # -- operators by catalogue ----------------------------------------------------------------------------------

    def find_operator(self, name: str, left: int | None, right: int, location: int | None) -> resolve.OperatorMatch:
        """The registry's operator; errors get a position."""
        try:
            return resolve.find_operator(name, left, right)
        except DsqlError as error:
            error.position = error.position or self.position(location)
            raise


def _number(text: str, location: int) -> Const:
    """A number too long for the grammar's integer, or with a point or exponent."""
    digits = text.lstrip("+-").replace("_", "")
    if digits.isdigit() and len(digits) < 30:
        value = int(text.replace("_", ""))
        if -(1 << 31) <= value < 1 << 31:
            return Const(INT4, str(value), location=location)
        if -(1 << 63) <= value < 1 << 63:
            return Const(INT8, str(value), location=location)
    elif digits[:2].lower() in ("0x", "0o", "0b"):
        value = int(digits, 0) * (-1 if text.startswith("-") else 1)
        oid = INT4 if -(1 << 31) <= value < 1 << 31 else INT8 if -(1 << 63) <= value < 1 << 63 else NUMERIC
        return Const(oid, format(Decimal(value), "f"), location=location)  # str() of an int ends at 4,300 digits
    return Const(NUMERIC, text.replace("_", ""), location=location)


def location_of(node: Node | None) -> int:
    """The byte offset where an expression starts (PostgreSQL's exprLocation), -1 when unknown."""
    if not node:
        return -1
    ((kind, item),) = node.items()
    if not isinstance(item, dict):
        return -1
    own = item.get("location", 0)
    if kind == "A_Expr" and "lexpr" in item:
        inner = location_of(item["lexpr"])
        return inner if 0 <= inner < own else own
    if kind == "TypeCast":
        inner = location_of(item["arg"])
        type_place = item["typeName"].get("location", 0)
        places = [p for p in (inner, own, type_place) if p >= 0]
        return min(places) if places else -1
    if kind in ("NullTest", "BooleanTest", "CollateClause", "A_Indirection"):
        inner = location_of(item.get("arg"))
        return inner if inner >= 0 else own
    if kind == "BoolExpr" and item["boolop"] != "NOT_EXPR":
        return location_of(item["args"][0])
    if kind == "SubLink" and "testexpr" in item:
        return location_of(item["testexpr"])
    if kind == "List":
        return location_of(item["items"][0]) if item.get("items") else -1
    return own
