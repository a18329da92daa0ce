from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.types cimport int32_t, uint8_t
from dsql_core.types.chars cimport shown
from dsql_core.types.dateparse cimport DateContext

cdef int _invalid(const uint8_t* text, size_t size, const char* type_name, dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22007", b"invalid input syntax for type %s: \"%.*s\"", type_name, shown(size), text)
    return -1

cdef int parse_datetime(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                        DateFields* out, dsql_error_t* error) noexcept nogil:
    return _invalid(text, size, type_name, error)

cdef int parse_time(const uint8_t* text, size_t size, const DateContext* context, const char* type_name,
                    DateFields* out, dsql_error_t* error) noexcept nogil:
    return _invalid(text, size, type_name, error)
