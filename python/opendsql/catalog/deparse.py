"""Expressions back into SQL, in the words PostgreSQL's own catalog uses for them.

A default, check, index key or view is kept as text: fully parenthesised operators, casts in `::` form, constants with
their type where PostgreSQL would show it. Types are inferred only as far as that display needs (columns, constants,
casts, operators over them); what cannot be told is left without a cast, which reads back the same.

    Deparser(columns).expression(node)            -> text
    Deparser(columns).coerced(node, oid, typmod)  -> text of a value that must become a column's type
    Deparser().query(node)                        -> text of a SELECT (deparse_query.py)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.deparse_json import JsonDeparser
from opendsql.catalog.deparse_query import QueryDeparser
from opendsql.catalog.names import quote_ident, quote_literal, strings
from opendsql.errors import unsupported
from opendsql.registry.functions import FUNCTIONS_BY_NAME
from opendsql.registry.types import TYPES_BY_OID

_NUMBERS = (dt.INT2, dt.INT4, dt.INT8, dt.NUMERIC, dt.FLOAT4, dt.FLOAT8)
_INTEGERS = (dt.INT2, dt.INT4, dt.INT8)
_COMPARISONS = frozenset(("=", "<>", "!=", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*", "~", "~*", "!~", "!~*"))
_SQL_VALUES = {
    "SVFOP_CURRENT_DATE": ("CURRENT_DATE", dt.DATE), "SVFOP_CURRENT_TIME": ("CURRENT_TIME", dt.TIMETZ),
    "SVFOP_CURRENT_TIMESTAMP": ("CURRENT_TIMESTAMP", dt.TIMESTAMPTZ), "SVFOP_LOCALTIME": ("LOCALTIME", dt.TIME),
    "SVFOP_LOCALTIMESTAMP": ("LOCALTIMESTAMP", dt.TIMESTAMP), "SVFOP_CURRENT_ROLE": ("CURRENT_ROLE", dt.NAME),
    "SVFOP_CURRENT_USER": ("CURRENT_USER", dt.NAME), "SVFOP_USER": ("USER", dt.NAME),
    "SVFOP_SESSION_USER": ("SESSION_USER", dt.NAME), "SVFOP_CURRENT_CATALOG": ("CURRENT_CATALOG", dt.NAME),
    "SVFOP_CURRENT_SCHEMA": ("CURRENT_SCHEMA", dt.NAME), "SVFOP_CURRENT_TIME_N": ("CURRENT_TIME", dt.TIMETZ),
    "SVFOP_CURRENT_TIMESTAMP_N": ("CURRENT_TIMESTAMP", dt.TIMESTAMPTZ), "SVFOP_LOCALTIME_N": ("LOCALTIME", dt.TIME),
    "SVFOP_LOCALTIMESTAMP_N": ("LOCALTIMESTAMP", dt.TIMESTAMP),
}  # fmt: skip
_FUNCTION_TYPES = {
    "lower": dt.TEXT, "upper": dt.TEXT, "btrim": dt.TEXT, "ltrim": dt.TEXT, "rtrim": dt.TEXT, "concat": dt.TEXT,
    "md5": dt.TEXT, "substring": dt.TEXT, "replace": dt.TEXT, "left": dt.TEXT, "right": dt.TEXT, "to_char": dt.TEXT,
    "length": dt.INT4, "char_length": dt.INT4, "character_length": dt.INT4, "octet_length": dt.INT4, "now": dt.TIMESTAMPTZ,
    "clock_timestamp": dt.TIMESTAMPTZ, "gen_random_uuid": dt.UUID, "nextval": dt.INT8, "random": dt.FLOAT8,
    "extract": dt.NUMERIC, "date_part": dt.FLOAT8, "initcap": dt.TEXT, "reverse": dt.TEXT, "split_part": dt.TEXT,
    "jsonb_typeof": dt.TEXT, "json_typeof": dt.TEXT, "encode": dt.TEXT, "concat_ws": dt.TEXT, "lpad": dt.TEXT,
}  # fmt: skip


def _parameter_type(function: str, place: int, count: int) -> int | None:
    """The type every overload of so many arguments has at a place; None when they differ, or it is no plain type."""
    found = set()
    for overload in FUNCTIONS_BY_NAME.get(function, ()):
        least = len(overload.arg_types) - len(overload.defaults)
        if overload.variadic or least <= count <= len(overload.arg_types):
            found.add(overload.arg_types[place] if place < len(overload.arg_types) and not overload.variadic else 0)
    wanted = found.pop() if len(found) == 1 else 0
    entry = TYPES_BY_OID.get(wanted)
    return wanted if entry is not None and entry.kind == "b" else None


class Deparser(JsonDeparser, QueryDeparser):
    """Turns parse trees into text; columns maps the names an expression may use to (type oid, typmod)."""

    def __init__(self, columns: Mapping[str, tuple[int, int]] | None = None) -> None:
        self.columns = columns or {}

    # -- types, as far as display needs them ---------------------------------------------------------------------------

    def type_of(self, node: dict[str, Any]) -> int | None:
        """The type of an expression, UNKNOWN for a bare string, None when it cannot be told here."""
        kind, body = next(iter(node.items()))
        if kind == "ColumnRef":
            names = strings(body.get("fields"))
            found = self.columns.get(names[-1]) if names else None
            return found[0] if found else None
        if kind == "A_Const":
            return self._const_type(body)
        if kind == "TypeCast":
            row = dt.types_by_name().get(strings(body["typeName"].get("names"))[-1])
            if row is None:
                return None
            return row.array_oid if body["typeName"].get("arrayBounds") else row.oid
        if kind == "JsonIsPredicate":
            return dt.BOOL
        if kind == "FuncCall":
            return _FUNCTION_TYPES.get(strings(body.get("funcname"))[-1])
        if kind == "SQLValueFunction":
            return _SQL_VALUES[body["op"]][1]
        if kind in ("BoolExpr", "NullTest", "BooleanTest"):
            return dt.BOOL
        if kind in ("CoalesceExpr", "MinMaxExpr"):
            known = [t for t in map(self.type_of, body["args"]) if t not in (None, dt.UNKNOWN)]
            return known[0] if known else None
        if kind == "A_Expr":
            return self._operator_type(body)
        return None

    @staticmethod
    def _const_type(body: dict[str, Any]) -> int | None:
        if body.get("isnull") or "sval" in body:
            return dt.UNKNOWN
        if "ival" in body:
            return dt.INT4
        if "fval" in body:
            text = body["fval"]["fval"]
            return dt.INT8 if text.isdigit() and int(text) < 2**63 else dt.NUMERIC
        return dt.BOOL if "boolval" in body else dt.BIT

    def _operator_type(self, body: dict[str, Any]) -> int | None:
        name = strings(body.get("name"))[-1] if body.get("name") else ""
        if body["kind"] != "AEXPR_OP" or name in _COMPARISONS:
            return dt.BOOL if body["kind"] != "AEXPR_NULLIF" else self.type_of(body["lexpr"])
        right = self.type_of(body["rexpr"])
        if "lexpr" not in body:
            return right
        left = self.type_of(body["lexpr"])
        if name == "||":
            return dt.JSONB if dt.JSONB in (left, right) else dt.TEXT
        if name == "->":
            return left
        if name in ("->>", "#>>"):
            return dt.TEXT
        if left in _NUMBERS and right in _NUMBERS:
            return max(left, right, key=_NUMBERS.index)
        return left if right in (None, dt.UNKNOWN) or left in (dt.DATE, dt.TIMESTAMP, dt.TIMESTAMPTZ) else right

    # -- expressions ---------------------------------------------------------------------------------------------------

    def expression(self, node: dict[str, Any]) -> str:
        """The expression's text; a node this class does not know is a programming error."""
        kind, body = next(iter(node.items()))
        method = getattr(self, "_" + kind, None)
        if method is None:
            raise unsupported(f"unsupported expression: {kind}")
        return method(body)

    def coerced(self, node: dict[str, Any], oid: int, typmod: int = -1) -> str:
        """The text of a value assigned to a column of the type: bare constants are shown with that type."""
        if "A_Const" in node and ("sval" in node["A_Const"] or node["A_Const"].get("isnull")):
            return f"{self.expression(node)}::{dt.format_type(oid, None)}"
        if "A_Expr" in node and node["A_Expr"].get("lexpr") is None and "A_Const" in node["A_Expr"].get("rexpr", {}):
            text = self.expression(node["A_Expr"]["rexpr"])
            return f"'-{text}'::{dt.format_type(self._const_type(node['A_Expr']['rexpr']['A_Const']) or 0, None)}"
        return self.expression(node)

    def _list(self, nodes: list[dict[str, Any]] | None) -> str:
        return ", ".join(self.expression(node) for node in nodes or ())

    def _typed(self, node: dict[str, Any], wanted: int | None) -> str:
        """An operand beside one of type `wanted`, with the casts PostgreSQL's analysis would put."""
        own = self.type_of(node)
        text = self.expression(node)
        if own == dt.UNKNOWN and wanted is not None and wanted != dt.UNKNOWN:
            shown = {dt.VARCHAR: "text", dt.BPCHAR: "bpchar"}.get(wanted)
            return f"{text}::{shown or dt.format_type(wanted, None)}"
        if own == dt.VARCHAR:
            return f"({text})::text"
        if own in _INTEGERS and wanted in (dt.NUMERIC, dt.FLOAT4, dt.FLOAT8):
            return f"({text})::{'numeric' if wanted == dt.NUMERIC else 'double precision'}"
        if own == dt.NUMERIC and wanted in (dt.FLOAT4, dt.FLOAT8):
            return f"({text})::double precision"
        return text

    def _pair(self, left: dict[str, Any], right: dict[str, Any]) -> tuple[str, str]:
        left_type, right_type = self.type_of(left), self.type_of(right)
        if left_type == right_type == dt.UNKNOWN:
            return f"{self.expression(left)}::text", f"{self.expression(right)}::text"
        return self._typed(left, right_type), self._typed(right, left_type)

    def _ColumnRef(self, body: dict[str, Any]) -> str:
        parts = []
        for field in body["fields"]:
            parts.append("*" if "A_Star" in field else quote_ident(field["String"]["sval"]))
        return ".".join(parts)

    def _A_Const(self, body: dict[str, Any]) -> str:
        if body.get("isnull"):
            return "NULL"
        if "sval" in body:
            return quote_literal(body["sval"].get("sval", ""))
        if "ival" in body:
            value = body["ival"].get("ival", 0)
            return str(value) if value >= 0 else f"'{value}'::integer"
        if "fval" in body:
            text = body["fval"]["fval"]
            return f"'{text}'::bigint" if self._const_type(body) == dt.INT8 else text
        if "boolval" in body:
            return "true" if body["boolval"].get("boolval") else "false"
        text = body["bsval"]["bsval"]
        return f"{text[0].upper()}'{text[1:]}'"

    def _TypeCast(self, body: dict[str, Any]) -> str:
        target = self.type_name(body["typeName"])
        arg = body["arg"]
        inner = self.expression(arg)
        if "A_Const" in arg and ("sval" in arg["A_Const"] or arg["A_Const"].get("isnull")):
            return f"{inner}::{target}"
        if "A_ArrayExpr" in arg and not arg["A_ArrayExpr"].get("elements"):
            return f"{inner}::{target}"
        return f"({inner})::{target}"

    def type_name(self, node: dict[str, Any]) -> str:
        """A TypeName as format_type would show it, without resolving what it does not know."""
        names = strings(node.get("names"))
        row = dt.types_by_name().get(names[-1])
        bounds = "[]" * len(node.get("arrayBounds") or ())
        if row is None or (len(names) > 1 and names[-2] != "pg_catalog"):
            return ".".join(quote_ident(n) for n in names) + bounds
        typmod = -1
        if node.get("typmods"):
            typmod = dt.typmod_of(row.oid, node)
        elif row.oid == dt.BPCHAR:
            return "bpchar" + bounds
        return dt.format_type(row.oid, typmod if typmod >= 0 else None) + bounds

    def _FuncCall(self, body: dict[str, Any]) -> str:
        names = strings(body["funcname"])
        name = names[-1]
        args = body.get("args") or []
        syntax = body.get("funcformat") == "COERCE_SQL_SYNTAX"
        if syntax and name == "extract" and len(args) == 2 and "A_Const" in args[0]:
            return f"EXTRACT({args[0]['A_Const']['sval']['sval']} FROM {self.expression(args[1])})"
        if syntax and name == "timezone" and len(args) == 2:
            return f"({self.expression(args[1])} AT TIME ZONE {self._typed(args[0], dt.TEXT)})"
        if syntax and name == "position":
            return f"POSITION(({self._typed(args[1], dt.TEXT)}) IN ({self._typed(args[0], dt.TEXT)}))"
        if syntax and name == "substring" and len(args) in (2, 3):
            tail = f" FOR {self.expression(args[2])}" if len(args) == 3 else ""
            return f"SUBSTRING({self._argument(args[0])} FROM {self._argument(args[1])}{tail})"
        if syntax and name in ("btrim", "ltrim", "rtrim"):
            side = {"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name]
            what = f" {self._argument(args[1])}" if len(args) == 2 else ""
            return f"TRIM({side}{what} FROM {self._argument(args[0])})"
        if syntax and name == "overlay":
            tail = f" FOR {self.expression(args[3])}" if len(args) == 4 else ""
            return f"OVERLAY({self._argument(args[0])} PLACING {self._argument(args[1])} FROM {self.expression(args[2])}{tail})"
        shown = [n for n in names if n != "pg_catalog"]
        text = ".".join(quote_ident(n) for n in shown) + "("
        if body.get("agg_star"):
            text += "*"
        else:
            if body.get("agg_distinct"):
                text += "DISTINCT "
            parts = [self._argument(arg, name, place, len(args)) for place, arg in enumerate(args)]
            if body.get("func_variadic") and parts:
                parts[-1] = "VARIADIC " + parts[-1]
            text += ", ".join(parts)
            if body.get("agg_order") and not body.get("agg_within_group"):
                text += " ORDER BY " + self.sort_clause(body["agg_order"])
        text += ")"
        if body.get("agg_within_group"):
            text += f" WITHIN GROUP (ORDER BY {self.sort_clause(body['agg_order'])})"
        if body.get("agg_filter"):
            text += f" FILTER (WHERE {self.expression(body['agg_filter'])})"
        if body.get("over") is not None:
            text += " OVER " + self.window(body["over"])
        return text

    def _argument(self, node: dict[str, Any], function: str = "", place: int = 0, count: int = 0) -> str:
        own = self.type_of(node)
        if own == dt.UNKNOWN and function and function != "nextval":
            wanted = _parameter_type(function, place, count)
            return f"{self.expression(node)}::{dt.format_type(wanted, None)}" if wanted else self.expression(node)
        if own == dt.VARCHAR and function not in ("count", "max", "min", "array_agg", "jsonb_build_object", "concat"):
            return f"({self.expression(node)})::text"
        if own == dt.UNKNOWN and function == "nextval":
            return f"{self.expression(node)}::regclass"
        if own == dt.UNKNOWN and not node.get("A_Const", {}).get("isnull"):
            return f"{self.expression(node)}::text"
        return self.expression(node)

    def _NamedArgExpr(self, body: dict[str, Any]) -> str:
        return f"{quote_ident(body['name'])} => {self.expression(body['arg'])}"

    def _A_Expr(self, body: dict[str, Any]) -> str:
        kind = body["kind"]
        name = strings(body.get("name"))[-1] if body.get("name") else ""
        if name == "!=":
            name = "<>"
        if len(strings(body.get("name"))) > 1:
            schema = strings(body["name"])[-2]
            shown = name if schema == "pg_catalog" else f"OPERATOR({quote_ident(schema)}.{name})"
        else:
            shown = name
        if kind in ("AEXPR_OP", "AEXPR_LIKE", "AEXPR_ILIKE"):
            if "lexpr" not in body:
                if shown == "+":
                    return f"(+ {self.expression(body['rexpr'])})"
                const = body["rexpr"].get("A_Const", {})
                if shown == "-" and ("ival" in const or "fval" in const):
                    oid = self._const_type(const)
                    text = str(const["ival"].get("ival", 0)) if "ival" in const else const["fval"]["fval"]
                    return f"'-{text}'::{dt.format_type(oid or 0, None)}"
                return f"({shown} {self.expression(body['rexpr'])})"
            if name in ("->", "->>", "#>", "#>>", "@>", "<@", "?") or (name in ("||",) and self._operator_type(body) == dt.JSONB):
                return self._json_operator(shown, name, body)
            left, right = self._pair(body["lexpr"], body["rexpr"])
            return f"({left} {shown} {right})"
        if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL"):
            word = "ANY" if kind == "AEXPR_OP_ANY" else "ALL"
            return f"({self._typed(body['lexpr'], None)} {shown} {word} ({self.expression(body['rexpr'])}))"
        if kind == "AEXPR_IN":
            return self._in(body, name)
        if kind in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
            left, right = self._pair(body["lexpr"], body["rexpr"])
            text = f"({left} IS DISTINCT FROM {right})"
            return text if kind == "AEXPR_DISTINCT" else f"(NOT {text})"
        if kind == "AEXPR_NULLIF":
            left, right = self._pair(body["lexpr"], body["rexpr"])
            return f"NULLIF({left}, {right})"
        if kind.startswith("AEXPR_") and "BETWEEN" in kind:
            return self._between(body, kind)
        if kind == "AEXPR_SIMILAR":
            pattern = body["rexpr"]["FuncCall"]["args"]
            escape = "".join(f", {self._typed(a, dt.TEXT)}" for a in pattern[1:])
            op = "~" if name == "~" else "!~"
            return f"({self._typed(body['lexpr'], dt.TEXT)} {op} similar_to_escape({self._typed(pattern[0], dt.TEXT)}{escape}))"
        raise unsupported(f"unsupported expression: {kind}")

    def _json_operator(self, shown: str, name: str, body: dict[str, Any]) -> str:
        left, right = body["lexpr"], body["rexpr"]
        target = {"#>": "text[]", "#>>": "text[]", "@>": "jsonb", "<@": "jsonb", "||": "jsonb"}.get(name, "text")
        texts = []
        for side in (left, right):
            text = self.expression(side)
            texts.append(f"{text}::{target}" if self.type_of(side) == dt.UNKNOWN else text)
        return f"({texts[0]} {shown} {texts[1]})"

    def _in(self, body: dict[str, Any], name: str) -> str:
        items = body["rexpr"]["List"]["items"]
        own = self.type_of(body["lexpr"])
        negated = name == "<>"
        if len(items) == 1:
            left, right = self._pair(body["lexpr"], items[0])
            return f"({left} {name} {right})"
        op, word = ("<>", "ALL") if negated else ("=", "ANY")
        if own == dt.VARCHAR:
            parts = []
            for item in items:
                text = self.expression(item)
                parts.append(f"{text}::character varying" if self.type_of(item) == dt.UNKNOWN else text)
            return f"(({self.expression(body['lexpr'])})::text {op} {word} ((ARRAY[{', '.join(parts)}])::text[]))"
        return f"({self.expression(body['lexpr'])} {op} {word} (ARRAY[{', '.join(self._typed(i, own) for i in items)}]))"

    def _between(self, body: dict[str, Any], kind: str) -> str:
        low, high = body["rexpr"]["List"]["items"]
        left, low_text = self._pair(body["lexpr"], low)
        _, high_text = self._pair(body["lexpr"], high)
        if "SYM" in kind:
            word = "NOT BETWEEN SYMMETRIC" if "NOT" in kind else "BETWEEN SYMMETRIC"
            return f"({left} {word} {low_text} AND {high_text})"
        if "NOT" in kind:
            return f"(({left} < {low_text}) OR ({left} > {high_text}))"
        return f"(({left} >= {low_text}) AND ({left} <= {high_text}))"

    def _BoolExpr(self, body: dict[str, Any]) -> str:
        if body["boolop"] == "NOT_EXPR":
            return f"(NOT {self.expression(body['args'][0])})"
        word = " AND " if body["boolop"] == "AND_EXPR" else " OR "
        return "(" + word.join(self.expression(arg) for arg in body["args"]) + ")"

    def _NullTest(self, body: dict[str, Any]) -> str:
        word = "IS NULL" if body["nulltesttype"] == "IS_NULL" else "IS NOT NULL"
        return f"({self.expression(body['arg'])} {word})"

    def _BooleanTest(self, body: dict[str, Any]) -> str:
        return f"({self.expression(body['arg'])} {body['booltesttype'].replace('_', ' ')})"

    def _CaseExpr(self, body: dict[str, Any]) -> str:
        text = "CASE"
        if "arg" in body:
            text += " " + self.expression(body["arg"])
        for arm in body["args"]:
            when = arm["CaseWhen"]
            cond = self._typed(when["expr"], self.type_of(body["arg"]) if "arg" in body else None)
            text += f" WHEN {cond} THEN {self._result(when['result'])}"
        text += f" ELSE {self._result(body['defresult']) if 'defresult' in body else 'NULL'}"
        return text + " END"

    def _result(self, node: dict[str, Any]) -> str:
        own = self.type_of(node)
        text = self.expression(node)
        return f"{text}::text" if own == dt.UNKNOWN and not node.get("A_Const", {}).get("isnull") else text

    def _CoalesceExpr(self, body: dict[str, Any]) -> str:
        common = self.type_of({"CoalesceExpr": body})
        parts = []
        for arg in body["args"]:
            text = self.expression(arg)
            if self.type_of(arg) == dt.UNKNOWN and "A_Const" in arg:
                text += f"::{dt.format_type(common or dt.TEXT, None)}"
            parts.append(text)
        return f"COALESCE({', '.join(parts)})"

    def _MinMaxExpr(self, body: dict[str, Any]) -> str:
        return f"{'GREATEST' if body['op'] == 'IS_GREATEST' else 'LEAST'}({self._list(body['args'])})"

    def _SQLValueFunction(self, body: dict[str, Any]) -> str:
        text = _SQL_VALUES[body["op"]][0]
        return f"{text}({body['typmod']})" if body["op"].endswith("_N") else text

    def _RowExpr(self, body: dict[str, Any]) -> str:
        return f"ROW({self._list(body.get('args'))})"

    def _A_ArrayExpr(self, body: dict[str, Any]) -> str:
        return f"ARRAY[{', '.join(self._result(e) for e in body.get('elements') or ())}]"

    def _A_Indirection(self, body: dict[str, Any]) -> str:
        text = f"({self.expression(body['arg'])})"
        for step in body["indirection"]:
            if "A_Indices" in step:
                index = step["A_Indices"]
                upper = self.expression(index["uidx"]) if "uidx" in index else ""
                lower = self.expression(index["lidx"]) if "lidx" in index else ""
                text += f"[{lower}:{upper}]" if index.get("is_slice") else f"[{upper}]"
            elif "A_Star" in step:
                text += ".*"
            else:
                text += "." + quote_ident(step["String"]["sval"])
        return text

    def _CollateClause(self, body: dict[str, Any]) -> str:
        return f"({self.expression(body['arg'])} COLLATE {'.'.join(quote_ident(n) for n in strings(body['collname']))})"

    def _ParamRef(self, body: dict[str, Any]) -> str:
        return f"${body.get('number', 0)}"

    def _SetToDefault(self, body: dict[str, Any]) -> str:
        return "DEFAULT"

    def _GroupingFunc(self, body: dict[str, Any]) -> str:
        return f"GROUPING({self._list(body['args'])})"

    def _List(self, body: dict[str, Any]) -> str:
        return f"({self._list(body['items'])})"

    def _SubLink(self, body: dict[str, Any]) -> str:
        query = self.query(body["subselect"])
        kind = body["subLinkType"]
        if kind == "EXISTS_SUBLINK":
            return f"(EXISTS ({query}))"
        if kind == "EXPR_SUBLINK":
            return f"({query})"
        if kind == "ARRAY_SUBLINK":
            return f"ARRAY({query})"
        test = self.expression(body["testexpr"])
        op = strings(body.get("operName"))
        if kind == "ANY_SUBLINK":
            return f"({test} IN ({query}))" if not op else f"({test} {op[-1]} ANY ({query}))"
        return f"({test} {op[-1]} ALL ({query}))"
