from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport int32_t, uint8_t, uint32_t, uint64_t
from dsql_core.base.vector cimport Value, Var
from dsql_core.types.io cimport FormatSettings

cdef uint32_t array_element_oid(uint32_t array_oid) noexcept nogil:
    return 0
cdef uint32_t array_oid_of(uint32_t element_oid) noexcept nogil:
    return 0
cdef int array_build(uint32_t element_oid, const Value* elements, uint32_t count, const ArrayDimension* dimensions,
                     uint32_t dimension_count, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int array_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, const FormatSettings* format,
                     Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int array_output(uint32_t oid, const Var* array, const FormatSettings* format, Buffer* out) noexcept nogil:
    return -1
cdef int array_receive(uint32_t oid, int32_t typmod, const uint8_t* data, size_t size, Pool* pool, Var* out,
                       dsql_error_t* error) noexcept nogil:
    return -1
cdef int array_send(uint32_t oid, const Var* array, Buffer* out) noexcept nogil:
    return -1
cdef int array_compare(uint32_t oid, const Var* a, const Var* b) noexcept nogil:
    return 0
cdef uint64_t array_hash(uint32_t oid, const Var* array) noexcept nogil:
    return 0
cdef int array_apply_typmod(uint32_t oid, int32_t typmod, int is_explicit, Var* value, Pool* pool,
                            dsql_error_t* error) noexcept nogil:
    return 0
