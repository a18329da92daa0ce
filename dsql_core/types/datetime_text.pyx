"""Text of dates and times: ISO, SQL, Postgres and German styles.

    ISO       2001-02-03 04:05:06.7+02            SQL     02/03/2001 04:05:06.7 CEST
    Postgres  Sat Feb 03 04:05:06.7 2001 CEST     German  03.02.2001 04:05:06.7 CEST

I1  Years before 1 AD print as (1 - year) with " BC" at the very end; years have at least four digits.
I2  Fractions of a second print without trailing zeros and not at all when zero.
"""
from libc.stdint cimport INT32_MIN, INT64_MIN, int32_t, int64_t, uint8_t
from libc.string cimport memcpy, strlen

from dsql_core.base.memory cimport Buffer, buffer_reserve
from dsql_core.types.calendar cimport (
    US_PER_SECOND, DateTime, date_is_finite, date_of, datetime_of, day_of_week, days_of, time_of, timestamp_is_finite,
)
from dsql_core.types.chars cimport put_text, write_padded
from dsql_core.types.timezone cimport TimeZone, ZoneKind, timezone_kind

cdef const char* DAY_NAMES = b"SunMonTueWedThuFriSat"
cdef const char* MONTH_NAMES = b"JanFebMarAprMayJunJulAugSepOctNovDec"


cdef inline uint8_t* _put(uint8_t* at, uint8_t c) noexcept nogil:
    at[0] = c
    return at + 1


cdef inline uint8_t* _two(uint8_t* at, int32_t value) noexcept nogil:
    at[0] = <uint8_t>(48 + value / 10)
    at[1] = <uint8_t>(48 + value % 10)
    return at + 2


cdef inline uint8_t* _year(uint8_t* at, int32_t year) noexcept nogil:
    return write_padded(at, year if year > 0 else 1 - year, 4)


cdef inline uint8_t* _time(uint8_t* at, const DateTime* t) noexcept nogil:
    cdef int32_t us = t.us
    cdef int width = 6
    at = _put(_two(at, t.hour), c':')
    at = _put(_two(at, t.minute), c':')
    at = _two(at, t.second)
    if us != 0:
        while us % 10 == 0:
            us = us / 10
            width -= 1
        at = write_padded(_put(at, c'.'), us, width)
    return at


cdef inline uint8_t* _offset(uint8_t* at, int32_t east, int style) noexcept nogil:
    # +hh, +hh:mm or +hh:mm:ss.
    cdef int32_t seconds = -east if east < 0 else east
    at = _put(at, c'-' if east < 0 else c'+')
    at = _two(at, seconds / 3600)
    if seconds % 3600 != 0:
        at = _two(_put(at, c':'), seconds / 60 % 60)
        if seconds % 60 != 0:
            at = _two(_put(at, c':'), seconds % 60)
    return at


cdef inline uint8_t* _day_month(uint8_t* at, const DateTime* t, int order, uint8_t separator) noexcept nogil:
    if order == ORDER_DMY:
        at = _put(_two(at, t.day), separator)
        return _two(at, t.month)
    at = _put(_two(at, t.month), separator)
    return _two(at, t.day)


cdef uint8_t* _date(uint8_t* at, const DateTime* t, int style, int order) noexcept nogil:
    if style == STYLE_SQL:
        return _year(_put(_day_month(at, t, order, c'/'), c'/'), t.year)
    if style == STYLE_POSTGRES:
        return _year(_put(_day_month(at, t, order, c'-'), c'-'), t.year)
    if style == STYLE_GERMAN:
        at = _put(_two(at, t.day), c'.')
        at = _put(_two(at, t.month), c'.')
        return _year(at, t.year)
    at = _put(_year(at, t.year), c'-')
    at = _put(_two(at, t.month), c'-')
    return _two(at, t.day)


cdef inline uint8_t* _era(uint8_t* at, int32_t year) noexcept nogil:
    if year <= 0:
        memcpy(at, b" BC", 3)
        at += 3
    return at


cdef void date_output(int32_t date, int style, int order, Buffer* out) noexcept nogil:
    cdef DateTime t
    cdef uint8_t* at
    if not date_is_finite(date):
        put_text(out, b"-infinity" if date == INT32_MIN else b"infinity")
        return
    at = buffer_reserve(out, 32)
    if at == NULL:
        return
    date_of(date, &t)
    at = _era(_date(at, &t, style, order), t.year)
    out.size = at - out.data


cdef void time_output(int64_t us, Buffer* out) noexcept nogil:
    cdef DateTime t
    cdef uint8_t* at = buffer_reserve(out, 24)
    if at == NULL:
        return
    time_of(us, &t)
    out.size = _time(at, &t) - out.data


cdef void timetz_output(int64_t us, int32_t west, Buffer* out) noexcept nogil:
    cdef DateTime t
    cdef uint8_t* at = buffer_reserve(out, 40)
    if at == NULL:
        return
    time_of(us, &t)
    out.size = _offset(_time(at, &t), -west, STYLE_ISO) - out.data


cdef void _timestamp(const DateTime* t, const ZoneKind* kind, int style, int order, uint8_t between,
                     Buffer* out) noexcept nogil:
    # kind NULL: no zone.
    cdef uint8_t* at = buffer_reserve(out, 80)
    cdef int day
    if at == NULL:
        return
    if style == STYLE_POSTGRES:
        day = day_of_week(days_of(t.year, t.month, t.day))
        memcpy(at, DAY_NAMES + 3 * day, 3)
        at = _put(at + 3, c' ')
        if order == ORDER_DMY:
            at = _put(_two(at, t.day), c' ')
            memcpy(at, MONTH_NAMES + 3 * (t.month - 1), 3)
            at += 3
        else:
            memcpy(at, MONTH_NAMES + 3 * (t.month - 1), 3)
            at = _two(_put(at + 3, c' '), t.day)
        at = _time(_put(at, c' '), t)
        at = _year(_put(at, c' '), t.year)
    else:
        at = _date(at, t, style, order)
        at = _time(_put(at, between), t)
    if kind != NULL:
        if style == STYLE_ISO:
            at = _offset(at, kind.offset, style)
        else:
            at = _put(at, c' ')
            memcpy(at, kind.abbreviation, strlen(kind.abbreviation))
            at += strlen(kind.abbreviation)
    at = _era(at, t.year)
    out.size = at - out.data


cdef bint _infinite(int64_t timestamp, Buffer* out) noexcept nogil:
    if timestamp_is_finite(timestamp):
        return False
    put_text(out, b"-infinity" if timestamp == INT64_MIN else b"infinity")
    return True


cdef void timestamp_output(int64_t timestamp, int style, int order, Buffer* out) noexcept nogil:
    cdef DateTime t
    if not _infinite(timestamp, out):
        datetime_of(timestamp, &t)
        _timestamp(&t, NULL, style, order, c' ', out)


cdef void timestamptz_output(int64_t timestamp, const TimeZone* zone, int style, int order, Buffer* out) noexcept nogil:
    cdef DateTime t
    cdef const ZoneKind* kind
    if not _infinite(timestamp, out):
        kind = timezone_kind(zone, timestamp)
        datetime_of(timestamp + kind.offset * US_PER_SECOND, &t)
        _timestamp(&t, kind, style, order, c' ', out)


cdef void timestamp_output_t(int64_t timestamp, Buffer* out) noexcept nogil:
    cdef DateTime t
    if not _infinite(timestamp, out):
        datetime_of(timestamp, &t)
        _timestamp(&t, NULL, STYLE_ISO, 0, c'T', out)


cdef void timestamptz_output_t(int64_t timestamp, const TimeZone* zone, Buffer* out) noexcept nogil:
    cdef DateTime t
    cdef const ZoneKind* kind
    if not _infinite(timestamp, out):
        kind = timezone_kind(zone, timestamp)
        datetime_of(timestamp + kind.offset * US_PER_SECOND, &t)
        _timestamp(&t, kind, STYLE_ISO, 0, c'T', out)
