"""Casts between dates, times and intervals, and comparisons between their types.

A date is its midnight, in the session's zone where a timestamptz is meant. Infinity has no time of day: NULL.
"""

from dsql_core.base.types cimport int32_t, int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ, Interval, Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport (TimeTz, interval_at, local_of, store_interval, store_timetz, timetz_at,
                                               utc_of)
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel, kernel_flags, null_row, row_at
from dsql_core.types.calendar cimport US_PER_DAY, floor_div, timestamp_is_valid
from dsql_core.types.datetime cimport (Zone, date_to_timestamp, date_to_timestamp_clamped, date_to_timestamptz,
                                       interval_to_time, timestamp_to_date, timestamp_to_time, timestamp_to_timestamptz,
                                       timestamptz_to_date, timestamptz_to_timestamp, timestamptz_to_timetz, zone_named)
from dsql_core.types.timezone cimport timezone_local_offset


# --- casts -----------------------------------------------------------------------------------------------------------

cdef int date_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_to_timestamp(int32_at(args[0], i), <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int date_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_to_timestamptz(int32_at(args[0], i), ctx.format.timezone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int timestamp_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_to_date(int64_at(args[0], i), <int32_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int timestamptz_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamptz_to_date(int64_at(args[0], i), ctx.format.timezone, <int32_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int timestamp_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    cdef Zone zone = zone_named(ctx.format.timezone)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_to_timestamptz(int64_at(args[0], i), &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int timestamptz_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    cdef Zone zone = zone_named(ctx.format.timezone)
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamptz_to_timestamp(int64_at(args[0], i), &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int timestamp_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # Infinity has no time of day: NULL.
    cdef int32_t west
    cdef uint32_t k, i
    cdef int known
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 1, i):
            continue
        if args[0].type_oid == OID_TIMESTAMPTZ:
            known = timestamptz_to_timetz(int64_at(args[0], i), ctx.format.timezone, <int64_t*>out.data + i, &west)
        else:
            known = timestamp_to_time(int64_at(args[0], i), <int64_t*>out.data + i)
        if not known:
            out.nulls[i] = 1
    return 0


cdef int timestamptz_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    cdef TimeTz time
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if null_row(out, args, 1, i):
            continue
        if timestamptz_to_timetz(int64_at(args[0], i), ctx.format.timezone, &time.us, &time.west):
            store_timetz(out, i, &time)
        else:
            out.nulls[i] = 1
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
        (<int64_t*>out.data)[i] = interval_to_time(interval_at(args[0], i))
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
        at = date_to_timestamp_clamped(int32_at(v, i))
        return utc_of(ctx.format.timezone, at) if other == OID_TIMESTAMPTZ and timestamp_is_valid(at) else at
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
