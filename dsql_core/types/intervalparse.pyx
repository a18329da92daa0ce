"""Reading intervals: "1 year 2 days 04:05:06", "@ 3 mons ago", "1-2 3 4:05:06", "P1Y2M3DT4H", "P0001-02-03T04:05:06".

Fields are read from the last to the first, because a unit stands after its number; a number without a unit means
seconds, or what the declared range or the field to its right suggests. Fractions of a unit go to smaller ones: of
years to months, of weeks and months to days and microseconds, of days and below to microseconds.

I1  No unit may be given twice, and at least one number must be there.
I2  Sums are kept in 64 bits with overflow checks; months and days must fit 32 bits at the end.
"""
from libc.math cimport fabs, rint
from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint8_t
from libc.stdlib cimport strtod

from dsql_core.base.error cimport dsql_error_set, dsql_error_t
from dsql_core.base.vector cimport Interval
from dsql_core.types.calendar cimport US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_SECOND
from dsql_core.types.chars cimport is_digit, same_text, shown
from dsql_core.types.datetokens cimport (
    TOKEN_DATE, TOKEN_NUMBER, TOKEN_TIME, TOKEN_ZONE, Token, Tokens, read_fraction, read_integer, split_fields,
)
from dsql_core.types.extract cimport (
    UNIT_CENTURY, UNIT_DAY, UNIT_DECADE, UNIT_EPOCH, UNIT_HOUR, UNIT_MICROSECOND, UNIT_MILLENNIUM, UNIT_MILLISECOND,
    UNIT_MINUTE, UNIT_MONTH, UNIT_QUARTER, UNIT_SECOND, UNIT_UNKNOWN, UNIT_WEEK, UNIT_YEAR, unit_of,
)
from dsql_core.types.int128 cimport int64_add_overflow, int64_mul_overflow

cdef enum:
    BAD_FORMAT = -1
    FIELD_OVERFLOW = -2

    SEEN_CLOCK = (1 << UNIT_HOUR) | (1 << UNIT_MINUTE) | (1 << UNIT_SECOND)
    SEEN_SECONDS = (1 << UNIT_SECOND) | (1 << UNIT_MILLISECOND) | (1 << UNIT_MICROSECOND)

    BIT_MONTH = 2
    BIT_YEAR = 4
    BIT_DAY = 8
    BIT_HOUR = 1024
    BIT_MINUTE = 2048
    BIT_SECOND = 4096

cdef struct Sums:
    int64_t months
    int64_t days
    int64_t us


cdef int _add_fraction_us(double fraction, int64_t unit, Sums* sums) noexcept nogil:
    # fraction of a unit of `unit` microseconds, |fraction| < 1.
    return -1 if int64_add_overflow(sums.us, <int64_t>rint(fraction * <double>unit), &sums.us) else 0


cdef int _add_us(int64_t count, double fraction, int64_t unit, Sums* sums) noexcept nogil:
    cdef int64_t whole
    if int64_mul_overflow(count, unit, &whole) or int64_add_overflow(sums.us, whole, &sums.us):
        return -1
    return _add_fraction_us(fraction, unit, sums)


cdef int _add_days(int64_t count, double fraction, int64_t unit, Sums* sums) noexcept nogil:
    # `unit` days each; a fraction becomes whole days and microseconds.
    cdef int64_t whole
    cdef int64_t extra
    if int64_mul_overflow(count, unit, &whole) or int64_add_overflow(sums.days, whole, &sums.days):
        return -1
    fraction *= <double>unit
    extra = <int64_t>fraction
    if int64_add_overflow(sums.days, extra, &sums.days):
        return -1
    return _add_fraction_us(fraction - <double>extra, US_PER_DAY, sums)


cdef int _add_months(int64_t count, double fraction, int64_t unit, Sums* sums) noexcept nogil:
    # `unit` months each (12 and up); a fraction is rounded to months.
    cdef int64_t whole
    if int64_mul_overflow(count, unit, &whole) or int64_add_overflow(sums.months, whole, &sums.months):
        return -1
    return -1 if int64_add_overflow(sums.months, <int64_t>rint(fraction * <double>unit), &sums.months) else 0


cdef int _add(int unit, int64_t count, double fraction, Sums* sums) noexcept nogil:
    cdef int status
    if unit == UNIT_MICROSECOND:
        status = _add_us(count, 0, 1, sums)
        if status == 0:
            status = -1 if int64_add_overflow(sums.us, <int64_t>rint(fraction), &sums.us) else 0
    elif unit == UNIT_MILLISECOND:
        status = _add_us(count, fraction, 1000, sums)
    elif unit == UNIT_SECOND:
        status = _add_us(count, fraction, US_PER_SECOND, sums)
    elif unit == UNIT_MINUTE:
        status = _add_us(count, fraction, US_PER_MINUTE, sums)
    elif unit == UNIT_HOUR:
        status = _add_us(count, fraction, US_PER_HOUR, sums)
    elif unit == UNIT_DAY:
        status = _add_days(count, fraction, 1, sums)
    elif unit == UNIT_WEEK:
        status = _add_days(count, fraction, 7, sums)
    elif unit == UNIT_MONTH:
        status = -1 if int64_add_overflow(sums.months, count, &sums.months) else _add_days(0, fraction, 30, sums)
    elif unit == UNIT_YEAR:
        status = _add_months(count, fraction, 12, sums)
    elif unit == UNIT_DECADE:
        status = _add_months(count, fraction, 120, sums)
    elif unit == UNIT_CENTURY:
        status = _add_months(count, fraction, 1200, sums)
    elif unit == UNIT_MILLENNIUM:
        status = _add_months(count, fraction, 12000, sums)
    else:
        return BAD_FORMAT
    return FIELD_OVERFLOW if status < 0 else 0


cdef int _clock(const uint8_t* at, int fields, int64_t* out) noexcept nogil:
    # h:mm, h:mm:ss[.f], mm:ss.f; under MINUTE TO SECOND two fields are mm:ss. No sign.
    cdef int64_t hours = read_integer(&at)
    cdef int64_t minutes
    cdef int64_t seconds = 0
    cdef int64_t us = 0
    cdef Sums sums
    if at[0] != c':':
        return BAD_FORMAT
    at += 1
    minutes = read_integer(&at)
    if at[0] == 0:
        if fields == (BIT_MINUTE | BIT_SECOND):
            seconds = minutes
            minutes = hours
            hours = 0
    elif at[0] == c'.':
        if read_fraction(at, &us) < 0:
            return BAD_FORMAT
        seconds = minutes
        minutes = hours
        hours = 0
    elif at[0] == c':':
        at += 1
        seconds = read_integer(&at)
        if at[0] == c'.':
            if read_fraction(at, &us) < 0:
                return BAD_FORMAT
        elif at[0] != 0:
            return BAD_FORMAT
    else:
        return BAD_FORMAT
    if hours < 0 or minutes < 0 or minutes > 59 or seconds < 0 or seconds > 60:
        return FIELD_OVERFLOW
    sums.us = minutes * US_PER_MINUTE + seconds * US_PER_SECOND + us
    if _add_us(hours, 0, US_PER_HOUR, &sums) < 0:
        return FIELD_OVERFLOW
    out[0] = sums.us
    return 0


cdef int _default_unit(int fields) noexcept nogil:
    # What a number without unit at the right end means: the smallest unit of the declared range.
    if fields == BIT_YEAR:
        return UNIT_YEAR
    if fields == BIT_MONTH or fields == (BIT_YEAR | BIT_MONTH):
        return UNIT_MONTH
    if fields == BIT_DAY:
        return UNIT_DAY
    if fields == BIT_HOUR or fields == (BIT_DAY | BIT_HOUR):
        return UNIT_HOUR
    if fields == BIT_MINUTE or fields == (BIT_HOUR | BIT_MINUTE) or fields == (BIT_DAY | BIT_HOUR | BIT_MINUTE):
        return UNIT_MINUTE
    return UNIT_SECOND


cdef int _number(const uint8_t* text, int* unit, int* seen, bint force_negative, Sums* sums) noexcept nogil:
    # A number with the unit found so far, or years-months.
    cdef const uint8_t* at = text
    cdef int64_t value = 0
    cdef int64_t months
    cdef double fraction = 0
    cdef char* end
    cdef int given
    cdef int status
    if at[0] == c'-' or at[0] == c'+':
        at += 1
    while is_digit(at[0]):
        if int64_mul_overflow(value, 10, &value) or \
                int64_add_overflow(value, 48 - at[0] if text[0] == c'-' else at[0] - 48, &value):
            return FIELD_OVERFLOW
        at += 1
    if at[0] == c'-':
        at += 1
        months = read_integer(&at)
        if months < 0 or months >= 12:
            return FIELD_OVERFLOW
        if at[0] != 0:
            return BAD_FORMAT
        unit[0] = UNIT_MONTH
        if text[0] == c'-':
            months = -months
        if int64_mul_overflow(value, 12, &value) or int64_add_overflow(value, months, &value):
            return FIELD_OVERFLOW
    elif at[0] == c'.':
        fraction = strtod(<const char*>at, &end)
        if end[0] != 0:
            if at[1] != 0:
                return BAD_FORMAT
            fraction = 0
        if text[0] == c'-':
            fraction = -fraction
    elif at[0] != 0:
        return BAD_FORMAT
    if force_negative:
        if value > 0:
            value = -value
        if fraction > 0:
            fraction = -fraction
    given = unit[0]
    status = _add(given, value, fraction, sums)
    if status < 0:
        return status
    seen[0] = SEEN_SECONDS if given == UNIT_SECOND and fraction != 0 else 1 << given
    if given == UNIT_HOUR:
        unit[0] = UNIT_DAY
    return 0


cdef int _read(const uint8_t* text, size_t size, int fields, int style, Sums* sums) noexcept nogil:
    cdef Tokens tokens
    cdef Token* token
    cdef int unit = UNIT_UNKNOWN
    cdef int known = 0
    cdef int seen
    cdef int status
    cdef int i
    cdef int64_t us
    cdef bint ago = False
    cdef bint force_negative = False
    if split_fields(text, size, &tokens) < 0 or tokens.count == 0:
        return BAD_FORMAT
    if style == 2 and tokens.items[0].text[0] == c'-':
        force_negative = True
        for i in range(1, tokens.count):
            if tokens.items[i].text[0] == c'-' or tokens.items[i].text[0] == c'+':
                force_negative = False
    i = tokens.count - 1
    while i >= 0:
        token = &tokens.items[i]
        seen = 0
        if token.kind == TOKEN_TIME or (token.kind == TOKEN_ZONE and _clock(token.text + 1, fields, &us) == 0):
            if token.kind == TOKEN_TIME:
                status = _clock(token.text, fields, &us)
                if status < 0:
                    return status
                if force_negative:
                    us = -us
            elif token.text[0] == c'-':
                us = -us
            if int64_add_overflow(sums.us, us, &sums.us):
                return FIELD_OVERFLOW
            seen = SEEN_CLOCK
            unit = UNIT_DAY
        elif token.kind == TOKEN_NUMBER or token.kind == TOKEN_DATE or token.kind == TOKEN_ZONE:
            if unit == UNIT_UNKNOWN:
                unit = _default_unit(fields)
            status = _number(token.text, &unit, &seen, force_negative, sums)
            if status < 0:
                return status
        else:
            if token.size == 3 and same_text(token.text, 3, b"ago"):
                ago = True
            else:
                unit = unit_of(token.text, token.size)
                if unit == UNIT_UNKNOWN or unit >= UNIT_EPOCH or unit == UNIT_QUARTER:
                    return BAD_FORMAT
        if (seen & known) != 0:
            return BAD_FORMAT
        known |= seen
        i -= 1
    if known == 0:
        return BAD_FORMAT
    if ago:
        if sums.us == <int64_t>(1ULL << 63):
            return FIELD_OVERFLOW
        sums.us = -sums.us
        sums.days = -sums.days
        sums.months = -sums.months
    return 0


cdef int _iso_number(const uint8_t** position, int64_t* whole, double* fraction) noexcept nogil:
    cdef const uint8_t* at = position[0]
    cdef char* end
    cdef double value
    if not (is_digit(at[0]) or at[0] == c'-' or at[0] == c'.'):
        return BAD_FORMAT
    value = strtod(<const char*>at, &end)
    if <const uint8_t*>end == at:
        return BAD_FORMAT
    if fabs(value) > 1.0e15:
        return FIELD_OVERFLOW
    whole[0] = <int64_t>value
    fraction[0] = value - <double>whole[0]
    position[0] = <const uint8_t*>end
    return 0


cdef int _iso_digits(const uint8_t* at) noexcept nogil:
    # Width of the number that starts here, signs and point not counted.
    cdef int n = 0
    if at[0] == c'-':
        at += 1
    while is_digit(at[n]):
        n += 1
    return n


cdef int _read_iso(const uint8_t* text, size_t size, Sums* sums) noexcept nogil:
    # P[n]Y[n]M[n]W[n]D[T[n]H[n]M[n]S], or the alternative PYYYY-MM-DDThh:mm:ss, PYYYYMMDDThhmmss.
    cdef uint8_t copy[128]
    cdef const uint8_t* at
    cdef const uint8_t* number
    cdef int64_t whole
    cdef double fraction
    cdef bint date = True
    cdef bint field_seen = False
    cdef size_t i
    cdef int status
    cdef uint8_t unit
    if size < 2 or size > 127 or text[0] != c'P':
        return BAD_FORMAT
    for i in range(size):
        copy[i] = text[i]
    copy[size] = 0
    at = &copy[1]
    while at[0] != 0:
        if at[0] == c'T':
            date = False
            field_seen = False
            at += 1
            continue
        number = at
        status = _iso_number(&at, &whole, &fraction)
        if status < 0:
            return status
        unit = at[0]
        if unit != 0:
            at += 1
        status = 0
        if date:
            if unit == c'Y':
                status = _add(UNIT_YEAR, whole, fraction, sums)
            elif unit == c'M':
                status = _add(UNIT_MONTH, whole, fraction, sums)
            elif unit == c'W':
                status = _add(UNIT_WEEK, whole, fraction, sums)
            elif unit == c'D':
                status = _add(UNIT_DAY, whole, fraction, sums)
            elif (unit == 0 or unit == c'T') and _iso_digits(number) == 8 and not field_seen:
                status = _add(UNIT_YEAR, whole / 10000, 0, sums)
                if status == 0:
                    status = _add(UNIT_MONTH, whole / 100 % 100, 0, sums)
                if status == 0:
                    status = _add(UNIT_DAY, whole % 100, fraction, sums)
                if unit == 0:
                    return status
                date = False
                field_seen = False
                if status < 0:
                    return status
                continue
            elif (unit == 0 or unit == c'T' or unit == c'-') and not field_seen:
                # yyyy[-mm[-dd]]
                status = _add(UNIT_YEAR, whole, fraction, sums)
                if status < 0 or unit == 0:
                    return status
                if unit == c'-':
                    status = _iso_number(&at, &whole, &fraction)
                    if status == 0:
                        status = _add(UNIT_MONTH, whole, fraction, sums)
                    if status < 0:
                        return status
                    if at[0] == c'-':
                        at += 1
                        status = _iso_number(&at, &whole, &fraction)
                        if status == 0:
                            status = _add(UNIT_DAY, whole, fraction, sums)
                        if status < 0:
                            return status
                    if at[0] == 0:
                        return 0
                    if at[0] != c'T':
                        return BAD_FORMAT
                    at += 1
                date = False
                field_seen = False
                continue
            else:
                return BAD_FORMAT
        else:
            if unit == c'H':
                status = _add(UNIT_HOUR, whole, fraction, sums)
            elif unit == c'M':
                status = _add(UNIT_MINUTE, whole, fraction, sums)
            elif unit == c'S':
                status = _add(UNIT_SECOND, whole, fraction, sums)
            elif unit == 0 and _iso_digits(number) == 6 and not field_seen:
                status = _add(UNIT_HOUR, whole / 10000, 0, sums)
                if status == 0:
                    status = _add(UNIT_MINUTE, whole / 100 % 100, 0, sums)
                return _add(UNIT_SECOND, whole % 100, fraction, sums) if status == 0 else status
            elif (unit == 0 or unit == c':') and not field_seen:
                # hh[:mm[:ss]]
                status = _add(UNIT_HOUR, whole, fraction, sums)
                if status < 0 or unit == 0:
                    return status
                status = _iso_number(&at, &whole, &fraction)
                if status == 0:
                    status = _add(UNIT_MINUTE, whole, fraction, sums)
                if status < 0 or at[0] == 0:
                    return status
                if at[0] != c':':
                    return BAD_FORMAT
                at += 1
                status = _iso_number(&at, &whole, &fraction)
                if status == 0:
                    status = _add(UNIT_SECOND, whole, fraction, sums)
                if status == 0 and at[0] != 0:
                    status = BAD_FORMAT
                return status
            else:
                return BAD_FORMAT
        if status < 0:
            return status
        field_seen = True
    return 0


cdef int interval_parse(const uint8_t* text, size_t size, int32_t typmod, int style, Interval* out,
                        dsql_error_t* error) noexcept nogil:
    cdef Sums sums
    cdef int fields = (typmod >> 16) & 0x7FFF if typmod >= 0 else 0x7FFF
    cdef int status
    sums.months = 0
    sums.days = 0
    sums.us = 0
    status = _read(text, size, fields, style, &sums)
    if status == BAD_FORMAT:
        sums.months = 0
        sums.days = 0
        sums.us = 0
        status = _read_iso(text, size, &sums)
    if status == BAD_FORMAT:
        dsql_error_set(error, b"22007", b"invalid input syntax for type interval: \"%.*s\"", shown(size), text)
        return -1
    if status < 0:
        dsql_error_set(error, b"22015", b"interval field value out of range: \"%.*s\"", shown(size), text)
        return -1
    if sums.months > INT32_MAX or sums.months < INT32_MIN or sums.days > INT32_MAX or sums.days < INT32_MIN:
        if sums.days > INT32_MAX or sums.days < INT32_MIN:
            dsql_error_set(error, b"22015", b"interval field value out of range: \"%.*s\"", shown(size), text)
        else:
            dsql_error_set(error, b"22008", b"interval out of range")
        return -1
    out.months = <int32_t>sums.months
    out.days = <int32_t>sums.days
    out.us = sums.us
    return 0
