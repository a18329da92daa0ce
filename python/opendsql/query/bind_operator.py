"""Operators of the parse tree: A_Expr in all its kinds, row comparisons, IN lists, ANY / ALL over arrays.

`operator(name, left, right)` is the one way to an operator: it asks the registry, coerces both operands and builds the
Call. Row comparisons are taken apart here, so nothing below ever compares records.
"""

from __future__ import annotations

from typing import Any

from opendsql.errors import DsqlError
from opendsql.query.expr import (
    BOOL,
    INT2,
    INT4,
    INT8,
    RECORD,
    TEXT,
    UNKNOWN,
    ArrayCtor,
    ArrayTest,
    BoolOp,
    Call,
    Distinct,
    Expr,
    InList,
    Not,
    NullIf,
    Param,
    RowExpr,
)
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.registry.types import TYPES_BY_OID, format_type

Node = dict[str, Any]

_ORDERINGS = ("<", "<=", ">", ">=")
_COMPARISONS = ("=", "<>", *_ORDERINGS)


class OperatorBinder(Part):
    """Mixin of Binder."""

    def operator(self, name: str, left: Expr | None, right: Expr, location: int | None) -> Expr:
        """name applied to operands (left None: prefix)."""
        name = "<>" if name == "!=" else name
        if name in _COMPARISONS and left is not None:
            left, right = self._one_width(left, right), self._one_width(right, left)
        match = self.find_operator(name, left.type_oid if left is not None else None, right.type_oid, location)
        operands = [right] if left is None else [left, right]
        args = []
        for operand, oid in zip(operands, match.arg_types, strict=True):
            found = self.coerce(operand, oid)
            args.append(operand if found is None else found)
        if match.result_type == RECORD:
            raise DsqlError("0A000", "record operators are not supported")
        return Call(
            match.result_type,
            match.kernel,
            tuple(args),
            name,
            operator=True,
            kind="py" if match.kind == "py" else "call",
            volatile=match.volatility,
            strict=match.strict,
        )

    def _one_width(self, side: Expr, other: Expr) -> Expr:
        """A lifted integer literal beside a bigint is read as one: the comparison, and a bound it makes, need no cast."""
        literal = isinstance(side, Param) and side.lifted
        if literal and side.type_oid in (INT2, INT4) and other.type_oid == INT8:
            return self.coerce(side, INT8) or side
        return side

    def comparison(self, name: str, left: Expr, right: Expr, location: int | None) -> Expr:
        """operator(), for results that must be boolean."""
        found = self.operator(name, left, right, location)
        if found.type_oid != BOOL:
            raise DsqlError("42804", f"operator {name} must return boolean", position=self.position(location))
        return found

    def operator_name(self, nodes: list[Node], location: int) -> str:
        """The symbol of an operator's name; OPERATOR(schema.op) must name a schema, and only pg_catalog has operators."""
        name = str(nodes[-1]["String"]["sval"])
        if len(nodes) > 2:
            shown = ".".join(n["String"]["sval"] for n in nodes)
            raise DsqlError("0A000", f"cross-database references are not implemented: {shown}", position=self.position(location))
        if len(nodes) == 2 and (schema := nodes[0]["String"]["sval"]) != "pg_catalog":
            if schema not in (*self.catalog.schemas, "information_schema", "sys", "public"):
                raise DsqlError("3F000", f'schema "{schema}" does not exist', position=self.position(location))
            return f"{schema}.{name}"  # no such operator: the error names it so
        return name

    def _bind_A_Expr(self, item: Node, scope: Scope) -> Expr:
        kind = item["kind"]
        location = item.get("location", 0)
        name = self.operator_name(item["name"], item.get("location", -1))
        match kind:
            case "AEXPR_OP" | "AEXPR_LIKE" | "AEXPR_ILIKE" | "AEXPR_SIMILAR":
                return self._plain(name, item, scope, location)
            case "AEXPR_IN":
                return self._in_list(item, scope, location)
            case "AEXPR_OP_ANY" | "AEXPR_OP_ALL":
                return self._array_test(kind, name, item, scope, location)
            case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
                found = self.distinct(self.expr(item["lexpr"], scope), self.expr(item["rexpr"], scope), location)
                return Not(BOOL, found) if kind == "AEXPR_NOT_DISTINCT" else found
            case "AEXPR_NULLIF":
                return self._nullif(item, scope, location)
        return self._between(kind, item, scope, location)

    def _plain(self, name: str, item: Node, scope: Scope, location: int) -> Expr:
        if "lexpr" not in item:
            return self.operator(name, None, self.expr(item["rexpr"], scope), location)
        if "SubLink" in item["rexpr"] and "RowExpr" in item["lexpr"]:
            return self.row_sublink(name, item, scope, location)
        left = self.expr(item["lexpr"], scope)
        right = self.expr(item["rexpr"], scope)
        if isinstance(left, RowExpr) and isinstance(right, RowExpr):
            return self.row_comparison(name, left.items, right.items, location)
        return self.operator(name, left, right, location)

    def row_comparison(self, name: str, left: tuple[Expr, ...], right: tuple[Expr, ...], location: int | None) -> Expr:
        """(a, b) op (c, d) as comparisons of the parts."""
        if len(left) != len(right):
            raise DsqlError("42601", "unequal number of entries in row expressions", position=self.position(location))
        if not left:
            raise DsqlError("0A000", "cannot compare rows of zero length", position=self.position(location))
        if name not in _COMPARISONS:
            raise DsqlError(
                "0A000",
                f"could not determine interpretation of row comparison operator {name}",
                hint="Row comparison operators must be associated with btree operator families.",
                position=self.position(location),
            )
        pairs = list(zip(left, right, strict=True))
        if name == "=":
            parts = tuple(self._part("=", a, b, location) for a, b in pairs)
            return parts[0] if len(parts) == 1 else BoolOp(BOOL, "and", parts)
        if name == "<>":
            parts = tuple(self._part("<>", a, b, location) for a, b in pairs)
            return parts[0] if len(parts) == 1 else BoolOp(BOOL, "or", parts)
        strictly = name[0]
        result = self._part(name, *pairs[-1], location)
        for a, b in reversed(pairs[:-1]):
            rest = BoolOp(BOOL, "and", (self._part("=", a, b, location), result))
            result = BoolOp(BOOL, "or", (self._part(strictly, a, b, location), rest))
        if len(pairs) > 1:
            # implied, and unlike the rest usable as an index bound
            result = BoolOp(BOOL, "and", (self._part(strictly + "=", *pairs[0], location), result))
        return result

    def _part(self, name: str, left: Expr, right: Expr, location: int | None) -> Expr:
        if isinstance(left, RowExpr) and isinstance(right, RowExpr):
            return self.row_comparison(name, left.items, right.items, location)
        return self.comparison(name, left, right, location)

    def distinct(self, left: Expr, right: Expr, location: int | None) -> Expr:
        """left IS DISTINCT FROM right."""
        if isinstance(left, RowExpr) and isinstance(right, RowExpr):
            if len(left.items) != len(right.items):
                raise DsqlError(
                    "42601", "unequal number of entries in row expressions", position=self.position(location)
                )
            parts = tuple(self.distinct(a, b, location) for a, b in zip(left.items, right.items, strict=True))
            return parts[0] if len(parts) == 1 else BoolOp(BOOL, "or", parts)
        found = self.comparison("=", left, right, location)
        assert isinstance(found, Call)
        return Distinct(BOOL, found.kernel, found.args[0], found.args[1])

    def _nullif(self, item: Node, scope: Scope, location: int) -> Expr:
        left, right = self.expr(item["lexpr"], scope), self.expr(item["rexpr"], scope)
        found = self.comparison("=", left, right, location)
        assert isinstance(found, Call)
        value = found.args[0]
        return NullIf(value.type_oid, found.kernel, found.args[0], found.args[1], value, typmod=value.typmod)

    def _between(self, kind: str, item: Node, scope: Scope, location: int) -> Expr:
        low_node, high_node = item["rexpr"]["List"]["items"]
        symmetric = kind.endswith("_SYM")

        def side(bounds: tuple[Node, Node]) -> Expr:
            # bound anew for each use: an unknown literal or parameter takes its type there
            left = self.expr(item["lexpr"], scope)
            low = self._maybe_row(">=", left, self.expr(bounds[0], scope), location)
            again = self.expr(item["lexpr"], scope)
            high = self._maybe_row("<=", again, self.expr(bounds[1], scope), location)
            return BoolOp(BOOL, "and", (low, high))

        found = side((low_node, high_node))
        if symmetric:
            found = BoolOp(BOOL, "or", (found, side((high_node, low_node))))
        return Not(BOOL, found) if "NOT_BETWEEN" in kind else found

    def _maybe_row(self, name: str, left: Expr, right: Expr, location: int) -> Expr:
        if isinstance(left, RowExpr) and isinstance(right, RowExpr):
            return self.row_comparison(name, left.items, right.items, location)
        return self.comparison(name, left, right, location)

    # -- IN (list), ANY, ALL -------------------------------------------------------------------------------------

    def _in_list(self, item: Node, scope: Scope, location: int) -> Expr:
        name = self.operator_name(item["name"], item.get("location", -1))
        left = self.expr(item["lexpr"], scope)
        nodes = item["rexpr"]["List"]["items"]
        rights = [self.expr(node, scope) for node in nodes]
        if isinstance(left, RowExpr) or any(isinstance(r, RowExpr) for r in rights):
            parts = []
            for right in rights:
                if isinstance(left, RowExpr) and isinstance(right, RowExpr):
                    parts.append(self.row_comparison("=", left.items, right.items, location))
                else:
                    parts.append(self.comparison("=", left, right, location))
            found = parts[0] if len(parts) == 1 else BoolOp(BOOL, "or", tuple(parts))
            return Not(BOOL, found) if name == "<>" else found
        found = self.in_list(left, rights, location)
        return Not(BOOL, found) if name == "<>" else found

    def in_list(self, left: Expr, rights: list[Expr], location: int | None) -> Expr:
        """left IN (rights): one list where the types agree, comparisons joined by OR otherwise."""
        if len(rights) == 1:
            return self.comparison("=", left, rights[0], location)
        try:
            oid = self.common_type([left, *rights], "IN", location)
        except DsqlError:
            oid = 0
        if oid and all(self.coerce_probe(r, oid) for r in rights):
            items = [self.coerce(r, oid) for r in rights]
            if all(i is not None for i in items):
                match = self.find_operator("=", left.type_oid, oid, location)
                subject = self.coerce(left, match.arg_types[0])
                coerced = tuple(self.coerce(i, match.arg_types[1]) for i in items if i is not None)
                if subject is not None and None not in coerced:
                    return InList(BOOL, match.kernel, subject, coerced)
        return BoolOp(BOOL, "or", tuple(self.comparison("=", left, r, location) for r in rights))

    def coerce_probe(self, expr: Expr, oid: int) -> bool:
        """Whether coerce(expr, oid) would succeed, without side effects."""
        from opendsql.registry.resolve import can_coerce

        return expr.type_oid == UNKNOWN or can_coerce(expr.type_oid, oid)

    def _array_test(self, kind: str, name: str, item: Node, scope: Scope, location: int) -> Expr:
        name = "<>" if name == "!=" else name
        quantifier = "any" if kind == "AEXPR_OP_ANY" else "all"
        left = self.expr(item["lexpr"], scope)
        array = self.expr(item["rexpr"], scope)
        if array.type_oid == UNKNOWN:
            element = left.type_oid
        else:
            entry = TYPES_BY_OID[array.type_oid]
            if not entry.is_array:
                raise DsqlError(
                    "42809",
                    "op ANY/ALL (array) requires array on right side",
                    position=self.position(location),
                )
            element = entry.elem_oid
        match = self.find_operator(name, left.type_oid, element, location)
        if match.result_type != BOOL:
            raise DsqlError(
                "42809", "op ANY/ALL (array) requires operator to yield boolean", position=self.position(location)
            )
        subject = self.coerce(left, match.arg_types[0])
        element_oid = match.arg_types[1]
        if TYPES_BY_OID[element_oid].kind == "p":
            element_oid = TEXT if element == UNKNOWN else element
        array_oid = TYPES_BY_OID[element_oid].array_oid
        if (
            isinstance(array, ArrayCtor)
            and array.type_oid != array_oid
            and not any(isinstance(i, ArrayCtor) for i in array.items)
        ):
            items = [self.coerce(i, element_oid) for i in array.items]
            if all(i is not None for i in items):
                array = ArrayCtor(array_oid, element_oid, tuple(i for i in items if i is not None))
        given = TYPES_BY_OID.get(array.type_oid)
        if given is not None and given.name in ("oidvector", "int2vector") and given.elem_oid == element_oid:
            coerced: Expr | None = array
        else:
            coerced = self.coerce(array, array_oid)
        if coerced is None or subject is None:
            raise DsqlError(
                "42883",
                f"operator does not exist: {format_type(left.type_oid)} {name} {format_type(element)}",
                position=self.position(location),
            )
        return ArrayTest(
            BOOL, quantifier, ("py:" if match.kind == "py" else "") + match.kernel, name, subject, coerced, element_oid
        )

    def row_items_of(self, node: Node, scope: Scope) -> tuple[Expr, ...]:
        """The expressions on the left of a row-wise subquery comparison."""
        bound = self.expr(node, scope)
        return bound.items if isinstance(bound, RowExpr) else (bound,)
