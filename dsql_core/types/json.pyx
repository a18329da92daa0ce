from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.types cimport uint8_t, uint64_t
from dsql_core.base.vector cimport Var

cdef int json_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil:
    return 0
cdef int jsonb_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"0A000", b"jsonb input is not built yet")
    return -1
cdef int jsonb_compare(const Var* a, const Var* b) noexcept nogil:
    return 0
cdef uint64_t jsonb_hash(const Var* a) noexcept nogil:
    return 0
