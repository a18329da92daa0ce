"""All functions, joined from the tables by family and indexed for the resolver and pg_proc.

A function that backs an operator or a cast and has no line of its own is derived from there, so `int4pl(1, 2)` and
`int8(x)` resolve as in PostgreSQL.

Invariant F3: an oid names one function; the first table that declares it wins.
"""

from opendsql.registry import (
    functions_array,
    functions_datetime,
    functions_json,
    functions_math,
    functions_privilege,
    functions_sys,
    functions_system,
    functions_text,
)
from opendsql.registry.aggregates import AGGREGATES
from opendsql.registry.casts import CASTS
from opendsql.registry.operators import OPERATORS
from opendsql.registry.table import Function
from opendsql.registry.windows import WINDOWS

DECLARED: tuple[Function, ...] = (
    functions_text.FUNCTIONS
    + functions_math.FUNCTIONS
    + functions_datetime.FUNCTIONS
    + functions_json.FUNCTIONS
    + functions_array.FUNCTIONS
    + functions_system.FUNCTIONS
    + functions_sys.FUNCTIONS
    + functions_privilege.FUNCTIONS
    + AGGREGATES
    + WINDOWS
)

FUNCTIONS_BY_OID: dict[int, Function] = {}
for _function in DECLARED:
    if FUNCTIONS_BY_OID.setdefault(_function.oid, _function) is not _function:
        raise ValueError(f"function oid {_function.oid} is declared twice")
for _operator in OPERATORS:
    FUNCTIONS_BY_OID.setdefault(_operator.function_oid, _operator.function())
for _cast in CASTS:
    if _cast.function_oid and _cast.method in ("kernel", "py") and _cast.source != _cast.target:
        FUNCTIONS_BY_OID.setdefault(
            _cast.function_oid,
            Function(
                oid=_cast.function_oid, name=_cast.function_name, arg_types=(_cast.source,),
                result_type=_cast.target, kind="py" if _cast.method == "py" else "f",
                implementation=_cast.implementation or "", volatility=_cast.volatility,
                hook=(_cast.implementation or "").startswith("text_reg"),
            ),
        )  # fmt: skip

FUNCTIONS: tuple[Function, ...] = tuple(FUNCTIONS_BY_OID.values())
FUNCTIONS_BY_NAME: dict[str, list[Function]] = {}
for _function in FUNCTIONS:
    FUNCTIONS_BY_NAME.setdefault(_function.name, []).append(_function)
