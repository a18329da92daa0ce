"""SEARCH and CYCLE of a recursive WITH query, as a rewriting of its parse tree (the one PostgreSQL makes).

    SEARCH DEPTH FIRST BY cols SET s      s: the rows of cols on the way here, as record texts
    SEARCH BREADTH FIRST BY cols SET s    s: (depth, cols)
    CYCLE cols SET m TO v DEFAULT d USING p
                                          p: the rows of cols on the way; m: v when the row is among them already, and such a
                                          row is not followed

A record's text does not sort as the record does, so s has a hidden companion: text that sorts so (DsqlSortKey). ORDER BY s
means it; CteEntry.sort_by says which column stands for which.
"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pgparse

from opendsql.errors import DsqlError
from opendsql.query.colname import figure
from opendsql.query.expr import TEXT, Call, Expr
from opendsql.query.parts import Part
from opendsql.query.scope import Scope
from opendsql.registry.pyfunctions import register_pyfunction

Node = dict[str, Any]
_NUMBERS = frozenset({20, 21, 23, 26, 700, 701, 1700})


class WalkBinder(Part):
    """Mixin of Binder."""

    def walked(self, body: Node, recursive: bool) -> tuple[Node, dict[str, str]]:
        """The WITH query without its clauses, and the hidden companions of its columns."""
        query = body["ctequery"].get("SelectStmt", {})
        search, cycle = body.get("search_clause"), body.get("cycle_clause")
        where = (search or cycle or {}).get("location", -1)
        if not recursive or query.get("op") != "SETOP_UNION":
            raise DsqlError("42601", "WITH query is not recursive", position=self.position(where))
        names = [n["String"].get("sval", "") for n in body.get("aliascolnames", ())]
        names += _output_names(query["larg"])[len(names) :]
        self._check_walk(names, search, "search", "search_col_list", ("search_seq_column",))
        self._check_walk(names, cycle, "cycle", "cycle_col_list", ("cycle_mark_column", "cycle_path_column"))
        return _rewritten(body, names, search, cycle), ({search["search_seq_column"]: _key(search)} if search else {})

    def _check_walk(self, names: list[str], clause: Node | None, word: str, columns: str, made: tuple[str, ...]) -> None:
        if clause is None:
            return
        position = self.position(clause.get("location", -1))
        listed = _strings(clause[columns])
        for number, name in enumerate(listed):
            if name not in names:
                raise DsqlError("42601", f'{word} column "{name}" not in WITH query column list', position=position)
            if name in listed[:number]:
                raise DsqlError("42701", f'{word} column "{name}" specified more than once', position=position)
        for part in made:
            what = {"search_seq_column": "search sequence", "cycle_mark_column": "cycle mark", "cycle_path_column": "cycle path"}[part]
            if clause[part] in names:
                text = f'{what} column name "{clause[part]}" already used in WITH query column list'
                raise DsqlError("42701", text, position=position)

    def _bind_DsqlSortKey(self, item: Node, scope: Scope) -> Expr:
        args = tuple(self.settle(self.expr(node, scope)) for node in item["args"])
        kernel = "record_sort_key:" + ",".join(str(a.type_oid) for a in args)
        return Call(TEXT, kernel, args, "record_sort_key", kind="py", strict=False)


def _rewritten(body: Node, names: list[str], search: Node | None, cycle: Node | None) -> Node:
    """The union with what the clauses compute beside its columns."""
    name = body["ctename"]
    made: list[tuple[str, str, str]] = []  # column, its first value, its next one
    condition = ""
    if search:
        columns, column, key = _strings(search["search_col_list"]), search["search_seq_column"], _key(search)
        one, two = (", ".join(f'{side}."{c}"' for c in columns) for side in ("l", "r"))
        if search.get("search_breadth_first"):
            depth = key + "#"
            made.append((depth, "0::bigint", f'r."{depth}" + 1'))
            made.append((column, f"ROW(0::bigint, {one})::text", f'ROW(r."{depth}" + 1, {two})::text'))
            made.append((key, "dsql_sort_key(0::bigint, " + one + ")", f'dsql_sort_key(r."{depth}" + 1, {two})'))
        else:
            made.append((column, f"ARRAY[ROW({one})::text]", f'array_append(r."{column}", ROW({two})::text)'))
            made.append((key, f"ARRAY[dsql_sort_key({one})]", f'array_append(r."{key}", dsql_sort_key({two}))'))
    if cycle:
        columns, mark, path = _strings(cycle["cycle_col_list"]), cycle["cycle_mark_column"], cycle["cycle_path_column"]
        one, two = (", ".join(f'{side}."{c}"' for c in columns) for side in ("l", "r"))
        met = f'ROW({two})::text = ANY (r."{path}")'
        chosen = "THEN dsql_value() ELSE dsql_default() END"
        made.append((mark, f"CASE WHEN false {chosen}", f"CASE WHEN {met} {chosen}"))
        made.append((path, f"ARRAY[ROW({one})::text]", f'array_append(r."{path}", ROW({two})::text)'))
        condition = f' WHERE r."{mark}" <> dsql_value()'
    shown = ", ".join(f'"{n}"' for n in names)
    first = ", ".join(part[1] for part in made)
    after = ", ".join(part[2] for part in made)
    every = ", ".join(f'"{part[0]}"' for part in made)
    own = ", ".join(f'r."{n}"' for n in names)
    text = (
        f"SELECT l.*, {first} FROM (SELECT 1) l ({shown}) UNION ALL "
        f"SELECT {own}, {after} FROM (SELECT 2) r ({shown}, {every}){condition}"
    )
    union = _unplaced(pgparse.parse(text)[0]["stmt"]["SelectStmt"])
    query = body["ctequery"]["SelectStmt"]
    value = (cycle or {}).get("cycle_mark_value") or _truth(True)
    default = (cycle or {}).get("cycle_mark_default") or _truth(False)
    union = _filled(union, value, default)
    union["larg"]["fromClause"][0]["RangeSubselect"]["subquery"] = {"SelectStmt": query["larg"]}
    union["rarg"]["fromClause"][0]["RangeSubselect"]["subquery"] = {"SelectStmt": _with_columns(query["rarg"], name, [p[0] for p in made])}
    for part in ("all", "withClause"):
        union.pop(part, None)
        if part in query:
            union[part] = query[part]
    columns_node = [{"String": {"sval": n}} for n in (*names, *(p[0] for p in made))]
    plain = {k: v for k, v in body.items() if k not in ("search_clause", "cycle_clause")}
    return {**plain, "aliascolnames": columns_node, "ctequery": {"SelectStmt": union}}


def _with_columns(query: Node, name: str, columns: list[str]) -> Node:
    """The recursive part, giving also the computed columns of the row it starts from."""
    alias = next((a for node in query.get("fromClause", ()) if (a := _alias_of(node, name))), name)
    query = copy.copy(query)
    named = ([{"String": {"sval": part}} for part in (alias, column)] for column in columns)
    more = [{"ResTarget": {"val": {"ColumnRef": {"fields": fields, "location": -1}}}} for fields in named]
    query["targetList"] = [*query.get("targetList", ()), *more]
    return query


def _alias_of(node: Node, name: str) -> str | None:
    ((kind, item),) = node.items()
    if kind == "RangeVar" and item.get("relname") == name and "schemaname" not in item:
        return str(item.get("alias", {}).get("aliasname") or name)
    if kind == "JoinExpr":
        return _alias_of(item["larg"], name) or _alias_of(item["rarg"], name)
    return None


def _filled(node: Any, value: Node, default: Node) -> Any:
    """The template with its stand-ins replaced."""
    if isinstance(node, list):
        return [_filled(part, value, default) for part in node]
    if not isinstance(node, dict):
        return node
    call = node.get("FuncCall")
    if isinstance(call, dict):
        name = call["funcname"][-1]["String"]["sval"]
        if name in ("dsql_value", "dsql_default"):
            return value if name == "dsql_value" else default
        if name == "dsql_sort_key":
            return {"DsqlSortKey": {"args": call["args"], "location": -1}}
    return {key: _filled(part, value, default) for key, part in node.items()}


def _unplaced(node: Any) -> Any:
    """The tree without positions: its text is not the client's."""
    if isinstance(node, list):
        return [_unplaced(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: -1 if key == "location" else _unplaced(part) for key, part in node.items()}


def _output_names(query: Node) -> list[str]:
    while query.get("op", "SETOP_NONE") != "SETOP_NONE":
        query = query["larg"]
    return [t["ResTarget"].get("name") or figure(t["ResTarget"]["val"]) for t in query.get("targetList", ())]


def _strings(nodes: list[Node]) -> list[str]:
    return [n["String"].get("sval", "") for n in nodes]


def _truth(value: bool) -> Node:
    return {"A_Const": {"boolval": {"boolval": value}, "location": -1}}


def _key(search: Node) -> str:
    return str(search["search_seq_column"]) + "\x01"


def record_sort_key(types: tuple[int, ...], *values: str | None) -> str:
    """Text that sorts, byte by byte, as the record of these values does; NULL comes last."""
    return "\x01".join("\x7f" if v is None else _sortable(v) if t in _NUMBERS else "+" + v for t, v in zip(types, values, strict=True))


def _sortable(text: str) -> str:
    if text in ("NaN", "Infinity", "-Infinity"):
        return {"NaN": "~", "Infinity": "}", "-Infinity": "!"}[text]
    number = Decimal(text)
    digits = format(abs(number), "f")
    whole, _, rest = digits.partition(".")
    shown = f"{len(whole):04d}{whole}{rest.rstrip('0')}"
    if number >= 0:
        return "1" + shown
    return "0" + "".join(chr(ord("9") - int(d) + ord("0")) for d in shown) + "~"


def install() -> None:
    """Register the function."""
    register_pyfunction("record_sort_key", record_sort_key, strict=False, typed=True)
