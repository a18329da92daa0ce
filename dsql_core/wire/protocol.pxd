# Messages of the PostgreSQL protocol 3.0: what the server says, written into a Buffer; small readers of what it hears.
from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.vector cimport Batch, Value, Vector
from dsql_core.types.io cimport FormatSettings
from dsql_core.wire.plan_cache cimport Plan

cdef enum:
    STARTUP_BYTES_MAX = 10000
    PASSWORD_BYTES_MAX = 16384         # a token with a session token is 1.2 to 2.5 KB

cdef inline uint32_t read_u32(const uint8_t* at) noexcept nogil:
    return (<uint32_t>at[0] << 24) | (<uint32_t>at[1] << 16) | (<uint32_t>at[2] << 8) | at[3]

cdef inline uint16_t read_u16(const uint8_t* at) noexcept nogil:
    return <uint16_t>((<uint16_t>at[0] << 8) | at[1])

cdef inline void store_u32(uint8_t* at, uint32_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 24)
    at[1] = <uint8_t>(value >> 16)
    at[2] = <uint8_t>(value >> 8)
    at[3] = <uint8_t>value

cdef inline void store_u16(uint8_t* at, uint16_t value) noexcept nogil:
    at[0] = <uint8_t>(value >> 8)
    at[1] = <uint8_t>value

# Bounded reading of a message body: `failed` is sticky, reads past the end give zeros.
cdef struct Reader:
    const uint8_t* at
    const uint8_t* end
    int failed

cdef uint16_t take_u16(Reader* reader) noexcept nogil
cdef uint32_t take_u32(Reader* reader) noexcept nogil
cdef const uint8_t* take_bytes(Reader* reader, size_t size) noexcept nogil
cdef const char* take_string(Reader* reader, size_t* size) noexcept nogil      # zero-terminated; NULL = failed

cdef size_t message_begin(Buffer* out, uint8_t kind) noexcept nogil            # returns where the message starts
cdef void message_end(Buffer* out, size_t begin) noexcept nogil
cdef void put_u16(Buffer* out, uint16_t value) noexcept nogil
cdef void put_u32(Buffer* out, uint32_t value) noexcept nogil
cdef void put_string(Buffer* out, const char* text) noexcept nogil              # with its zero
cdef void put_simple(Buffer* out, uint8_t kind) noexcept nogil                  # a message without a body

cdef void put_error(Buffer* out, const char* severity, const dsql_error_t* error) noexcept nogil
cdef void put_fatal(Buffer* out, const char* sqlstate, const char* message) noexcept nogil
cdef void put_warning(Buffer* out, const char* sqlstate, const char* message) noexcept nogil
cdef void put_ready(Buffer* out, uint8_t status) noexcept nogil                 # 'I', 'T', 'E'
cdef void put_parameter_status(Buffer* out, const char* name, const char* value) noexcept nogil
cdef void put_tag(Buffer* out, const char* tag) noexcept nogil                  # CommandComplete
# CommandComplete with the count PostgreSQL gives for this tag: INSERT 0 n, SELECT n, UPDATE n ... or the bare tag.
cdef void put_counted_tag(Buffer* out, const char* tag, uint64_t count) noexcept nogil
cdef void put_row_description(Buffer* out, const Plan* plan, const int16_t* formats,
                              uint32_t format_count) noexcept nogil
cdef void put_parameter_description(Buffer* out, const Plan* plan, uint32_t count) noexcept nogil
# DataRows of a batch, selected rows [from, to). formats: none = text, one = all columns, else per column. 0 or -1.
cdef int put_rows(Buffer* out, const Batch* batch, uint32_t start, uint32_t stop, const int16_t* formats,
                  uint32_t format_count, const FormatSettings* settings) noexcept nogil
# One element of a vector as a Value, for the general formatters.
cdef void value_load(const Vector* vector, uint32_t row, Value* value) noexcept nogil
cdef int16_t type_length(uint32_t oid) noexcept nogil                           # typlen: -1 = variable
cdef size_t put_decimal(uint8_t* at, int64_t value) noexcept nogil              # digits written; room for 20

# Offset of the first byte that is not valid UTF-8 (or is zero), `size` when all is well.
cdef size_t utf8_valid_to(const uint8_t* text, size_t size) noexcept nogil
# Sets 22021 as PostgreSQL words it and returns -1 unless text is valid.
cdef int utf8_check(const uint8_t* text, size_t size, dsql_error_t* error) noexcept nogil
