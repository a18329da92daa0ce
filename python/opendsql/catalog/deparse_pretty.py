"""PostgreSQL's pretty form of stored expressions and queries: no more parentheses than the reader needs.

The stored text is the plain form (deparse.py), casts written out, so printing it again needs no types. Rules, as ruleutils has
them: operands are bare when they are columns, constants, calls or casts; * / % inside + - and AND inside OR too; comparisons
inside AND and OR; everything else keeps its parentheses.
"""

from __future__ import annotations

import re
from typing import Any

import pgparse

from opendsql.catalog.deparse import Deparser
from opendsql.catalog.names import strings

_DELIMITED = ("FuncCall", "CaseExpr", "CoalesceExpr", "MinMaxExpr", "RowExpr", "SubLink", "A_ArrayExpr", "SelectStmt")
_SIMPLE = ("ColumnRef", "A_Const", "FuncCall", "TypeCast", "CoalesceExpr", "MinMaxExpr", "SQLValueFunction", "SubLink", "ParamRef")
_ADD, _MULTIPLY = ("+", "-"), ("*", "/", "%")


def pretty_expression(text: str) -> str:
    """A stored expression in the pretty form."""
    tree = pgparse.parse(f"SELECT {text}")[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return PrettyDeparser(re.search(r"\bVALUE\b", text) is not None).expression(tree)


class PrettyDeparser(Deparser):
    """A Deparser whose expressions are the pretty form."""

    def __init__(self, of_domain: bool = False) -> None:
        super().__init__()
        self._of_domain = of_domain  # VALUE is written in capitals
        self._plain = False  # inside a construct whose operands keep their parentheses

    def expression(self, node: dict[str, Any]) -> str:
        """The expression as a clause of its own."""
        kind, body = next(iter(node.items()))
        if self._plain:
            return super().expression(node)
        if kind == "BoolExpr":
            return self._boolean(body)
        if kind == "A_Expr" and body["kind"] == "AEXPR_OP" and "lexpr" in body:
            return self._operation(body)
        if kind == "TypeCast":
            return self._cast(body)
        if kind == "NullTest":
            word = "IS NULL" if body["nulltesttype"] == "IS_NULL" else "IS NOT NULL"
            return f"{self._operand(body['arg'])} {word}"
        if kind in _DELIMITED or kind in _SIMPLE:
            return super().expression(node)
        self._plain = True
        try:
            text = super().expression(node)
        finally:
            self._plain = False
        return text[1:-1] if wraps(text) else text

    def _ColumnRef(self, body: dict[str, Any]) -> str:
        return "VALUE" if self._of_domain else super()._ColumnRef(body)

    def _operand(self, node: dict[str, Any], *bare: str) -> str:
        kind, body = next(iter(node.items()))
        text = self.expression(node)
        if kind == "TypeCast" and next(iter(body["arg"])) not in _SIMPLE:
            return f"({text})"
        if kind in _SIMPLE or (kind == "A_Expr" and body["kind"] == "AEXPR_OP" and _name(body) in bare):
            return text
        return f"({text})"

    def _operation(self, body: dict[str, Any]) -> str:
        name = _name(body)
        shown = Deparser()._A_Expr({**body, "lexpr": _X, "rexpr": _X})[3:-3]  # the operator as the plain form spells it
        left = (*_MULTIPLY, *_ADD) if name in _ADD else _MULTIPLY if name in _MULTIPLY else ()
        right = _MULTIPLY if name in _ADD else ()
        return f"{self._operand(body['lexpr'], *left)} {shown} {self._operand(body['rexpr'], *right)}"

    def _boolean(self, body: dict[str, Any]) -> str:
        parts = []
        for arg in body["args"]:
            kind, inner = next(iter(arg.items()))
            text = self.expression(arg)
            bare = {"AND_EXPR": ("AND_EXPR", "NOT_EXPR"), "OR_EXPR": ("OR_EXPR", "AND_EXPR", "NOT_EXPR")}
            nested = kind == "BoolExpr" and inner["boolop"] not in bare.get(body["boolop"], ())
            parts.append(f"({text})" if nested else text)
        if body["boolop"] == "NOT_EXPR":
            return f"NOT {parts[0]}"
        return (" AND " if body["boolop"] == "AND_EXPR" else " OR ").join(parts)

    def _cast(self, body: dict[str, Any]) -> str:
        return f"{self._operand(body['arg'])}::{self.type_name(body['typeName'])}"


_X: dict[str, Any] = {"ColumnRef": {"fields": [{"String": {"sval": "x"}}]}}


def _name(body: dict[str, Any]) -> str:
    return strings(body.get("name"))[-1]


def wraps(text: str) -> bool:
    """Whether one pair of parentheses stands around the whole text."""
    depth = 0
    quoted = False
    for position, char in enumerate(text):
        quoted ^= char == "'"
        depth += 0 if quoted else (char == "(") - (char == ")")
        if depth == 0:
            return position == len(text) - 1 and position > 0
    return False
