"""Who may do what: has_*_privilege and pg_has_role."""

from __future__ import annotations

from typing import Any

from opendsql.catalog import acl
from opendsql.catalog.acl import membership
from opendsql.catalog.context import current
from opendsql.catalog.functions import reg
from opendsql.catalog.functions.naming import catalog, find_relation, parts_of, relation
from opendsql.catalog.model import Table, View
from opendsql.errors import DsqlError


def user_named(text: str) -> str:
    """A user by name or oid."""
    if text == "public":
        return ""
    if text.isdigit():
        return getattr(catalog().by_oid.get(int(text)), "name", "")
    if text not in catalog().roles:
        raise DsqlError("42704", f'role "{text}" does not exist')
    return text


def words(text: str) -> list[tuple[str, bool]]:
    """The privileges of a list, and whether WITH GRANT OPTION was said."""
    found = []
    for part in text.split(","):
        word = part.strip().lower()
        plain = word.removesuffix(" with grant option")
        if plain not in acl.LETTERS and plain not in ("rule", "set", "member"):
            raise DsqlError("22023", f'unrecognized privilege type: "{part.strip()}"')
        found.append((plain, plain != word))
    return found


def _user_first(args: tuple[str, ...], count: int) -> tuple[str, tuple[str, ...]]:
    return (user_named(args[0]), args[1:]) if len(args) == count else (current.user, args)


def allowed(user: str, item: Any, privileges: str) -> str:
    """t when the user has any of the privileges."""
    if not hasattr(item, "owner_oid"):  # a computed relation: everyone may read
        return "t" if ("select", False) in words(privileges) else "f"
    wanted = [(acl.LETTERS[word], option) for word, option in words(privileges) if word in acl.LETTERS]
    return "t" if any(acl.holds(catalog(), user, item, letter, option=o) for letter, o in wanted) else "f"


def on_relation(*args: str) -> str | None:
    """SQL: on_relation()."""
    user, (name, privileges) = _user_first(args, 3)
    found = find_relation(name)
    if found is None:
        if name.isdigit():
            return None
        relation(name)
    return allowed(user, found, privileges)


def on_column(*args: str) -> str | None:
    """SQL: on_column()."""
    user, (name, column, privileges) = _user_first(args, 4)
    found = find_relation(name)
    if found is None:
        return None if name.isdigit() else allowed(user, relation(name), privileges)
    if allowed(user, found, privileges) == "t":
        return "t"
    if not isinstance(found, Table | View):
        return "f"
    known = next((c for c in found.columns if column in (c.name, str(c.attnum)) and not c.dropped), None)
    if known is None:
        if column.lstrip("-").isdigit():
            return None
        raise DsqlError("42703", f'column "{column}" of relation "{found.name}" does not exist')
    wanted = [(acl.LETTERS[word], option) for word, option in words(privileges) if word in acl.LETTERS]
    held = any(acl.holds_column(catalog(), user, found, known.name, letter, option=o) for letter, o in wanted)
    return "t" if held else "f"


def on_any_column(*args: str) -> str | None:
    """SQL: has_any_column_privilege()."""
    user, (name, privileges) = _user_first(args, 3)
    found = find_relation(name)
    if not isinstance(found, Table | View):
        return on_relation(*args)
    live = [c.name for c in found.columns if not c.dropped]
    answers = [on_column(user or "public", str(found.oid), column, privileges) for column in live]
    return "t" if "t" in answers or allowed(user, found, privileges) == "t" else "f"


def on_schema(*args: str) -> str | None:
    """SQL: on_schema()."""
    user, (name, privileges) = _user_first(args, 3)
    schema = catalog().by_oid.get(int(name)) if name.isdigit() else catalog().schemas.get(parts_of(name)[-1])
    if schema is None:
        if name.isdigit():
            return None
        raise DsqlError("3F000", f'schema "{name}" does not exist')
    return allowed(user, schema, privileges)


def on_database(*args: str) -> str | None:
    """SQL: on_database()."""
    user, (name, privileges) = _user_first(args, 3)
    if name not in ("postgres", "5"):
        if name.isdigit():
            return None
        raise DsqlError("3D000", f'database "{name}" does not exist')
    return "t" if any(w == "connect" or (w == "create" and user == "admin") for w, _ in words(privileges)) else "f"


def on_function(*args: str) -> str | None:
    """SQL: on_function()."""
    user, (name, privileges) = _user_first(args, 3)
    found = catalog().by_oid.get(int(name)) if name.isdigit() else function_named(name)
    return "t" if found is None else allowed(user, found, privileges)


def function_named(text: str) -> Any:
    """The function of the database that a signature such as f(integer) names; None for a built-in one."""
    oid = reg.FUNCTIONS["text_regprocedure"](text)
    return catalog().by_oid.get(int(oid)) if oid is not None and oid.isdigit() else None


def granted(*args: str) -> str:
    """Types and languages: usable by everyone."""
    return "t"


def on_tablespace(*args: str) -> str:
    """SQL: on_tablespace()."""
    return "f"


def pg_has_role(*args: str) -> str | None:
    """SQL: pg_has_role()."""
    user, (name, _) = _user_first(args, 3)
    wanted = catalog().by_oid.get(int(name)) if name.isdigit() else catalog().roles.get(name)
    own = catalog().roles.get(user)
    if wanted is None:
        if name.isdigit():
            return None
        raise DsqlError("42704", f'role "{name}" does not exist')
    return "t" if user == "admin" or (own is not None and wanted.oid in membership(catalog(), own.oid)) else "f"


FUNCTIONS = {
    "has_table_privilege": on_relation, "has_sequence_privilege": on_relation, "has_any_column_privilege": on_any_column,
    "has_column_privilege": on_column, "has_schema_privilege": on_schema, "has_database_privilege": on_database,
    "has_function_privilege": on_function, "has_type_privilege": granted, "has_language_privilege": granted,
    "has_tablespace_privilege": on_tablespace, "pg_has_role": pg_has_role,
}  # fmt: skip
