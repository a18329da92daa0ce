"""Arithmetic on dates and times: adding intervals, differences, casts, construction, truncation, zones by name.

I1  Months are added first (the day clipped to the month's length), then days, then microseconds; with a zone, months
    and days move the wall clock and microseconds move the instant.
I2  Every result is inside PostgreSQL's range, infinite, or an error 22008.
"""
from libc.math cimport isinf, isnan, rint
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.calendar cimport (
    DATE_END, DATE_MIN, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND, DateTime, date_is_finite, date_of,
    datetime_of, day_of_week, days_in_month, days_of, floor_div, time_us, timestamp_from, timestamp_is_finite,
    timestamp_is_valid,
)
from dsql_core.types.chars cimport is_digit, shown
from dsql_core.types.extract cimport (
    UNIT_CENTURY, UNIT_DAY, UNIT_DECADE, UNIT_EPOCH, UNIT_HOUR, UNIT_JULIAN, UNIT_MICROSECOND, UNIT_MILLENNIUM,
    UNIT_MILLISECOND, UNIT_MINUTE, UNIT_MONTH, UNIT_QUARTER, UNIT_SECOND, UNIT_UNKNOWN, UNIT_WEEK, UNIT_YEAR,
    unit_not_recognized, unit_not_supported, unit_of,
)
from dsql_core.types.int128 cimport int64_add_overflow, int64_mul_overflow, int64_sub_overflow
from dsql_core.types.timezone cimport (
    TimeZone, timezone_abbreviation, timezone_find, timezone_local_offset, timezone_offset,
)


cdef int _out_of_range(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22008", b"timestamp out of range")
    return -1


cdef int _date_out_of_range(dsql_error_t* error) noexcept nogil:
    dsql_error_set(error, b"22008", b"date out of range")
    return -1


cdef int _add_months(DateTime* t, int64_t months) noexcept nogil:
    # -1 when the year leaves 32 bits by far.
    cdef int64_t month = t.month - 1 + months
    cdef int64_t years = floor_div(month, 12)
    if t.year + years > 400000 or t.year + years < -400000:
        return -1
    t.year += <int32_t>years
    t.month = <int32_t>(month - years * 12 + 1)
    if t.day > days_in_month(t.year, t.month):
        t.day = days_in_month(t.year, t.month)
    return 0


cdef int timestamp_add_interval(int64_t at, const Interval* span, int sign, int64_t* out,
                                dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int64_t step
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if span.months != 0:
        datetime_of(at, &t)
        if _add_months(&t, sign * <int64_t>span.months) < 0 or timestamp_from(&t, &at) < 0:
            return _out_of_range(error)
    step = sign * <int64_t>span.days
    if int64_mul_overflow(step, US_PER_DAY, &step) or int64_add_overflow(at, step, &at) or not timestamp_is_valid(at):
        return _out_of_range(error)
    if (int64_add_overflow(at, span.us, &at) if sign > 0 else int64_sub_overflow(at, span.us, &at)) or \
            not timestamp_is_valid(at):
        return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamptz_add_interval(int64_t at, const Interval* span, int sign, const TimeZone* zone, int64_t* out,
                                  dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int64_t local
    if zone == NULL or (span.months == 0 and span.days == 0) or not timestamp_is_finite(at):
        return timestamp_add_interval(at, span, sign, out, error)
    if span.months != 0:
        datetime_of(at + timezone_offset(zone, at) * US_PER_SECOND, &t)
        if _add_months(&t, sign * <int64_t>span.months) < 0 or timestamp_from(&t, &local) < 0:
            return _out_of_range(error)
        at = local - timezone_local_offset(zone, local) * US_PER_SECOND
    if span.days != 0:
        local = at + timezone_offset(zone, at) * US_PER_SECOND
        datetime_of(local, &t)
        local = floor_div(local, US_PER_DAY) + sign * <int64_t>span.days
        if local < DATE_MIN or local > 106751990LL:
            return _out_of_range(error)
        local = local * US_PER_DAY + time_us(&t)
        at = local - timezone_local_offset(zone, local) * US_PER_SECOND
    if not timestamp_is_valid(at) or \
            (int64_add_overflow(at, span.us, &at) if sign > 0 else int64_sub_overflow(at, span.us, &at)) or \
            not timestamp_is_valid(at):
        return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamp_subtract(int64_t a, int64_t b, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    if not timestamp_is_finite(a) or not timestamp_is_finite(b):
        dsql_error_set(error, b"22008", b"cannot subtract infinite timestamps")
        return -1
    if int64_sub_overflow(a, b, &us):
        dsql_error_set(error, b"22008", b"interval out of range")
        return -1
    out.months = 0
    out.days = <int32_t>(us / US_PER_DAY)
    out.us = us % US_PER_DAY
    return 0


cdef int _age(int64_t a, int64_t b, Interval* out) noexcept nogil:
    # Field by field, borrowing days from the month the earlier date lies in.
    cdef DateTime x
    cdef DateTime y
    cdef DateTime lower
    cdef bint negative = a < b
    cdef int64_t us
    cdef int32_t months
    cdef int32_t days
    datetime_of(b if negative else a, &x)
    datetime_of(a if negative else b, &y)
    us = time_us(&x) - time_us(&y)
    days = x.day - y.day
    months = (x.year - y.year) * 12 + x.month - y.month
    lower = y
    if us < 0:
        us += US_PER_DAY
        days -= 1
    while days < 0:
        days += days_in_month(lower.year, lower.month)
        months -= 1
    out.us = -us if negative else us
    out.days = -days if negative else days
    out.months = -months if negative else months
    return 0


# PostgreSQL 16 computes the age of infinity as if it were an ordinary timestamp, and refuses -infinity; so do we.
cdef int timestamp_age(int64_t a, int64_t b, Interval* out, dsql_error_t* error) noexcept nogil:
    if a == INT64_MIN or b == INT64_MIN:
        return _out_of_range(error)
    return _age(a, b, out)


cdef int timestamptz_age(int64_t a, int64_t b, const TimeZone* zone, Interval* out, dsql_error_t* error) noexcept nogil:
    if a == INT64_MIN or b == INT64_MIN:
        return _out_of_range(error)
    if a != INT64_MAX:
        a += timezone_offset(zone, a) * US_PER_SECOND
    if b != INT64_MAX:
        b += timezone_offset(zone, b) * US_PER_SECOND
    return _age(a, b, out)


cdef int date_add_days(int32_t date, int64_t days, int32_t* out, dsql_error_t* error) noexcept nogil:
    if not date_is_finite(date):
        out[0] = date
        return 0
    days += date
    if days < DATE_MIN or days >= DATE_END:
        return _date_out_of_range(error)
    out[0] = <int32_t>days
    return 0


cdef int date_subtract(int32_t a, int32_t b, int32_t* out, dsql_error_t* error) noexcept nogil:
    if not date_is_finite(a) or not date_is_finite(b):
        dsql_error_set(error, b"22008", b"cannot subtract infinite dates")
        return -1
    out[0] = a - b
    return 0


cdef inline int64_t _within_day(int64_t us) noexcept nogil:
    return us - floor_div(us, US_PER_DAY) * US_PER_DAY


cdef int64_t time_add_interval(int64_t us, const Interval* span, int sign) noexcept nogil:
    return _within_day(us + sign * (span.us % US_PER_DAY))


cdef void timetz_at_offset(int64_t us, int32_t west, int32_t new_west, int64_t* out_us) noexcept nogil:
    out_us[0] = _within_day(us + (west - new_west) * US_PER_SECOND)


# ------------------------------------------------------------------------------------------------------------- casts

cdef int date_to_timestamp(int32_t date, int64_t* out, dsql_error_t* error) noexcept nogil:
    if not date_is_finite(date):
        out[0] = INT64_MAX if date == INT32_MAX else INT64_MIN
        return 0
    if date > 106751982:
        dsql_error_set(error, b"22008", b"date out of range for timestamp")
        return -1
    out[0] = date * US_PER_DAY
    return 0


cdef int64_t date_to_timestamp_clamped(int32_t date) noexcept nogil:
    # Dates beyond the last timestamp stay below infinity and above every timestamp.
    if not date_is_finite(date):
        return INT64_MAX if date == INT32_MAX else INT64_MIN
    return date * US_PER_DAY if date <= 106751982 else INT64_MAX - 1


cdef int date_to_timestamptz(int32_t date, const TimeZone* zone, int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t local
    if date_to_timestamp(date, &local, error) < 0:
        return -1
    if date_is_finite(date):
        local -= timezone_local_offset(zone, local) * US_PER_SECOND
        if not timestamp_is_valid(local):
            dsql_error_set(error, b"22008", b"date out of range for timestamp")
            return -1
    out[0] = local
    return 0


cdef int timestamp_to_date(int64_t at, int32_t* out, dsql_error_t* error) noexcept nogil:
    if not timestamp_is_finite(at):
        out[0] = INT32_MAX if at == INT64_MAX else INT32_MIN
    else:
        out[0] = <int32_t>floor_div(at, US_PER_DAY)
    return 0


cdef int timestamptz_to_date(int64_t at, const TimeZone* zone, int32_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        at += timezone_offset(zone, at) * US_PER_SECOND
    return timestamp_to_date(at, out, error)


cdef int timestamp_to_timestamptz(int64_t at, const TimeZone* zone, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        at -= timezone_local_offset(zone, at) * US_PER_SECOND
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamptz_to_timestamp(int64_t at, const TimeZone* zone, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        at += timezone_offset(zone, at) * US_PER_SECOND
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamp_at_offset(int64_t local, int32_t offset_east, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(local):
        local -= offset_east * US_PER_SECOND
        if not timestamp_is_valid(local):
            return _out_of_range(error)
    out[0] = local
    return 0


cdef int timestamp_to_time(int64_t at, int64_t* out) noexcept nogil:
    if not timestamp_is_finite(at):
        return 0
    out[0] = _within_day(at)
    return 1


cdef int timestamptz_to_timetz(int64_t at, const TimeZone* zone, int64_t* us, int32_t* west) noexcept nogil:
    cdef int32_t offset
    if not timestamp_is_finite(at):
        return 0
    offset = timezone_offset(zone, at)
    us[0] = _within_day(at + offset * US_PER_SECOND)
    west[0] = -offset
    return 1


cdef int64_t interval_to_time(const Interval* span) noexcept nogil:
    return _within_day(span.us)


# ------------------------------------------------------------------------------------------------------ construction

cdef int make_date(int32_t year, int32_t month, int32_t day, int32_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t days
    cdef int32_t astronomical = year + 1 if year < 0 else year
    if year == 0 or month < 1 or month > 12 or day < 1 or day > days_in_month(astronomical, month):
        dsql_error_set(error, b"22008", b"date field value out of range: %d-%02d-%02d", <int>year, <int>month, <int>day)
        return -1
    days = days_of(astronomical, month, day)
    if days < DATE_MIN or days >= DATE_END:
        dsql_error_set(error, b"22008", b"date out of range: %d-%02d-%02d", <int>year, <int>month, <int>day)
        return -1
    out[0] = <int32_t>days
    return 0


cdef int make_time(int32_t hour, int32_t minute, double second, int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    if hour < 0 or hour > 24 or minute < 0 or minute > 59 or isnan(second) or second < 0 or second > 60 or \
            (hour == 24 and (minute > 0 or second > 0)):
        dsql_error_set(error, b"22008", b"time field value out of range: %d:%02d:%02g", <int>hour, <int>minute, second)
        return -1
    us = (hour * <int64_t>60 + minute) * US_PER_MINUTE + <int64_t>rint(second * 1000000)
    if us > US_PER_DAY:
        dsql_error_set(error, b"22008", b"time field value out of range: %d:%02d:%02g", <int>hour, <int>minute, second)
        return -1
    out[0] = us
    return 0


cdef int make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                        int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    cdef int64_t days
    cdef int32_t astronomical = year + 1 if year < 0 else year
    if year == 0 or month < 1 or month > 12 or day < 1 or day > days_in_month(astronomical, month):
        dsql_error_set(error, b"22008", b"date field value out of range: %d-%02d-%02d", <int>year, <int>month, <int>day)
        return -1
    if make_time(hour, minute, second, &us, error) < 0:
        return -1
    days = days_of(astronomical, month, day)
    if days < DATE_MIN or days > 106751990LL or not timestamp_is_valid(days * US_PER_DAY + us):
        dsql_error_set(error, b"22008", b"timestamp out of range: %d-%02d-%02d %d:%02d:%02g", <int>year, <int>month,
                       <int>day, <int>hour, <int>minute, second)
        return -1
    out[0] = days * US_PER_DAY + us
    return 0


cdef int timestamptz_from_epoch(double seconds, int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef double us
    if isnan(seconds):
        dsql_error_set(error, b"22008", b"timestamp cannot be NaN")
        return -1
    if isinf(seconds):
        out[0] = INT64_MAX if seconds > 0 else INT64_MIN
        return 0
    us = rint((seconds - 946684800.0) * 1000000.0)
    if us < -211813488000000000.0 or us >= 9223371331200000000.0:
        dsql_error_set(error, b"22008", b"timestamp out of range: \"%g\"", seconds)
        return -1
    out[0] = <int64_t>us
    return 0


# -------------------------------------------------------------------------------------------------------- truncation

cdef int _trunc(int unit, DateTime* t) noexcept nogil:
    # 1: date changed by days or more, 0: only the time of day; -1 unit does not truncate.
    cdef DateTime monday
    cdef int64_t days
    if unit == UNIT_MICROSECOND:
        return 0
    if unit == UNIT_MILLISECOND:
        t.us = t.us / 1000 * 1000
        return 0
    t.us = 0
    if unit == UNIT_SECOND:
        return 0
    t.second = 0
    if unit == UNIT_MINUTE:
        return 0
    t.minute = 0
    if unit == UNIT_HOUR:
        return 0
    t.hour = 0
    if unit == UNIT_DAY:
        return 1
    if unit == UNIT_WEEK:
        days = days_of(t.year, t.month, t.day)
        date_of(days - (day_of_week(days) + 6) % 7, &monday)
        t.year = monday.year
        t.month = monday.month
        t.day = monday.day
        return 1
    t.day = 1
    if unit == UNIT_MONTH:
        return 1
    t.month = (t.month - 1) / 3 * 3 + 1
    if unit == UNIT_QUARTER:
        return 1
    t.month = 1
    if unit == UNIT_YEAR:
        return 1
    if unit == UNIT_DECADE:
        t.year = t.year / 10 * 10 if t.year > 0 else -((8 - (t.year - 1)) / 10) * 10
        return 1
    if unit == UNIT_CENTURY:
        t.year = (t.year + 99) / 100 * 100 - 99 if t.year > 0 else -((99 - (t.year - 1)) / 100) * 100 + 1
        return 1
    if unit == UNIT_MILLENNIUM:
        t.year = (t.year + 999) / 1000 * 1000 - 999 if t.year > 0 else -((999 - (t.year - 1)) / 1000) * 1000 + 1
        return 1
    return -1


cdef int timestamp_trunc(const uint8_t* unit, size_t size, int64_t at, int64_t* out,
                         dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int code = unit_of(unit, size)
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if code == UNIT_UNKNOWN or (code >= UNIT_EPOCH and code <= UNIT_JULIAN):
        return unit_not_recognized(unit, size, b"timestamp without time zone", error)
    datetime_of(at, &t)
    if _trunc(code, &t) < 0:
        return unit_not_supported(unit, size, b"timestamp without time zone", error)
    if timestamp_from(&t, out) < 0:
        return _out_of_range(error)
    return 0


cdef int timestamptz_trunc(const uint8_t* unit, size_t size, int64_t at, const TimeZone* zone, int64_t* out,
                           dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int64_t local
    cdef int32_t offset
    cdef int status
    cdef int code = unit_of(unit, size)
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if code == UNIT_UNKNOWN or (code >= UNIT_EPOCH and code <= UNIT_JULIAN):
        return unit_not_recognized(unit, size, b"timestamp with time zone", error)
    offset = timezone_offset(zone, at)
    datetime_of(at + offset * US_PER_SECOND, &t)
    status = _trunc(code, &t)
    if status < 0:
        return unit_not_supported(unit, size, b"timestamp with time zone", error)
    if timestamp_from(&t, &local) < 0:
        return _out_of_range(error)
    if status == 1:
        offset = timezone_local_offset(zone, local)
    out[0] = local - offset * US_PER_SECOND
    return 0 if timestamp_is_valid(out[0]) else _out_of_range(error)


cdef int interval_trunc(const uint8_t* unit, size_t size, const Interval* span, Interval* out,
                        dsql_error_t* error) noexcept nogil:
    cdef int code = unit_of(unit, size)
    cdef int64_t step = 0
    out[0] = span[0]
    if code == UNIT_UNKNOWN or (code >= UNIT_EPOCH and code <= UNIT_JULIAN):
        return unit_not_recognized(unit, size, b"interval", error)
    if code == UNIT_MICROSECOND:
        return 0
    if code == UNIT_MILLISECOND:
        step = 1000
    elif code == UNIT_SECOND:
        step = US_PER_SECOND
    elif code == UNIT_MINUTE:
        step = US_PER_MINUTE
    elif code == UNIT_HOUR:
        step = US_PER_HOUR
    if step > 0:
        out.us = out.us / step * step
        return 0
    out.us = 0
    if code == UNIT_DAY:
        return 0
    out.days = 0
    if code == UNIT_MONTH:
        return 0
    if code == UNIT_QUARTER:
        out.months = out.months / 3 * 3
    elif code == UNIT_YEAR:
        out.months = out.months / 12 * 12
    elif code == UNIT_DECADE:
        out.months = out.months / 120 * 120
    elif code == UNIT_CENTURY:
        out.months = out.months / 1200 * 1200
    elif code == UNIT_MILLENNIUM:
        out.months = out.months / 12000 * 12000
    else:
        return unit_not_supported(unit, size, b"interval", error)
    return 0


cdef int timestamp_bin(const Interval* stride, int64_t at, int64_t origin, int64_t* out,
                       dsql_error_t* error) noexcept nogil:
    cdef int64_t width
    cdef int64_t distance
    cdef int64_t start
    if not timestamp_is_finite(at):
        out[0] = at
        return 0
    if not timestamp_is_finite(origin):
        dsql_error_set(error, b"22008", b"origin out of range")
        return -1
    if stride.months != 0:
        dsql_error_set(error, b"0A000", b"timestamps cannot be binned into intervals containing months or years")
        return -1
    if int64_mul_overflow(stride.days, US_PER_DAY, &width) or int64_add_overflow(width, stride.us, &width):
        dsql_error_set(error, b"22008", b"interval out of range")
        return -1
    if width <= 0:
        dsql_error_set(error, b"22008", b"stride must be greater than zero")
        return -1
    if int64_sub_overflow(at, origin, &distance):
        dsql_error_set(error, b"22008", b"interval out of range")
        return -1
    start = floor_div(distance, width) * width
    if int64_add_overflow(origin, start, &start) or not timestamp_is_valid(start):
        return _out_of_range(error)
    out[0] = start
    return 0


# ------------------------------------------------------------------------------------------------------ zones by name

cdef int timezone_argument(const uint8_t* name, size_t size, const TimeZone** zone, int* is_fixed, int32_t* offset,
                           dsql_error_t* error) noexcept nogil:
    # Order: abbreviation, then name. A numeric text is POSIX: positive is west.
    cdef int is_dst = 0
    cdef int64_t hours = 0
    cdef int64_t minutes = 0
    cdef const uint8_t* at = name
    cdef const uint8_t* end = name + size
    is_fixed[0] = 1
    zone[0] = NULL
    if timezone_abbreviation(name, size, offset, &is_dst):
        return 0
    if size > 0 and (at[0] == c'+' or at[0] == c'-' or is_digit(at[0])):
        if not is_digit(at[0]):
            at += 1
        while at < end and is_digit(at[0]) and hours < 1000:
            hours = hours * 10 + (at[0] - 48)
            at += 1
        if at < end and at[0] == c':' and end - at == 3 and is_digit(at[1]) and is_digit(at[2]):
            minutes = (at[1] - 48) * 10 + (at[2] - 48)
            at += 3
        if at == end and hours < 168 and minutes < 60:
            offset[0] = <int32_t>(hours * 3600 + minutes * 60)
            if name[0] != c'-':
                offset[0] = -offset[0]
            return 0
    is_fixed[0] = 0
    zone[0] = timezone_find(name, size)
    if zone[0] == NULL:
        dsql_error_set(error, b"22023", b"time zone \"%.*s\" not recognized", shown(size), name)
        return -1
    return 0
