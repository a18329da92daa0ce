"""Who depends on what: views on relations and columns, foreign keys on keys, defaults on sequences.

Dependencies are found from the stored definitions when they are asked for; nothing else is kept. A drop without
CASCADE that would leave something dangling is 2BP01, worded as PostgreSQL words it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pgparse

from opendsql.catalog.datatypes import format_type
from opendsql.catalog.ddl.change import Change, changed, relation_word
from opendsql.catalog.ddl.expressions import column_references, walk
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Catalog, Column, Function, Relation, Sequence, Table, View
from opendsql.errors import DsqlError

_HINT = "Use DROP ... CASCADE to drop the dependent objects too."


@lru_cache(maxsize=4096)
def parse_query(text: str) -> dict[str, Any]:
    """Parse tree of a stored SELECT (do not change it)."""
    return pgparse.parse(text)[0]["stmt"]


def parse_expression(text: str) -> dict[str, Any]:
    """Parse tree of a stored expression (do not change it)."""
    return parse_query(f"SELECT {text}")["SelectStmt"]["targetList"][0]["ResTarget"]["val"]


def fresh_query(text: str) -> dict[str, Any]:
    """A parse tree of one's own."""
    return pgparse.parse(text)[0]["stmt"]


def view_sources(view: View) -> set[tuple[str, str]]:
    """(schema, name) of each relation a view reads."""
    sources = set()
    for name, body in walk(parse_query(view.query)):
        if name == "RangeVar":
            sources.add((body.get("schemaname", ""), body["relname"]))
    return sources


def dependent_views(catalog: Catalog, relation: Relation) -> list[View]:
    """Views that read the relation directly."""
    key = (relation.schema, relation.name)
    return [r for r in catalog.relations.values() if isinstance(r, View) and key in view_sources(r)]


def closure(catalog: Catalog, start: Relation) -> list[View]:
    """Views that read the relation, directly or through other views, nearest first."""
    found: dict[int, View] = {}
    todo = [start]
    while todo:
        for view in dependent_views(catalog, todo.pop(0)):
            if view.oid not in found:
                found[view.oid] = view
                todo.append(view)
    return list(found.values())


def referring_keys(catalog: Catalog, table: Table) -> list[tuple[Table, Any]]:
    """(child table, foreign key) of every foreign key of another table on this one."""
    found: list[tuple[Table, Any]] = []
    for relation in catalog.relations.values():
        if isinstance(relation, Table) and relation.oid != table.oid:
            found.extend((relation, key) for key in relation.foreign_keys if key.parent_oid == table.oid)
    return found


def shown(change: Change, relation: Any) -> str:
    """The relation's name as a message shows it: qualified only when not in the search path."""
    return relation.name if relation.schema in change.search_path else f"{relation.schema}.{relation.name}"


def refuse(change: Change, what: str, details: list[str]) -> DsqlError:
    """2BP01 with one line of detail per dependent object."""
    return DsqlError(
        # guess: drop_referenced_table
        "2BP01", f"cannot drop {what} because other objects depend on it", detail="\n".join(details), hint=_HINT
    )


def cascade_notice(change: Change, lines: list[str]) -> None:
    """The NOTICE of a cascade."""
    if len(lines) == 1:
        change.notice(f"drop cascades to {lines[0]}")
    elif lines:
        more = f"\nand {len(lines) - 100} other objects (see server log for list)" if len(lines) > 100 else ""
        detail = "\n".join(f"drop cascades to {line}" for line in lines[:100]) + more
        change.notice(f"drop cascades to {len(lines)} other objects", detail=detail)


def drop_relations(change: Change, targets: list[Relation], cascade: bool) -> None:
    """Drop relations with what must go with them; 2BP01 when something else depends and there is no CASCADE."""
    gone = {relation.oid: relation for relation in targets}
    order = list(targets)
    details: list[str] = []
    lines: list[str] = []
    keys: dict[int, set[str]] = {}
    for target in targets:
        word = f"{relation_word(target)} {shown(change, target)}"
        for view in closure(change.catalog, target):
            if view.oid not in gone:
                gone[view.oid] = view
                order.append(view)
                lines.append(f"view {shown(change, view)}")
                details.append(f"view {shown(change, view)} depends on {_nearest(change, view, gone) or word}")
        if isinstance(target, Table):
            for child, key in referring_keys(change.catalog, target):
                if child.oid in gone:
                    continue
                line = f"constraint {key.name} on table {shown(change, child)}"
                lines.append(line)
                details.append(f"{line} depends on {word}")
                keys.setdefault(child.oid, set()).add(key.name)
        elif isinstance(target, Sequence):
            for table, column in default_users(change.catalog, target):
                if table.oid not in gone:
                    line = f"default value for column {column.name} of table {shown(change, table)}"
                    lines.append(line)
                    details.append(f"{line} depends on {word}")
    if details and not cascade:
        what = f"{relation_word(targets[0])} {shown(change, targets[0])}" if len(targets) == 1 else "desired object(s)"
        raise refuse(change, what, details)
    cascade_notice(change, lines)
    for relation in order:
        remove_relation(change, relation)
    for oid, names in keys.items():
        child = change.catalog.by_oid[oid]
        if oid not in gone:
            change.put(changed(child, foreign_keys=tuple(f for f in child.foreign_keys if f.name not in names)))


def _nearest(change: Change, view: View, others: dict[int, Any]) -> str | None:
    """The view among others that a view reads, as a message words it."""
    sources = view_sources(view)
    found = next((o for o in others.values() if isinstance(o, View) and (o.schema, o.name) in sources), None)
    return f"view {shown(change, found)}" if found is not None else None


def remove_relation(change: Change, relation: Relation) -> None:
    """Drop one relation with the sequences it owns and the defaults that use it. Jobs on it skip a table that is gone."""
    if isinstance(relation, Table):
        for other in list(change.catalog.relations.values()):
            if isinstance(other, Sequence) and other.owned_by and other.owned_by[0] == relation.oid:
                change.remove(other)
        for statistics in change.catalog.statistics.values():
            if statistics.table_oid == relation.oid:
                change.remove(statistics)
    elif isinstance(relation, Sequence):
        for table, column in default_users(change.catalog, relation):
            columns = tuple(changed(c, default=None) if c is column else c for c in table.columns)
            change.put(changed(table, columns=columns))
    change.remove(relation)


def default_users(catalog: Catalog, sequence: Sequence) -> list[tuple[Table, Column]]:
    """Columns whose default calls nextval on the sequence."""
    names = {f"'{sequence.name}'", f"'{sequence.schema}.{sequence.name}'"}
    found = []
    for relation in catalog.relations.values():
        if isinstance(relation, Table):
            for column in relation.live_columns:
                if column.default and "nextval(" in column.default and any(n in column.default for n in names):
                    found.append((relation, column))
    return found


def release_column(change: Change, table: Table, column: Column, cascade: bool) -> None:
    """Before a column goes: views that show it, keys that refer to it, columns generated from it."""
    word = f"column {column.name} of table {shown(change, table)}"
    details, lines, views = [], [], []
    for view in dependent_views(change.catalog, table):
        if column.name in column_references(parse_query(view.query)):
            views.append(view)
            views.extend(v for v in closure(change.catalog, view) if v not in views)
    for view in views:
        lines.append(f"view {shown(change, view)}")
        through = _nearest(change, view, {v.oid: v for v in views if v is not view})
        details.append(f"view {shown(change, view)} depends on {through or word}")
    for other in table.live_columns:
        if other.generated and column.name in column_references(parse_expression(other.generated)):
            lines.append(f"column {other.name} of table {shown(change, table)}")
            details.append(f"column {other.name} of table {shown(change, table)} depends on {word}")
    keys = [(c, k) for c, k in referring_keys(change.catalog, table) if column.name in k.parent_columns]
    for child, key in keys:
        lines.append(f"constraint {key.name} on table {shown(change, child)}")
        details.append(f"constraint {key.name} on table {shown(change, child)} depends on {word}")
    if details and not cascade:
        raise refuse(change, word, details)
    cascade_notice(change, lines)
    for view in views:
        change.remove(view)
    for statistics in change.catalog.statistics.values():
        names = {*statistics.columns, *(n for e in statistics.expressions for n in column_references(parse_expression(e)))}
        if statistics.table_oid == table.oid and column.name in names:
            change.remove(statistics)
    for child, key in keys:
        change.put(changed(child, foreign_keys=tuple(f for f in child.foreign_keys if f is not key)))


def release_key(change: Change, table: Table, columns: tuple[str, ...], constraint: str, cascade: bool) -> None:
    """Before a unique constraint goes: foreign keys that refer to its columns."""
    keys = [(c, k) for c, k in referring_keys(change.catalog, table) if sorted(k.parent_columns) == sorted(columns)]
    if not keys:
        return
    word = f"constraint {constraint} on table {shown(change, table)}"
    lines = [f"constraint {key.name} on table {shown(change, child)}" for child, key in keys]
    if not cascade:
        raise refuse(change, word, [f"{line} depends on index {constraint}" for line in lines])
    cascade_notice(change, lines)
    for child, key in keys:
        change.put(changed(child, foreign_keys=tuple(f for f in child.foreign_keys if f is not key)))


# -- functions ---------------------------------------------------------------------------------------------------------


def calls(tree: Any, function: Function, alone: bool) -> bool:
    """Whether a stored text calls the function: by schema and name, and number of arguments where overloads share it."""
    for name, body in walk(tree):
        if name != "FuncCall":
            continue
        parts = [part["String"]["sval"] for part in body["funcname"]]
        if parts[-1] != function.name or (len(parts) > 1 and parts[-2] != function.schema):
            continue
        given = len(body.get("args") or ())
        if alone or len(function.arg_types) - len(function.arg_defaults) <= given <= len(function.arg_types):
            return True
    return False


def release_function(change: Change, function: Function, cascade: bool) -> None:
    """Before a function goes: indexes, constraints, defaults, generated columns and views that call it."""
    alone = len(change.catalog.functions.get((function.schema, function.name), ())) == 1
    lines: list[str] = []
    views: list[View] = []
    tables: list[Table] = []

    def uses(text: str | None) -> bool:
        return text is not None and calls(parse_expression(text), function, alone)

    for relation in change.catalog.relations.values():
        where = shown(change, relation)
        if isinstance(relation, View):
            if calls(parse_query(relation.query), function, alone):
                views.append(relation)
                views += [v for v in closure(change.catalog, relation) if v not in views]
        elif isinstance(relation, Table):
            gone = [i for i in relation.indexes if uses(i.predicate) or any(uses(k) for k in i.keys if k.startswith("("))]
            checks = [c for c in relation.checks if uses(c.expression)]
            defaults = [c for c in relation.live_columns if uses(c.default)]
            generated = [c for c in relation.live_columns if uses(c.generated)]
            lines += [f"default value for column {c.name} of table {where}" for c in defaults]
            lines += [f"column {c.name} of table {where}" for c in generated]
            lines += [f"constraint {c.name} on table {where}" for c in checks]
            lines += [f"index {i.name}" for i in gone]
            if gone or checks or defaults or generated:
                for index in gone:
                    change.session.drop_tree(index.oid)
                columns = tuple(
                    changed(c, default=None) if c in defaults else changed(c, generated=None, dropped=True) if c in generated else c
                    for c in relation.columns
                )
                kept = tuple(c for c in relation.checks if c not in checks)
                indexes = tuple(i for i in relation.indexes if i not in gone)
                tables.append(changed(relation, columns=columns, checks=kept, indexes=indexes))
    lines += [f"view {shown(change, view)}" for view in views]
    if not lines:
        return
    types = ",".join(format_type(t, None) for t in function.arg_types)
    word = f"function {shown(change, function)}({types})"
    if not cascade:
        raise refuse(change, word, [f"{line} depends on {word}" for line in lines])
    cascade_notice(change, lines)
    for table in tables:
        change.put(table)
    for view in views:
        change.remove(view)


# -- renaming inside stored texts --------------------------------------------------------------------------------------


def renamed_expression(text: str, old: str, new: str) -> str:
    """A stored expression with a column renamed."""
    tree = fresh_query(f"SELECT {text}")
    node = tree["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    for name, body in walk(node):
        if name == "ColumnRef" and body["fields"][-1].get("String", {}).get("sval") == old:
            body["fields"][-1]["String"]["sval"] = new
    return Deparser().expression(node)


def view_with_renamed_relation(view: View, old: tuple[str, str], new: tuple[str, str]) -> View:
    """A view whose source was renamed; the old name stays as the alias, so its column references hold."""
    tree = fresh_query(view.query)
    for name, body in walk(tree):
        if name == "RangeVar" and (body.get("schemaname", ""), body["relname"]) == old:
            if not body.get("alias") and old[1] != new[1]:
                body["alias"] = {"aliasname": old[1]}
            body["schemaname"], body["relname"] = new
    return changed(view, query=Deparser().query(tree))


def view_with_renamed_column(view: View, relation: Relation, old: str, new: str) -> View:
    """A view whose source's column was renamed: references change, the view's own column names stay."""
    tree = fresh_query(view.query)
    ranges = [b for n, b in walk(tree) if n == "RangeVar"]
    own = [b for b in ranges if (b.get("schemaname", ""), b["relname"]) == (relation.schema, relation.name)]
    names = {b.get("alias", {}).get("aliasname", b["relname"]) for b in own}
    alone = len(ranges) == len(own) and not any(n in ("RangeSubselect", "RangeFunction") for n, _ in walk(tree))
    for name, body in walk(tree):
        if name == "ResTarget" and "name" not in body and "ColumnRef" in body.get("val", {}):
            last = body["val"]["ColumnRef"]["fields"][-1]
            if last.get("String", {}).get("sval") == old:
                body["name"] = old
    for name, body in walk(tree):
        if name == "ColumnRef" and body["fields"][-1].get("String", {}).get("sval") == old:
            qualifier = body["fields"][-2].get("String", {}).get("sval") if len(body["fields"]) > 1 else None
            if qualifier in names or (qualifier is None and alone):
                body["fields"][-1]["String"]["sval"] = new
    return changed(view, query=Deparser().query(tree))
