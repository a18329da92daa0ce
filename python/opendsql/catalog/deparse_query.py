"""SELECT statements back into SQL, laid out as pg_get_viewdef lays them out.

A mix-in of Deparser: it knows clauses, Deparser knows expressions. Layout: one target per line, FROM / WHERE / GROUP BY
right-aligned under the SELECT as PostgreSQL's rule printer does without pretty-printing flags.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from opendsql.catalog.names import qualified, quote_ident, strings

_JOINS = {"JOIN_INNER": "JOIN", "JOIN_LEFT": "LEFT JOIN", "JOIN_RIGHT": "RIGHT JOIN", "JOIN_FULL": "FULL JOIN"}
_SETS = {"SETOP_UNION": "UNION", "SETOP_INTERSECT": "INTERSECT", "SETOP_EXCEPT": "EXCEPT"}
_NOWAIT = {"LockWaitSkip": " SKIP LOCKED", "LockWaitError": " NOWAIT"}


class QueryDeparser:
    """Clauses of a SELECT; expression() comes from Deparser."""

    @abstractmethod
    def expression(self, node: dict[str, Any]) -> str:
        """Text of an expression."""

    @abstractmethod
    def type_name(self, node: dict[str, Any]) -> str:
        """Text of a TypeName."""

    def query(self, node: dict[str, Any]) -> str:
        """Text of a SelectStmt node (given with or without its node name)."""
        body = node.get("SelectStmt", node)
        text = self._with(body)
        if body.get("op", "SETOP_NONE") != "SETOP_NONE":
            word = _SETS[body["op"]] + (" ALL" if body.get("all") else "")
            text += f"{self._operand(body['larg'])}\n{word}\n{self._operand(body['rarg'])}"
        elif body.get("valuesLists"):
            rows = (", ".join(self.expression(v) for v in r["List"]["items"]) for r in body["valuesLists"])
            text += "VALUES " + ", ".join(f"({row})" for row in rows)
        else:
            text += self._select(body)
        return text + self._tail(body)

    def _operand(self, body: dict[str, Any]) -> str:
        nested = body.get("op", "SETOP_NONE") != "SETOP_NONE" or body.get("sortClause") or body.get("limitCount")
        text = self.query(body)
        return f"({text})" if nested else text

    def _walk(self, cte: dict[str, Any]) -> str:
        """SEARCH and CYCLE."""
        text = ""
        if search := cte.get("search_clause"):
            word = "BREADTH" if search.get("search_breadth_first") else "DEPTH"
            listed = ", ".join(map(quote_ident, strings(search["search_col_list"])))
            text += f" SEARCH {word} FIRST BY {listed} SET {quote_ident(search['search_seq_column'])}"
        if cycle := cte.get("cycle_clause"):
            text += f" CYCLE {', '.join(map(quote_ident, strings(cycle['cycle_col_list'])))} SET {quote_ident(cycle['cycle_mark_column'])}"
            value, default = cycle["cycle_mark_value"], cycle["cycle_mark_default"]
            if "boolval" not in value.get("A_Const", {}):
                text += f" TO {self.expression(value)} DEFAULT {self.expression(default)}"
            text += f" USING {quote_ident(cycle['cycle_path_column'])}"
        return text

    def _with(self, body: dict[str, Any]) -> str:
        clause = body.get("withClause")
        if not clause:
            return ""
        parts = []
        for item in clause["ctes"]:
            cte = item["CommonTableExpr"]
            names = f"({', '.join(map(quote_ident, strings(cte['aliascolnames'])))})" if cte.get("aliascolnames") else ""
            hint = {"CTEMaterializeAlways": " MATERIALIZED", "CTEMaterializeNever": " NOT MATERIALIZED"}
            word = hint.get(cte.get("ctematerialized", ""), "")
            parts.append(f"{quote_ident(cte['ctename'])}{names} AS{word} (\n {self.query(cte['ctequery'])}\n){self._walk(cte)}")
        return f"WITH {'RECURSIVE ' if clause.get('recursive') else ''}{', '.join(parts)}\n "

    def _select(self, body: dict[str, Any]) -> str:
        text = "SELECT"
        distinct = body.get("distinctClause")
        if distinct is not None:
            keys = [d for d in distinct if d]
            text += f" DISTINCT ON ({', '.join(self.expression(k) for k in keys)})" if keys else " DISTINCT"
        text += " " + ",\n    ".join(self._target(t["ResTarget"]) for t in body.get("targetList") or ())
        if body.get("fromClause"):
            text += "\n   FROM " + ",\n    ".join(self.from_item(f) for f in body["fromClause"])
        if body.get("whereClause"):
            text += "\n  WHERE " + self.expression(body["whereClause"])
        if body.get("groupClause"):
            word = "GROUP BY DISTINCT " if body.get("groupDistinct") else "GROUP BY "
            text += f"\n  {word}" + ", ".join(self._group(g) for g in body["groupClause"])
        if body.get("havingClause"):
            text += "\n HAVING " + self.expression(body["havingClause"])
        if body.get("windowClause"):
            named = (w["WindowDef"] for w in body["windowClause"])
            text += "\n  WINDOW " + ", ".join(f"{quote_ident(w['name'])} AS {self.window({**w, 'name': ''})}" for w in named)
        return text

    def _tail(self, body: dict[str, Any]) -> str:
        text = ""
        if body.get("sortClause"):
            text += "\n  ORDER BY " + self.sort_clause(body["sortClause"])
        if body.get("limitOffset"):
            text += "\n OFFSET " + self.expression(body["limitOffset"])
        if body.get("limitCount"):
            count = body["limitCount"]
            if body.get("limitOption") == "LIMIT_OPTION_WITH_TIES":
                text += f"\n FETCH FIRST {self.expression(count)} ROWS WITH TIES"
            elif not count.get("A_Const", {}).get("isnull"):
                text += "\n LIMIT " + self.expression(count)
        for item in body.get("lockingClause") or ():
            lock = item["LockingClause"]
            strength = "UPDATE" if lock["strength"] == "LCS_FORUPDATE" else "KEY SHARE"
            names = ", ".join(quote_ident(r["RangeVar"]["relname"]) for r in lock.get("lockedRels") or ())
            text += f"\n FOR {strength}{f' OF {names}' if names else ''}{_NOWAIT.get(lock.get('waitPolicy', ''), '')}"
        return text

    def _target(self, body: dict[str, Any]) -> str:
        text = self.expression(body["val"])
        name = body.get("name")
        value = body["val"].get("ColumnRef")
        if name and not (value and "String" in value["fields"][-1] and value["fields"][-1]["String"]["sval"] == name):
            text += " AS " + quote_ident(name)
        return text

    def _group(self, node: dict[str, Any]) -> str:
        if "GroupingSet" not in node:
            return self.expression(node)
        body = node["GroupingSet"]
        word = {"GROUPING_SET_ROLLUP": "ROLLUP", "GROUPING_SET_CUBE": "CUBE", "GROUPING_SET_SETS": "GROUPING SETS"}
        inner = ", ".join(self._group(g) for g in body.get("content") or ())
        return f"{word[body['kind']]}({inner})" if body["kind"] in word else f"({inner})"

    def sort_clause(self, nodes: list[dict[str, Any]]) -> str:
        """ORDER BY items."""
        parts = []
        for node in nodes:
            body = node["SortBy"]
            text = self.expression(body["node"])
            direction = body.get("sortby_dir")
            if direction == "SORTBY_DESC":
                text += " DESC"
            elif direction == "SORTBY_USING":
                text += f" USING {strings(body['useOp'])[-1]}"
            nulls = body.get("sortby_nulls")
            if nulls == "SORTBY_NULLS_FIRST" and direction != "SORTBY_DESC":
                text += " NULLS FIRST"
            elif nulls == "SORTBY_NULLS_LAST" and direction == "SORTBY_DESC":
                text += " NULLS LAST"
            parts.append(text)
        return ", ".join(parts)

    def window(self, body: dict[str, Any]) -> str:
        """A window: its name, or its definition in parentheses."""
        if body.get("name") and not body.get("refname"):
            return quote_ident(body["name"])
        parts = [quote_ident(body["refname"])] if body.get("refname") else []
        if body.get("partitionClause"):
            parts.append("PARTITION BY " + ", ".join(self.expression(e) for e in body["partitionClause"]))
        if body.get("orderClause"):
            parts.append("ORDER BY " + self.sort_clause(body["orderClause"]))
        frame = self._frame(body)
        return f"({' '.join(parts + ([frame] if frame else []))})"

    def _frame(self, body: dict[str, Any]) -> str:
        bits = body.get("frameOptions", 0)
        if not bits & 0x1:  # NONDEFAULT
            return ""
        unit = "RANGE" if bits & 0x2 else "ROWS" if bits & 0x4 else "GROUPS"
        start = self._bound(bits, (0x20, 0x80, 0x200, 0x800, 0x2000), body.get("startOffset"))
        text = start
        if bits & 0x10:
            text = f"BETWEEN {start} AND {self._bound(bits, (0x40, 0x100, 0x400, 0x1000, 0x4000), body.get('endOffset'))}"
        exclude = {0x8000: " EXCLUDE CURRENT ROW", 0x10000: " EXCLUDE GROUP", 0x20000: " EXCLUDE TIES"}
        return f"{unit} {text}" + "".join(word for bit, word in exclude.items() if bits & bit)

    def _bound(self, bits: int, flags: tuple[int, ...], offset: dict[str, Any] | None) -> str:
        before_all, after_all, current, before, _after = flags
        if bits & before_all:
            return "UNBOUNDED PRECEDING"
        if bits & after_all:
            return "UNBOUNDED FOLLOWING"
        if bits & current:
            return "CURRENT ROW"
        return f"{self.expression(offset or {})} {'PRECEDING' if bits & before else 'FOLLOWING'}"

    def from_item(self, node: dict[str, Any]) -> str:
        """One FROM item."""
        kind, body = next(iter(node.items()))
        if kind == "RangeVar":
            return qualified(body.get("schemaname"), body["relname"]) + self._alias(body.get("alias"))
        if kind == "RangeSubselect":
            word = "LATERAL " if body.get("lateral") else ""
            return f"{word}( {self.query(body['subquery'])}){self._alias(body.get('alias'))}"
        if kind == "RangeFunction":
            return self._range_function(body)
        join = body
        left, right = self.from_item(join["larg"]), self.from_item(join["rarg"])
        if "JoinExpr" in join["rarg"]:
            right = f"({right})"
        word = _JOINS[join["jointype"]]
        if join.get("isNatural"):
            word = "NATURAL " + word
        elif join["jointype"] == "JOIN_INNER" and not join.get("quals") and not join.get("usingClause"):
            word = "CROSS JOIN"
        text = f"{left}\n     {word} {right}"
        if join.get("usingClause"):
            text += f" USING ({', '.join(map(quote_ident, strings(join['usingClause'])))})"
        elif join.get("quals"):
            text += f" ON {self.expression(join['quals'])}"
        return f"({text}){self._alias(join['alias'])}" if join.get("alias") else text

    def _defined(self, node: dict[str, Any]) -> str:
        """The column definition list of one function of ROWS FROM."""
        columns = [c["ColumnDef"] for c in node.get("List", {}).get("items", ())]
        listed = ", ".join(f"{quote_ident(c['colname'])} {self.type_name(c['typeName'])}" for c in columns)
        return f" AS ({listed})" if columns else ""

    def _range_function(self, body: dict[str, Any]) -> str:
        calls = [self.expression(f["List"]["items"][0]) + self._defined(f["List"]["items"][1]) for f in body["functions"]]
        text = f"ROWS FROM({', '.join(calls)})" if body.get("is_rowsfrom") else calls[0]
        text = ("LATERAL " if body.get("lateral") else "") + text
        if body.get("ordinality"):
            text += " WITH ORDINALITY"
        text += self._alias(body.get("alias"))
        if body.get("coldeflist"):
            columns = (c["ColumnDef"] for c in body["coldeflist"])
            alias = "" if body.get("alias") else " AS "
            text += f"{alias}({', '.join(quote_ident(c['colname']) + ' ' + self.type_name(c['typeName']) for c in columns)})"
        return text

    def _alias(self, alias: dict[str, Any] | None) -> str:
        if not alias:
            return ""
        columns = strings(alias.get("colnames"))
        return f" {quote_ident(alias['aliasname'])}" + (f"({', '.join(map(quote_ident, columns))})" if columns else "")
