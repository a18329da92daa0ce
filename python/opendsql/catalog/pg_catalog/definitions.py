"""Definitions as text, in DSQL's words: what pg_get_indexdef, pg_get_constraintdef and pg_get_viewdef answer."""

from __future__ import annotations

from opendsql.catalog.ddl.change import all_indexes
from opendsql.catalog.model import Catalog, Check, ForeignKey, Index, Statistics, Table, View
from opendsql.catalog.names import qualified, quote_ident

_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def key_text(key: str) -> str:
    """One index key: a quoted name, or the expression (a bare function call loses its parentheses)."""
    if not key.startswith("("):
        return quote_ident(key)
    inner = key[1:-1]
    name, paren, _ = inner.partition("(")
    if paren and name.replace("_", "a").replace(".", "a").isalnum() and inner.endswith(")") and _one_call(inner):
        return inner
    return key


def _one_call(text: str) -> bool:
    depth = 0
    for position, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == ")" and depth == 0:
            return position == len(text) - 1
    return False


def include_of(table: Table, index: Index) -> tuple[str, ...]:
    """INCLUDE columns; a primary key holds every other column."""
    if index.primary:
        return tuple(c.name for c in table.live_columns if c.name not in index.keys)
    return index.include


def index_definition(table: Table, index: Index, pretty: bool = False) -> str:
    """CREATE [UNIQUE] INDEX as DSQL prints it."""
    from opendsql.catalog.deparse_pretty import pretty_expression

    first = index.nulls_first or (False,) * len(index.keys)
    keys = ", ".join(key_text(k) + (" NULLS FIRST" if f else "") for k, f in zip(index.keys, first, strict=True))
    text = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quote_ident(index.name)} ON "
    text += f"{qualified(table.schema, table.name)} USING btree_index ({keys})"
    included = include_of(table, index)
    if included:
        text += f" INCLUDE ({', '.join(map(quote_ident, included))})"
    if index.unique and not index.nulls_distinct:
        text += " NULLS NOT DISTINCT"
    if index.predicate is not None:
        text += f" WHERE {pretty_expression(index.predicate) if pretty else index.predicate}"
    return text


def index_column(table: Table, index: Index, number: int) -> str:
    """One column of an index (pg_get_indexdef with a column number)."""
    if number <= len(index.keys):
        return key_text(index.keys[number - 1])
    included = include_of(table, index)
    place = number - 1 - len(index.keys)
    return quote_ident(included[place]) if place < len(included) else ""


def key_constraint_definition(table: Table, index: Index) -> str:
    """PRIMARY KEY (...) or UNIQUE (...)."""
    word = "PRIMARY KEY" if index.primary else "UNIQUE"
    if not index.primary and not index.nulls_distinct:
        word += " NULLS NOT DISTINCT"
    text = f"{word} ({', '.join(map(quote_ident, index.keys))})"
    included = include_of(table, index)
    if included:
        text += f" INCLUDE ({', '.join(map(quote_ident, included))})"
    return text


def check_definition(check: Check) -> str:
    """CHECK (...)."""
    inherited = " NO INHERIT" if check.no_inherit else ""
    return f"CHECK ({check.expression}){inherited}" + ("" if check.validated else " NOT VALID")


def foreign_key_definition(catalog: Catalog, key: ForeignKey, search_path: tuple[str, ...]) -> str:
    """FOREIGN KEY (...) REFERENCES ..."""
    parent = catalog.by_oid.get(key.parent_oid)
    shown = "???"
    if isinstance(parent, Table):
        visible = catalog.find(parent.name, None, search_path) is parent
        shown = quote_ident(parent.name) if visible else qualified(parent.schema, parent.name)
    columns, parents = ", ".join(map(quote_ident, key.columns)), ", ".join(map(quote_ident, key.parent_columns))
    text = f"FOREIGN KEY ({columns}) REFERENCES {shown}({parents})"
    if key.match == "f":
        text += " MATCH FULL"
    if key.on_update != "a":
        text += f" ON UPDATE {_ACTIONS[key.on_update]}"
    if key.on_delete != "a":
        text += f" ON DELETE {_ACTIONS[key.on_delete]}"
        if key.delete_columns:
            text += f" ({', '.join(map(quote_ident, key.delete_columns))})"
    if key.deferrable:
        text += " DEFERRABLE"
    if key.deferred:
        text += " INITIALLY DEFERRED"
    return text + ("" if key.validated else " NOT VALID")


def constraint_definition(catalog: Catalog, oid: int, search_path: tuple[str, ...]) -> str | None:
    """The definition of a constraint by oid (an index's oid for the keys)."""
    for relation in catalog.relations.values():
        if isinstance(relation, Table):
            for index in all_indexes(relation):
                if index.oid == oid and index.constraint is not None:
                    return key_constraint_definition(relation, index)
            for check in relation.checks:
                if check.oid == oid:
                    return check_definition(check)
            for key in relation.foreign_keys:
                if key.oid == oid:
                    return foreign_key_definition(catalog, key, search_path)
    for domain in catalog.domains.values():
        for check in domain.checks:
            if check.oid == oid:
                return check_definition(check)
    return None


def view_definition(catalog: Catalog, view: View, search_path: tuple[str, ...], pretty: bool = False) -> str:
    """A view's SELECT as pg_get_viewdef prints it: schemas only where the search path does not find the relation."""
    import pgparse

    from opendsql.catalog.ddl.expressions import walk
    from opendsql.catalog.deparse import Deparser
    from opendsql.catalog.deparse_pretty import PrettyDeparser

    tree = pgparse.parse(view.query)[0]["stmt"]
    for name, body in walk(tree):
        if name == "RangeVar" and "schemaname" in body:
            found = catalog.find(body["relname"], None, search_path)
            if found is not None and found.schema == body["schemaname"]:
                del body["schemaname"]
            elif body["schemaname"] == "pg_catalog":
                del body["schemaname"]
    return f" {(PrettyDeparser() if pretty else Deparser()).query(tree)};"


def statistics_columns(statistics: Statistics) -> str:
    """Columns, then expressions; all but a plain call stand in parentheses."""
    return ", ".join([*map(quote_ident, statistics.columns), *map(_in_parentheses, statistics.expressions)])


def _in_parentheses(text: str) -> str:
    import pgparse

    tree = pgparse.parse(f"SELECT {text}")[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return text if "FuncCall" in tree or text.startswith("(") else f"({text})"


def statistics_definition(catalog: Catalog, statistics: Statistics) -> str:
    """CREATE STATISTICS as PostgreSQL prints it."""
    table = catalog.by_oid.get(statistics.table_oid)
    words = {"d": "ndistinct", "f": "dependencies", "m": "mcv"}
    said = [k for k in statistics.kinds if k in words]
    kinds = "" if len(said) in (0, len(words)) else f" ({', '.join(words[k] for k in said)})"
    name = qualified(statistics.schema, statistics.name)
    on = statistics_columns(statistics)
    return f"CREATE STATISTICS {name}{kinds} ON {on} FROM {getattr(table, 'name', '???')}"
