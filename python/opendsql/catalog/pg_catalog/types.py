"""Types, functions, operators and casts as rows: PostgreSQL's own types from types.txt, the rest from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import virtual
from opendsql.catalog.model import PG_CATALOG_OID, Catalog, Function
from opendsql.catalog.pg_catalog.classes import acl_of, schema_oid

RowDict = dict[str, Any]
Rows = Iterator[RowDict | virtual.Row]
INTERNAL_LANGUAGE, C_LANGUAGE, SQL_LANGUAGE, PLPGSQL_LANGUAGE = 12, 13, 14, 13575
_RANGES = (
    (3904, 23, 4451, 0, 1978, 3914, 3922), (3906, 1700, 4532, 0, 3125, 0, 3924), (3908, 1114, 4533, 0, 3128, 0, 3929),
    (3910, 1184, 4534, 0, 3127, 0, 3930), (3912, 1082, 4535, 0, 3122, 3915, 3925), (3926, 20, 4536, 0, 3124, 3928, 3923),
)  # fmt: skip


@cache
def builtin_types() -> tuple[RowDict, ...]:
    """pg_type rows of PostgreSQL's types."""
    rows = []
    for row in dt.type_rows():
        into, out, receive, send, modin, modout, analyze, align, storage, collation = row.rest
        rows.append({
            "oid": row.oid, "typname": row.name, "typnamespace": PG_CATALOG_OID, "typowner": 10, "typlen": row.length,
            "typbyval": row.by_value == "t", "typtype": row.kind, "typcategory": row.category,
            "typispreferred": row.preferred == "t", "typisdefined": row.defined == "t", "typdelim": row.delimiter,
            "typrelid": 0, "typsubscript": row.subscript, "typelem": row.elem_oid, "typarray": row.array_oid,
            "typinput": into, "typoutput": out, "typreceive": receive, "typsend": send, "typmodin": modin,
            "typmodout": modout, "typanalyze": analyze, "typalign": align, "typstorage": storage, "typtypmod": -1,
            "typcollation": collation,
        })  # fmt: skip
    return tuple(rows)


def pg_type(catalog: Catalog, session: Any) -> Rows:
    """Rows of pg_type."""
    yield from virtual.frozen("pg_type", builtin_types)
    base_rows = {row["oid"]: row for row in builtin_types()}
    for domain in catalog.domains.values():
        yield base_rows[domain.type_oid] | {
            "oid": domain.oid, "typname": domain.name, "typnamespace": schema_oid(catalog, domain.schema),
            "typowner": domain.owner_oid, "typtype": "d", "typispreferred": False, "typelem": 0, "typarray": 0,
            "typinput": 2597, "typreceive": 2598, "typbasetype": domain.type_oid, "typtypmod": domain.typmod,
            "typnotnull": domain.not_null, "typdefault": domain.default, "typdefaultbin": domain.default,
        }  # fmt: skip


def pg_range(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_range."""
    for oid, subtype, multi, collation, opclass, canonical, diff in _RANGES:
        yield {
            "rngtypid": oid, "rngsubtype": subtype, "rngmultitypid": multi, "rngcollation": collation,
            "rngsubopc": opclass, "rngcanonical": canonical, "rngsubdiff": diff,
        }  # fmt: skip


@cache
def builtin_procs() -> tuple[RowDict, ...]:
    """pg_proc rows: the registry's functions, and the support functions of types."""
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    rows: dict[int, RowDict] = {}
    for function in FUNCTIONS_BY_OID.values():
        modes = ["i"] * len(function.arg_types) + ["o"] * len(function.out_columns)
        all_types = [*function.arg_types, *(oid for _, oid in function.out_columns)]
        names = [*(function.arg_names or [""] * len(function.arg_types)), *(name for name, _ in function.out_columns)]
        kind = {"a": "a", "w": "w"}.get(function.kind, "f")
        rows[function.oid] = {
            "oid": function.oid, "proname": function.name, "pronamespace": PG_CATALOG_OID, "proowner": 10,
            "prolang": INTERNAL_LANGUAGE, "procost": 1, "prorows": 1000 if function.returns_set else 0,
            "provariadic": function.variadic, "prokind": kind, "proisstrict": function.strict,
            "proretset": function.returns_set, "provolatile": function.volatility, "proparallel": "s",
            "pronargs": len(function.arg_types), "pronargdefaults": len(function.defaults),
            "prorettype": function.result_type, "proargtypes": function.arg_types,
            "proallargtypes": all_types if function.out_columns else None,
            "proargmodes": modes if function.out_columns else None,
            "proargnames": names if any(names) else None, "prosrc": function.implementation,
        }  # fmt: skip
    text = resources.files("opendsql.catalog.pg_catalog").joinpath("type_procs.txt").read_text()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        oid, name, language, kind, strict, retset, volatile, parallel, nargs, result, args, source = line.split("\t")
        rows.setdefault(int(oid), {
            "oid": int(oid), "proname": name, "pronamespace": PG_CATALOG_OID, "proowner": 10, "prolang": language,
            "procost": 1, "prokind": kind, "proisstrict": strict, "proretset": retset, "provolatile": volatile,
            "proparallel": parallel, "pronargs": nargs, "prorettype": result, "proargtypes": args, "prosrc": source,
        })  # fmt: skip
    return tuple(rows.values())


def user_proc(catalog: Catalog, function: Function) -> RowDict:
    """A user's function."""
    return {
        "oid": function.oid, "proname": function.name, "pronamespace": schema_oid(catalog, function.schema),
        "proowner": function.owner_oid, "prolang": SQL_LANGUAGE, "procost": 100, "prokind": "f",
        "prorows": 1000 if function.returns_set else 0, "prosecdef": function.security_definer,
        "proisstrict": function.strict, "proretset": function.returns_set, "provolatile": function.volatile,
        "proparallel": function.parallel, "pronargs": len(function.arg_types),
        "pronargdefaults": len(function.arg_defaults), "prorettype": function.result_type,
        "proargtypes": function.arg_types, "proallargtypes": list(function.out_types) or None,
        "proargmodes": list(function.arg_modes) or None,
        "proargnames": list(function.arg_names) if any(function.arg_names) else None,
        "prosrc": "" if function.form else function.body, "prosqlbody": function.body if function.form else None,
        "proacl": acl_of(function),
    }  # fmt: skip


def pg_proc(catalog: Catalog, session: Any) -> Rows:
    """Rows of pg_proc."""
    yield from virtual.frozen("pg_proc", builtin_procs)
    for group in catalog.functions.values():
        for function in group:
            yield user_proc(catalog, function)


def pg_aggregate(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_aggregate."""
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    for function in FUNCTIONS_BY_OID.values():
        if function.kind == "a":
            yield {
                "aggfnoid": function.oid, "aggkind": function.aggkind, "aggfinalmodify": "r", "aggmfinalmodify": "r",
                "aggtranstype": function.result_type,
            }  # fmt: skip


@cache
def builtin_operators() -> tuple[RowDict, ...]:
    """pg_operator rows."""
    from opendsql.registry.operators import OPERATORS

    return tuple(
        {
            "oid": op.oid, "oprname": op.name, "oprnamespace": PG_CATALOG_OID, "oprowner": 10,
            "oprkind": "b" if op.left else "l", "oprcanmerge": op.merges, "oprcanhash": op.hashes, "oprleft": op.left,
            "oprright": op.right, "oprresult": op.result_type, "oprcom": op.commutator, "oprnegate": op.negator,
            "oprcode": op.function_oid,
        }
        for op in OPERATORS
    )  # fmt: skip


def pg_operator(catalog: Catalog, session: Any) -> Rows:
    """Rows of pg_operator."""
    yield from virtual.frozen("pg_operator", builtin_operators)


def pg_cast(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_cast."""
    from opendsql.registry.casts import CASTS

    for cast in CASTS:
        method = {"binary": "b", "io": "i"}.get(cast.method, "f")
        yield {
            "oid": cast.oid, "castsource": cast.source, "casttarget": cast.target, "castfunc": cast.function_oid,
            "castcontext": cast.context, "castmethod": method,
        }  # fmt: skip


def pg_collation(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_collation."""
    for oid, name, provider in ((100, "default", "d"), (950, "C", "c"), (951, "POSIX", "c"), (12547, "ucs_basic", "c")):
        yield {
            "oid": oid, "collname": name, "collnamespace": PG_CATALOG_OID, "collowner": 10, "collprovider": provider,
            "collisdeterministic": True, "collencoding": 6 if name == "ucs_basic" else -1,
            "collcollate": None if name == "default" else "C", "collctype": None if name == "default" else "C",
        }  # fmt: skip


def pg_language(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_language."""
    for oid, name, user_made, trusted in (
        (INTERNAL_LANGUAGE, "internal", False, False),
        (C_LANGUAGE, "c", False, False),
        (SQL_LANGUAGE, "sql", False, True),
        (PLPGSQL_LANGUAGE, "plpgsql", True, True),
    ):
        yield {"oid": oid, "lanname": name, "lanowner": 10, "lanispl": user_made, "lanpltrusted": trusted}


def pg_extension(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_extension."""
    yield {
        "oid": 13574, "extname": "plpgsql", "extowner": 10, "extnamespace": PG_CATALOG_OID, "extrelocatable": False,
        "extversion": "1.0",
    }  # fmt: skip


def pg_ts_config(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_ts_config."""
    yield {"oid": 3748, "cfgname": "simple", "cfgnamespace": PG_CATALOG_OID, "cfgowner": 10, "cfgparser": 3722}


def pg_ts_dict(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_ts_dict."""
    yield {"oid": 3765, "dictname": "simple", "dictnamespace": PG_CATALOG_OID, "dictowner": 10, "dicttemplate": 3727}


def pg_ts_parser(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_ts_parser."""
    yield {"oid": 3722, "prsname": "default", "prsnamespace": PG_CATALOG_OID}


def pg_ts_template(catalog: Catalog, session: Any) -> Iterator[RowDict]:
    """Rows of pg_ts_template."""
    yield {"oid": 3727, "tmplname": "simple", "tmplnamespace": PG_CATALOG_OID}


BUILDERS = {
    "pg_type": pg_type, "pg_range": pg_range, "pg_proc": pg_proc, "pg_aggregate": pg_aggregate,
    "pg_operator": pg_operator, "pg_cast": pg_cast, "pg_collation": pg_collation, "pg_language": pg_language,
    "pg_extension": pg_extension, "pg_ts_config": pg_ts_config, "pg_ts_dict": pg_ts_dict, "pg_ts_parser": pg_ts_parser,
    "pg_ts_template": pg_ts_template,
}  # fmt: skip
