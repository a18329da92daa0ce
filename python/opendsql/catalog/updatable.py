"""Which views INSERT, UPDATE and DELETE can write through, by PostgreSQL's rules for automatically updatable views.

A view is updatable when it selects plain rows of one table or view: no DISTINCT, GROUP BY, HAVING, LIMIT, OFFSET, WITH, set
operation, aggregate, window or set-returning function at its top level. Its columns that are plain columns of what it
selects from can be written, the others only read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pgparse

from opendsql.catalog.model import Catalog, Column, Table, View

_CLAUSES = (
    ("distinctClause", "Views containing DISTINCT are not automatically updatable."),
    ("groupClause", "Views containing GROUP BY are not automatically updatable."),
    ("havingClause", "Views containing HAVING are not automatically updatable."),
    ("larg", "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."),
    ("withClause", "Views containing WITH are not automatically updatable."),
    ("limitCount", "Views containing LIMIT or OFFSET are not automatically updatable."),
    ("limitOffset", "Views containing LIMIT or OFFSET are not automatically updatable."),
)
_ONE_RELATION = "Views that do not select from a single table or view are not automatically updatable."
_NO_COLUMNS = "Views that have no updatable columns are not automatically updatable."
_CALLS = {
    "aggregate": "Views that return aggregate functions are not automatically updatable.",
    "window": "Views that return window functions are not automatically updatable.",
    "set": "Views that return set-returning functions are not automatically updatable.",
}


def select_of(view: View) -> dict[str, Any]:
    """The SelectStmt of a view's query."""
    return _parsed(view.query)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> dict[str, Any]:
    tree: dict[str, Any] = pgparse.parse(text)[0]["stmt"]["SelectStmt"]
    return tree


def base_of(catalog: Catalog, view: View) -> Table | View | None:
    """What the view selects from, when that is one table or view."""
    items = select_of(view).get("fromClause") or []
    if len(items) != 1 or "RangeVar" not in items[0]:
        return None
    body = items[0]["RangeVar"]
    found = catalog.relations.get((body.get("schemaname", ""), body["relname"]))
    return found if isinstance(found, Table | View) else None


def refusal(catalog: Catalog, view: View) -> str | None:
    """PostgreSQL's DETAIL why the view itself cannot be written through; None when it can."""
    select = select_of(view)
    for clause, words in _CLAUSES:
        if select.get(clause):
            return words
    found = {kind for target in select.get("targetList") or () for kind in _calls(catalog, target)}
    for kind, words in _CALLS.items():
        if kind in found:
            return words
    if base_of(catalog, view) is None:
        return _ONE_RELATION
    if not any(column_of(catalog, view, c.name) for c in view.columns):
        return _NO_COLUMNS
    return None


def column_of(catalog: Catalog, view: View, name: str) -> Column | None:
    """The column of the relation below that a view column stands for; None when it is computed."""
    below = base_of(catalog, view)
    targets = select_of(view).get("targetList") or []
    for column, target in zip(view.columns, targets, strict=False):
        if column.name == name and below is not None:
            fields = target["ResTarget"]["val"].get("ColumnRef", {}).get("fields")
            if not fields or "String" not in fields[-1]:
                return None
            wanted = _below(select_of(view)["fromClause"][0]["RangeVar"], below, fields[-1]["String"]["sval"])
            return next((c for c in below.columns if c.name == wanted and not c.dropped), None)
    return None


def _below(item: dict[str, Any], below: Table | View, name: str) -> str:
    """The relation's own name of a column its alias may have renamed."""
    names = [n["String"]["sval"] for n in item.get("alias", {}).get("colnames", ())]
    live = [c.name for c in below.columns if not c.dropped]
    return live[names.index(name)] if name in names else name


def events(catalog: Catalog, relation: Table | View | None) -> int:
    """Bits of pg_relation_is_updatable: 4 update, 8 insert, 16 delete."""
    while isinstance(relation, View):
        if refusal(catalog, relation) is not None:
            return 0
        relation = base_of(catalog, relation)
    return 28


def base_column(catalog: Catalog, view: View, name: str) -> Column | None:
    """The table's column a view column stands for through any number of views."""
    relation: Table | View | None = view
    column: Column | None = None
    while isinstance(relation, View):
        column = column_of(catalog, relation, name)
        if column is None:
            return None
        name, relation = column.name, base_of(catalog, relation)
    return column


def _calls(catalog: Catalog, node: Any) -> set[str]:
    """Which of the three kinds of calls a target list entry holds, subqueries not looked into."""
    from opendsql.registry.functions import FUNCTIONS_BY_NAME

    found: set[str] = set()
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        if not isinstance(part, dict) or "SubLink" in part:
            continue
        call = part.get("FuncCall")
        if call is not None:
            name = call["funcname"][-1]["String"]["sval"]
            user = [f for (_, n), group in catalog.functions.items() if n == name for f in group]
            if "over" in call:
                found.add("window")
            elif any(f.kind == "a" for f in FUNCTIONS_BY_NAME.get(name, ())):
                found.add("aggregate")
            elif any(f.returns_set for f in (*user, *FUNCTIONS_BY_NAME.get(name, ()))):
                found.add("set")
        pending += list(part.values())
    return found
