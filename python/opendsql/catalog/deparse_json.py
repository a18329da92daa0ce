"""Stored SQL/JSON expressions as text: constructors, aggregates, IS JSON, in the form PostgreSQL prints them."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]
_KINDS = {"JS_TYPE_OBJECT": " OBJECT", "JS_TYPE_ARRAY": " ARRAY", "JS_TYPE_SCALAR": " SCALAR"}
_ENCODINGS = {"JS_ENC_UTF8": " ENCODING UTF8", "JS_ENC_UTF16": " ENCODING UTF16", "JS_ENC_UTF32": " ENCODING UTF32"}


class JsonDeparser:
    """Mixin of Deparser."""

    expression: Any
    type_name: Any
    query: Any
    sort_clause: Any
    window: Any

    def _JsonIsPredicate(self, body: Node) -> str:
        kind = _KINDS.get(body.get("item_type", ""), "")
        unique = " WITH UNIQUE KEYS" if body.get("unique_keys") else ""
        return f"({self.expression(body['expr'])} IS JSON{kind}{unique})"

    def _JsonObjectConstructor(self, body: Node) -> str:
        pairs = ", ".join(self._pair_text(node["JsonKeyValue"]) for node in body.get("exprs", ()))
        clauses = (" ABSENT ON NULL" if body.get("absent_on_null") else "") + (" WITH UNIQUE KEYS" if body.get("unique") else "")
        return f"JSON_OBJECT({(pairs + clauses + self._returning(body)).strip()})"

    def _JsonArrayConstructor(self, body: Node) -> str:
        values = ", ".join(self._value_text(node["JsonValueExpr"]) for node in body.get("exprs", ()))
        clause = "" if body.get("absent_on_null") or not values else " NULL ON NULL"
        return f"JSON_ARRAY({(values + clause + self._returning(body)).strip()})"

    def _JsonArrayQueryConstructor(self, body: Node) -> str:
        text = self.query(body["query"]["SelectStmt"])
        return f"JSON_ARRAY({text}{_format(body.get('format', {}))}{self._returning(body)})"

    def _JsonObjectAgg(self, body: Node) -> str:
        clauses = (" ABSENT ON NULL" if body.get("absent_on_null") else "") + (" WITH UNIQUE KEYS" if body.get("unique") else "")
        inside = f"{self._pair_text(body['arg'])}{clauses}{self._returning(body['constructor'])}"
        return f"JSON_OBJECTAGG({inside}){self._filter(body['constructor'])}"

    def _JsonArrayAgg(self, body: Node) -> str:
        built = body["constructor"]
        clause = f" ORDER BY {self.sort_clause(built['agg_order'])}" if "agg_order" in built else ""
        clause += "" if body.get("absent_on_null") else " NULL ON NULL"
        inside = f"{self._value_text(body['arg'])}{clause}{self._returning(body['constructor'])}"
        return f"JSON_ARRAYAGG({inside}){self._filter(body['constructor'])}"

    def _pair_text(self, pair: Node) -> str:
        return f"{self.expression(pair['key'])} : {self._value_text(pair['value'])}"

    def _value_text(self, value: Node) -> str:
        return str(self.expression(value["raw_expr"])) + _format(value.get("format", {}))

    def _returning(self, body: Node) -> str:
        if "output" not in body:
            return ""
        output = body["output"]
        return f" RETURNING {self.type_name(output['typeName'])}{_format(output.get('returning', {}).get('format', {}))}"

    def _filter(self, built: Node) -> str:
        text = f" FILTER (WHERE {self.expression(built['agg_filter'])})" if "agg_filter" in built else ""
        return text + (f" OVER {self.window(built['over'])}" if "over" in built else "")


def _format(form: Node) -> str:
    if form.get("format_type", "JS_FORMAT_DEFAULT") == "JS_FORMAT_DEFAULT":
        return ""
    return " FORMAT JSON" + _ENCODINGS.get(form.get("encoding", ""), "")
