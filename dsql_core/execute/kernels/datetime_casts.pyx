"""Casts between dates, times and intervals, and comparisons between their types.

A date is its midnight, in the session's zone where a timestamptz is meant. Infinity has no time of day: NULL.
"""

from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ, Interval, Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport (TimeTz, bad_timestamp, date_as_timestamp, date_as_timestamptz,
                                               interval_at, local_of, store_interval, store_timetz, timetz_at, utc_of)
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel, kernel_flags, null_row, row_at
from dsql_core.types.calendar cimport US_PER_DAY, floor_div, timestamp_is_finite, timestamp_is_valid
from dsql_core.types.timezone cimport timezone_local_offset, timezone_offset


cdef inline int64_t wrap_day(int64_t us) noexcept nogil:
    # Into [0, 24:00).
    return us - floor_div(us, US_PER_DAY) * US_PER_DAY


# --- casts -----------------------------------------------------------------------------------------------------------

cdef int date_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_as_timestamp(ctx, int32_at(args[0], i), <int64_t*>out.data + i) < 0:
            return -1
    return 0


cdef int date_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_as_timestamptz(ctx, int32_at(args[0], i), <int64_t*>out.data + i) < 0:
            return -1
    return 0


cdef inline int32_t date_of_local(int64_t at) noexcept nogil:
    if at == INT64_MAX:
        return INT32_MAX
    return INT32_MIN if at == INT64_MIN else <int32_t>floor_div(at, US_PER_DAY)


cdef int timestamp_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int32_t*>out.data)[i] = date_of_local(int64_at(args[0], i))
    return 0


cdef int timestamptz_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int32_t*>out.data)[i] = date_of_local(local_of(ctx.format.timezone, int64_at(args[0], i)))
    return 0


cdef int timestamp_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = utc_of(ctx.format.timezone, int64_at(args[0], i))
        if timestamp_is_finite((<int64_t*>out.data)[i]) and not timestamp_is_valid((<int64_t*>out.data)[i]):
            return bad_timestamp(ctx)
    return 0


cdef int timestamptz_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = local_of(ctx.format.timezone, int64_at(args[0], i))
    return 0


cdef int timestamp_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # Infinity has no time of day: NULL.
    cdef int64_t at
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 1, i):
            continue
        at = int64_at(args[0], i)
        if not timestamp_is_finite(at):
            out.nulls[i] = 1
            continue
        if args[0].type_oid == OID_TIMESTAMPTZ:
            at = local_of(ctx.format.timezone, at)
        (<int64_t*>out.data)[i] = wrap_day(at)
    return 0


cdef int timestamptz_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef TimeTz time
    cdef int64_t at
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 1, i):
            continue
        at = int64_at(args[0], i)
        if not timestamp_is_finite(at):
            out.nulls[i] = 1
            continue
        time.west = -timezone_offset(ctx.format.timezone, at)
        time.us = wrap_day(at - <int64_t>time.west * 1000000)
        store_timetz(out, i, &time)
    return 0


cdef int time_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef Interval value
    cdef uint32_t k, i
    value.months = 0
    value.days = 0
    for k in range(count):
        i = row_at(sel, k)
        value.us = int64_at(args[0], i)
        store_interval(out, i, &value)
    return 0


cdef int interval_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = wrap_day(interval_at(args[0], i).us)
    return 0


cdef int time_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    # In the session's zone, as of today.
    cdef TimeTz time
    cdef int64_t midnight = local_of(ctx.format.timezone, ctx.transaction_us)
    cdef uint32_t k, i
    midnight = floor_div(midnight, US_PER_DAY) * US_PER_DAY
    for k in range(count):
        i = row_at(sel, k)
        time.us = int64_at(args[0], i)
        time.west = -timezone_local_offset(ctx.format.timezone, midnight + time.us)
        store_timetz(out, i, &time)
    return 0


cdef int timetz_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = timetz_at(args[0], i).us
    return 0


# --- comparisons between types ---------------------------------------------------------------------------------------

cdef inline int64_t instant(EvalContext* ctx, const Vector* v, uint32_t i, uint32_t other) noexcept nogil:
    # What a value is on the scale of the pair's wider type; dates beyond the timestamps' range lie just below infinity.
    cdef int64_t at
    if v.type_oid == OID_DATE:
        if int32_at(v, i) == INT32_MIN:
            return INT64_MIN
        if int32_at(v, i) == INT32_MAX:
            return INT64_MAX
        if int32_at(v, i) >= 106751990:
            return INT64_MAX - 1
        at = int32_at(v, i) * US_PER_DAY
        return utc_of(ctx.format.timezone, at) if other == OID_TIMESTAMPTZ else at
    at = int64_at(v, i)
    return utc_of(ctx.format.timezone, at) if v.type_oid == OID_TIMESTAMP and other == OID_TIMESTAMPTZ else at


cdef int cross_compare(int accepts, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    # accepts: bit 0 less, bit 1 equal, bit 2 greater.
    cdef int64_t a, b
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        a = instant(ctx, args[0], i, args[1].type_oid)
        b = instant(ctx, args[1], i, args[0].type_oid)
        (<uint8_t*>out.data)[i] = accepts >> ((a > b) - (a < b) + 1) & 1
    return 0


cdef int cross_lt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(1, ctx, out, args, sel, count)


cdef int cross_eq(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(2, ctx, out, args, sel, count)


cdef int cross_le(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(3, ctx, out, args, sel, count)


cdef int cross_gt(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(4, ctx, out, args, sel, count)


cdef int cross_ne(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(5, ctx, out, args, sel, count)


cdef int cross_ge(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return cross_compare(6, ctx, out, args, sel, count)


cdef int _register() except -1:
    kernel(b"date_timestamp", date_timestamp)
    kernel(b"date_timestamptz", date_timestamptz)
    kernel(b"timestamp_date", timestamp_date)
    kernel(b"timestamptz_date", timestamptz_date)
    kernel(b"timestamp_timestamptz", timestamp_timestamptz)
    kernel(b"timestamptz_timestamp", timestamptz_timestamp)
    kernel_flags(b"timestamp_time", timestamp_time, KERNEL_NULLS)
    kernel_flags(b"timestamptz_time", timestamp_time, KERNEL_NULLS)
    kernel_flags(b"timestamptz_timetz", timestamptz_timetz, KERNEL_NULLS)
    kernel(b"time_interval", time_interval)
    kernel(b"interval_time", interval_time)
    kernel_flags(b"time_timetz", time_timetz, KERNEL_VOLATILE)     # depends on today
    kernel(b"timetz_time", timetz_time)
    for left, right in (("date", "timestamp"), ("date", "timestamptz"), ("timestamp", "date"), ("timestamptz", "date"),
                        ("timestamp", "timestamptz"), ("timestamptz", "timestamp")):
        kernel(f"{left}_eq_{right}".encode(), cross_eq)
        kernel(f"{left}_ne_{right}".encode(), cross_ne)
        kernel(f"{left}_lt_{right}".encode(), cross_lt)
        kernel(f"{left}_le_{right}".encode(), cross_le)
        kernel(f"{left}_gt_{right}".encode(), cross_gt)
        kernel(f"{left}_ge_{right}".encode(), cross_ge)
    return 0


_register()
