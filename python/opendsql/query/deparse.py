"""Bound expressions as text, the way PostgreSQL's EXPLAIN prints them.

Columns carry their relation's alias when the statement names more than one relation. Literals show their type where a
bare one would be read differently.
"""

from __future__ import annotations

from opendsql.query.expr import (
    BOOL,
    INT4,
    NUMERIC,
    AggCall,
    ArrayCtor,
    ArrayTest,
    BoolOp,
    BoolTest,
    Call,
    Case,
    Cast,
    Coalesce,
    Col,
    Const,
    Distinct,
    Expr,
    InList,
    MinMax,
    Not,
    NullIf,
    NullTest,
    Param,
    RowExpr,
    SubLink,
    WindowCall,
)
from opendsql.query.logical import ROW_KEY, Names
from opendsql.registry.types import TYPES_BY_OID, format_type

_SQL_FUNCTIONS = {"now": "now()"}


class Deparser:
    """Prints expressions of one statement."""

    def __init__(
        self, names: Names, values: dict[tuple[int, int], Expr] | None = None, *, prefix: bool = False
    ) -> None:
        self.names = names
        self.values = values or {}  # what computed columns (aggregates, projections) stand for
        self.prefix = prefix

    def column(self, rel: int, col: int) -> str:
        """A column's name, qualified when needed."""
        names = self.names.columns.get(rel, ())
        alias = self.names.aliases.get(rel, "")
        if col == ROW_KEY:
            name = "row_key"
        else:
            name = names[col] if col < len(names) else f"column{col + 1}"
        return f"{alias}.{name}" if alias and self.prefix else name

    def text(self, expr: Expr) -> str:
        """The expression as SQL."""
        match expr:
            case Col():
                value = self.values.get(expr.id)
                return self.text(value) if value is not None else self.column(expr.rel, expr.col)
            case Const():
                return constant(expr)
            case Param():
                return f"${expr.index + 1}"
            case Call():
                return self._call(expr)
            case Cast():
                return self._cast(expr)
            case BoolOp():
                return "(" + f" {expr.op.upper()} ".join(self.text(a) for a in expr.args) + ")"
            case Not():
                return self._not(expr)
            case NullTest():
                return f"({self.text(expr.arg)} IS {'' if expr.is_null else 'NOT '}NULL)"
            case BoolTest():
                return f"({self.text(expr.arg)} IS {expr.test.upper()})"
            case Distinct():
                return f"({self.text(expr.left)} IS DISTINCT FROM {self.text(expr.right)})"
            case Case():
                whens = " ".join(f"WHEN {self.text(c)} THEN {self.text(v)}" for c, v in expr.whens)
                default = f" ELSE {self.text(expr.default)}" if expr.default is not None else ""
                return f"CASE {whens}{default} END"
            case Coalesce():
                return f"COALESCE({self._list(expr.args)})"
            case NullIf():
                return f"NULLIF({self.text(expr.left)}, {self.text(expr.right)})"
            case MinMax():
                return f"{expr.op.upper()}({self._list(expr.args)})"
            case InList():
                return f"({self.text(expr.arg)} = ANY ({self._array(expr)}))"
            case ArrayTest():
                return f"({self.text(expr.arg)} {expr.name} {expr.quantifier.upper()} ({self.text(expr.array)}))"
            case ArrayCtor():
                return f"ARRAY[{self._list(expr.items)}]"
            case RowExpr():
                return f"ROW({self._list(expr.items)})"
            case SubLink():
                return self._sublink(expr)
            case AggCall():
                inner = "*" if expr.star else ("DISTINCT " if expr.distinct else "") + self._list(expr.args)
                tail = f" FILTER (WHERE {self.text(expr.filter)})" if expr.filter is not None else ""
                return f"{expr.name}({inner}){tail}"
            case WindowCall():
                return f"{expr.name}({'*' if expr.star else self._list(expr.args)}) OVER (?)"
        return "?"

    def _list(self, exprs: tuple[Expr, ...]) -> str:
        return ", ".join(self.text(e) for e in exprs)

    def _call(self, expr: Call) -> str:
        if expr.operator:
            if len(expr.args) == 1:
                return f"({expr.name} {self.text(expr.args[0])})"
            return f"({self.text(expr.args[0])} {expr.name} {self.text(expr.args[1])})"
        return _SQL_FUNCTIONS.get(expr.name) or f"{expr.name}({self._list(expr.args)})"

    def _cast(self, expr: Cast) -> str:
        inner = self.text(expr.arg)
        if expr.kernel == "apply_typmod" and isinstance(expr.arg, Cast) and expr.arg.type_oid == expr.type_oid:
            inner = self.text(expr.arg.arg)
        if expr.implicit and expr.kind != "binary":
            return inner
        if not inner.startswith("("):
            inner = f"({inner})"
        return f"{inner}::{format_type(expr.type_oid, expr.typmod)}"

    def _not(self, expr: Not) -> str:
        inner = expr.arg
        if isinstance(inner, BoolTest):
            return f"({self.text(inner.arg)} IS NOT {inner.test.upper()})"
        if isinstance(inner, InList):
            return f"({self.text(inner.arg)} <> ALL ({self._array(inner)}))"
        if isinstance(inner, Distinct):
            return f"({self.text(inner.left)} IS NOT DISTINCT FROM {self.text(inner.right)})"
        return f"(NOT {self.text(inner)})"

    def _array(self, expr: InList) -> str:
        if all(isinstance(i, Const) and i.text is not None for i in expr.items):
            parts = ",".join(_element(i.text or "") for i in expr.items if isinstance(i, Const))
            return "'{" + parts.replace("'", "''") + "}'::" + format_type(expr.items[0].type_oid) + "[]"
        return f"ARRAY[{self._list(expr.items)}]"

    def _sublink(self, expr: SubLink) -> str:
        match expr.kind:
            case "exists":
                return "EXISTS(SubPlan)"
            case "scalar":
                return "(SubPlan)"
        left = self._list(expr.lhs)
        return f"({left} {expr.op_name} {expr.kind.upper()} (SubPlan))"


def constant(expr: Const) -> str:
    """A constant with its type where it would not be clear."""
    if expr.text is None:
        return f"NULL::{format_type(expr.type_oid)}"
    if expr.type_oid == INT4 or (expr.type_oid == NUMERIC and "." in expr.text):
        return expr.text if not expr.text.startswith("-") else f"'{expr.text}'::{format_type(expr.type_oid)}"
    if expr.type_oid == BOOL:
        return "true" if expr.text in ("true", "t") else "false"
    quoted = "'" + expr.text.replace("'", "''") + "'"
    return f"{quoted}::{format_type(expr.type_oid, expr.typmod)}"


def _element(text: str) -> str:
    if not text or any(c in text for c in '{},"\\ ') or text.upper() == "NULL":
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def width_of(oid: int, typmod: int = -1) -> int:
    """Average width of a type's values, as PostgreSQL guesses it."""
    entry = TYPES_BY_OID.get(oid)
    if entry is None:
        return 32
    if entry.length > 0:
        return entry.length
    if oid in (1042, 1043) and typmod > 4:
        most = typmod - 4
        if oid == 1042 or most <= 32:
            return most
        return 32 + (most - 32) // 2 if most < 1000 else 516
    return 32
