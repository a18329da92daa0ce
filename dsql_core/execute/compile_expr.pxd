# Compilation of IR expressions into Expr nodes (GIL held). See compile_expr.pyx.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint8_t, uint32_t
from dsql_core.base.vector cimport Value
from dsql_core.execute.state cimport Expr, Program, SortKey
from dsql_core.types.io cimport FormatSettings

cdef class ExprCompiler:
    cdef Pool* pool                # of the program
    cdef Program* program
    cdef list py_objects           # Python functions the program refers to
    cdef list subplans             # IR of the program's subplans
    cdef FormatSettings format     # constants are read with it

    cdef void* alloc(self, size_t size) except NULL
    cdef const char* text(self, object value) except NULL
    cdef int constant(self, uint32_t type_oid, int typmod, object text, Value* out) except -1
    cdef Expr* expr(self, object ir, list types) except NULL
    cdef int _plain_equality(self, Expr* node, str kernel) except -1
    cdef Expr* _fold(self, Expr* node) except NULL
    cdef Expr* optional(self, object ir, list types) except? NULL
    cdef Expr** exprs(self, object irs, list types) except NULL
    cdef SortKey* sort_keys(self, object irs, list types) except NULL

cdef void plain_format(FormatSettings* format) noexcept     # UTC, ISO
cdef object error_of(const dsql_error_t* slot)             # ExecuteError
