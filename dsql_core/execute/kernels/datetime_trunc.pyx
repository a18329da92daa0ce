"""date_trunc, date_bin and age: timestamps cut to a unit, put into bins, and subtracted as a calendar does.

A timestamptz is cut on the wall clock of the session's zone, or of the zone named as third argument; from days on the
zone's offset is looked up again, because midnight may have another one.
"""

from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport OID_INTERVAL, OID_TIMESTAMP, OID_TIMESTAMPTZ, Interval, Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.datetime_units cimport *
from dsql_core.execute.kernels.moment cimport bad_timestamp, interval_at, local_of, store_interval
from dsql_core.execute.kernels.rows cimport int64_at, kernel, kernel_flags, row_at, var_at
from dsql_core.execute.kernels.zones cimport Zone, zone_find, zone_offset_at, zone_utc_of
from dsql_core.types.calendar cimport (US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND, DateTime, datetime_of,
                                       days_in_month, days_of, floor_div, timestamp_is_finite, timestamp_is_valid)
from dsql_core.types.int128 cimport int64_add_overflow, int64_sub_overflow


cdef inline int64_t floor_to(int64_t value, int64_t unit) noexcept nogil:
    return floor_div(value, unit) * unit


cdef int cut_local(int unit, int64_t local, int64_t* out) noexcept nogil:
    # 1 = cut at a day or more, 0 = below, -1 = not a unit to cut to.
    cdef DateTime at
    cdef int64_t day, year
    if unit == UNIT_MICROSECOND:
        out[0] = local
        return 0
    if unit == UNIT_MILLISECOND:
        out[0] = floor_to(local, 1000)
        return 0
    if unit == UNIT_SECOND:
        out[0] = floor_to(local, US_PER_SECOND)
        return 0
    if unit == UNIT_MINUTE:
        out[0] = floor_to(local, US_PER_MINUTE)
        return 0
    if unit == UNIT_HOUR:
        out[0] = floor_to(local, US_PER_HOUR)
        return 0
    day = floor_div(local, US_PER_DAY)
    if unit == UNIT_DAY:
        out[0] = day * US_PER_DAY
        return 1
    if unit == UNIT_WEEK:
        out[0] = (day - ((day - 2) % 7 + 7) % 7) * US_PER_DAY
        return 1
    datetime_of(local, &at)
    year = at.year
    if unit == UNIT_MONTH:
        out[0] = days_of(year, at.month, 1) * US_PER_DAY
        return 1
    if unit == UNIT_QUARTER:
        out[0] = days_of(year, (at.month - 1) / 3 * 3 + 1, 1) * US_PER_DAY
        return 1
    if unit == UNIT_DECADE:
        year = floor_to(year, 10)
    elif unit == UNIT_CENTURY:
        year = floor_to(year - 1, 100) + 1
    elif unit == UNIT_MILLENNIUM:
        year = floor_to(year - 1, 1000) + 1
    elif unit != UNIT_YEAR:
        return -1
    out[0] = days_of(year, 1, 1) * US_PER_DAY
    return 1


cdef int trunc_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                         uint32_t count) noexcept nogil:
    cdef int64_t at
    cdef uint32_t k, i
    cdef int unit
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        unit = unit_of(var_at(args[0], i))
        if timestamp_is_finite(at):
            if cut_local(unit, at, &at) < 0:
                return unit_error(ctx, var_at(args[0], i), unit, OID_TIMESTAMP)
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int trunc_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    cdef Zone zone
    cdef int64_t at, local, offset
    cdef uint32_t k, i
    cdef int unit, status, found = 0
    zone.named = ctx.format.timezone
    zone.is_fixed = 0
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        unit = unit_of(var_at(args[0], i))
        if timestamp_is_finite(at):
            if n == 3 and (not found or args[2].stride != 0) and zone_find(ctx, var_at(args[2], i), &zone) < 0:
                return -1
            found = 1
            offset = zone_offset_at(&zone, at) * <int64_t>1000000
            status = cut_local(unit, at + offset, &local)
            if status < 0:
                return unit_error(ctx, var_at(args[0], i), unit, OID_TIMESTAMPTZ)
            at = zone_utc_of(&zone, local) if status == 1 else local - offset
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int trunc_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef Interval span
    cdef int64_t unit_us
    cdef int32_t months
    cdef uint32_t k, i
    cdef int unit
    for k in range(count):
        i = row_at(sel, k)
        span = interval_at(args[1], i)[0]
        unit = unit_of(var_at(args[0], i))
        months = unit_us = 0
        if unit == UNIT_MICROSECOND:
            unit_us = 1
        elif unit == UNIT_MILLISECOND:
            unit_us = 1000
        elif unit == UNIT_SECOND:
            unit_us = US_PER_SECOND
        elif unit == UNIT_MINUTE:
            unit_us = US_PER_MINUTE
        elif unit == UNIT_HOUR:
            unit_us = US_PER_HOUR
        elif unit == UNIT_MONTH:
            months = 1
        elif unit == UNIT_QUARTER:
            months = 3
        elif unit == UNIT_YEAR:
            months = 12
        elif unit == UNIT_DECADE:
            months = 120
        elif unit == UNIT_CENTURY:
            months = 1200
        elif unit == UNIT_MILLENNIUM:
            months = 12000
        elif unit != UNIT_DAY:
            unit_error(ctx, var_at(args[0], i), unit, OID_INTERVAL)
            if unit == UNIT_WEEK:
                memcpy(ctx.error.detail, b"Months usually have fractional weeks.", 38)
            return -1
        # Towards zero, each field with its own sign.
        if unit_us != 0:
            span.us -= span.us % unit_us
        else:
            span.us = 0
        if months != 0:
            span.days = 0
            span.months -= span.months % months
        store_interval(out, i, &span)
    return 0


cdef int date_bin(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                  uint32_t count) noexcept nogil:
    cdef const Interval* stride
    cdef int64_t at, origin, size, distance, rest
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        stride = interval_at(args[0], i)
        at = int64_at(args[1], i)
        origin = int64_at(args[2], i)
        if not timestamp_is_finite(at):
            (<int64_t*>out.data)[i] = at
            continue
        if not timestamp_is_finite(origin):
            dsql_error_set(ctx.error, "22008", "origin out of range")
            return -1
        if stride.months != 0:
            dsql_error_set(ctx.error, "0A000",
                           "timestamps cannot be binned into intervals containing months or years")
            return -1
        if int64_add_overflow(stride.days * US_PER_DAY, stride.us, &size):
            dsql_error_set(ctx.error, "22008", "interval out of range")
            return -1
        if size <= 0:
            dsql_error_set(ctx.error, "22008", "stride must be greater than zero")
            return -1
        if int64_sub_overflow(at, origin, &distance):
            dsql_error_set(ctx.error, "22008", "interval out of range")
            return -1
        rest = distance % size
        if rest < 0:
            rest += size
        if int64_sub_overflow(at, rest, <int64_t*>out.data + i) or not timestamp_is_valid((<int64_t*>out.data)[i]):
            return bad_timestamp(ctx)
    return 0


# --- age -------------------------------------------------------------------------------------------------------------

cdef void calendar_difference(int64_t a, int64_t b, Interval* out) noexcept nogil:
    # Years, months and days as one counts them on a calendar, from the earlier to the later; b may be the later one.
    cdef DateTime later, earlier
    cdef int64_t us, months, days
    cdef int negative = a < b
    datetime_of(a, &later)
    datetime_of(b, &earlier)
    if negative:
        datetime_of(b, &later)
        datetime_of(a, &earlier)
    months = (later.year - <int64_t>earlier.year) * 12 + later.month - earlier.month
    days = later.day - earlier.day
    us = ((later.hour - earlier.hour) * 60LL + later.minute - earlier.minute) * US_PER_MINUTE \
        + (later.second - earlier.second) * US_PER_SECOND + later.us - earlier.us
    while us < 0:
        us += US_PER_DAY
        days -= 1
    while days < 0:
        # A month is borrowed from the earlier date.
        days += days_in_month(earlier.year, earlier.month)
        months -= 1
    out.months = <int32_t>(-months if negative else months)
    out.days = <int32_t>(-days if negative else days)
    out.us = -us if negative else us


cdef int age(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
             uint32_t count) noexcept nogil:
    # age(a, b); age(b) counts from today's midnight.
    cdef Interval span
    cdef int64_t a, b
    cdef int64_t today = local_of(ctx.format.timezone, ctx.transaction_us)
    cdef uint32_t k, i
    today = floor_to(today, US_PER_DAY)
    for k in range(count):
        i = row_at(sel, k)
        a = int64_at(args[0], i) if n == 2 else today
        b = int64_at(args[n - 1], i)
        if not timestamp_is_finite(a) or not timestamp_is_finite(b):
            return bad_timestamp(ctx)
        if args[0].type_oid == OID_TIMESTAMPTZ:
            if n == 2:
                a = local_of(ctx.format.timezone, a)
            b = local_of(ctx.format.timezone, b)
        calendar_difference(a, b, &span)
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
