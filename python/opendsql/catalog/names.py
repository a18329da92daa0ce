"""Names: quoting, qualified names in parse trees, and the names PostgreSQL chooses for what has none.

Chosen names (choose_name) are `<table>_<columns>_<label>`, cut so that the whole fits 63 bytes and numbered when taken,
as PostgreSQL's index and constraint names are.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from opendsql.catalog.keywords import RESERVED
from opendsql.limits import IDENTIFIER_BYTES_MAX

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def quote_ident(name: str) -> str:
    """The identifier as it must be written in SQL."""
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A string constant."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def qualified(schema: str | None, name: str) -> str:
    """schema.name, quoted where needed."""
    return f"{quote_ident(schema)}.{quote_ident(name)}" if schema else quote_ident(name)


def strings(nodes: list[dict[str, Any]] | None) -> list[str]:
    """The texts of a list of String nodes."""
    return [node["String"].get("sval", "") for node in nodes or () if "String" in node]


def split_name(parts: list[str]) -> tuple[str | None, str]:
    """(schema, name) of a dotted name; the database part is dropped."""
    return (parts[-2] if len(parts) > 1 else None, parts[-1])


def truncate(text: str, size: int) -> str:
    """At most size bytes of UTF-8, whole characters."""
    return text.encode()[:size].decode(errors="ignore") if size > 0 else ""


def make_object_name(name1: str, name2: str | None, label: str | None) -> str:
    """name1_name2_label in 63 bytes; the longer of the two names is cut first."""
    overhead = (len(label) + 1 if label else 0) + (1 if name2 else 0)
    room = IDENTIFIER_BYTES_MAX - overhead
    size1, size2 = len(name1.encode()), len((name2 or "").encode())
    while size1 + size2 > room:
        if size1 > size2:
            size1 -= 1
        else:
            size2 -= 1
    parts = [truncate(name1, size1)]
    if name2:
        parts.append(truncate(name2, size2))
    if label:
        parts.append(label)
    return "_".join(parts)


def choose_name(name1: str, name2: str | None, label: str, taken: Container[str]) -> str:
    """The first of name, name1, name2 ... that is not taken."""
    number = 0
    while True:
        name = make_object_name(name1, name2, f"{label}{number}" if number else label)
        if name not in taken:
            return name
        number += 1


def index_columns_part(columns: list[str]) -> str:
    """The columns' part of an index or constraint name: names joined, no more than fit."""
    text = ""
    for column in columns:
        text = f"{text}_{column}" if text else column
        if len(text.encode()) >= IDENTIFIER_BYTES_MAX:
            break
    return truncate(text, IDENTIFIER_BYTES_MAX)
