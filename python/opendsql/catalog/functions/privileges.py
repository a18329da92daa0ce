"""Who may do what: has_*_privilege and pg_has_role."""

from __future__ import annotations

from typing import Any

from opendsql.catalog.context import current
from opendsql.catalog.ddl import grants
from opendsql.catalog.ddl.change import membership
from opendsql.catalog.functions.naming import catalog, find_relation, parts_of, relation
from opendsql.errors import DsqlError


def user_named(text: str) -> str:
    """A user by name or oid."""
    if text.isdigit():
        return getattr(catalog().by_oid.get(int(text)), "name", "")
    if text not in catalog().roles:
        raise DsqlError("42704", f'role "{text}" does not exist')
    return text


def words(text: str) -> list[str]:
    """The privileges of a list, without WITH GRANT OPTION."""
    found = []
    for part in text.split(","):
        word = part.strip().lower().removesuffix(" with grant option")
        if word not in grants.LETTERS and word not in ("rule", "set", "member"):
            raise DsqlError("22023", f'unrecognized privilege type: "{part.strip()}"')
        found.append(word)
    return found


def _user_first(args: tuple[str, ...], count: int) -> tuple[str, tuple[str, ...]]:
    return (user_named(args[0]), args[1:]) if len(args) == count else (current.user, args)


def allowed(user: str, item: Any, privileges: str) -> str:
    """t when the user has any of the privileges."""
    if not hasattr(item, "owner_oid"):  # a computed relation: everyone may read
        return "t" if "select" in words(privileges) else "f"
    return "t" if any(grants.holds(catalog(), user, item, grants.LETTERS.get(w, "")) for w in words(privileges)) else "f"


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
    acl = getattr(found, "column_acls", {}).get(column, ())
    letters = [grants.LETTERS.get(w, "") for w in words(privileges)]
    return "t" if any(letter in grants.privileges_of(acl, user) for letter in letters if letter) else "f"


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
    return "t" if any(w == "connect" or (w == "create" and user == "admin") for w in words(privileges)) else "f"


def on_function(*args: str) -> str | None:
    """SQL: on_function()."""
    user, (name, privileges) = _user_first(args, 3)
    found = catalog().by_oid.get(int(name)) if name.isdigit() else None
    return "t" if found is None else allowed(user, found, privileges)


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
    "has_table_privilege": on_relation, "has_sequence_privilege": on_relation, "has_any_column_privilege": on_relation,
    "has_column_privilege": on_column, "has_schema_privilege": on_schema, "has_database_privilege": on_database,
    "has_function_privilege": on_function, "has_type_privilege": granted, "has_language_privilege": granted,
    "has_tablespace_privilege": on_tablespace, "pg_has_role": pg_has_role,
}  # fmt: skip
