"""CREATE FUNCTION in SQL, and ALTER FUNCTION's attributes."""

from __future__ import annotations

from typing import Any

import pgparse

from opendsql.catalog import datatypes as dt
from opendsql.catalog import hooks
from opendsql.catalog.ddl import grants
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.ddl.rename import find_function
from opendsql.catalog.ddl.sequences import options_of
from opendsql.catalog.deparse import Deparser
from opendsql.catalog.model import Function
from opendsql.catalog.names import split_name, strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says

_MODES = {
    "FUNC_PARAM_IN": "i", "FUNC_PARAM_OUT": "o", "FUNC_PARAM_INOUT": "b", "FUNC_PARAM_VARIADIC": "v",
    "FUNC_PARAM_TABLE": "t", "FUNC_PARAM_DEFAULT": "i",
}  # fmt: skip
_RECORD, _VOID = 2249, 2278


def create_function(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE [OR REPLACE] FUNCTION ... LANGUAGE sql."""
    if stmt.get("is_procedure"):
        raise unsupported("PROCEDURE is not supported")
    options = options_of(stmt.get("options"))
    language = options["language"]["arg"]["String"]["sval"].lower() if "language" in options else None
    if language is None:
        if "sql_body" not in stmt:
            raise DsqlError("42P13", "no language specified")
        language = "sql"
    if language != "sql":
        raise unsupported(f"CREATE FUNCTION with language {language} not supported")
    change = Change(session, catalog, "CREATE FUNCTION")
    written, name = split_name(strings(stmt["funcname"]))
    schema = change.creation_schema(written)
    function = read_signature(change, stmt, Function(0, schema, name, (), (), owner_oid=change.user_oid))
    function = apply_options(function, options)
    body = read_body(stmt, options)
    form = "" if "sql_body" not in stmt else "r" if "ReturnStmt" in stmt["sql_body"] else "a"
    function = changed(function, body=body, form=form)
    if hooks.check_function is not None:
        hooks.check_function(function, catalog, session)
    inputs = function.arg_types
    same = next((f for f in catalog.functions.get((schema, name), ()) if f.arg_types == inputs), None)
    if same is not None:
        if not stmt.get("replace"):
            raise DsqlError("42723", f'function "{name}" already exists with same argument types')
        change.require_owner(same, "function")
        if same.result_type != function.result_type or same.returns_set != function.returns_set:
            raise DsqlError(
                "42P13",
                "cannot change return type of existing function",
                hint=f"Use DROP FUNCTION {name}({','.join(dt.format_type(t, None) for t in inputs)}) first.",
            )
        function = changed(function, oid=same.oid, owner_oid=same.owner_oid, acl=same.acl, comment=same.comment)
    else:
        function = changed(function, oid=change.new_oid(), acl=grants.initial_acl(change, schema, "f", "function"))
    change.put(function)
    return change.done()


def read_signature(change: Change, stmt: dict[str, Any], function: Function) -> Function:
    """Arguments and result."""
    names, types, modes, all_types, defaults = [], [], [], [], []
    for node in stmt.get("parameters") or ():
        body = node["FunctionParameter"]
        mode = _MODES[body["mode"]]
        oid = dt.parameter_type(body["argType"], change.catalog, change.search_path)
        if mode in "ibv":
            types.append(oid)
        if "defexpr" in body:
            defaults.append(Deparser().coerced(body["defexpr"], oid))
        elif defaults and mode in "ib":
            raise DsqlError("42P13", "input parameters after one with a default value must also have defaults")
        names.append(body.get("name", ""))
        modes.append(mode)
        all_types.append(oid)
    outputs = [t for t, m in zip(all_types, modes, strict=True) if m in "obt"]
    returns_set = False
    if stmt.get("returnType"):
        returns_set = bool(stmt["returnType"].get("setof")) or "t" in modes
        if "t" in modes:
            result = outputs[0] if len(outputs) == 1 else _RECORD
        else:
            result = dt.parameter_type(stmt["returnType"], change.catalog, change.search_path)
            row = dt.types_by_oid().get(result)
            if row is not None and row.kind in ("r", "m"):
                raise unsupported(f"datatype {row.display} not supported")
    elif outputs:
        result = outputs[0] if len(outputs) == 1 else _RECORD
    else:
        raise DsqlError("42P13", "function result type must be specified")
    plain = all(m == "i" for m in modes)
    return changed(
        function,
        arg_names=tuple(names),
        arg_types=tuple(types),
        arg_modes=() if plain else tuple(modes),
        arg_defaults=tuple(defaults),
        result_type=result,
        returns_set=returns_set,
        out_types=() if plain else tuple(all_types),
    )


def apply_options(function: Function, options: dict[str, dict[str, Any]]) -> Function:
    """Volatility and the other attributes."""
    if "volatility" in options:
        function = changed(function, volatile=options["volatility"]["arg"]["String"]["sval"][0])
    if "strict" in options:
        function = changed(function, strict=bool(options["strict"]["arg"]["Boolean"].get("boolval", False)))
    if "security" in options:
        definer = bool(options["security"]["arg"]["Boolean"].get("boolval", False))
        function = changed(function, security_definer=definer)
    if "parallel" in options:
        function = changed(function, parallel=options["parallel"]["arg"]["String"]["sval"][0].lower())
    if "set" in options:
        raise unsupported(says("create_function_clause", clause="SET"))
    return function


def read_body(stmt: dict[str, Any], options: dict[str, dict[str, Any]]) -> str:
    """The body as SQL text; it must parse."""
    if "sql_body" in stmt:
        body = stmt["sql_body"]
        if "ReturnStmt" in body:
            return "SELECT " + Deparser().expression(body["ReturnStmt"]["returnval"])
        statements = [n for item in body["List"]["items"] for n in item["List"]["items"]]
        return "; ".join(Deparser().query(n) for n in statements if "SelectStmt" in n)
    if "as" not in options:
        raise DsqlError("42P13", "no function body specified")
    text = strings(options["as"]["arg"]["List"]["items"])[0]
    try:
        pgparse.parse(text)
    except pgparse.PGQueryError as error:
        raise DsqlError("42601", str(error.args[0])) from None
    return text


def alter_function(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER FUNCTION f(...) IMMUTABLE and the like."""
    change = Change(session, catalog, "ALTER FUNCTION")
    function = find_function(change, stmt["func"]["ObjectWithArgs"] if "ObjectWithArgs" in stmt["func"] else stmt["func"])
    change.require_owner(function, "function")
    change.put(apply_options(function, options_of(stmt.get("actions"))))
    return change.done()
