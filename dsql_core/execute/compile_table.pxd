# Compilation of table descriptors. See compile_table.pyx.
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.execute.compile_expr cimport ExprCompiler
from dsql_core.execute.state cimport TableInfo

cdef TableInfo* compile_table(ExprCompiler compiler, dict ir) except NULL
cdef uint32_t* numbers(ExprCompiler compiler, object values) except NULL
cdef uint8_t* flags(ExprCompiler compiler, object values, size_t count) except NULL
