"""The text forms of regclass, regtype and their kin: names as the search path shows them, and names read as oids.

    <type>_text   oid -> name (an oid nothing has stays a number, 0 is -)
    text_<type>   name -> oid, or the error PostgreSQL raises for a name nothing has
"""

from __future__ import annotations

from collections.abc import Callable

from opendsql.catalog import datatypes as dt
from opendsql.catalog import virtual
from opendsql.catalog.context import current
from opendsql.catalog.functions import naming
from opendsql.catalog.names import qualified, quote_ident
from opendsql.errors import DsqlError


def shown(schema: str | None, name: str) -> str:
    """A name, qualified when the search path does not lead to its schema."""
    return quote_ident(name) if schema == "pg_catalog" or schema in current.search_path else qualified(schema, name)


def regclass_text(oid: str) -> str:
    """regclass -> text."""
    found = naming.find_relation(oid)
    if found is None:
        return "-" if oid == "0" else oid
    if isinstance(found, virtual.VirtualRelation):
        return shown(found.schema, found.name)
    return quote_ident(found.name) if naming.pg_table_is_visible(oid) == "t" else qualified(naming.schema_of(found), found.name)


def regtype_text(oid: str) -> str:
    """regtype -> text."""
    text = dt.format_type(int(oid), None, naming.catalog(), current.search_path)
    return oid if text == "???" else text


def _function(oid: str) -> tuple[str | None, str, tuple[int, ...]] | None:
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    user = naming.catalog().by_oid.get(int(oid))
    if user is not None and hasattr(user, "arg_types"):
        return user.schema, user.name, user.arg_types
    known = FUNCTIONS_BY_OID.get(int(oid))
    if known is not None:
        return "pg_catalog", known.name, known.arg_types
    for row in naming._type_procs():
        if row["oid"] == int(oid):
            args = row["proargtypes"]
            return "pg_catalog", row["proname"], tuple(map(int, args.split())) if isinstance(args, str) else args
    return None


def regproc_text(oid: str) -> str:
    """regproc -> text."""
    found = _function(oid)
    return ("-" if oid == "0" else oid) if found is None else shown(found[0], found[1])


def regprocedure_text(oid: str) -> str:
    """regprocedure -> text."""
    found = _function(oid)
    if found is None:
        return "-" if oid == "0" else oid
    return f"{shown(found[0], found[1])}({','.join(regtype_text(str(t)) for t in found[2])})"


def regnamespace_text(oid: str) -> str:
    """regnamespace -> text."""
    for schema in naming.catalog().schemas.values():
        if str(schema.oid) == oid:
            return quote_ident(schema.name)
    return "-" if oid == "0" else oid


def regrole_text(oid: str) -> str:
    """regrole -> text."""
    role = naming.catalog().by_oid.get(int(oid))
    return quote_ident(role.name) if role is not None and hasattr(role, "login") else "-" if oid == "0" else oid


def reader(what: str, find: Callable[[str], str | None], sqlstate: str) -> Callable[[str], str]:
    """text -> oid of one of the types."""

    def read(text: str) -> str:
        if text.strip().isdigit():
            return text.strip()
        if text.strip() == "-":
            return "0"
        found = find(text)
        if found is None:
            raise DsqlError(sqlstate, f'{what} "{".".join(naming.parts_of(text))}" does not exist')
        return found

    return read


FUNCTIONS: dict[str, Callable[[str], str]] = {
    "regclass_text": regclass_text, "regtype_text": regtype_text, "regproc_text": regproc_text,
    "regprocedure_text": regprocedure_text, "regnamespace_text": regnamespace_text, "regrole_text": regrole_text,
    "text_regclass": reader("relation", naming.to_regclass, "42P01"),
    "text_regtype": reader("type", naming.to_regtype, "42704"),
    "text_regproc": reader("function", naming.to_regproc, "42883"),
    "text_regprocedure": reader("function", naming.to_regprocedure, "42883"),
    "text_regnamespace": reader("schema", naming.to_regnamespace, "3F000"),
    "text_regrole": reader("role", naming.to_regrole, "42704"),
}  # fmt: skip
