"""Bound expressions as text, the way PostgreSQL's EXPLAIN prints them.

Literals show their type where a bare one would be read differently, casts nobody wrote only where PostgreSQL shows them,
and every operator its parentheses (ruleutils.c of PostgreSQL 16 is the model).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from dsql_core.types import TypeFormatError, normalise
from opendsql.catalog.names import quote_ident
from opendsql.query.expr import (
    BOOL,
    BPCHAR,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    NAME,
    NUMERIC,
    OID,
    TEXT,
    UNKNOWN,
    VARCHAR,
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
    columns_of,
)
from opendsql.query.logical import ROW_KEY, Names
from opendsql.registry.types import TYPES_BY_OID, format_type

_NEGATORS = {
    "=": "<>", "<": ">=", ">": "<=", "~~": "!~~", "~~*": "!~~*", "~": "!~", "~*": "!~*",
}  # fmt: skip
_NEGATORS.update({after: before for before, after in tuple(_NEGATORS.items())})
_TEXTS = frozenset({TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN})
_INTEGERS = frozenset({INT2, INT4, INT8})
_WIDER = frozenset({INT8, OID, NUMERIC, FLOAT4, FLOAT8})  # what an integer constant is folded into
_PRINTED_ALIKE = frozenset({TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN, 18, 114, 2205, 24, 4096, 4089, 2206})  # as they are stored


class Deparser:
    """Prints expressions of one statement.

    names    what relations and columns are called
    values   what computed columns (aggregates, projections) stand for
    sublink  how a subquery is named where it is used
    given    texts of the parameters' values, as far as they are known: they are printed as constants
    """

    def __init__(
        self,
        names: Names,
        values: dict[tuple[int, int], Expr] | None = None,
        sublink: Callable[[SubLink], str] | None = None,
        given: Sequence[str | None] = (),
    ) -> None:
        self.names = names
        self.values = values or {}
        self.sublink = sublink
        self.given = given
        self.prefix = False
        self.own: int | None = None
        self.here: frozenset[int] = frozenset()

    def at(self, *, prefix: bool = False, own: int | None = None, here: frozenset[int] = frozenset()) -> Deparser:
        """The same printer, standing at one plan node.

        prefix: columns carry their relation; own: but those of this scan never do, and all others always; here: what
        this node itself computes - other computed values come from below and are printed in parentheses.
        """
        found = copy(self)
        found.prefix, found.own, found.here = prefix, own, here
        return found

    def column(self, rel: int, col: int) -> str:
        """A column's name, qualified when needed."""
        names = self.names.columns.get(rel, ())
        alias = self.names.aliases.get(rel, "")
        if col == ROW_KEY:
            name = "row_key"
        else:
            name = names[col] if col < len(names) else f"column{col + 1}"
        qualified = self.prefix if self.own is None else self.prefix or rel != self.own
        return f"{quote_ident(alias)}.{quote_ident(name)}" if alias and qualified else quote_ident(name)

    def text(self, expr: Expr, implicit: bool = False) -> str:
        """The expression as SQL; implicit: casts nobody wrote are shown, too (arguments of operators and functions)."""
        match expr:
            case Col():
                return self._column(expr)
            case Const():
                return constant(expr)
            case Param():
                if expr.index < len(self.given):
                    return constant(Const(expr.type_oid, self.given[expr.index], typmod=expr.typmod))
                return f"${expr.index + 1}"
            case Call():
                return self._call(expr)
            case Cast():
                return self._cast(expr, implicit)
            case BoolOp():
                return "(" + f" {expr.op.upper()} ".join(self.text(a) for a in expr.args) + ")"
            case Not():
                return self._not(expr)
            case NullTest():
                return f"({self.text(expr.arg, True)} IS {'' if expr.is_null else 'NOT '}NULL)"
            case BoolTest():
                return f"({self.text(expr.arg)} IS {expr.test.upper()})"
            case Distinct():
                return f"({self.text(expr.left, True)} IS DISTINCT FROM {self.text(expr.right, True)})"
            case Case():
                return self._case(expr)
            case Coalesce():
                return f"COALESCE({self._list(expr.args)})"
            case NullIf():
                return f"NULLIF({self.text(expr.left, True)}, {self.text(expr.right, True)})"
            case MinMax():
                return f"{expr.op.upper()}({self._list(expr.args)})"
            case InList():
                return self._in_list(expr, "=", "ANY", "OR")
            case ArrayTest():
                array = self.text(expr.array, True)
                return f"({self.text(expr.arg, True)} {expr.name} {expr.quantifier.upper()} ({array}))"
            case ArrayCtor():
                return self._array_ctor(expr)
            case RowExpr():
                return f"ROW({self._list(expr.items)})"
            case SubLink():
                return self._sublink(expr)
            case AggCall():
                return self._aggregate(expr)
            case WindowCall():
                tail = f" FILTER (WHERE {self.text(expr.filter)})" if expr.filter is not None else ""
                return f"{quote_ident(expr.name)}({'*' if expr.star else self._list(expr.args)}){tail} OVER (?)"
        return "?"

    def _list(self, exprs: tuple[Expr, ...]) -> str:
        return ", ".join(self.text(e, True) for e in exprs)

    def _column(self, expr: Col) -> str:
        value = self.values.get(expr.id)
        if value is None:
            return self.column(expr.rel, expr.col)
        text = self.text(value)
        return text if expr.rel in self.here or isinstance(value, Col) else f"({text})"

    def _aggregate(self, expr: AggCall) -> str:
        inner = "*" if expr.star else ("DISTINCT " if expr.distinct else "") + self._list(expr.args)
        order = ", ".join(sort_key(self.text(e, True), d, n) for e, d, n in expr.order)
        tail = f" FILTER (WHERE {self.text(expr.filter)})" if expr.filter is not None else ""
        return f"{quote_ident(expr.name)}({inner}{' ORDER BY ' + order if order else ''}){tail}"

    def _call(self, expr: Call) -> str:
        args = [self.text(a, True) for a in expr.args]
        if expr.operator and len(args) == 1:
            return f"({expr.name} {args[0]})"
        if expr.operator:
            if expr.name == "||" and expr.type_oid == TEXT:
                kinds = [a.type_oid for a in expr.args]
                args = [a if k in _TEXTS else f"({a})::text" for a, k in zip(args, kinds, strict=True)]
            return f"({args[0]} {expr.name} {args[1]})"
        if expr.name == "array_get":
            base = args[0] if isinstance(expr.args[0], Col | Param) else f"({args[0]})"
            return base + "".join(f"[{a}]" for a in args[1:])
        if expr.spelled:
            if expr.name == "extract" and isinstance(expr.args[0], Const):
                args[0] = expr.args[0].text or ""
            return expr.spelled.format(*args)
        return f"{quote_ident(expr.name)}({', '.join(args)})"

    def _case(self, expr: Case) -> str:
        tests = [self.text(condition) for condition, _ in expr.whens]
        subject = ""
        if expr.has_subject and all(isinstance(c, Call) and c.name == "=" for c, _ in expr.whens):
            subject = self.text(expr.whens[0][0].children()[0], True) + " "
            tests = [self.text(c.children()[1], True) for c, _ in expr.whens]
        whens = " ".join(f"WHEN {t} THEN {self.text(v, True)}" for t, (_, v) in zip(tests, expr.whens, strict=True))
        default = "NULL::" + format_type(expr.type_oid) if expr.default is None else self.text(expr.default, True)
        return f"CASE {subject}{whens} ELSE {default} END"

    def _cast(self, expr: Cast, implicit: bool) -> str:
        inner: Expr = expr.arg
        if expr.spelled:
            return expr.spelled
        if expr.kernel == "apply_typmod" and isinstance(inner, Cast) and inner.type_oid == expr.type_oid:
            inner = inner.arg
        if isinstance(inner, Const) and inner.text is not None and inner.type_oid in _INTEGERS and expr.type_oid in _WIDER:
            return constant(Const(expr.type_oid, inner.text, typmod=expr.typmod))
        if isinstance(inner, Const) and inner.type_oid == expr.type_oid:
            return constant(inner, label=False) + f"::{format_type(expr.type_oid, expr.typmod)}"
        if expr.implicit and not implicit:
            return self.text(inner)
        return f"({self.text(inner)})::{format_type(expr.type_oid, expr.typmod)}"

    def _not(self, expr: Not) -> str:
        """A negation, pushed as far down as PostgreSQL pushes it."""
        inner = expr.arg
        match inner:
            case BoolTest():
                return f"({self.text(inner.arg)} IS NOT {inner.test.upper()})"
            case InList():
                return self._in_list(inner, "<>", "ALL", "AND")
            case Not():
                return self.text(inner.arg)
            case NullTest():
                return self.text(replace(inner, is_null=not inner.is_null))
            case BoolOp():
                parts = tuple(Not(BOOL, arg) for arg in inner.args)
                return self.text(BoolOp(BOOL, "or" if inner.op == "and" else "and", parts))
            case Call() if inner.operator and len(inner.args) == 2 and inner.name in _NEGATORS:
                return self.text(replace(inner, name=_NEGATORS[inner.name]))
        return f"(NOT {self.text(inner)})"

    def _in_list(self, expr: InList, op: str, quantifier: str, word: str) -> str:
        """IN or NOT IN: the values without columns as one array when they are several, the others one by one."""
        arg = self.text(expr.arg, True)
        plain = tuple(i for i in expr.items if not columns_of(i))
        if len(plain) == len(expr.items) and len(plain) == 1 or len(plain) > 1:
            parts = [f"({arg} {op} {quantifier} ({self._array(plain)}))"]
        else:
            plain, parts = (), []
        parts += [f"({arg} {op} {self.text(i, True)})" for i in expr.items if i not in plain]
        return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"

    def _array(self, items: tuple[Expr, ...]) -> str:
        if all(isinstance(i, Const) and i.text is not None for i in items):
            parts = ",".join(_element(i.text or "") for i in items if isinstance(i, Const))
            return "'{" + parts.replace("'", "''") + "}'::" + format_type(items[0].type_oid) + "[]"
        return f"ARRAY[{self._list(items)}]"

    def _array_ctor(self, expr: ArrayCtor) -> str:
        nested = bool(expr.items) and expr.items[0].type_oid == expr.type_oid
        if not nested and all(isinstance(i, Const) for i in expr.items):
            parts = ",".join("NULL" if i.text is None else _element(i.text) for i in expr.items if isinstance(i, Const))
            return "'{" + parts.replace("'", "''") + "}'::" + format_type(expr.type_oid)
        return f"ARRAY[{self._list(expr.items)}]"

    def _sublink(self, expr: SubLink) -> str:
        if self.sublink is not None:
            return self.sublink(expr)
        match expr.kind:
            case "exists":
                return "EXISTS(SubPlan)"
            case "scalar" | "array":
                return "(SubPlan)"
        return f"({self._list(expr.lhs)} {expr.op_name} {expr.kind.upper()} (SubPlan))"


def sort_key(text: str, descending: bool, nulls_first: bool) -> str:
    """A sort key with its direction, where it is not the default one."""
    text += " DESC" if descending else ""
    if nulls_first != descending:
        text += " NULLS FIRST" if nulls_first else " NULLS LAST"
    return text


def constant(expr: Const, label: bool = True) -> str:
    """A constant with its type where it would not be clear."""
    kind = format_type(expr.type_oid, expr.typmod)
    if expr.text is None:
        return f"NULL::{kind}" if label else "NULL"
    text = _printed(expr.type_oid, expr.text)
    if expr.type_oid == BOOL:
        return "true" if text in ("true", "t") else "false"
    if expr.type_oid == INT4 and not text.startswith("-"):
        return text
    if expr.type_oid == NUMERIC and text[:1].isdigit() and any(c in text for c in "eE."):
        return text if expr.typmod < 0 or not label else f"{text}::{kind}"
    quoted = "'" + text.replace("'", "''") + "'"
    return f"{quoted}::{kind}" if label and expr.type_oid != UNKNOWN else quoted


def _printed(oid: int, text: str) -> str:
    """A value as its type prints it: '2024-01-01' is '2024-01-01 00:00:00' as a timestamp."""
    if oid in _PRINTED_ALIKE:
        return text
    try:
        return normalise(oid, text)
    except (TypeFormatError, LookupError):
        return text


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
