# Reading dates and times: PostgreSQL's input forms.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.types cimport int32_t, int64_t, uint8_t
from dsql_core.types.timezone cimport TimeZone

cdef struct DateContext:            # what input depends on besides the text
    const TimeZone* zone            # NULL = UTC
    int order                       # ORDER_MDY, ...
    int64_t now_us                  # transaction start, microseconds since 2000-01-01 UTC

# typmod: 0..6 = decimals of the second kept (rounded), -1 = all. 0, -1 error set.
cdef int date_input(const uint8_t* text, size_t size, const DateContext* context, int32_t* out,
                    dsql_error_t* error) noexcept nogil
cdef int time_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                    dsql_error_t* error) noexcept nogil
cdef int timetz_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* us,
                      int32_t* west, dsql_error_t* error) noexcept nogil
cdef int timestamp_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                         dsql_error_t* error) noexcept nogil
cdef int timestamptz_input(const uint8_t* text, size_t size, int32_t typmod, const DateContext* context, int64_t* out,
                           dsql_error_t* error) noexcept nogil
# Rounds microseconds to typmod decimals, half away from zero (infinities are the caller's business).
cdef int64_t round_us(int64_t us, int32_t typmod) noexcept nogil
