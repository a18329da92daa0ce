# interval: text formats, order, arithmetic. Three independent fields: months, days, microseconds.
from dsql_core.base.error cimport dsql_error_t
from dsql_core.base.memory cimport Buffer
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint64_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.int128 cimport int128

cdef int interval_input(const uint8_t* text, size_t size, int32_t typmod, int style, Interval* out,
                        dsql_error_t* error) noexcept nogil
cdef void interval_output(const Interval* value, int style, Buffer* out) noexcept nogil
cdef int interval_apply_typmod(int32_t typmod, Interval* value, dsql_error_t* error) noexcept nogil

cdef inline int128 interval_span(const Interval* value) noexcept nogil:
    # Microseconds with a month of 30 days and a day of 24 hours: what intervals are ordered by.
    cdef int128 days = <int64_t>value.months * 30 + value.days
    cdef int128 span = days * <int64_t>86400000000LL
    return span + value.us

cdef int interval_compare(const Interval* a, const Interval* b) noexcept nogil
cdef uint64_t interval_hash_word(const Interval* value) noexcept nogil

# 0, -1 = 22008 `interval out of range`.
cdef int interval_add(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_sub(const Interval* a, const Interval* b, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_neg(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_mul(const Interval* a, double factor, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_div(const Interval* a, double divisor, Interval* out, dsql_error_t* error) noexcept nogil    # 22012
cdef int interval_justify_hours(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_justify_days(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil
cdef int interval_justify(const Interval* a, Interval* out, dsql_error_t* error) noexcept nogil
# make_interval(years, months, weeks, days, hours, mins, secs)
cdef int interval_make(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours, int32_t minutes,
                       double seconds, Interval* out, dsql_error_t* error) noexcept nogil
