"""Expressions into the IR of dsql_core.execute: tuples over the columns of one input row.

A column the row does not have belongs to an enclosing query: it becomes an internal parameter of the innermost frame
that knows it (a subplan's, or the right side of an apply), and the frame says how its value is computed outside.

    layout   ColumnId -> index in the row
    frame    what a subplan takes from outside: column -> expression there, and the slots handed out so far
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opendsql.errors import unsupported
from opendsql.query.expr import (
    BOOL,
    TEXT,
    ArrayCtor,
    ArrayTest,
    BoolOp,
    BoolTest,
    Call,
    Case,
    Cast,
    Coalesce,
    Col,
    ColumnId,
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
)
from opendsql.query.logical import Filter
from opendsql.query.parts import Part

Layout = dict[ColumnId, int]
IR = Any
_SAME_TEXT = {25, 1043}


@dataclass(slots=True)
class Frame:
    """What a subplan or apply takes from outside."""

    outer: dict[ColumnId, Expr]
    slots: dict[ColumnId, int] = field(default_factory=dict)


class ExprEmitter(Part):
    """Mixin of Emitter."""

    def expr(self, expr: Expr, layout: Layout) -> IR:
        """The IR of an expression over a row."""
        match expr:
            case Col():
                place = layout.get(expr.id)
                return ("col", place) if place is not None else self.outer_param(expr)
            case Const():
                return ("const", expr.type_oid, expr.typmod, expr.text)
            case Param():
                return self._param(expr)
            case Call():
                args = [self.expr(a, layout) for a in expr.args]
                if expr.kind == "py":
                    self.needs_gil = True
                return (expr.kind, expr.kernel, expr.type_oid, args)
            case Cast():
                return self._cast(expr, layout)
            case BoolOp():
                return (expr.op, [self.expr(a, layout) for a in expr.args])
            case Not():
                return ("not", self.expr(expr.arg, layout))
            case NullTest():
                return ("isnull" if expr.is_null else "notnull", self.expr(expr.arg, layout))
            case BoolTest():
                return (
                    {"true": "istrue", "false": "isfalse", "unknown": "isnull"}[expr.test],
                    self.expr(expr.arg, layout),
                )
            case Distinct():
                return ("distinct_from", expr.kernel, self.expr(expr.left, layout), self.expr(expr.right, layout))
            case Case():
                whens = [(self.expr(c, layout), self.expr(v, layout)) for c, v in expr.whens]
                default = self.expr(expr.default, layout) if expr.default is not None else None
                return ("case", whens, default, expr.type_oid)
            case Coalesce():
                return ("coalesce", [self.expr(a, layout) for a in expr.args], expr.type_oid)
            case NullIf():
                return self._nullif(expr, layout)
            case MinMax():
                return ("call", expr.op, expr.type_oid, [self.expr(a, layout) for a in expr.args])
            case InList():
                items = [self.expr(i, layout) for i in expr.items]
                return ("in", expr.kernel, self.expr(expr.arg, layout), items)
            case ArrayTest():
                kernel = expr.kernel
                if kernel.startswith("py:"):
                    self.needs_gil = True
                array = self.expr(expr.array, layout)
                return (expr.quantifier, kernel, self.expr(expr.arg, layout), array, expr.elem_oid)
            case ArrayCtor() if expr.items and expr.items[0].type_oid == expr.type_oid:
                self.needs_gil = True
                return ("py", "array_nest", expr.type_oid, [self.expr(i, layout) for i in expr.items])
            case ArrayCtor():
                return ("array", expr.elem_oid, expr.type_oid, [self.expr(i, layout) for i in expr.items])
            case SubLink():
                return self._sublink(expr, layout)
            case RowExpr():
                return self._row(expr, layout)
        raise unsupported(f"unsupported expression: {type(expr).__name__}")

    def _row(self, expr: RowExpr, layout: Layout) -> IR:
        self.needs_gil = True
        oids = ",".join(str(i.type_oid) for i in expr.items)
        return ("py", f"make_row:{oids}", TEXT, [self.expr(i, layout) for i in expr.items])

    def _param(self, expr: Param) -> IR:
        oid = self.param_types[expr.index]
        if oid == expr.type_oid:
            return ("param", expr.index, oid)
        return ("call", "cast_io", expr.type_oid, [("param", expr.index, oid)])

    def _cast(self, expr: Cast, layout: Layout) -> IR:
        arg = self.expr(expr.arg, layout)
        if expr.kind == "binary":
            if arg[0] == "const":
                return ("const", expr.type_oid, arg[2], arg[3])
            if {expr.type_oid, expr.arg.type_oid} <= _SAME_TEXT:
                return arg
            return ("coalesce", [arg], expr.type_oid)  # the same value under another type
        if expr.kind == "py":
            self.needs_gil = True
        extra = [self.expr(e, layout) for e in expr.extra]
        return ("py" if expr.kind == "py" else "call", expr.kernel, expr.type_oid, [arg, *extra])

    def _nullif(self, expr: NullIf, layout: Layout) -> IR:
        left, right = self.expr(expr.left, layout), self.expr(expr.right, layout)
        value = self.expr(expr.value, layout)
        if value == left:
            return ("nullif", expr.kernel, left, right)
        condition = ("call", expr.kernel, BOOL, [left, right])
        return ("case", [(condition, ("const", expr.type_oid, -1, None))], value, expr.type_oid)

    # -- subqueries ----------------------------------------------------------------------------------------------

    def outer_param(self, column: Col) -> IR:
        """A column of an enclosing query as an internal parameter."""
        for frame in reversed(self.frames):
            if column.id in frame.outer:
                slot = frame.slots.get(column.id)
                if slot is None:
                    slot = frame.slots[column.id] = self.new_slot()
                return ("param", slot, column.type_oid)
        raise AssertionError(f"column {column.id} is produced by nothing")

    def _sublink(self, expr: SubLink, layout: Layout) -> IR:
        if len(expr.lhs) > 1:
            exists = self.rows_exist(expr)
            found = self.expr(exists, layout)
            self.subplan_of[expr] = self.subplan_of[exists]
            return found
        number = self.subplan_of[expr] = self.subplan(expr, layout)
        match expr.kind:
            case "scalar":
                return ("scalar", number, expr.type_oid)
            case "exists":
                return ("exists", number)
        return (f"{expr.kind}_sub", number, expr.kernels[0], self.expr(expr.lhs[0], layout))

    def rows_exist(self, expr: SubLink) -> SubLink:
        """(a, b) IN (query) as EXISTS: FALSE where it could be NULL, which no WHERE can tell."""
        outer = list(expr.outer)
        conds = []
        for kernel, value, out in zip(expr.kernels, expr.lhs, expr.out, strict=True):
            self.slot_rel -= 1
            place = Col(value.type_oid, self.slot_rel, 0)
            outer.append((place.id, value))
            conds.append(Call(BOOL, kernel, (place, out), "=", operator=True))
        return SubLink(BOOL, "exists", Filter(expr.plan, tuple(conds)), (), tuple(outer))

    def subplan(self, expr: SubLink, layout: Layout) -> int:
        """Number of the program's subplan for a sublink."""
        frame = Frame(dict(expr.outer))
        self.frames.append(frame)
        try:
            phys = self.emit_exactly(expr.plan, [c.id for c in expr.out] if expr.out else [])
        finally:
            self.frames.pop()
        number = len(self.subplans)
        entry: dict[str, Any] = {"plan": phys.ir, "out": [c.type_oid for c in expr.out]}
        self.subplans.append(entry)
        entry["params"] = [(slot, self.expr(frame.outer[column], layout)) for column, slot in frame.slots.items()]
        return number
