"""The operator machine: programs, expressions, operators, sessions and their transactions.

Faces: kernel (registry of kernels and aggregates), session.pxd (C face for the serving loop), Program (IR -> program),
EngineHandle and SessionHandle (engine and session for Python), ExecuteError.

Importing the package registers every operator; kernels are registered by importing dsql_core.execute.kernels.
"""

from dsql_core.execute import (
    op_aggregate,
    op_basic,
    op_join,
    op_lookup,
    op_modify,
    op_scan,
    op_set,
    op_sort,
    op_srf,
    op_sub,
    op_window,
)
from dsql_core.execute.backfill import backfill_chunk, compile_backfill
from dsql_core.execute.errors import ExecuteError
from dsql_core.execute.handle import EngineHandle, SessionHandle
from dsql_core.execute.program import ProgramHandle
from dsql_core.execute.pycall import register_pyfunction, set_pyfunction_resolver, set_srf_function

Program = ProgramHandle

__all__ = [
    "EngineHandle",
    "ExecuteError",
    "Program",
    "ProgramHandle",
    "SessionHandle",
    "op_aggregate",
    "op_basic",
    "op_join",
    "op_lookup",
    "op_modify",
    "op_scan",
    "op_set",
    "op_sort",
    "op_srf",
    "op_sub",
    "op_window",
    "backfill_chunk",
    "compile_backfill",
    "register_pyfunction",
    "set_pyfunction_resolver",
    "set_srf_function",
]
