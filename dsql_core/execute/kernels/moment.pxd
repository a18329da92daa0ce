# Points in time inside kernels: reading and writing intervals and timetz, and moving between wall clock and UTC.
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from libc.string cimport memcpy

from dsql_core.base.error cimport dsql_error_set
from dsql_core.base.types cimport int32_t, int64_t, uint32_t
from dsql_core.base.vector cimport Bytes16, Interval, Vector
from dsql_core.execute.kernel cimport EvalContext
from dsql_core.types.calendar cimport (US_PER_DAY, DateTime, datetime_of, days_in_month, floor_div, time_us, days_of,
                                       timestamp_is_finite, timestamp_is_valid)
from dsql_core.types.int128 cimport int64_add_overflow
from dsql_core.types.timezone cimport TimeZone, timezone_local_offset, timezone_offset

cdef struct TimeTz:            # the Bytes16 of a timetz
    int64_t us
    int32_t west               # seconds west of Greenwich
    int32_t unused


cdef inline const Interval* interval_at(const Vector* v, uint32_t i) noexcept nogil:
    return <const Interval*>v.data + i * v.stride


cdef inline void store_interval(Vector* out, uint32_t i, const Interval* value) noexcept nogil:
    (<Interval*>out.data)[i] = value[0]


cdef inline TimeTz timetz_at(const Vector* v, uint32_t i) noexcept nogil:
    cdef TimeTz value
    memcpy(&value, <const Bytes16*>v.data + i * v.stride, sizeof(TimeTz))
    return value


cdef inline void store_timetz(Vector* out, uint32_t i, TimeTz* value) noexcept nogil:
    value.unused = 0
    memcpy(<Bytes16*>out.data + i, value, sizeof(TimeTz))


cdef inline int bad_timestamp(EvalContext* ctx) noexcept nogil:
    dsql_error_set(ctx.error, "22008", "timestamp out of range")
    return -1


cdef inline int bad_date(EvalContext* ctx) noexcept nogil:
    dsql_error_set(ctx.error, "22008", "date out of range")
    return -1


cdef inline int64_t local_of(const TimeZone* zone, int64_t utc) noexcept nogil:
    if not timestamp_is_finite(utc):
        return utc
    return utc + timezone_offset(zone, utc) * <int64_t>1000000


cdef inline int64_t utc_of(const TimeZone* zone, int64_t local) noexcept nogil:
    if not timestamp_is_finite(local):
        return local
    return local - timezone_local_offset(zone, local) * <int64_t>1000000


cdef inline int date_as_timestamp(EvalContext* ctx, int32_t date, int64_t* out) noexcept nogil:
    if date == INT32_MAX:
        out[0] = INT64_MAX
    elif date == INT32_MIN:
        out[0] = INT64_MIN
    elif date >= 106741035:            # 294277-01-01
        dsql_error_set(ctx.error, "22008", "date out of range for timestamp")
        return -1
    else:
        out[0] = date * US_PER_DAY
    return 0


cdef inline int date_as_timestamptz(EvalContext* ctx, int32_t date, int64_t* out) noexcept nogil:
    cdef int64_t local
    if date_as_timestamp(ctx, date, &local) < 0:
        return -1
    out[0] = utc_of(ctx.format.timezone, local)
    if timestamp_is_finite(out[0]) and not timestamp_is_valid(out[0]):
        dsql_error_set(ctx.error, "22008", "date out of range for timestamp")
        return -1
    return 0


cdef inline int add_months(int64_t at, int64_t months, int64_t* out) noexcept nogil:
    # Same day of the month, or its last one. -1 = out of range.
    cdef DateTime fields
    cdef int64_t month, days
    datetime_of(at, &fields)
    month = fields.year * <int64_t>12 + (fields.month - 1) + months
    fields.year = <int32_t>floor_div(month, 12)
    fields.month = <int32_t>(month - fields.year * <int64_t>12) + 1
    if fields.day > days_in_month(fields.year, fields.month):
        fields.day = days_in_month(fields.year, fields.month)
    days = days_of(fields.year, fields.month, fields.day)
    if days < -2451545 or days > 106751990:
        return -1
    out[0] = days * US_PER_DAY + time_us(&fields)
    return 0


cdef inline int timestamp_add(EvalContext* ctx, int64_t at, const Interval* span, int sign, int64_t* out) noexcept nogil:
    cdef int64_t shift
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if span.months != 0 and add_months(at, <int64_t>sign * span.months, &at) < 0:
        return bad_timestamp(ctx)
    shift = <int64_t>sign * span.days
    if shift > 200000000 or shift < -200000000:
        return bad_timestamp(ctx)
    if int64_add_overflow(at, shift * US_PER_DAY, &at):
        return bad_timestamp(ctx)
    if span.days != 0 and not timestamp_is_valid(at):
        return bad_timestamp(ctx)
    if sign < 0 and span.us == INT64_MIN:
        return bad_timestamp(ctx)
    if int64_add_overflow(at, sign * span.us, &at) or not timestamp_is_valid(at):
        return bad_timestamp(ctx)
    out[0] = at
    return 0


cdef inline int timestamptz_add(EvalContext* ctx, int64_t at, const Interval* span, int sign, int64_t* out) noexcept nogil:
    # Months and days on the wall clock of the session's zone, each turned back into an instant.
    cdef const TimeZone* zone = ctx.format.timezone
    cdef Interval rest
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if span.months != 0:
        at = local_of(zone, at)
        if add_months(at, <int64_t>sign * span.months, &at) < 0:
            return bad_timestamp(ctx)
        at = utc_of(zone, at)
        if not timestamp_is_valid(at):
            return bad_timestamp(ctx)
    if span.days != 0:
        rest.months = 0
        rest.days = span.days
        rest.us = 0
        at = local_of(zone, at)
        if timestamp_add(ctx, at, &rest, sign, &at) < 0:
            return -1
        at = utc_of(zone, at)
    rest.months = 0
    rest.days = 0
    rest.us = span.us
    return timestamp_add(ctx, at, &rest, sign, out)
