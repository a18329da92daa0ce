# numeric: text and binary formats.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport uint8_t
from dsql_core.base.vector cimport Var

cdef int numeric_parse(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef void numeric_output(const Var* a, Buffer* out) noexcept nogil
cdef int numeric_receive(const uint8_t* data, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef void numeric_send(const Var* a, Buffer* out) noexcept nogil
