"""The current time, and what is asked of times: now and its relatives, isfinite, OVERLAPS.

now() is the transaction's start, statement_timestamp() the statement's; only clock_timestamp() moves within one.
"""

from libc.stdint cimport INT32_MAX, INT32_MIN

from dsql_core.base.types cimport int64_t, uint8_t, uint32_t
from dsql_core.base.vector cimport OID_INTERVAL, OID_TIME, OID_TIMESTAMPTZ, PHYS_B16, PHYS_I32, Value, Vector
from dsql_core.execute.kernel cimport KERNEL_NULLS, KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport interval_at
from dsql_core.execute.kernels.rows cimport int32_at, int64_at, kernel, kernel_flags, row_at
from dsql_core.execute.vectors cimport vector_value
from dsql_core.types.calendar cimport timestamp_is_finite
from dsql_core.types.datetime cimport time_add_interval, timestamp_add_interval, timestamptz_add_interval
from dsql_core.types.io cimport type_compare

cdef extern from "<time.h>" nogil:
    cdef struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec* now) noexcept
    const int CLOCK_REALTIME


cdef int now(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        (<int64_t*>out.data)[row_at(sel, k)] = ctx.transaction_us
    return 0


cdef int statement_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                             uint32_t count) noexcept nogil:
    cdef uint32_t k
    for k in range(count):
        (<int64_t*>out.data)[row_at(sel, k)] = ctx.statement_us
    return 0


cdef int clock_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef timespec at
    cdef uint32_t k
    for k in range(count):
        clock_gettime(CLOCK_REALTIME, &at)
        (<int64_t*>out.data)[row_at(sel, k)] = (<int64_t>at.tv_sec - 946684800) * 1000000 + at.tv_nsec / 1000
    return 0


cdef int is_finite(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if args[0].phys == PHYS_B16:
            (<uint8_t*>out.data)[i] = 1        # intervals are always finite
        elif args[0].phys == PHYS_I32:
            (<uint8_t*>out.data)[i] = int32_at(args[0], i) != INT32_MAX and int32_at(args[0], i) != INT32_MIN
        else:
            (<uint8_t*>out.data)[i] = timestamp_is_finite(int64_at(args[0], i))
    return 0


# --- OVERLAPS --------------------------------------------------------------------------------------------------------

cdef struct Period:
    Value start
    Value end              # either may be NULL; start <= end when neither is


cdef int period_of(EvalContext* ctx, Vector** args, uint32_t i, Period* out) noexcept nogil:
    # (start, end) or (start, length)
    cdef Value swap
    cdef int64_t at
    cdef int status = 0
    vector_value(args[0], i, &out.start)
    vector_value(args[1], i, &out.end)
    if args[1].type_oid == OID_INTERVAL and not out.end.is_null:
        out.end = out.start
        if not out.start.is_null:
            at = out.start.v.i64
            if args[0].type_oid == OID_TIME:
                at = time_add_interval(at, interval_at(args[1], i), 1)
            elif args[0].type_oid == OID_TIMESTAMPTZ:
                status = timestamptz_add_interval(at, interval_at(args[1], i), 1, ctx.format.timezone, &at,
                                                  ctx.error)
            else:
                status = timestamp_add_interval(at, interval_at(args[1], i), 1, &at, ctx.error)
            out.end.v.i64 = at
    if out.start.is_null:
        out.start = out.end
        out.end.is_null = 1
    elif not out.end.is_null and type_compare(&out.start, &out.end) > 0:
        swap = out.start
        out.start = out.end
        out.end = swap
    return status


cdef int overlaps(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef Period a, b
    cdef uint32_t k, i
    cdef int order
    for k in range(count):
        i = row_at(sel, k)
        if period_of(ctx, args, i, &a) < 0 or period_of(ctx, args + 2, i, &b) < 0:
            return -1
        if a.start.is_null or b.start.is_null:
            out.nulls[i] = 1
            continue
        order = type_compare(&a.start, &b.start)
        if order == 0:
            # They share the start, unless an unknown end could be the start itself.
            out.nulls[i] = a.end.is_null or b.end.is_null
            (<uint8_t*>out.data)[i] = 1
            continue
        if order > 0:
            # The later period must begin before the earlier one ends.
            a, b = b, a
        if a.end.is_null:
            out.nulls[i] = 1
        elif type_compare(&b.start, &a.end) < 0:
            (<uint8_t*>out.data)[i] = 1
        elif b.end.is_null:
            out.nulls[i] = 1
        else:
            (<uint8_t*>out.data)[i] = 0
    return 0


cdef int _register() except -1:
    kernel(b"now", now)
    kernel(b"statement_timestamp", statement_timestamp)
    kernel_flags(b"clock_timestamp", clock_timestamp, KERNEL_VOLATILE)
    kernel(b"date_finite", is_finite)
    kernel(b"timestamp_finite", is_finite)
    kernel(b"interval_finite", is_finite)
    kernel_flags(b"overlaps", overlaps, KERNEL_NULLS)
    return 0


_register()
