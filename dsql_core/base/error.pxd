# The error slot of ext/error: first error wins; sqlstate is five characters.
from libc.stdint cimport int32_t

cdef extern from "error/error.h" nogil:
    ctypedef struct dsql_error_t:
        int32_t is_set
        int32_t position
        char sqlstate[8]
        char message[1024]
        char detail[1024]
        char hint[512]
        char context[512]
        char schema_name[64]
        char table_name[64]
        char column_name[64]
        char constraint_name[64]
    void dsql_error_clear(dsql_error_t* e) noexcept
    void dsql_error_set(dsql_error_t* e, const char* sqlstate, const char* fmt, ...) noexcept
    void dsql_error_detail(dsql_error_t* e, const char* fmt, ...) noexcept
