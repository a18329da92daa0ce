# bool, the integers, oid and its relatives, uuid: text formats. Binary formats and order are in io (one line each).
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int64_t, uint8_t

cdef int bool_input(const uint8_t* text, size_t size, uint8_t* out, dsql_error_t* error) noexcept nogil
# Integer within [low, high]; type_name appears in the messages.
cdef int integer_input(const uint8_t* text, size_t size, int64_t low, int64_t high, const char* type_name,
                       int64_t* out, dsql_error_t* error) noexcept nogil
cdef int oid_input(const uint8_t* text, size_t size, const char* type_name, int64_t* out,
                   dsql_error_t* error) noexcept nogil
cdef int uuid_input(const uint8_t* text, size_t size, uint8_t* out, dsql_error_t* error) noexcept nogil
cdef void uuid_output(const uint8_t* uuid, Buffer* out) noexcept nogil
# 0, or -1 with 22P02 `invalid input syntax for type <type_name>: "<text>"` set. Always returns -1.
cdef int invalid_syntax(const char* type_name, const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil
