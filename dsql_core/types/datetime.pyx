"""Arithmetic on dates and times: adding intervals, differences, casts, construction, truncation, zones by name.

I1  Months are added first (the day clipped to the month's length), then days, then microseconds; with a zone, months
    and days move the wall clock and microseconds move the instant.
I2  Every result is inside PostgreSQL's range, infinite, or an error 22008.
"""
from libc.math cimport INFINITY, isinf, isnan, rint
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t

from dsql_core.base.error cimport dsql_error_detail, dsql_error_set, dsql_error_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.calendar cimport (
    DATE_END, DATE_MIN, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND, DateTime, date_is_finite, datetime_of,
    day_of_week, days_in_month, days_of, floor_div, local_timestamp_from, time_us, timestamp_from, timestamp_is_finite,
    timestamp_is_valid,
)
from dsql_core.types.chars cimport is_digit, shown
from dsql_core.types.extract cimport (
    UNIT_CENTURY, UNIT_DAY, UNIT_DECADE, UNIT_EPOCH, UNIT_HOUR, UNIT_JULIAN, UNIT_MICROSECOND, UNIT_MILLENNIUM,
    UNIT_MILLISECOND, UNIT_MINUTE, UNIT_MONTH, UNIT_QUARTER, UNIT_SECOND, UNIT_UNKNOWN, UNIT_WEEK, UNIT_YEAR,
    Unit, unit_not_recognized, unit_not_supported,
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


cdef inline int _add_us(int64_t* at, int64_t us, int sign) noexcept nogil:
    # The negation of the least interval does not exist, so nothing can be it less.
    if (sign < 0 and us == INT64_MIN) or int64_add_overflow(at[0], sign * us, at) or not timestamp_is_valid(at[0]):
        return -1
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
    if _add_us(&at, span.us, sign) < 0:
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
        if _add_months(&t, sign * <int64_t>span.months) < 0 or local_timestamp_from(&t, &local) < 0:
            return _out_of_range(error)
        at = local - timezone_local_offset(zone, local) * US_PER_SECOND
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    if span.days != 0:
        local = at + timezone_offset(zone, at) * US_PER_SECOND
        datetime_of(local, &t)
        local = floor_div(local, US_PER_DAY) + sign * <int64_t>span.days
        if local < DATE_MIN - 1 or local > 106751990LL:
            return _out_of_range(error)
        local = local * US_PER_DAY + time_us(&t)
        at = local - timezone_local_offset(zone, local) * US_PER_SECOND
    if not timestamp_is_valid(at) or _add_us(&at, span.us, sign) < 0:
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


cdef int timestamp_to_timestamptz(int64_t at, const Zone* zone, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        at = zone_utc_of(zone, at)
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamptz_to_timestamp(int64_t at, const Zone* zone, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        at += zone_offset_at(zone, at) * US_PER_SECOND
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
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

cdef int _day_from(int32_t year, int32_t month, int32_t day, int32_t shown_year, int64_t* out,
                   dsql_error_t* error) noexcept nogil:
    # Negative years are BC. 22008 with the fields as they were given, but for the year make_date shows.
    cdef int32_t astronomical = year + 1 if year < 0 else year
    if year == 0 or year < -2147483647 or month < 1 or month > 12 or day < 1 or \
            day > days_in_month(astronomical, month):
        dsql_error_set(error, b"22008", b"date field value out of range: %d-%02d-%02d",
                       shown_year, month, day)
        return -1
    out[0] = days_of(astronomical, month, day)
    if out[0] < DATE_MIN or out[0] >= DATE_END:
        dsql_error_set(error, b"22008", b"date out of range: %d-%02d-%02d", shown_year, month, day)
        return -1
    return 0


cdef int _bad_time(int32_t hour, int32_t minute, double second, dsql_error_t* error) noexcept nogil:
    if isnan(second):
        dsql_error_set(error, b"22008", b"time field value out of range: %d:%02d:NaN", hour, minute)
    elif second == INFINITY or second == -INFINITY:
        dsql_error_set(error, b"22008", b"time field value out of range: %d:%02d:%sInfinity", hour, minute,
                       b"" if second > 0 else b"-")
    else:
        dsql_error_set(error, b"22008", b"time field value out of range: %d:%02d:%02g", hour, minute, second)
    return -1


cdef int make_date(int32_t year, int32_t month, int32_t day, int32_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t days
    if _day_from(year, month, day, year + 1 if year < 0 and year > -2147483647 else year, &days, error) < 0:
        return -1
    out[0] = <int32_t>days
    return 0


cdef int make_time(int32_t hour, int32_t minute, double second, int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    # 24:00:00 is allowed, and a second may round up to 60.
    if hour < 0 or hour > 24 or minute < 0 or minute > 59 or isnan(second) or second < 0 or second > 60:
        return _bad_time(hour, minute, second, error)
    us = <int64_t>rint(second * 1000000.0)
    out[0] = (hour * <int64_t>60 + minute) * 60 * US_PER_SECOND + us
    if us > 60 * US_PER_SECOND or out[0] > US_PER_DAY:
        return _bad_time(hour, minute, second, error)
    return 0


cdef int make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                        int64_t* out, dsql_error_t* error) noexcept nogil:
    cdef int64_t us
    cdef int64_t days
    if _day_from(year, month, day, year, &days, error) < 0 or make_time(hour, minute, second, &us, error) < 0:
        return -1
    if days > 106751990LL or not timestamp_is_valid(days * US_PER_DAY + us):
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

cdef inline int64_t _floor_to(int64_t value, int64_t unit) noexcept nogil:
    return floor_div(value, unit) * unit


cdef int _cut(int unit, int64_t local, int64_t* out) noexcept nogil:
    # 1 = cut at a day or more, 0 = below, -1 = not a unit to cut to.
    cdef DateTime at
    cdef int64_t day, year
    if unit == UNIT_MICROSECOND:
        out[0] = local
        return 0
    if unit == UNIT_MILLISECOND:
        out[0] = _floor_to(local, 1000)
        return 0
    if unit == UNIT_SECOND:
        out[0] = _floor_to(local, US_PER_SECOND)
        return 0
    if unit == UNIT_MINUTE:
        out[0] = _floor_to(local, US_PER_MINUTE)
        return 0
    if unit == UNIT_HOUR:
        out[0] = _floor_to(local, US_PER_HOUR)
        return 0
    day = floor_div(local, US_PER_DAY)
    if unit == UNIT_DAY:
        out[0] = day * US_PER_DAY
        return 1
    if unit == UNIT_WEEK:
        out[0] = (day - (day_of_week(day) + 6) % 7) * US_PER_DAY
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
        year = _floor_to(year, 10)
    elif unit == UNIT_CENTURY:
        year = _floor_to(year - 1, 100) + 1
    elif unit == UNIT_MILLENNIUM:
        year = _floor_to(year - 1, 1000) + 1
    elif unit != UNIT_YEAR:
        return -1
    out[0] = days_of(year, 1, 1) * US_PER_DAY
    return 1


cdef inline bint _is_length(const Unit* unit) noexcept nogil:
    # Fields that are no length of time (dow, epoch, ...) are not known to date_trunc at all.
    return unit.code != UNIT_UNKNOWN and (unit.code < UNIT_EPOCH or unit.code > UNIT_JULIAN)


cdef int timestamp_trunc(const Unit* unit, int64_t at, int64_t* out, dsql_error_t* error) noexcept nogil:
    if timestamp_is_finite(at):
        if not _is_length(unit):
            return unit_not_recognized(unit, b"timestamp without time zone", error)
        if _cut(unit.code, at, &at) < 0:
            return unit_not_supported(unit, b"timestamp without time zone", error)
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
    return 0


cdef int timestamptz_trunc(const Unit* unit, int64_t at, const Zone* zone, int64_t* out,
                           dsql_error_t* error) noexcept nogil:
    # From days on the offset is looked up again: midnight may have another one.
    cdef int64_t local
    cdef int64_t offset
    cdef int status
    if timestamp_is_finite(at):
        if not _is_length(unit):
            return unit_not_recognized(unit, b"timestamp with time zone", error)
        offset = zone_offset_at(zone, at) * US_PER_SECOND
        status = _cut(unit.code, at + offset, &local)
        if status < 0:
            return unit_not_supported(unit, b"timestamp with time zone", error)
        at = zone_utc_of(zone, local) if status == 1 else local - offset
        if not timestamp_is_valid(at):
            return _out_of_range(error)
    out[0] = at
    return 0


cdef int interval_trunc(const Unit* unit, const Interval* span, Interval* out, dsql_error_t* error) noexcept nogil:
    cdef int code = unit.code
    cdef int64_t step = 0
    out[0] = span[0]
    if not _is_length(unit):
        return unit_not_recognized(unit, b"interval", error)
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
        unit_not_supported(unit, b"interval", error)
        if code == UNIT_WEEK:
            dsql_error_detail(error, b"Months usually have fractional weeks.")
        return -1
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
    distance %= width
    if int64_sub_overflow(at, distance + width if distance < 0 else distance, &start) or not timestamp_is_valid(start):
        return _out_of_range(error)
    out[0] = start
    return 0


# ------------------------------------------------------------------------------------------------------ zones by name

cdef int zone_by_name(const uint8_t* name, size_t size, Zone* out, dsql_error_t* error) noexcept nogil:
    # Abbreviations come before names; a bare offset counts east, as in a time's text.
    cdef int is_dst
    out.offset = 0
    out.is_fixed = timezone_abbreviation(name, size, &out.offset, &is_dst)
    out.named = NULL
    if not out.is_fixed:
        out.named = timezone_find(name, size)
        if out.named == NULL:
            dsql_error_set(error, b"22023", b"time zone \"%.*s\" not recognized", shown(size), name)
            return -1
    return 0


cdef int zone_argument(const uint8_t* name, size_t size, Zone* out, dsql_error_t* error) noexcept nogil:
    # A bare offset, "+05" or "5:30", is POSIX here: positive is west.
    cdef int64_t hours = 0
    cdef int64_t minutes = 0
    cdef const uint8_t* at = name
    cdef const uint8_t* end = name + size
    if size > 0 and (at[0] == c'+' or at[0] == c'-' or is_digit(at[0])):
        if not is_digit(at[0]):
            at += 1
        while at < end and is_digit(at[0]) and hours < 1000:
            hours = hours * 10 + (at[0] - 48)
            at += 1
        if end - at == 3 and at[0] == c':' and is_digit(at[1]) and is_digit(at[2]):
            minutes = (at[1] - 48) * 10 + (at[2] - 48)
            at += 3
        if at == end and is_digit(end[-1]) and hours < 168 and minutes < 60:
            out.named = NULL
            out.is_fixed = 1
            out.offset = <int32_t>(hours * 3600 + minutes * 60)
            if name[0] != c'-':
                out.offset = -out.offset
            return 0
    return zone_by_name(name, size, out, error)
