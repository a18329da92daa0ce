from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int32_t, uint8_t, uint64_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.int128 cimport int128, int128_low

cdef int interval_input(const uint8_t* text, size_t size, int32_t typmod, int style, Interval* out,
                        dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"0A000", b"interval input is not built yet")
    return -1
cdef void interval_output(const Interval* value, int style, Buffer* out) noexcept nogil:
    pass
cdef int interval_apply_typmod(int32_t typmod, Interval* value, dsql_error_t* error) noexcept nogil:
    return 0
cdef int interval_compare(const Interval* a, const Interval* b) noexcept nogil:
    cdef int128 x = interval_span(a)
    cdef int128 y = interval_span(b)
    return (x > y) - (x < y)
cdef uint64_t interval_hash_word(const Interval* value) noexcept nogil:
    return int128_low(interval_span(value))
cdef int interval_add(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_sub(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_neg(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_mul(const Interval* a, double factor, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_div(const Interval* a, double divisor, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_justify_hours(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_justify_days(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_justify(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
cdef int interval_make(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                       double seconds, Interval* out, dsql_error_t* error) noexcept nogil:
    return -1
