"""AT TIME ZONE, and making dates and times from numbers.

A zone is an abbreviation ("EST": a fixed offset), a name ("Europe/Berlin", "UTC+3") or an interval east of UTC.
"""

from libc.math cimport INFINITY, isnan, rint
from libc.stdint cimport INT64_MAX, INT64_MIN

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.memory cimport Buffer, buffer_append_u8, buffer_free, buffer_init
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport OID_INTERVAL, Interval, Var, Vector
from dsql_core.execute.kernel cimport KERNEL_VOLATILE, EvalContext
from dsql_core.execute.kernels.moment cimport (TimeTz, bad_timestamp, interval_at, store_interval, store_timetz, timetz_at,
                                               utc_of)
from dsql_core.execute.kernels.rows cimport double_at, int32_at, int64_at, kernel, kernel_flags, row_at, var_at
from dsql_core.types.calendar cimport (DATE_END, DATE_MIN, US_PER_DAY, US_PER_SECOND, days_in_month, days_of, floor_div,
                                       timestamp_is_finite, timestamp_is_valid)
from dsql_core.types.chars cimport shown
from dsql_core.types.interval cimport interval_make, interval_output
from dsql_core.types.timezone cimport timezone_abbreviation, timezone_find


cdef int zone_find(EvalContext* ctx, const Var* name, Zone* out) noexcept nogil:
    cdef int is_dst
    out.is_fixed = 0
    out.offset = 0
    if timezone_abbreviation(name.data, name.size, &out.offset, &is_dst):
        out.is_fixed = 1
        out.named = NULL
        return 0
    out.named = timezone_find(name.data, name.size)
    if out.named == NULL:
        dsql_error_set(ctx.error, "22023", 'time zone "%.*s" not recognized', shown(name.size), name.data)
        return -1
    return 0


cdef int zone_of_interval(EvalContext* ctx, const Interval* span, Zone* out) noexcept nogil:
    cdef Buffer text
    if span.months != 0 or span.days != 0:
        buffer_init(&text)
        interval_output(span, ctx.format.interval_style, &text)
        buffer_append_u8(&text, 0)
        if not text.failed:
            dsql_error_set(ctx.error, "22023", 'interval time zone "%s" must not include months or days', text.data)
        buffer_free(&text)
        return -1
    out.is_fixed = 1
    out.named = NULL
    out.offset = <int32_t>(span.us / US_PER_SECOND)
    return 0


cdef inline int zone_at(EvalContext* ctx, const Vector* v, uint32_t i, Zone* out) noexcept nogil:
    if v.type_oid == OID_INTERVAL:
        return zone_of_interval(ctx, interval_at(v, i), out)
    return zone_find(ctx, var_at(v, i), out)


cdef int zone_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    # timezone(zone, timestamptz) -> timestamp
    cdef Zone zone
    cdef int64_t at
    cdef int found = 0
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if timestamp_is_finite(at):
            if (not found or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
                return -1
            found = 1
            at += zone_offset_at(&zone, at) * <int64_t>1000000
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int zone_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    # timezone(zone, timestamp) -> timestamptz
    cdef Zone zone
    cdef int64_t at
    cdef int found = 0
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        at = int64_at(args[1], i)
        if timestamp_is_finite(at):
            if (not found or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
                return -1
            found = 1
            at = zone_utc_of(&zone, at)
            if not timestamp_is_valid(at):
                return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = at
    return 0


cdef int zone_timetz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                     uint32_t count) noexcept nogil:
    # timezone(zone, timetz): the same moment of the day there; named zones as of now.
    cdef Zone zone
    cdef TimeTz time
    cdef int32_t west
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if (k == 0 or args[0].stride != 0) and zone_at(ctx, args[0], i, &zone) < 0:
            return -1
        time = timetz_at(args[1], i)
        west = -zone_offset_at(&zone, ctx.transaction_us)
        time.us += (time.west - west) * <int64_t>1000000
        time.us -= floor_div(time.us, US_PER_DAY) * US_PER_DAY
        time.west = west
        store_timetz(out, i, &time)
    return 0


# --- making ----------------------------------------------------------------------------------------------------------

cdef int day_from(EvalContext* ctx, int32_t year, int32_t month, int32_t day, int32_t shown_year,
                  int64_t* out) noexcept nogil:
    # Negative years are BC. 22008 with the fields as they were given, but for the year make_date shows.
    cdef int32_t astronomical = year + 1 if year < 0 else year
    if year == 0 or year < -2147483647 or month < 1 or month > 12 or day < 1 or day > days_in_month(astronomical, month):
        dsql_error_set(ctx.error, "22008", "date field value out of range: %d-%02d-%02d",
                       shown_year, month, day)
        return -1
    out[0] = days_of(astronomical, month, day)
    if out[0] < DATE_MIN or out[0] >= DATE_END:
        dsql_error_set(ctx.error, "22008", "date out of range: %d-%02d-%02d", shown_year, month, day)
        return -1
    return 0


cdef int bad_time(EvalContext* ctx, int32_t hour, int32_t minute, double second) noexcept nogil:
    if isnan(second):
        dsql_error_set(ctx.error, "22008", "time field value out of range: %d:%02d:NaN", hour, minute)
    elif second == INFINITY or second == -INFINITY:
        dsql_error_set(ctx.error, "22008", "time field value out of range: %d:%02d:%sInfinity", hour, minute,
                       b"" if second > 0 else b"-")
    else:
        dsql_error_set(ctx.error, "22008", "time field value out of range: %d:%02d:%02g", hour, minute, second)
    return -1


cdef int time_from(EvalContext* ctx, int32_t hour, int32_t minute, double second, int64_t* out) noexcept nogil:
    cdef int64_t us
    # 24:00:00 is allowed, and a second may round up to 60.
    if hour < 0 or hour > 24 or minute < 0 or minute > 59 or isnan(second) or second < 0 or second > 60:
        return bad_time(ctx, hour, minute, second)
    us = <int64_t>rint(second * 1000000.0)
    out[0] = (hour * <int64_t>60 + minute) * 60 * US_PER_SECOND + us
    if us > 60 * US_PER_SECOND or out[0] > US_PER_DAY:
        return bad_time(ctx, hour, minute, second)
    return 0


cdef int make_date(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef int64_t day
    cdef int32_t shown_year
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        shown_year = int32_at(args[0], i)
        shown_year += shown_year < 0 and shown_year > -2147483647
        if day_from(ctx, int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i), shown_year,
                    &day) < 0:
            return -1
        (<int32_t*>out.data)[i] = <int32_t>day
    return 0


cdef int make_time(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                   uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if time_from(ctx, int32_at(args[0], i), int32_at(args[1], i), double_at(args[2], i),
                     <int64_t*>out.data + i) < 0:
            return -1
    return 0


cdef int timestamp_of_fields(EvalContext* ctx, Vector** args, uint32_t i, int64_t* out) noexcept nogil:
    cdef int64_t day, time
    if day_from(ctx, int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i),
                int32_at(args[0], i), &day) < 0 or \
            time_from(ctx, int32_at(args[3], i), int32_at(args[4], i), double_at(args[5], i), &time) < 0:
        return -1
    if day > 106751990 or not timestamp_is_valid(day * US_PER_DAY + time):
        dsql_error_set(ctx.error, "22008", "timestamp out of range: %d-%02d-%02d %d:%02d:%02g", int32_at(args[0], i),
                       int32_at(args[1], i), int32_at(args[2], i), int32_at(args[3], i), int32_at(args[4], i),
                       double_at(args[5], i))
        return -1
    out[0] = day * US_PER_DAY + time
    return 0


cdef int make_timestamp(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                        uint32_t count) noexcept nogil:
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_of_fields(ctx, args, i, <int64_t*>out.data + i) < 0:
            return -1
    return 0


cdef int make_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                          uint32_t count) noexcept nogil:
    cdef Zone zone
    cdef int64_t local
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if timestamp_of_fields(ctx, args, i, &local) < 0:
            return -1
        if n == 6:
            local = utc_of(ctx.format.timezone, local)
        elif zone_find(ctx, var_at(args[6], i), &zone) < 0:
            return -1
        else:
            local = zone_utc_of(&zone, local)
        if not timestamp_is_valid(local):
            return bad_timestamp(ctx)
        (<int64_t*>out.data)[i] = local
    return 0


cdef int make_interval(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                       uint32_t count) noexcept nogil:
    cdef Interval span
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        if interval_make(int32_at(args[0], i), int32_at(args[1], i), int32_at(args[2], i), int32_at(args[3], i),
                         int32_at(args[4], i), int32_at(args[5], i), double_at(args[6], i), &span, ctx.error) < 0:
            return -1
        store_interval(out, i, &span)
    return 0


cdef int epoch_timestamptz(EvalContext* ctx, Vector* out, Vector** args, uint32_t n, const uint32_t* sel,
                           uint32_t count) noexcept nogil:
    # to_timestamp(seconds since 1970)
    cdef double seconds
    cdef uint32_t k, i
    for k in range(count):
        i = row_at(sel, k)
        seconds = double_at(args[0], i)
        if isnan(seconds):
            dsql_error_set(ctx.error, "22008", "timestamp cannot be NaN")
            return -1
        if seconds == INFINITY or seconds == -INFINITY:
            (<int64_t*>out.data)[i] = INT64_MAX if seconds > 0 else INT64_MIN
            continue
        if seconds < -210866803200.0 or seconds >= 9224318016000.0:
            dsql_error_set(ctx.error, "22008", 'timestamp out of range: "%g"', seconds)
            return -1
        (<int64_t*>out.data)[i] = <int64_t>rint((seconds - 946684800.0) * 1000000.0)
        if not timestamp_is_valid((<int64_t*>out.data)[i]):
            dsql_error_set(ctx.error, "22008", 'timestamp out of range: "%g"', seconds)
            return -1
    return 0


cdef int _register() except -1:
    kernel(b"timestamptz_zone", zone_timestamptz)
    kernel(b"timestamptz_izone", zone_timestamptz)
    kernel(b"timestamp_zone", zone_timestamp)
    kernel(b"timestamp_izone", zone_timestamp)
    kernel_flags(b"timetz_zone", zone_timetz, KERNEL_VOLATILE)      # named zones: as of now
    kernel(b"timetz_izone", zone_timetz)
    kernel(b"make_date", make_date)
    kernel(b"make_time", make_time)
    kernel(b"make_timestamp", make_timestamp)
    kernel(b"make_timestamptz", make_timestamptz)
    kernel(b"make_timestamptz_at_timezone", make_timestamptz)
    kernel(b"make_interval", make_interval)
    kernel(b"float8_timestamptz", epoch_timestamptz)
    return 0


_register()
