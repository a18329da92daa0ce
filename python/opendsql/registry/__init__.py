"""The one registry of types, casts, operators, functions and aggregates.

Declarative tables by family (functions_text, operators_comparison, casts, aggregates ...) give pg_catalog its rows
(pg_type, pg_cast, pg_operator, pg_proc), the binder its overloads (resolve) and the executor the names of its kernels.
Adding a function is one line in a table and one kernel, or one line and one function of pyfunctions.
"""
