"""Set-returning system functions that are SQL over the catalog: part of every Catalog, in schema pg_catalog.

The binder inlines them like a user's SQL functions. They have PostgreSQL's oids and appear in pg_proc.
"""

from __future__ import annotations

from functools import cache

from opendsql.catalog import keywords
from opendsql.catalog.model import Function
from opendsql.catalog.names import quote_literal

TEXT, BOOL, CHAR, TEXT_ARRAY, INTERVAL = 25, 16, 18, 1009, 1186


def function(oid: int, name: str, arguments: tuple[int, ...], columns: tuple[tuple[str, int], ...], body: str) -> Function:
    """A set-returning function with named output columns."""
    names = ("",) * len(arguments) + tuple(column for column, _ in columns)
    modes = ("i",) * len(arguments) + ("o",) * len(columns)
    result = columns[0][1] if len(columns) == 1 else 2249
    return Function(
        oid, "pg_catalog", name, names, arguments, modes, arguments + tuple(kind for _, kind in columns),
        result_type=result, returns_set=True, body=body, volatile="s", owner_oid=10,
    )  # fmt: skip


@cache
def system_functions() -> tuple[Function, ...]:
    """All of them."""
    words = ", ".join(
        f"({quote_literal(word)}, {quote_literal(letter)}::\"char\", {bare}, {quote_literal(what)}, {quote_literal(label)})"
        for word, letter, bare, what, label in keywords.rows()
    )
    return (
        function(
            1686,
            "pg_get_keywords",
            (),
            (("word", TEXT), ("catcode", CHAR), ("barelabel", BOOL), ("catdesc", TEXT), ("baredesc", TEXT)),
            f"SELECT * FROM (VALUES {words}) k",
        ),
        function(
            2289,
            "pg_options_to_table",
            (TEXT_ARRAY,),
            (("option_name", TEXT), ("option_value", TEXT)),
            "SELECT NULL::text, NULL::text WHERE false",
        ),
        function(
            2856,
            "pg_timezone_names",
            (),
            (("name", TEXT), ("abbrev", TEXT), ("utc_offset", INTERVAL), ("is_dst", BOOL)),
            "SELECT * FROM pg_catalog.pg_timezone_names",
        ),
        function(
            3423,
            "pg_partition_tree",
            (2205,),
            (("relid", 2205), ("parentrelid", 2205), ("isleaf", BOOL), ("level", 23)),
            "SELECT NULL::regclass, NULL::regclass, NULL::boolean, NULL::integer WHERE false",
        ),
        function(3035, "pg_listening_channels", (), (("pg_listening_channels", TEXT),), "SELECT NULL::text WHERE false"),
    )
