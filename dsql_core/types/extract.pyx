"""Fields of dates, times and intervals: extract(), date_part(), and the names of units.

Names of units are looked up by their first ten characters, as PostgreSQL keeps them, in any case.

I1  Years are astronomical inside and shown without a year 0: 1 BC is -1 to the user.
I2  seconds have scale 6, milliseconds 3, epoch 6 (date: 0): extract() shows exactly these decimals.
"""
from libc.math cimport INFINITY
from libc.stdint cimport INT32_MIN, INT64_MIN, int32_t, int64_t, uint8_t

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.memory cimport Pool
from dsql_core.base.vector cimport Interval, Var
from dsql_core.types.bignum cimport NUMERIC_NINF, NUMERIC_PINF
from dsql_core.types.calendar cimport (
    US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND, DateTime, date_is_finite, date_of, datetime_of, day_of_week,
    days_of, time_of, time_us, timestamp_is_finite,
)
from dsql_core.types.chars cimport lower_ascii
from dsql_core.types.int128 cimport pow10_i64
from dsql_core.types.numeric cimport (
    numeric_add, numeric_div, numeric_from_i128, numeric_from_int64, numeric_set_special,
)
from dsql_core.types.timezone cimport TimeZone, timezone_offset

cdef struct UnitName:
    char name[11]
    uint8_t unit

cdef UnitName[96] unit_names
cdef int unit_count = 0

# Unit, then its spellings (cut at ten characters).
SPELLINGS = {
    UNIT_MICROSECOND: "microsecon us usec usecond useconds usecs",
    UNIT_MILLISECOND: "millisecon ms msec mseconds msecs msecond",
    UNIT_SECOND: "s sec second seconds secs",
    UNIT_MINUTE: "m min mins minute minutes",
    UNIT_HOUR: "h hour hours hr hrs",
    UNIT_DAY: "d day days",
    UNIT_WEEK: "w week weeks",
    UNIT_MONTH: "mon mons month months",
    UNIT_QUARTER: "qtr quarter",
    UNIT_YEAR: "y year years yr yrs",
    UNIT_DECADE: "dec decade decades decs",
    UNIT_CENTURY: "c cent centuries century",
    UNIT_MILLENNIUM: "mil millennia millennium mils",
    UNIT_EPOCH: "epoch",
    UNIT_DOW: "dow",
    UNIT_DOY: "doy",
    UNIT_ISODOW: "isodow",
    UNIT_ISOYEAR: "isoyear",
    UNIT_JULIAN: "j jd julian",
    UNIT_TIMEZONE: "timezone",
    UNIT_TIMEZONE_HOUR: "timezone_h",
    UNIT_TIMEZONE_MINUTE: "timezone_m",
}


def _fill_units():
    global unit_count
    for unit, names in SPELLINGS.items():
        for name in names.split():
            for i, byte in enumerate(name.encode()):
                unit_names[unit_count].name[i] = byte
            unit_names[unit_count].name[len(name)] = 0
            unit_names[unit_count].unit = unit
            unit_count += 1


_fill_units()


cdef int unit_of(const uint8_t* name, size_t size) noexcept nogil:
    cdef int i
    cdef size_t j
    if size > 10:
        size = 10
    for i in range(unit_count):
        for j in range(size):
            if unit_names[i].name[j] == 0 or <uint8_t>unit_names[i].name[j] != lower_ascii(name[j]):
                break
        else:
            if unit_names[i].name[size] == 0:
                return unit_names[i].unit
    return UNIT_UNKNOWN


cdef int _refuse(const Unit* unit, const char* type_name, const char* sqlstate, const char* message,
                 dsql_error_t* error) noexcept nogil:
    cdef char lowered[256]
    cdef size_t i, size = unit.size if unit.size < 256 else 255
    for i in range(size):
        lowered[i] = <char>lower_ascii(unit.name[i])
    lowered[size] = 0
    dsql_error_set(error, sqlstate, message, &lowered[0], type_name)
    return -1


cdef int unit_not_recognized(const Unit* unit, const char* type_name, dsql_error_t* error) noexcept nogil:
    return _refuse(unit, type_name, b"22023", b"unit \"%s\" not recognized for type %s", error)


cdef int unit_not_supported(const Unit* unit, const char* type_name, dsql_error_t* error) noexcept nogil:
    return _refuse(unit, type_name, b"0A000", b"unit \"%s\" not supported for type %s", error)


cdef void iso_week(int64_t days, int32_t* year, int32_t* week) noexcept nogil:
    # The week belongs to the year of its Thursday.
    cdef DateTime t
    cdef int64_t thursday = days - (day_of_week(days) + 6) % 7 + 3
    date_of(thursday, &t)
    year[0] = t.year
    week[0] = <int32_t>((thursday - days_of(t.year, 1, 1)) / 7 + 1)


cdef inline int32_t _shown_year(int32_t year) noexcept nogil:
    return year if year > 0 else year - 1


cdef bint _date_field(int unit, const DateTime* t, Extracted* out) noexcept nogil:
    cdef int32_t year = t.year
    cdef int32_t week
    cdef int64_t days
    if unit == UNIT_YEAR:
        out.value = _shown_year(year)
    elif unit == UNIT_MONTH:
        out.value = t.month
    elif unit == UNIT_DAY:
        out.value = t.day
    elif unit == UNIT_QUARTER:
        out.value = (t.month - 1) / 3 + 1
    elif unit == UNIT_DECADE:
        out.value = year / 10 if year >= 0 else -((8 - (year - 1)) / 10)
    elif unit == UNIT_CENTURY:
        out.value = (year + 99) / 100 if year > 0 else -((99 - (year - 1)) / 100)
    elif unit == UNIT_MILLENNIUM:
        out.value = (year + 999) / 1000 if year > 0 else -((999 - (year - 1)) / 1000)
    else:
        days = days_of(year, t.month, t.day)
        if unit == UNIT_WEEK or unit == UNIT_ISOYEAR:
            iso_week(days, &year, &week)
            out.value = week if unit == UNIT_WEEK else _shown_year(year)
        elif unit == UNIT_DOW:
            out.value = day_of_week(days)
        elif unit == UNIT_ISODOW:
            out.value = (day_of_week(days) + 6) % 7 + 1
        elif unit == UNIT_DOY:
            out.value = days - days_of(year, 1, 1) + 1
        elif unit == UNIT_JULIAN:
            out.value = days + 2451545
            out.us_of_day = time_us(t)
            out.kind = EXTRACT_JULIAN
        else:
            return False
    return True


cdef bint _time_field(int unit, const DateTime* t, Extracted* out) noexcept nogil:
    if unit == UNIT_HOUR:
        out.value = t.hour
    elif unit == UNIT_MINUTE:
        out.value = t.minute
    elif unit == UNIT_SECOND:
        out.value = t.second * US_PER_SECOND + t.us
        out.scale = 6
    elif unit == UNIT_MILLISECOND:
        out.value = t.second * US_PER_SECOND + t.us
        out.scale = 3
    elif unit == UNIT_MICROSECOND:
        out.value = t.second * US_PER_SECOND + t.us
    else:
        return False
    return True


cdef bint _zone_field(int unit, int32_t east, Extracted* out) noexcept nogil:
    if unit == UNIT_TIMEZONE:
        out.value = east
    elif unit == UNIT_TIMEZONE_HOUR:
        out.value = east / 3600
    elif unit == UNIT_TIMEZONE_MINUTE:
        out.value = east / 60 % 60
    else:
        return False
    return True


cdef inline void _clear(Extracted* out) noexcept nogil:
    out.value = 0
    out.us_of_day = 0
    out.scale = 0
    out.kind = EXTRACT_VALUE


cdef int _infinite(const Unit* unit, bint negative, const char* type_name, Extracted* out,
                   dsql_error_t* error) noexcept nogil:
    # Growing fields are infinite, cyclic ones NULL.
    if unit.code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, type_name, error)
    if unit.code == UNIT_YEAR or unit.code == UNIT_DECADE or unit.code == UNIT_CENTURY or \
            unit.code == UNIT_MILLENNIUM or unit.code == UNIT_JULIAN or unit.code == UNIT_ISOYEAR or \
            unit.code == UNIT_EPOCH:
        out.kind = EXTRACT_INFINITE
        out.value = -1 if negative else 1
        return 0
    out.kind = EXTRACT_NULL
    return 0


cdef int _extract(const Unit* unit, int64_t at, const TimeZone* zone, bint zoned, const char* type_name,
                  Extracted* out, dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int32_t east = 0
    cdef int code = unit.code
    _clear(out)
    if not timestamp_is_finite(at):
        return _infinite(unit, at == INT64_MIN, type_name, out, error)
    if code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, type_name, error)
    if code == UNIT_EPOCH:
        out.value = at
        out.value = out.value + 10957 * US_PER_DAY
        out.scale = 6
        return 0
    if zoned:
        east = timezone_offset(zone, at)
    datetime_of(at + east * US_PER_SECOND, &t)
    if _time_field(code, &t, out) or _date_field(code, &t, out) or (zoned and _zone_field(code, east, out)):
        return 0
    return unit_not_supported(unit, type_name, error)


cdef int extract_timestamp(const Unit* unit, int64_t at, Extracted* out,
                           dsql_error_t* error) noexcept nogil:
    return _extract(unit, at, NULL, False, b"timestamp without time zone", out, error)


cdef int extract_timestamptz(const Unit* unit, int64_t at, const TimeZone* zone, Extracted* out,
                             dsql_error_t* error) noexcept nogil:
    return _extract(unit, at, zone, True, b"timestamp with time zone", out, error)


cdef int extract_date(const Unit* unit, int32_t date, Extracted* out,
                      dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int code = unit.code
    _clear(out)
    if code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, b"date", error)
    if code <= UNIT_HOUR or code >= UNIT_TIMEZONE:
        return unit_not_supported(unit, b"date", error)
    if not date_is_finite(date):
        return _infinite(unit, date == INT32_MIN, b"date", out, error)
    if code == UNIT_EPOCH:
        out.value = (date + <int64_t>10957) * 86400
        return 0
    date_of(date, &t)
    t.hour = t.minute = t.second = t.us = 0
    if code == UNIT_JULIAN:
        out.value = <int64_t>date + 2451545
    elif not _date_field(code, &t, out):
        return unit_not_supported(unit, b"date", error)
    return 0


cdef int extract_time(const Unit* unit, int64_t us, Extracted* out, dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int code = unit.code
    _clear(out)
    if code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, b"time without time zone", error)
    time_of(us, &t)
    if code == UNIT_EPOCH:
        out.value = us
        out.scale = 6
    elif not _time_field(code, &t, out):
        return unit_not_supported(unit, b"time without time zone", error)
    return 0


cdef int extract_timetz(const Unit* unit, int64_t us, int32_t west, Extracted* out,
                        dsql_error_t* error) noexcept nogil:
    cdef DateTime t
    cdef int code = unit.code
    _clear(out)
    if code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, b"time with time zone", error)
    time_of(us, &t)
    if code == UNIT_EPOCH:
        out.value = us + west * US_PER_SECOND
        out.scale = 6
    elif not _time_field(code, &t, out) and not _zone_field(code, -west, out):
        return unit_not_supported(unit, b"time with time zone", error)
    return 0


cdef int extract_interval(const Unit* unit, const Interval* span, Extracted* out,
                          dsql_error_t* error) noexcept nogil:
    cdef int code = unit.code
    cdef int64_t within = span.us % US_PER_MINUTE
    cdef int64_t days
    cdef int32_t months = span.months % 12
    cdef int32_t years = span.months / 12
    _clear(out)
    if code == UNIT_UNKNOWN:
        return unit_not_recognized(unit, b"interval", error)
    if code == UNIT_MICROSECOND or code == UNIT_MILLISECOND or code == UNIT_SECOND:
        out.value = within
        out.scale = 6 if code == UNIT_SECOND else 3 if code == UNIT_MILLISECOND else 0
    elif code == UNIT_MINUTE:
        out.value = span.us % US_PER_HOUR / US_PER_MINUTE
    elif code == UNIT_HOUR:
        out.value = span.us / US_PER_HOUR
    elif code == UNIT_DAY:
        out.value = span.days
    elif code == UNIT_MONTH:
        out.value = months
    elif code == UNIT_QUARTER:
        out.value = months / 3 + 1
    elif code == UNIT_YEAR:
        out.value = years
    elif code == UNIT_DECADE:
        out.value = years / 10
    elif code == UNIT_CENTURY:
        out.value = years / 100
    elif code == UNIT_MILLENNIUM:
        out.value = years / 1000
    elif code == UNIT_EPOCH:
        # A year counts 365.25 days, a month 30.
        days = <int64_t>years * 1461 + 4 * (<int64_t>months * 30 + span.days)
        out.value = days * (US_PER_DAY / 4 / 1000000)
        out.value = out.value * 1000000 + span.us
        out.scale = 6
    else:
        return unit_not_supported(unit, b"interval", error)
    return 0


cdef int extracted_numeric(const Extracted* value, Pool* pool, Var* out, dsql_error_t* error) noexcept nogil:
    cdef Var part
    cdef Var day
    if value.kind == EXTRACT_INFINITE:
        return numeric_set_special(NUMERIC_PINF if value.value > 0 else NUMERIC_NINF, out)
    if value.kind != EXTRACT_JULIAN:
        return numeric_from_i128(value.value, value.scale, pool, out, error)
    if numeric_from_int64(value.us_of_day, pool, &part, error) < 0 or \
            numeric_from_int64(US_PER_DAY, pool, &day, error) < 0 or \
            numeric_div(&part, &day, pool, &part, error) < 0 or \
            numeric_from_i128(value.value, 0, pool, &day, error) < 0:
        return -1
    return numeric_add(&day, &part, pool, out, error)


cdef double extracted_double(const Extracted* value) noexcept nogil:
    if value.kind == EXTRACT_INFINITE:
        return INFINITY if value.value > 0 else -INFINITY
    if value.kind == EXTRACT_JULIAN:
        return <double>value.value + <double>value.us_of_day / <double>US_PER_DAY
    return <double>value.value / <double>pow10_i64[value.scale]
