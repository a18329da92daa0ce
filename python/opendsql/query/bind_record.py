"""Functions in FROM whose columns the query says: column definition lists, and rows of json.

    json[b]_to_record(x), json[b]_to_recordset(x)        AS (name type, ...)
    json[b]_populate_record[set](base, x)                the columns of base, a row value (t.*, null::t)

Both become one set-returning Python function, json_columns(document, what, base), where what is JSON: the function's
name and the names and types of the columns; base is a text[] of the base row.
"""

from __future__ import annotations

import json
from typing import Any

from opendsql.errors import DsqlError
from opendsql.query.bind_expr import location_of
from opendsql.query.expr import INT8, JSON, JSONB, RECORD, TEXT, UNKNOWN, ArrayCtor, Coalesce, Col, Const, Expr, RowExpr
from opendsql.query.logical import FunctionScan, WindowFunction, WindowNode
from opendsql.query.logical import Node as Plan
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.registry.types import TYPES_BY_NAME, TYPES_BY_OID, format_type

Node = dict[str, Any]
TO_RECORD = frozenset(f"{kind}_to_{what}" for kind in ("json", "jsonb") for what in ("record", "recordset"))
POPULATE = frozenset(f"{kind}_populate_{what}" for kind in ("json", "jsonb") for what in ("record", "recordset"))
TEXT_ARRAY = 1009
_FRAME = ("range", "unbounded_preceding", None, "current_row", None, None)


class RecordBinder(Part):
    """Mixin of Binder."""

    def defined_columns(self, nodes: list[Node]) -> list[tuple[str, int, int]]:
        """(name, type, modifier) of a column definition list."""
        found: list[tuple[str, int, int]] = []
        for node in nodes:
            body = node["ColumnDef"]
            name, position = body["colname"], self.position(body.get("location", -1))
            if body["typeName"].get("setof"):
                raise DsqlError("42P16", f'column "{name}" cannot be declared SETOF', position=position)
            if any(name == known for known, _, _ in found):
                raise DsqlError("42701", f'column name "{name}" specified more than once', position=position)
            oid, typmod = self.type_name(body["typeName"])
            if "collClause" in body:
                self.check_collation(body["collClause"], oid)
            found.append((name, oid, typmod))
        return found

    def json_record(self, call: Node, scope: Scope, defined: list[Node] | None, label: str) -> tuple[Plan, list[str]] | None:
        """The scan of a call that makes rows of json, None for any other call."""
        item = call.get("FuncCall")
        name = item["funcname"][-1]["String"]["sval"] if item else ""
        if item is None or name not in TO_RECORD | POPULATE:
            return None
        position = self.position(item.get("location", 0))
        args = [self.expr(node, scope) for node in item.get("args", ())]
        kind = JSONB if name.startswith("jsonb") else JSON
        base: list[Expr] = []
        if name in POPULATE:
            if len(args) == 3 and kind == JSON:
                args.pop()  # use_json_as_text, which PostgreSQL takes and does not look at
            if len(args) != 2 or not isinstance(args[0], RowExpr):
                return None
            if defined is not None:
                text = "a column definition list is redundant for a function returning a named composite type"
                raise DsqlError("42601", text, position=position)
            row = args.pop(0)
            assert isinstance(row, RowExpr)
            base = [self.settle(part) for part in row.items]
            names = row.names or tuple(f"f{i + 1}" for i in range(len(base)))
            columns = [(n, part.type_oid, -1) for n, part in zip(names, base, strict=True)]
        elif defined is None:
            text = 'a column definition list is required for functions returning "record"'
            raise DsqlError("42601", text, position=position)
        else:
            columns = self.defined_columns(defined)
        document = self.coerce(args[0], kind) if len(args) == 1 else None
        if document is None:
            shown = ", ".join(format_type(a.type_oid) for a in args)
            raise DsqlError(
                "42883", f"function {name}({shown}) does not exist",
                hint="No function matches the given name and argument types. You might need to add explicit type casts.",
                position=position,
            )  # fmt: skip
        what = Const(TEXT, json.dumps([name, [[n, oid] for n, oid, _ in columns]]))
        given = Coalesce(TEXT, (self.explicit_cast(document, TEXT, -1, None), Const(TEXT, "")))
        values = tuple(self.explicit_cast(b, TEXT, -1, None) for b in base)
        texts = (given, what, ArrayCtor(TEXT_ARRAY, TEXT, values)) if base else (given, what)
        rel = self.new_rel(label, tuple(n for n, _, _ in columns))
        types = tuple(oid for _, oid, _ in columns)
        node: Plan = self.remember(FunctionScan(rel, "json_columns", texts, types, name=name))
        exprs = [self.length_coercion(c, c.type_oid, m, "a") for c, (_, _, m) in zip(node.columns(), columns, strict=True)]
        if any(not isinstance(e, Col) for e in exprs):
            node = self.projection(node, exprs, [n for n, _, _ in columns])
        return node, [n for n, _, _ in columns]

    def refuse_definitions(self, call: Node, scope: Scope) -> DsqlError:
        """Why a function that is not of these takes no column definition list."""
        item = call.get("FuncCall")
        position = self.position(location_of(call))
        if item is not None:
            args = [self.expr(n.get("NamedArgExpr", {}).get("arg", n), scope) for n in item.get("args", ())]
            match = self._match([n["String"]["sval"] for n in item["funcname"]], args, item.get("location", 0))
            if match.out_columns or match.result_type == RECORD:
                text = "a column definition list is redundant for a function with OUT parameters"
                return DsqlError("42601", text, position=position)
        text = 'a column definition list is only allowed for functions returning "record"'
        return DsqlError("42601", text, position=position)

    def row_type(self, written: Node) -> Any:
        """The table or view a type name means, None when it is a type."""
        names = [n["String"].get("sval", "") for n in written["names"]]
        if names[0] == "pg_catalog" or names[-1] in TYPES_BY_NAME or written.get("arrayBounds") or "typmods" in written:
            return None
        found = self.catalog.find(names[-1], names[-2] if len(names) > 1 else None, self.search_path)
        return found if hasattr(found, "columns") else None

    def null_row(self, table: Any) -> RowExpr:
        """NULL of a table's row type."""
        columns = [c for c in table.columns if not getattr(c, "dropped", False)]
        return RowExpr(RECORD, tuple(Const(c.type_oid, None) for c in columns), tuple(c.name for c in columns))

    def numbered(self, plan: Plan) -> tuple[Plan, Col]:
        """The plan with a row number behind its columns."""
        rel = self.new_rel("ordinality")
        node = self.remember(WindowNode(plan, rel, (), (), (WindowFunction("row_number", (), INT8, "row_number", _FRAME, False),)))
        return node, Col(INT8, rel, 0)

    def check_collation(self, clause: Node, oid: int) -> None:
        """Only C exists, for text alone."""
        self._bind_CollateClause({**clause, "arg": {"TypeCast": _null_of(oid)}} if oid != UNKNOWN else clause, Scope())


def _null_of(oid: int) -> Node:
    names = [{"String": {"sval": "pg_catalog"}}, {"String": {"sval": TYPES_BY_OID[oid].name}}]
    return {"arg": {"A_Const": {"isnull": True, "location": -1}}, "typeName": {"names": names, "typemod": -1}, "location": -1}
