# Programs: compiled plans. The Python object owns one reference of the C struct.
from dsql_core.execute.state cimport Program

cdef class ProgramHandle:
    cdef Program* c_program
    cdef readonly object tag
    cdef readonly object columns           # [(name, type_oid, typmod, table_oid, attnum)]
    cdef readonly object params            # [type_oid] of the statement parameters

cdef void program_retain(Program* program) noexcept nogil
cdef void program_release(Program* program) noexcept nogil
cdef ProgramHandle program_handle(Program* program)        # a new Python object with its own reference
