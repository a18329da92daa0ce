"""The name of an output column that has none: PostgreSQL's rules, word for word.

figure(node) follows the shape of the parse tree: a column or function gives its name, a cast gives its operand's name or
failing that the type's, CASE gives its ELSE's name or `case`; anything else is `?column?`.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]

_SQL_VALUES = {
    "SVFOP_CURRENT_DATE": "current_date",
    "SVFOP_CURRENT_TIME": "current_time",
    "SVFOP_CURRENT_TIME_N": "current_time",
    "SVFOP_CURRENT_TIMESTAMP": "current_timestamp",
    "SVFOP_CURRENT_TIMESTAMP_N": "current_timestamp",
    "SVFOP_LOCALTIME": "localtime",
    "SVFOP_LOCALTIME_N": "localtime",
    "SVFOP_LOCALTIMESTAMP": "localtimestamp",
    "SVFOP_LOCALTIMESTAMP_N": "localtimestamp",
    "SVFOP_CURRENT_ROLE": "current_role",
    "SVFOP_CURRENT_USER": "current_user",
    "SVFOP_USER": "user",
    "SVFOP_SESSION_USER": "session_user",
    "SVFOP_CURRENT_CATALOG": "current_catalog",
    "SVFOP_CURRENT_SCHEMA": "current_schema",
}

_FIXED = {
    "CoalesceExpr": "coalesce",
    "A_ArrayExpr": "array",
    "RowExpr": "row",
    "GroupingFunc": "grouping",
    "JsonObjectConstructor": "json_object",
    "JsonArrayConstructor": "json_array",
    "JsonArrayQueryConstructor": "json_array",
    "JsonParseExpr": "json",
    "JsonScalarExpr": "json_scalar",
    "JsonSerializeExpr": "json_serialize",
}
_XML = {
    "IS_XMLCONCAT": "xmlconcat",
    "IS_XMLELEMENT": "xmlelement",
    "IS_XMLFOREST": "xmlforest",
    "IS_XMLPARSE": "xmlparse",
    "IS_XMLPI": "xmlpi",
    "IS_XMLROOT": "xmlroot",
}


def figure(node: Node) -> str:
    """The output column name of an expression without AS."""
    return _figure(node)[1] or "?column?"


def _figure(node: Node) -> tuple[int, str | None]:
    # (strength, name): 2 = a real name, 1 = a good guess, 0 = none
    if not node:
        return 0, None
    ((kind, item),) = node.items()
    match kind:
        case "ColumnRef":
            names = [f["String"].get("sval", "") for f in item["fields"] if "String" in f]
            return (2, names[-1]) if names and "String" in item["fields"][-1] else (0, None)
        case "A_Indirection":
            names = [f["String"].get("sval", "") for f in item["indirection"] if "String" in f]
            return (2, names[-1]) if names else _figure(item["arg"])
        case "FuncCall":
            return 2, item["funcname"][-1]["String"]["sval"]
        case "A_Expr":
            return (2, "nullif") if item["kind"] == "AEXPR_NULLIF" else (0, None)
        case "TypeCast":
            strength, name = _figure(item["arg"])
            if strength <= 1:
                return 1, item["typeName"]["names"][-1]["String"]["sval"]
            return strength, name
        case "CollateClause":
            return _figure(item["arg"])
        case "SubLink":
            return _sublink(item)
        case "CaseExpr":
            strength, name = _figure(item.get("defresult") or {})
            return (1, "case") if strength <= 1 else (strength, name)
        case "MinMaxExpr":
            return 2, "greatest" if item["op"] == "IS_GREATEST" else "least"
        case "SQLValueFunction":
            return 2, _SQL_VALUES[item["op"]]
        case "XmlExpr":
            return (2, _XML[item["op"]]) if item["op"] in _XML else (0, None)
        case "XmlSerialize":
            return 2, "xmlserialize"
        case "JsonObjectAgg":
            return 2, "json_objectagg"
        case "JsonArrayAgg":
            return 2, "json_arrayagg"
        case "JsonFuncExpr":
            return 2, {"JSON_EXISTS_OP": "json_exists", "JSON_QUERY_OP": "json_query"}.get(item["op"], "json_value")
    return (2, _FIXED[kind]) if kind in _FIXED else (0, None)


def _sublink(item: Node) -> tuple[int, str | None]:
    match item["subLinkType"]:
        case "EXISTS_SUBLINK":
            return 2, "exists"
        case "ARRAY_SUBLINK":
            return 2, "array"
        case "EXPR_SUBLINK":
            query = item["subselect"].get("SelectStmt", {})
            while query.get("op", "SETOP_NONE") != "SETOP_NONE":
                query = query["larg"]
            targets = query.get("targetList")
            if targets:
                target = targets[0]["ResTarget"]
                name = target.get("name")
                return (2, name) if name else _figure(target.get("val", {}))
            if "valuesLists" in query:
                return 2, "column1"
    return 0, None
