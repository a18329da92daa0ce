"""Arithmetic of dates, times and intervals.

Months move a date to the same day of another month, or its last day; days and months of a timestamptz move on the
wall clock of the session's zone, hours on the instant. Infinite dates and timestamps stay infinite.
"""

from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport Interval, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.execute.kernels.moment cimport (TimeTz, bad_timestamp, interval_at, store_interval, store_timetz,
                                               timetz_at)
from dsql_core.execute.kernels.rows cimport double_at, int32_at, int64_at, kernel, row_at
from dsql_core.types.calendar cimport timestamp_is_finite, timestamp_is_valid
from dsql_core.types.datetime cimport (date_add_days, date_subtract, date_to_timestamp, time_add_interval,
                                       timestamp_add_interval, timestamp_subtract, timestamptz_add_interval)
from dsql_core.types.interval cimport (interval_add, interval_div, interval_justify, interval_justify_days,
                                       interval_justify_hours, interval_mul, interval_neg, interval_sub)


# --- dates -----------------------------------------------------------------------------------------------------------

cdef int date_shift(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int days,
                    int sign) noexcept nogil:
    # args[1 - days] is the date, args[days] the number of days.
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_add_days(int32_at(args[1 - days], i), <int64_t>sign * int32_at(args[days], i), <int32_t*>out.data + i,
                         ctx.error) < 0:
            return -1
    return 0


cdef int date_pli(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return date_shift(ctx, out, args, sel, count, 1, 1)


cdef int date_mii(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    return date_shift(ctx, out, args, sel, count, 1, -1)


cdef int integer_pl_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    return date_shift(ctx, out, args, sel, count, 0, 1)


cdef int date_mi(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                 uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_subtract(int32_at(args[0], i), int32_at(args[1], i), <int32_t*>out.data + i, ctx.error) < 0:
            return -1
    return 0


cdef int date_interval(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int date,
                       int sign) noexcept nogil:
    cdef int64_t at
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_to_timestamp(int32_at(args[date], i), &at, ctx.error) < 0 or \
                timestamp_add_interval(at, interval_at(args[1 - date], i), sign, <int64_t*>out.data + i,
                                       ctx.error) < 0:
            return -1
    return 0


cdef int date_pl_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return date_interval(ctx, out, args, sel, count, 0, 1)


cdef int date_mi_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return date_interval(ctx, out, args, sel, count, 0, -1)


cdef int interval_pl_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return date_interval(ctx, out, args, sel, count, 1, 1)


cdef int date_time(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                   int date) noexcept nogil:
    # date + time
    cdef int64_t at
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_to_timestamp(int32_at(args[date], i), &at, ctx.error) < 0:
            return -1
        if timestamp_is_finite(at):
            at += int64_at(args[1 - date], i)
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int datetime_pl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return date_time(ctx, out, args, sel, count, 0)


cdef int timedate_pl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return date_time(ctx, out, args, sel, count, 1)


cdef int date_timetz(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                     int date) noexcept nogil:
    cdef int64_t at
    cdef TimeTz time
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if date_to_timestamp(int32_at(args[date], i), &at, ctx.error) < 0:
            return -1
        time = timetz_at(args[1 - date], i)
        if timestamp_is_finite(at):
            at += time.us + <int64_t>time.west * 1000000
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int datetimetz_pl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    return date_timetz(ctx, out, args, sel, count, 0)


cdef int timetzdate_pl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    return date_timetz(ctx, out, args, sel, count, 1)


# --- timestamps ------------------------------------------------------------------------------------------------------

cdef int timestamp_shift(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int at,
                         int sign, int zoned) noexcept nogil:
    # args[at] is the timestamp, the other one the interval.
    cdef uint32_t k, i
    cdef int status
    for k in range(count):
        i = row_at(sel, k)
        if zoned:
            status = timestamptz_add_interval(int64_at(args[at], i), interval_at(args[1 - at], i), sign,
                                              ctx.format.timezone, <int64_t*>out.data + i, ctx.error)
        else:
            status = timestamp_add_interval(int64_at(args[at], i), interval_at(args[1 - at], i), sign,
                                            <int64_t*>out.data + i, ctx.error)
        if status < 0:
            return -1
    return 0


cdef int timestamp_pl_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 0, 1, 0)


cdef int timestamp_mi_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 0, -1, 0)


cdef int interval_pl_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                               uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 1, 1, 0)


cdef int timestamptz_pl_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                                 uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 0, 1, 1)


cdef int timestamptz_mi_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                                 uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 0, -1, 1)


cdef int interval_pl_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                                 uint32_t count) noexcept nogil:
    return timestamp_shift(ctx, out, args, sel, count, 1, 1, 1)


cdef int timestamp_mi(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    # The difference in days and a rest below a day, both of one sign.
    cdef Interval between
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_subtract(int64_at(args[0], i), int64_at(args[1], i), &between, ctx.error) < 0:
            return -1
        store_interval(out, i, &between)
    return 0


# --- times of day ----------------------------------------------------------------------------------------------------

cdef int time_shift(Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int time, int sign) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        (<int64_t*>out.data)[i] = time_add_interval(int64_at(args[time], i), interval_at(args[1 - time], i), sign)
    return 0


cdef int time_pl_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return time_shift(out, args, sel, count, 0, 1)


cdef int time_mi_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return time_shift(out, args, sel, count, 0, -1)


cdef int interval_pl_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return time_shift(out, args, sel, count, 1, 1)


cdef int time_mi_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    cdef Interval between
    cdef uint32_t k, i
    between.months = 0
    between.days = 0
    for k in range(count):
        i = row_at(sel, k)
        between.us = int64_at(args[0], i) - int64_at(args[1], i)
        store_interval(out, i, &between)
    return 0


cdef int timetz_shift(Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int time, int sign) noexcept nogil:
    cdef TimeTz value
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        value = timetz_at(args[time], i)
        value.us = time_add_interval(value.us, interval_at(args[1 - time], i), sign)
        store_timetz(out, i, &value)
    return 0


cdef int timetz_pl_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    return timetz_shift(out, args, sel, count, 0, 1)


cdef int timetz_mi_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    return timetz_shift(out, args, sel, count, 0, -1)


cdef int interval_pl_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                            uint32_t count) noexcept nogil:
    return timetz_shift(out, args, sel, count, 1, 1)


# --- intervals -------------------------------------------------------------------------------------------------------

cdef int interval_sum(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count,
                      int sign) noexcept nogil:
    cdef Interval value
    cdef uint32_t k, i
    cdef int status
    for k in range(count):
        i = row_at(sel, k)
        if sign > 0:
            status = interval_add(interval_at(args[0], i), interval_at(args[1], i), &value, ctx.error)
        else:
            status = interval_sub(interval_at(args[0], i), interval_at(args[1], i), &value, ctx.error)
        if status < 0:
            return -1
        store_interval(out, i, &value)
    return 0


cdef int interval_pl(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return interval_sum(ctx, out, args, sel, count, 1)


cdef int interval_mi(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return interval_sum(ctx, out, args, sel, count, -1)


cdef enum:
    SPAN_NEG = 0
    SPAN_DAYS = 1
    SPAN_HOURS = 2
    SPAN_BOTH = 3


cdef int interval_unary(int operation, EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef Interval value
    cdef uint32_t k, i
    cdef int status
    for k in range(count):
        i = row_at(sel, k)
        if operation == SPAN_NEG:
            status = interval_neg(interval_at(args[0], i), &value, ctx.error)
        elif operation == SPAN_DAYS:
            status = interval_justify_days(interval_at(args[0], i), &value, ctx.error)
        elif operation == SPAN_HOURS:
            status = interval_justify_hours(interval_at(args[0], i), &value, ctx.error)
        else:
            status = interval_justify(interval_at(args[0], i), &value, ctx.error)
        if status < 0:
            return -1
        store_interval(out, i, &value)
    return 0


cdef int interval_um(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    return interval_unary(SPAN_NEG, ctx, out, args, sel, count)


cdef int justify_days(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                      uint32_t count) noexcept nogil:
    return interval_unary(SPAN_DAYS, ctx, out, args, sel, count)


cdef int justify_hours(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    return interval_unary(SPAN_HOURS, ctx, out, args, sel, count)


cdef int justify_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    return interval_unary(SPAN_BOTH, ctx, out, args, sel, count)


cdef int interval_scale(EvalContext* ctx, Vector* out, Vector** args, const uint32_t* sel, uint32_t count, int span,
                        int divide) noexcept nogil:
    cdef Interval value
    cdef uint32_t k, i
    cdef int status
    for k in range(count):
        i = row_at(sel, k)
        if divide:
            status = interval_div(interval_at(args[span], i), double_at(args[1 - span], i), &value, ctx.error)
        else:
            status = interval_mul(interval_at(args[span], i), double_at(args[1 - span], i), &value, ctx.error)
        if status < 0:
            return -1
        store_interval(out, i, &value)
    return 0


cdef int k_interval_mul(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return interval_scale(ctx, out, args, sel, count, 0, 0)


cdef int mul_d_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return interval_scale(ctx, out, args, sel, count, 1, 0)


cdef int k_interval_div(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    return interval_scale(ctx, out, args, sel, count, 0, 1)


cdef int _register() except -1:
    kernel(b"date_pli", date_pli)
    kernel(b"date_mii", date_mii)
    kernel(b"integer_pl_date", integer_pl_date)
    kernel(b"date_mi", date_mi)
    kernel(b"date_pl_interval", date_pl_interval)
    kernel(b"date_mi_interval", date_mi_interval)
    kernel(b"interval_pl_date", interval_pl_date)
    kernel(b"datetime_pl", datetime_pl)
    kernel(b"timedate_pl", timedate_pl)
    kernel(b"datetimetz_pl", datetimetz_pl)
    kernel(b"timetzdate_pl", timetzdate_pl)
    kernel(b"timestamp_pl_interval", timestamp_pl_interval)
    kernel(b"timestamp_mi_interval", timestamp_mi_interval)
    kernel(b"interval_pl_timestamp", interval_pl_timestamp)
    kernel(b"timestamptz_pl_interval", timestamptz_pl_interval)
    kernel(b"timestamptz_mi_interval", timestamptz_mi_interval)
    kernel(b"interval_pl_timestamptz", interval_pl_timestamptz)
    kernel(b"timestamp_mi", timestamp_mi)
    kernel(b"time_pl_interval", time_pl_interval)
    kernel(b"time_mi_interval", time_mi_interval)
    kernel(b"interval_pl_time", interval_pl_time)
    kernel(b"time_mi_time", time_mi_time)
    kernel(b"timetz_pl_interval", timetz_pl_interval)
    kernel(b"timetz_mi_interval", timetz_mi_interval)
    kernel(b"interval_pl_timetz", interval_pl_timetz)
    kernel(b"interval_pl", interval_pl)
    kernel(b"interval_mi", interval_mi)
    kernel(b"interval_um", interval_um)
    kernel(b"interval_justify_days", justify_days)
    kernel(b"interval_justify_hours", justify_hours)
    kernel(b"interval_justify_interval", justify_interval)
    kernel(b"interval_mul", k_interval_mul)
    kernel(b"mul_d_interval", mul_d_interval)
    kernel(b"interval_div", k_interval_div)
    return 0


_register()
