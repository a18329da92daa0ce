"""Errors of statements written against a catalog that somebody has changed since: OC001 instead, once.

A session that used table t, and asks for it again after another session dropped it (or a column of it, or the right to
read it), has an outdated cache before it has an error: DSQL refuses the statement with OC001, and the retry gets the
error. So when a statement cannot be planned or a DDL statement fails, the names in its tree are looked up among those
the session has used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opendsql.catalog import versions
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError
from opendsql.guesses import choice

Node = dict[str, Any]


@contextmanager
def outdated_first(session: Any, node: Any) -> Iterator[None]:
    """Turns an SQL error of the block into OC001 when the session's view of what node names is outdated."""
    try:
        yield
    except Exception as error:
        state = getattr(error, "sqlstate", None)
        if state is None or state in ("40001", "42601") or session is None or not choice("oc001_before_error"):
            raise
        if session.state == "failed" or not session.has_outdated(mentioned(session, node)):
            raise
        raise DsqlError("40001", versions.OUTDATED) from None


def mentioned(session: Any, node: Any) -> list[int]:
    """Numbers of every relation and function a parse tree may mean, and of the user's role."""
    settings = settings_of(session)
    found = [versions.name("role", "", settings.user)]
    for kind, schema, name in _names(node):
        for candidate in (schema,) if schema else settings.search_path:
            found.append(versions.name(kind, candidate, name))
    return found


def _names(node: Any) -> Iterator[tuple[str, str | None, str]]:
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
    elif isinstance(node, dict):
        if isinstance(node.get("relname"), str):
            yield "relation", node.get("schemaname"), node["relname"]
        call = node.get("funcname")
        if isinstance(call, list):
            parts = [part["String"]["sval"] for part in call]
            yield "function", parts[-2] if len(parts) > 1 else None, parts[-1]
        if isinstance(node.get("objects"), list):  # DROP TABLE a, b
            for item in node["objects"]:
                words = [part["String"]["sval"] for part in item.get("List", {}).get("items", ()) if "String" in part]
                if words:
                    yield "relation", words[-2] if len(words) > 1 else None, words[-1]
        for value in node.values():
            yield from _names(value)
