"""Definitions as SQL text: pg_get_*def and their kin."""

from __future__ import annotations

import re
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog.context import current
from opendsql.catalog.deparse_pretty import pretty_expression
from opendsql.catalog.functions.naming import catalog, find_relation, parts_of, relation
from opendsql.catalog.model import Function, Index, Sequence, Statistics, Table, View
from opendsql.catalog.names import qualified, quote_ident
from opendsql.catalog.pg_catalog import definitions
from opendsql.errors import DsqlError


def pg_get_indexdef(oid: str, column: str = "0", pretty: str | None = None) -> str | None:
    """SQL: pg_get_indexdef(oid, column, pretty)."""
    index = catalog().by_oid.get(int(oid))
    if not isinstance(index, Index):
        return None
    table = catalog().by_oid[index.table_oid]
    assert isinstance(table, Table)
    if int(column) == 0:
        return definitions.index_definition(table, index, pretty in ("t", "true"))
    return definitions.index_column(table, index, int(column))


def pg_get_constraintdef(oid: str, pretty: str | None = None) -> str | None:
    """SQL: pg_get_constraintdef(oid, pretty)."""
    text = definitions.constraint_definition(catalog(), int(oid), current.search_path)
    return None if text is None else _pretty_check(text) if pretty in ("t", "true") else text


def _pretty_check(text: str) -> str:
    match = re.match(r"CHECK \((.*)\)((?: NO INHERIT)?(?: NOT VALID)?)\Z", text, re.S)
    return f"CHECK ({pretty_expression(match[1])}){match[2]}" if match else text


def pg_get_expr(text: str, relation_oid: str, pretty: str | None = None) -> str | None:
    """SQL: pg_get_expr(text, relation_oid, pretty)."""
    return pretty_expression(text) if pretty in ("t", "true") else text


def pg_get_viewdef(name: str, how: str | None = None) -> str | None:
    """SQL: pg_get_viewdef(name, how)."""
    view = find_relation(name)
    if not isinstance(view, View):
        return None if name.isdigit() else "Not a view"
    return definitions.view_definition(catalog(), view, current.search_path, how not in (None, "f", "false"))


def pg_get_serial_sequence(table_name: str, column_name: str) -> str | None:
    """SQL: pg_get_serial_sequence(table_name, column_name)."""
    table = relation(table_name)
    column = table.column(column_name) if isinstance(table, Table) else None
    if column is None:
        shown = parts_of(table_name)[-1]
        raise DsqlError("42703", f'column "{column_name}" of relation "{shown}" does not exist')
    for item in catalog().relations.values():
        if isinstance(item, Sequence) and item.owned_by == (table.oid, column.attnum):
            return qualified(item.schema, item.name)
    return None


def pg_get_statisticsobjdef(oid: str) -> str | None:
    """SQL: pg_get_statisticsobjdef(oid)."""
    found = catalog().by_oid.get(int(oid))
    return definitions.statistics_definition(catalog(), found) if isinstance(found, Statistics) else None


def pg_get_statisticsobjdef_columns(oid: str) -> str | None:
    """SQL: pg_get_statisticsobjdef_columns(oid)."""
    found = catalog().by_oid.get(int(oid))
    return definitions.statistics_columns(found) if isinstance(found, Statistics) else None


def user_function(oid: str) -> Function | None:
    """A user's function by oid."""
    found = catalog().by_oid.get(int(oid))
    return found if isinstance(found, Function) else None


def builtin(oid: str) -> Any:
    """A function of the registry by oid."""
    from opendsql.registry.functions import FUNCTIONS_BY_OID

    return FUNCTIONS_BY_OID.get(int(oid))


def shown_type(oid: int) -> str:
    """A type as definitions show it."""
    return dt.format_type(oid, None, catalog(), current.search_path)


def arguments(function: Function, defaults: bool, table_columns: bool = False) -> str:
    """The argument list of a user's function."""
    modes = function.arg_modes or ("i",) * len(function.arg_types)
    types = function.out_types or function.arg_types
    words = {"i": "", "o": "OUT ", "b": "INOUT ", "v": "VARIADIC "}
    inputs = [place for place, mode in enumerate(modes) if mode in "ibv"]
    first_default = len(inputs) - len(function.arg_defaults)
    parts = []
    for place, (mode, oid) in enumerate(zip(modes, types, strict=True)):
        if (mode == "t") != table_columns:
            continue
        name = function.arg_names[place] if place < len(function.arg_names) else ""
        text = words.get(mode, "") + (f"{quote_ident(name)} " if name else "") + shown_type(oid)
        if defaults and place in inputs and inputs.index(place) >= first_default:
            text += f" DEFAULT {function.arg_defaults[inputs.index(place) - first_default]}"
        parts.append(text)
    return ", ".join(parts)


def pg_get_function_arguments(oid: str) -> str | None:
    """SQL: pg_get_function_arguments(oid)."""
    function = user_function(oid)
    if function is not None:
        return arguments(function, True)
    known = builtin(oid)
    if known is None:
        return None
    names = known.arg_names or ("",) * len(known.arg_types)
    first_default = len(known.arg_types) - len(known.defaults)
    parts = []
    for place, (name, oid_) in enumerate(zip(names, known.arg_types, strict=True)):
        text = (f"{name} " if name else "") + shown_type(oid_)
        if known.variadic and place == len(known.arg_types) - 1:
            text = "VARIADIC " + text
        if place >= first_default:
            text += f" DEFAULT {known.defaults[place - first_default]}"
        parts.append(text)
    parts += [f"OUT {name} {shown_type(kind)}" for name, kind in known.out_columns]
    return ", ".join(parts)


def pg_get_function_identity_arguments(oid: str) -> str | None:
    """SQL: pg_get_function_identity_arguments(oid)."""
    function = user_function(oid)
    if function is not None:
        return arguments(function, False)
    text = pg_get_function_arguments(oid)
    return None if text is None else re.sub(r" DEFAULT [^,]*", "", text)


def pg_get_function_result(oid: str) -> str | None:
    """SQL: pg_get_function_result(oid)."""
    function = user_function(oid) or builtin(oid)
    if function is None:
        return None
    if isinstance(function, Function) and "t" in function.arg_modes:
        return f"TABLE({arguments(function, False, True)})"
    return ("SETOF " if function.returns_set else "") + shown_type(function.result_type)


def pg_get_functiondef(oid: str) -> str | None:
    """SQL: pg_get_functiondef(oid)."""
    function = user_function(oid)
    if function is None:
        return None
    name = qualified(function.schema, function.name)
    text = f"CREATE OR REPLACE FUNCTION {name}({arguments(function, True)})\n RETURNS {pg_get_function_result(oid)}\n LANGUAGE sql\n"
    words = [{"i": "IMMUTABLE", "s": "STABLE"}.get(function.volatile), "STRICT" if function.strict else None]
    words.append("SECURITY DEFINER" if function.security_definer else None)
    if any(words):
        text += " " + " ".join(word for word in words if word) + "\n"
    if function.form == "r":
        return f"{text}RETURN {function.body.removeprefix('SELECT ')}\n"
    if function.form == "a":
        return text + "BEGIN ATOMIC\n" + "".join(f" {part};\n" for part in function.body.split("; ")) + "END\n"
    tag = "$function$"
    return text + f"AS {tag}{function.body}{tag}\n"


def pg_get_function_arg_default(oid: str, number: str) -> str | None:
    """SQL: pg_get_function_arg_default(oid, number)."""
    function = user_function(oid)
    if function is None:
        return None
    place = int(number) - 1 - (len(function.arg_types) - len(function.arg_defaults))
    return function.arg_defaults[place] if 0 <= place < len(function.arg_defaults) else None


def nothing(*args: str | None) -> None:
    """There are no such objects."""
    return


def oidvectortypes(vector: str) -> str:
    """SQL: oidvectortypes(vector)."""
    return ", ".join(shown_type(int(oid)) for oid in vector.split())


def pg_describe_object(classid: str, objid: str, sub: str) -> str | None:
    """SQL: pg_describe_object(classid, objid, sub)."""
    found = catalog().by_oid.get(int(objid))
    if found is None:
        return None
    word = {Table: "table", View: "view", Sequence: "sequence", Index: "index", Function: "function"}.get(type(found), "object")
    if isinstance(found, Table) and int(sub):
        return f"column {found.columns[int(sub) - 1].name} of table {found.name}"
    return f"{word} {found.name}"


def pg_relation_is_publishable(oid: str) -> str:
    """SQL: pg_relation_is_publishable(oid)."""
    return "t" if isinstance(find_relation(oid), Table) else "f"


def pg_get_ruledef(oid: str, pretty: str | None = None) -> None:
    """Views are the only rules, and they are shown as views."""


FUNCTIONS = {
    "pg_get_indexdef": pg_get_indexdef, "pg_get_constraintdef": pg_get_constraintdef, "pg_get_expr": pg_get_expr,
    "pg_get_viewdef": pg_get_viewdef, "pg_get_serial_sequence": pg_get_serial_sequence,
    "pg_get_statisticsobjdef": pg_get_statisticsobjdef,
    "pg_get_statisticsobjdef_columns": pg_get_statisticsobjdef_columns,
    "pg_get_statisticsobjdef_expressions": nothing, "pg_get_function_arguments": pg_get_function_arguments,
    "pg_get_function_identity_arguments": pg_get_function_identity_arguments,
    "pg_get_function_result": pg_get_function_result, "pg_get_functiondef": pg_get_functiondef,
    "pg_get_function_arg_default": pg_get_function_arg_default, "pg_get_function_sqlbody": nothing,
    "pg_get_partkeydef": nothing, "pg_get_ruledef": pg_get_ruledef, "pg_get_triggerdef": nothing,
    "pg_partition_ancestors": nothing, "pg_partition_root": nothing, "pg_get_partition_constraintdef": nothing,
    "pg_relation_is_publishable": pg_relation_is_publishable, "oidvectortypes": oidvectortypes,
    "pg_describe_object": pg_describe_object,
}  # fmt: skip
