# Text family (text, varchar, bpchar, name, "char", json's bytes) and bytea.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer, Pool
from dsql_core.base.types cimport int32_t, uint8_t, uint32_t
from dsql_core.base.vector cimport Var

# 0, or -1 with 22021 `invalid byte sequence for encoding "UTF8": 0x..` set. NUL bytes are invalid.
cdef int utf8_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil
cdef size_t utf8_length(const uint8_t* text, size_t size) noexcept nogil                    # characters
cdef size_t utf8_prefix(const uint8_t* text, size_t size, size_t characters) noexcept nogil  # bytes of the first n
cdef inline size_t trimmed_size(const uint8_t* text, size_t size) noexcept nogil:
    # Size without trailing blanks: what bpchar compares, hashes and encodes.
    while size > 0 and text[size - 1] == c' ':
        size -= 1
    return size
# Text of any family member with its typmod applied; the result lies in pool (always a copy).
cdef int text_input(uint32_t oid, int32_t typmod, const uint8_t* text, size_t size, Pool* pool, Var* out,
                    dsql_error_t* error) noexcept nogil
# varchar(n), char(n): see io.type_apply_typmod. The value is replaced only when it changes.
cdef int text_apply_typmod(uint32_t oid, int32_t typmod, int is_explicit, Var* value, Pool* pool,
                           dsql_error_t* error) noexcept nogil
cdef void char_output(const Var* value, Buffer* out) noexcept nogil
cdef int bytea_input(const uint8_t* text, size_t size, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil
cdef void bytea_output(const uint8_t* data, size_t size, int escape, Buffer* out) noexcept nogil
cdef int out_of_memory(dsql_error_t* error) noexcept nogil     # sets 53200, returns -1
