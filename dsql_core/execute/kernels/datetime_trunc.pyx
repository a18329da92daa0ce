"""date_trunc, date_bin and age: timestamps cut to a unit, put into bins, and subtracted as a calendar does.

A timestamptz is cut on the wall clock of the session's zone, or of the zone named as third argument.
"""

from dsql_core.base.types cimport int64_t, uint32_t
from dsql_core.base.vector cimport OID_TIMESTAMPTZ, Interval, Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport bad_timestamp, interval_at, local_of, store_interval
from dsql_core.execute.kernels.rows cimport int64_at, kernel, kernel_flags, row_at, var_at
from dsql_core.types.calendar cimport US_PER_DAY, floor_div, timestamp_is_finite
from dsql_core.types.datetime cimport (Zone, interval_trunc, timestamp_age, timestamp_bin, timestamp_trunc,
                                       timestamptz_age, timestamptz_trunc, zone_argument, zone_named)
from dsql_core.types.extract cimport Unit, unit_named


cdef int trunc_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef Unit unit
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if k == 0 or args[0].stride != 0:
            unit = unit_named(var_at(args[0], i).data, var_at(args[0], i).size)
        if timestamp_trunc(&unit, int64_at(args[1], i), <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int trunc_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef Zone zone = zone_named(ctx.format.timezone)
    cdef Unit unit
    cdef uint32_t k, i
    cdef int found = 0
    for k in range(count):
        i = row_at(sel, k)
        if k == 0 or args[0].stride != 0:
            unit = unit_named(var_at(args[0], i).data, var_at(args[0], i).size)
        if n == 3 and timestamp_is_finite(int64_at(args[1], i)) and (not found or args[2].stride != 0):
            if zone_argument(var_at(args[2], i).data, var_at(args[2], i).size, &zone, ctx.error) < 0:
                return -1
            found = 1
        if timestamptz_trunc(&unit, int64_at(args[1], i), &zone, <int64_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int trunc_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef Interval span
    cdef Unit unit
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if k == 0 or args[0].stride != 0:
            unit = unit_named(var_at(args[0], i).data, var_at(args[0], i).size)
        if interval_trunc(&unit, interval_at(args[1], i), &span, ctx.error) < 0:
            return -1
        store_interval(out, i, &span)
    return 0


cdef int date_bin(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_bin(interval_at(args[0], i), int64_at(args[1], i), int64_at(args[2], i), <int64_t*>out.data + i,
                         ctx.error) < 0:
            return -1
    return 0


# --- age -------------------------------------------------------------------------------------------------------------

cdef int age(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    # age(a, b); age(b) counts from today's midnight.
    cdef Interval span
    cdef int64_t a, b
    cdef int64_t today = local_of(ctx.format.timezone, ctx.transaction_us)
    cdef uint32_t k, i
    cdef int status
    today = floor_div(today, US_PER_DAY) * US_PER_DAY
    for k in range(count):
        i = row_at(sel, k)
        a = int64_at(args[0], i) if n == 2 else today
        b = int64_at(args[n - 1], i)
        if not timestamp_is_finite(a) or not timestamp_is_finite(b):
            return bad_timestamp(ctx)
        if args[0].type_oid != OID_TIMESTAMPTZ:
            status = timestamp_age(a, b, &span, ctx.error)
        elif n == 2:
            status = timestamptz_age(a, b, ctx.format.timezone, &span, ctx.error)
        else:
            status = timestamp_age(a, local_of(ctx.format.timezone, b), &span, ctx.error)
        if status < 0:
            return -1
        store_interval(out, i, &span)
    return 0


cdef int _register() except -1:
    kernel(b"timestamp_trunc", trunc_timestamp)
    kernel(b"timestamptz_trunc", trunc_timestamptz)
    kernel(b"timestamptz_trunc_zone", trunc_timestamptz)
    kernel(b"interval_trunc", trunc_interval)
    kernel(b"timestamp_bin", date_bin)
    kernel(b"timestamptz_bin", date_bin)
    kernel(b"timestamp_age", age)
    kernel(b"timestamptz_age", age)
    kernel_flags(b"timestamp_age_today", age, KERNEL_VOLATILE)
    kernel_flags(b"timestamptz_age_today", age, KERNEL_VOLATILE)
    return 0


_register()
