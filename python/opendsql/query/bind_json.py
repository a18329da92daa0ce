"""SQL/JSON constructors, aggregates and IS JSON, in the terms of functions the registry has.

    JSON_OBJECT, JSON_ARRAY            sql_json_object / sql_json_array, Python functions that get flags and typed values
    JSON_ARRAY(query)                  a scalar subquery over JSON_ARRAYAGG, as PostgreSQL rewrites it
    JSON_OBJECTAGG, JSON_ARRAYAGG      json[b]_object_agg / json[b]_agg, their strict forms for ABSENT ON NULL
    x IS JSON [VALUE|OBJECT|ARRAY|SCALAR] [WITH UNIQUE KEYS]

What RETURNING says is reached by a cast from json or jsonb; without it the result is jsonb when an argument is, else json.
"""

from __future__ import annotations

from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query.bind_expr import location_of
from opendsql.query.expr import BOOL, BYTEA, JSON, JSONB, TEXT, UNKNOWN, Call, Const, Expr, RowExpr
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.registry.refused import refused_type
from opendsql.registry.types import TYPES_BY_OID, format_type

Node = dict[str, Any]
_KINDS = {"JS_TYPE_ANY": "any", "JS_TYPE_OBJECT": "object", "JS_TYPE_ARRAY": "array", "JS_TYPE_SCALAR": "scalar"}


class JsonBinder(Part):
    """Mixin of Binder."""

    # -- values and results --------------------------------------------------------------------------------------

    def _json_value(self, item: Node, scope: Scope, oid: int) -> Expr:
        """A value of a constructor; FORMAT JSON makes text the JSON it holds."""
        node = item["raw_expr"]
        bound = self.expr(node, scope)
        if isinstance(bound, RowExpr):
            return self.row_json(bound, oid)
        return self._formatted(self.settle(bound), item.get("format", {}), location_of(node))

    def _formatted(self, bound: Expr, form: Node, location: int) -> Expr:
        if form.get("encoding", "JS_ENC_DEFAULT") != "JS_ENC_DEFAULT" and bound.type_oid != BYTEA:
            raise DsqlError(
                "42804", "JSON ENCODING clause is only allowed for bytea input type",
                position=self.position(form.get("location", -1)),
            )  # fmt: skip
        if form.get("format_type") != "JS_FORMAT_JSON" or bound.type_oid in (JSON, JSONB):
            return bound
        if bound.type_oid == BYTEA:
            bound = self.call_function(["convert_from"], [bound, Const(UNKNOWN, "UTF8")], location)
        elif TYPES_BY_OID[bound.type_oid].category != "S":
            raise DsqlError(
                "42804", "cannot use non-string types with explicit FORMAT JSON clause", position=self.position(location)
            )
        return self.explicit_cast(bound, JSON, -1, location)

    def _json_type(self, output: Node | None, args: list[Expr]) -> int:
        """json or jsonb: what the constructor itself makes."""
        if output is None:
            return JSONB if any(a.type_oid == JSONB for a in args) else JSON
        written = output["typeName"]
        if written.get("setof"):
            raise unsupported("returning SETOF types is not supported in SQL/JSON functions")
        oid, _ = self.type_name(written)
        form = output.get("returning", {}).get("format", {})
        if form.get("encoding", "JS_ENC_DEFAULT") != "JS_ENC_DEFAULT":
            position = self.position(form.get("location", -1))
            if oid != BYTEA:
                raise DsqlError("0A000", "cannot set JSON encoding for non-bytea output types", position=position)
            if form["encoding"] != "JS_ENC_UTF8":
                raise DsqlError(
                    "0A000", "unsupported JSON encoding", hint="Only UTF8 JSON encoding is supported.", position=position
                )
        return JSONB if oid == JSONB else JSON

    def _json_result(self, bound: Expr, output: Node | None, location: int) -> Expr:
        """The constructor's value in its RETURNING type."""
        if output is None:
            return bound
        oid, typmod = self.type_name(output["typeName"])
        if oid == bound.type_oid:
            return bound
        if oid == BYTEA:
            text = self.explicit_cast(bound, TEXT, -1, location)
            return self.call_function(["convert_to"], [text, Const(UNKNOWN, "UTF8")], location)
        if TYPES_BY_OID[oid].category != "S":
            raise DsqlError(
                "42846", f"cannot cast type {format_type(bound.type_oid)} to {format_type(oid)}", position=self.position(location)
            )
        found = self.coerce(self.explicit_cast(bound, TEXT, -1, location), oid, context="a")
        return self.length_coercion(found, oid, typmod, "a") if found is not None else bound

    def _construct(self, function: str, oid: int, flags: list[str], args: list[Expr]) -> Expr:
        kernel = function + ":" + ",".join(str(a.type_oid) for a in args)
        shown = Const(TEXT, " ".join(flags + (["jsonb"] if oid == JSONB else [])))
        return Call(oid, kernel, (shown, *args), function, kind="py", volatile="s", strict=False)

    # -- constructors --------------------------------------------------------------------------------------------

    def _bind_JsonObjectConstructor(self, item: Node, scope: Scope) -> Expr:
        output, location = item.get("output"), item.get("location", 0)
        hoped = self._json_type(output, [])
        args: list[Expr] = []
        for node in item.get("exprs", ()):
            pair = node["JsonKeyValue"]
            args.append(self.settle(self.expr(pair["key"], scope)))
            args.append(self._json_value(pair["value"], scope, hoped))
        oid = self._json_type(output, args)
        flags = [word for word, said in (("absent", "absent_on_null"), ("unique", "unique")) if item.get(said)]
        return self._json_result(self._construct("sql_json_object", oid, flags, args), output, location)

    def _bind_JsonArrayConstructor(self, item: Node, scope: Scope) -> Expr:
        output, location = item.get("output"), item.get("location", 0)
        hoped = self._json_type(output, [])
        args = [self._json_value(node["JsonValueExpr"], scope, hoped) for node in item.get("exprs", ())]
        oid = self._json_type(output, args)
        flags = ["absent"] if item.get("absent_on_null") else []
        return self._json_result(self._construct("sql_json_array", oid, flags, args), output, location)

    def _bind_JsonArrayQueryConstructor(self, item: Node, scope: Scope) -> Expr:
        location = item.get("location", 0)
        query = self.subquery(item["query"], scope)
        if len(query.columns) != 1:
            raise DsqlError("42601", "subquery must return only one column", position=self.position(location))
        value = {"raw_expr": {"ColumnRef": {"fields": [{"String": {"sval": "a"}}], "location": location}}, "format": item.get("format", {})}
        built: Node = {"constructor": {"location": location}, "arg": value, "absent_on_null": item.get("absent_on_null", False)}
        if "output" in item:
            built["constructor"]["output"] = item["output"]
        alias = {"aliasname": "q", "colnames": [{"String": {"sval": "a"}}]}
        select = {
            "targetList": [{"ResTarget": {"val": {"JsonArrayAgg": built}, "location": location}}],
            "fromClause": [{"RangeSubselect": {"subquery": item["query"], "alias": alias}}],
            "op": "SETOP_NONE",
        }
        link = {"subLinkType": "EXPR_SUBLINK", "subselect": {"SelectStmt": select}, "location": location}
        return self.expr({"SubLink": link}, scope)

    # -- aggregates ----------------------------------------------------------------------------------------------

    def _bind_JsonObjectAgg(self, item: Node, scope: Scope) -> Expr:
        pair = item["arg"]
        name = "object_agg_strict" if item.get("absent_on_null") else "object_agg"
        found, oid = self._json_aggregate(item, scope, name, [pair["key"]], pair["value"])
        if item.get("unique"):
            checked = Const(TEXT, "jsonb" if oid == JSONB else "json")
            text = self.explicit_cast(found, TEXT, -1, None)
            found = Call(oid, "sql_json_unique", (text, checked), "sql_json_unique", kind="py", strict=False)
        return self._json_result(found, item["constructor"].get("output"), item["constructor"].get("location", 0))

    def _bind_JsonArrayAgg(self, item: Node, scope: Scope) -> Expr:
        name = "agg_strict" if item.get("absent_on_null") else "agg"
        found, _ = self._json_aggregate(item, scope, name, [], item["arg"])
        return self._json_result(found, item["constructor"].get("output"), item["constructor"].get("location", 0))

    def _json_aggregate(self, item: Node, scope: Scope, name: str, keys: list[Node], value: Node) -> tuple[Expr, int]:
        """A call of the json[b] aggregate over (keys, value), and json's or jsonb's oid."""
        built = item["constructor"]
        node = value["raw_expr"]
        form = value.get("format", {})
        formatted = form.get("format_type") == "JS_FORMAT_JSON" or form.get("encoding", "JS_ENC_DEFAULT") != "JS_ENC_DEFAULT"
        oid = self._json_type(built.get("output"), [])
        if "output" not in built:
            seen = [self.expr(part, scope) for part in (*keys, node)]
            if formatted and not isinstance(seen[-1], RowExpr):
                seen[-1] = self._formatted(self.settle(seen[-1]), form, location_of(node))
            oid = self._json_type(None, seen)
        if formatted:
            name_parts = [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": "json"}}]
            node = {"TypeCast": {"arg": node, "typeName": {"names": name_parts, "typemod": -1}, "location": location_of(node)}}
        call = {
            "funcname": [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": ("jsonb_" if oid == JSONB else "json_") + name}}],
            "args": [*keys, node],
            "location": built.get("location", 0),
            **{part: built[part] for part in ("agg_order", "agg_filter", "over") if part in built},
        }
        return self.expr({"FuncCall": call}, scope), oid

    # -- IS JSON -------------------------------------------------------------------------------------------------

    def _bind_JsonIsPredicate(self, item: Node, scope: Scope) -> Expr:
        location = item.get("location", 0)
        arg = self.settle(self.expr(item["expr"], scope))
        if arg.type_oid == BYTEA:
            arg = self.call_function(["convert_from"], [arg, Const(UNKNOWN, "UTF8")], location)
        elif arg.type_oid not in (JSON, JSONB) and TYPES_BY_OID[arg.type_oid].category != "S":
            raise DsqlError(
                "42804", f"cannot use type {format_type(arg.type_oid)} in IS JSON predicate", position=self.position(location)
            )
        mode = Const(TEXT, _KINDS[item.get("item_type", "JS_TYPE_ANY")] + (" unique" if item.get("unique_keys") else ""))
        return Call(BOOL, "is_json", (self.explicit_cast(arg, TEXT, -1, None), mode), "is json", kind="py")

    def _bind_XmlExpr(self, item: Node, scope: Scope) -> Expr:
        raise refused_type("xml")

    _bind_XmlSerialize = _bind_XmlExpr
